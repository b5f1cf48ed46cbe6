"""Two thousand spoilt and hostile videos: each gives pictures or an error to be read."""

from __future__ import annotations

import json
import sys

import pytest
from stripmocap.experiments import hostile_videos

FILES = 2000
SEED = 20


def test_no_file_of_the_corpus_hangs_escapes_or_grows():
    findings = hostile_videos.read_corpus(FILES, seed=SEED)

    assert findings.files == FILES
    assert findings.violations == []
    # A decoder that crashes costs one job; one in a hundred files would be a broken ffmpeg.
    assert len(findings.crashes) < FILES / 100
    assert min(findings.outcomes["frames"], findings.outcomes["refused"]) > FILES / 10


def reader(tmp_path, monkeypatch, body: str) -> None:
    """Puts a toy in the reader's place: `body` says what it does with the `path` it is given."""
    program = tmp_path / "toy.py"
    program.write_text(
        "import json, os, sys, time\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin:\n"
        f"    path = json.loads(line)\n    {body}\n"
        "    print(json.dumps(answer), flush=True)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(hostile_videos, "_COMMAND", (sys.executable, str(program)))


SOUND = json.dumps({"outcome": "frames", "said": "", "seconds": 0.1, "peak": 1})


@pytest.mark.parametrize(
    ("body", "outcome", "violated"),
    [
        (f"answer = {SOUND}", "frames", False),
        (f"answer = {SOUND} | dict(outcome='escaped')", "escaped", True),
        (f"answer = {SOUND} | dict(peak=2**40)", "frames", True),
        ("os._exit(11)", "crashed", False),
        ("time.sleep(60)", "hung", True),
    ],
)
def test_what_a_reader_does_is_counted(tmp_path, monkeypatch, body, outcome, violated):
    reader(tmp_path, monkeypatch, body)
    monkeypatch.setattr(hostile_videos, "TIME_LIMIT_S", 2.0)

    findings = hostile_videos.read_corpus(2, seed=0)

    assert findings.outcomes[outcome] == 2
    assert bool(findings.violations) == violated
    assert len(findings.crashes) == (2 if outcome == "crashed" else 0)


def test_a_file_that_did_harm_is_kept(tmp_path, monkeypatch):
    reader(tmp_path, monkeypatch, "os._exit(11)")
    kept = tmp_path / "kept"
    kept.mkdir()

    hostile_videos.read_corpus(3, seed=0, keep=kept)

    assert len(list(kept.iterdir())) == 3
