"""The sources of the checkout, as the house rules look at them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Import:
    """One imported module, absolute, with the line that names it."""

    module: str
    line: int


def tracked_files() -> list[Path]:
    """Every file of the repository, relative to its root; what git ignores is left out."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
    ).stdout
    return [Path(name) for name in listing.split("\0") if name and (ROOT / name).is_file()]


def python_files(*tops: str) -> list[Path]:
    """Every Python file under the folders `tops`, relative to the root."""
    return [each for each in tracked_files() if each.suffix == ".py" and each.parts[0] in tops]


def read(path: Path) -> str:
    """The text of a file of the repository."""
    return (ROOT / path).read_text(encoding="utf-8")


def imports(path: Path, source: str) -> Iterator[Import]:
    """Every module that `source`, the file at `path`, imports, wherever in it."""
    package = path.parts[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join((*start, *([node.module] if node.module else ())))
            # `from .. import geometry` names a room only in the alias.
            yield from (Import(f"{stem}.{alias.name}", node.lineno) for alias in node.names)
