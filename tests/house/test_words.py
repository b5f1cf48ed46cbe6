"""What no file of the repository says: places of one machine, hosts of registries, loose ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from house.sources import ROOT, tracked_files

# Written in pieces, so that this file does not say them either.
FORBIDDEN = {
    "a path of one machine": re.compile(
        r"(?<![\w.~])/(?:"
        + "|".join(["ro" + "ot", "wo" + "rk", "ho" + r"me/\w+", "t" + "mp/sm"])
        + r")/"
    ),
    "a registry's host": re.compile(
        "|".join(
            ["pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian"]
        )
    ),
    "an index of packages": re.compile("--(?:extra-)?index" + "-url|find" + "-links"),
    "a loose end without an issue": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b(?!.{0,20}#\d)"),
}
TEXT = {".py", ".md", ".toml", ".txt", ".json", ".yml", ".yaml", ".sh", ".cfg", ".ini", ""}


def faults_of(text: str) -> list[str]:
    """Every forbidden word in `text`, with its line."""
    return [
        f"{number}: {what}: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]


def text_of(path: Path) -> str:
    if path.suffix not in TEXT:
        return ""
    data = (ROOT / path).read_bytes()
    return "" if b"\0" in data[:4096] else data.decode("utf-8")


def test_no_file_names_a_machine_a_registry_or_a_loose_end():
    faults = [f"{path}:{fault}" for path in tracked_files() for fault in faults_of(text_of(path))]

    assert faults == []


@pytest.mark.parametrize(
    "line",
    [
        "open('/" + "work/shared/x')",
        "cd /" + "root/.cache",
        "/ho" + "me/anna/x.mp4",
        "https://pypi" + ".org/simple",
        "pip install --index" + "-url x",
        "# TO" + "DO later",
    ],
)
def test_a_forbidden_word_is_found(line):
    assert len(faults_of(line)) == 1


@pytest.mark.parametrize(
    "line", ["../shared/data", "~/work/clip.mp4", "a/work/b", "# TO" + "DO(#12) later"]
)
def test_an_ordinary_line_is_allowed(line):
    assert faults_of(line) == []
