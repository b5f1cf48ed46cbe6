from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "find_python.sh"
FAILING = "#!/bin/sh\necho 'pyenv: not found' >&2\nexit 127\n"
# Only what the script itself runs; no Python of the machine.
pytestmark = pytest.mark.skipif(os.name == "nt", reason="make is for Unix shells")


def stand_in(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def working(path: Path) -> None:
    stand_in(path, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')


def found(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_fails_is_passed_over(tmp_path):
    stand_in(tmp_path / "bin" / "python3.11", FAILING)
    working(tmp_path / "bin" / "python3")

    answer = found(tmp_path)

    assert answer.returncode == 0
    assert answer.stdout.strip() == os.path.realpath(sys.executable)


def test_pyenv_is_asked_when_the_path_has_none(tmp_path):
    stand_in(tmp_path / "bin" / "python3", FAILING)
    working(tmp_path / ".pyenv" / "versions" / "3.11.9" / "bin" / "python")

    assert found(tmp_path).returncode == 0


def test_no_python_is_said_with_a_hint(tmp_path):
    stand_in(tmp_path / "bin" / "python3", FAILING)

    answer = found(tmp_path)

    assert answer.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in answer.stderr
    assert answer.stdout == ""


def test_a_named_python_that_does_not_fit_is_refused(tmp_path):
    stand_in(tmp_path / "old", FAILING)
    working(tmp_path / "bin" / "python3")

    answer = found(tmp_path, PYTHON=str(tmp_path / "old"))

    assert answer.returncode == 1
    assert "old is not a Python" in answer.stderr
