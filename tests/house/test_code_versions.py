"""A step that is kept between captures has a version, raised by hand when its code gives others.

Nobody remembers to. So here stands, for each step, a checksum of the code that it runs, without
comments, docstrings and spaces; with its version. Who changes that code decides which of the two
has to change.
"""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from pathlib import Path

import pytest
from house.sources import python_files, read
from stripmocap import provenance

BACKEND = Path("backend/stripmocap")
PLACES = {
    "PEOPLE_CODE": ("people", "video", "contract/sequences.py", "contract/skeleton.py"),
    "FRAME_CODE": (
        *("methods/hmr", "methods/features", "methods/ground.py"),
        *("body", "geometry", "contract/skeleton.py"),
        *("video/crops.py", "torch_files.py", "checkpoints.py"),
    ),
    "TIME_CODE": (
        *("methods/vibe", "methods/hmr", "methods/features", "methods/ground.py"),
        *("body", "geometry", "contract/skeleton.py"),
        *("video/crops.py", "torch_files.py", "checkpoints.py"),
    ),
    "FIT_CODE": (
        *("methods/smplify", "methods/ground.py", "methods/levels.py", "methods/toolbox.py"),
        *("body", "geometry", "contract/skeleton.py"),
    ),
    "REFINE_CODE": (
        *("methods/humor", "methods/smplify", "methods/features", "methods/toolbox.py"),
        *("methods/ground.py", "methods/levels.py", "body", "geometry", "contract/skeleton.py"),
        *("torch_files.py", "checkpoints.py"),
    ),
}
KNOWN = {  # version and checksum
    "PEOPLE_CODE": (2, "3d0a0a9401dcc80f"),
    "FRAME_CODE": (3, "d56ea235bf0d4caf"),
    "TIME_CODE": (2, "0fa6e224b33c9e7c"),
    "FIT_CODE": (5, "77f899543b02bc5e"),
    "REFINE_CODE": (2, "87b882f5d9602c6f"),
}


def essence(source: str) -> str:
    """`source` without what does not run: comments, docstrings and spaces."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            first = node.body[0]
            for number in range(first.lineno - 1, first.end_lineno or first.lineno):
                lines[number] = "\n"
    text = "".join(lines)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            (row, start), (_, stop) = token.start, token.end
            lines[row - 1] = lines[row - 1][:start] + lines[row - 1][stop:]
    return "".join("".join(lines).split())


def checksum(places: tuple[str, ...]) -> str:
    """One over all the code in `places`."""
    code = {
        path: essence(read(path))
        for path in sorted(python_files("backend"))
        if any(path.is_relative_to(BACKEND / place) for place in places)
    }
    text = "\n".join(f"{path.as_posix()} {each}" for path, each in code.items())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", PLACES)
def test_a_step_whose_code_changed_has_another_version_or_gives_the_same(name):
    version, known = KNOWN[name]
    found = checksum(PLACES[name])

    assert (getattr(provenance, name), found) == (version, known), (
        f"The code of {', '.join(PLACES[name])} has changed. If the same request now gives another "
        f"result, raise provenance.{name}. Then write the version and {found!r} into KNOWN here."
    )


def test_what_does_not_run_is_not_counted():
    plain = "def twice(x):\n    return 2 * x\n"
    told = '"""Numbers."""\n\n\ndef twice(x):\n    """Two x."""\n    # why\n    return 2*x  # so\n'

    assert essence(plain) == essence(told)


@pytest.mark.parametrize("other", ["x = 2", "x = -1", "y = 1", "x = 1.0", "x = 1\ny = x"])
def test_what_runs_is_counted(other):
    assert essence("x = 1") != essence(other)
