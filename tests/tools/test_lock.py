from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "wheels").glob("lock-*.txt"))


def pins(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ;]", name)[0]).lower()


def test_there_is_a_lock_for_each_kind_of_device():
    assert [each.stem for each in LOCKS] == ["lock-cpu", "lock-cuda", "lock-mps"]


@pytest.mark.parametrize("path", LOCKS, ids=lambda each: each.stem)
def test_everything_that_the_backend_asks_for_is_pinned_to_a_public_version(path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    locked = {plain(name): version for name, version in pins(path).items()}

    assert {plain(each) for each in project["dependencies"]} <= set(locked)
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in locked.values())


def test_the_checkers_are_pinned_and_apart_from_the_backend():
    checkers = pins(ROOT / "tools" / "lock-checkers.txt")

    assert {"pytest", "ruff", "pyright"} <= set(checkers)
    assert not set(checkers) & set(pins(LOCKS[0]))
