"""A report as a page: words, tables and pictures, written as HTML or Markdown.

The HTML stands alone: pictures are inside, nothing is fetched, no script runs. Markdown has its
pictures in a folder beside it.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".html", ".md")
_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg"}
_STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--dim:#666d78;--paper:#fff;--line:#dde1e7}
@media(prefers-color-scheme:dark){:root{--ink:#e4e6ea;--dim:#9aa2ae;--paper:#16181c;--line:#343943}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:72rem;
margin:0 auto;padding:2rem 1.2rem}h1{font-size:1.7rem}h2{margin:2.2rem 0 .6rem;font-size:1.2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0}
td,th{padding:.25rem .8rem;border-top:1px solid var(--line);text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums}td:first-child,th:first-child{text-align:left}
th{color:var(--dim);font-weight:600}figure{margin:1rem 0}figcaption{color:var(--dim)}
img{max-width:100%;height:auto}
"""


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells as they are to be read; the first column names its row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A .png or .jpg picture with what it shows."""

    caption: str
    data: bytes

    @property
    def kind(self) -> str:
        """Its type, "png" or "jpeg", from its first bytes."""
        return next(kind for start, kind in _KINDS.items() if self.data.startswith(start))


Block = Words | Table | Picture


@dataclass(frozen=True)
class Section:
    """Blocks under a heading."""

    title: str
    blocks: tuple[Block, ...]


def as_html(title: str, sections: Sequence[Section]) -> str:
    """The page as one file of HTML."""
    parts = "".join(
        f"<h2>{_safe(each.title)}</h2>{''.join(_html_of(block) for block in each.blocks)}\n"
        for each in sections
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{_safe(title)}</h1>\n{parts}</body></html>\n"
    )


def as_markdown(
    title: str, sections: Sequence[Section], *, pictures: Path
) -> tuple[str, dict[Path, bytes]]:
    """The page as Markdown, and its pictures by the path that it names them with.

    Args:
        title: of the page.
        sections: in order.
        pictures: the folder of the pictures, as seen from the page.
    """
    files: dict[Path, bytes] = {}
    lines = [f"# {_plain(title)}", ""]
    for section in sections:
        lines += [f"## {_plain(section.title)}", ""]
        for block in section.blocks:
            if isinstance(block, Picture):
                ending = "jpg" if block.kind == "jpeg" else block.kind
                name = pictures / f"{len(files) + 1:02d}.{ending}"
                files[name] = block.data
                lines += [f"![{_plain(block.caption)}](<{name.as_posix()}>)", ""]
            else:
                lines += [*_markdown_of(block), ""]
    return "\n".join(lines), files


def _html_of(block: Block) -> str:
    match block:
        case Words(text):
            return f"<p>{_safe(text)}</p>"
        case Table(head, rows):
            top = "".join(f"<th>{_safe(cell)}</th>" for cell in head)
            body = "".join(
                f"<tr>{''.join(f'<td>{_safe(cell)}</td>' for cell in row)}</tr>" for row in rows
            )
            return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'
        case Picture(caption, data):
            source = f"data:image/{block.kind};base64,{base64.b64encode(data).decode()}"
            said = _safe(caption)
            return (
                f'<figure><img alt="{said}" src="{source}"><figcaption>{said}</figcaption></figure>'
            )


def _markdown_of(block: Words | Table) -> Iterator[str]:
    if isinstance(block, Words):
        yield _plain(block.text)
        return
    yield f"| {' | '.join(map(_cell, block.head))} |"
    yield f"|{'---|' + '---:|' * (len(block.head) - 1)}"
    for row in block.rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


def _plain(text: str) -> str:
    """Text that neither breaks its line nor becomes a tag or a link."""
    flat = " ".join(text.split())
    return flat.replace("<", "&lt;").replace("[", "\\[").replace("]", "\\]")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")
