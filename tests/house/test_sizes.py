"""Files and functions stay small enough to read in one go."""

from __future__ import annotations

import ast
from pathlib import Path

from house.sources import python_files, read

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


def oversized(path: Path, source: str) -> list[str]:
    """What in `source` is longer than it may be."""
    lines = len(source.splitlines())
    faults = [f"{path}: {lines} lines"] if lines > MAX_FILE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                faults.append(f"{path}:{node.lineno}: {node.name} has {length} lines")
    return faults


def test_no_file_or_function_is_too_long():
    files = python_files("addon", "backend", "tools", "tests")

    assert [fault for path in files for fault in oversized(path, read(path))] == []


def test_a_long_file_and_a_long_function_are_found():
    long_function = "def work():\n" + "    pass\n" * MAX_FUNCTION_LINES
    long_file = "x = 1\n" * (MAX_FILE_LINES + 1)

    assert len(oversized(Path("a.py"), long_function)) == 1
    assert len(oversized(Path("a.py"), long_file)) == 1


def test_a_file_and_function_at_the_wall_are_allowed():
    function = "def work():\n" + "    pass\n" * (MAX_FUNCTION_LINES - 1)

    assert oversized(Path("a.py"), function + "x = 1\n" * (MAX_FILE_LINES - 60)) == []
