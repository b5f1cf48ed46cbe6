"""The description of the service as a page: our own HTML, no script, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import html as escaping
import json
import re
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--dim:#666d78;--paper:#fff;--card:#f5f6f8;
--line:#dde1e7;--get:#1967d2;--post:#188038;--put:#b06000;--delete:#c5221f}
@media(prefers-color-scheme:dark){:root{--ink:#e4e6ea;--dim:#9aa2ae;--paper:#16181c;--card:#1f2228;
--line:#343943;--get:#8ab4f8;--post:#81c995;--put:#fdd663;--delete:#f28b82}}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);
background:var(--paper);max-width:60rem;margin:0 auto;padding:2rem 1.2rem}
h1{font-size:1.7rem;margin:0}h2{margin:2.2rem 0 .6rem;font-size:1.2rem}p{margin:.5rem 0}
small,.dim{color:var(--dim)}code,pre{font:13px/1.5 ui-monospace,Consolas,monospace}
pre{overflow:auto;background:var(--paper);border:1px solid var(--line);border-radius:6px;
padding:.7rem}
details{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:.45rem 0;
padding:.5rem .8rem}summary{cursor:pointer}summary code{font-weight:600}
b.verb{display:inline-block;width:4.3rem;font:700 12px ui-monospace,monospace}
.get{color:var(--get)}.post{color:var(--post)}.put{color:var(--put)}.delete{color:var(--delete)}
table{border-collapse:collapse;width:100%;margin:.5rem 0}td,th{text-align:left;padding:.25rem .6rem
.25rem 0;border-top:1px solid var(--line);vertical-align:top;font-weight:400}th{width:30%}
a{color:var(--get)}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def html(schema: dict[str, Any]) -> str:
    """The page of an OpenAPI description."""
    info = schema["info"]
    title = f"{_safe(info['title'])} {_safe(info['version'])}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{_STYLE}</style></head><body>
<h1>{title}</h1>{_prose(info.get("description", ""))}
<p class="dim">For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI
{_safe(schema["openapi"])}).</p>
{"".join(_section(tag, schema) for tag in schema["tags"])}
<h2>Records</h2>{"".join(_record(each) for each in sorted(schema["components"]["schemas"].items()))}
</body></html>"""


def _section(tag: dict[str, Any], schema: dict[str, Any]) -> str:
    routes = [
        _route(verb, path, route)
        for path, verbs in schema["paths"].items()
        for verb, route in verbs.items()
        if tag["name"] in route["tags"]
    ]
    return f"<h2>{_safe(tag['name'].title())}</h2>{_prose(tag['description'])}{''.join(routes)}"


def _route(verb: str, path: str, route: dict[str, Any]) -> str:
    asks = [
        _row(
            f"<code>{_safe(each['name'])}</code> <small>{each['in']}"
            f"{', required' if each.get('required') else ''}</small>",
            f"{_kind(each['schema'])} {_safe(each.get('description', ''))}",
        )
        for each in route.get("parameters", ())
    ]
    body = route.get("requestBody", {})
    asks += [
        _row("<small>body</small>", f"{_kind(each.get('schema', {}))} <small>{kind}</small>")
        for kind, each in body.get("content", {}).items()
    ]
    answers = [
        _row(f"<code>{status}</code>", f"{_safe(each['description'])} {_answer(each)}")
        for status, each in sorted(route["responses"].items())
    ]
    first, _, rest = route.get("description", "").partition("\n\n")
    return (
        f'<details id="{route["operationId"]}"><summary><b class="verb {verb}">{verb.upper()}</b>'
        f"<code>{_safe(path)}</code> <span class=dim>{_inline(first)}</span></summary>"
        f"{_prose(rest)}<table>{''.join(asks)}</table><table>{''.join(answers)}</table></details>"
    )


def _answer(answer: dict[str, Any]) -> str:
    return " ".join(_kind(each.get("schema", {})) for each in answer.get("content", {}).values())


def _record(named: tuple[str, dict[str, Any]]) -> str:
    name, record = named
    rows = [
        _row(f"<code>{_safe(key)}</code>", f"{_kind(each)} {_inline(each.get('description', ''))}")
        for key, each in record.get("properties", {}).items()
    ]
    shown = [
        f"<pre>{_safe(json.dumps(each, indent=2))}</pre>" for each in record.get("examples", ())
    ]
    return (
        f'<details id="{_safe(name)}"><summary><code>{_safe(name)}</code> <span class=dim>'
        f"{_inline(record.get('description', ''))}</span></summary><table>{''.join(rows)}</table>"
        f"{''.join(shown)}</details>"
    )


def _kind(schema: dict[str, Any]) -> str:
    """The type that a schema describes, in a few words; records link to theirs."""
    if "$ref" in schema:
        name = _safe(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_kind(each) for each in schema[several])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " | ".join(f"<code>{_safe(json.dumps(each))}</code>" for each in values)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    bounds = [f"{low} {schema[key]}" for key, low in _BOUNDS.items() if key in schema]
    return f"<small>{_safe(' '.join([schema.get('type', ''), *bounds]))}</small>"


_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "pattern": "like"}


def _row(head: str, text: str) -> str:
    return f"<tr><th>{head}</th><td>{text}</td></tr>"


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(each)}</p>" for each in text.split("\n\n") if each.strip())


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _safe(text))


def _safe(text: Any) -> str:
    return escaping.escape(str(text))
