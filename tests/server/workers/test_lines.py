"""Supervisor and worker understand each other, and pass over everything else."""

from __future__ import annotations

import json

import pytest
from stripmocap.contract.jobs import JobError
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.queue.job import Footage
from stripmocap.server.workers import lines

REQUEST = CaptureRequest(Clip("a\udce4b\n.mp4", 1.5)).to_json()  # a name that is not UTF-8

FOOTAGE = Footage("a\udce4b\n.mp4", "b\n.mp4")


@pytest.mark.parametrize(
    "line",
    [
        lines.Work("a", 1, REQUEST, FOOTAGE, small=True, result="r", partial="p", log="l"),
        lines.Stop("a", 1),
        lines.Ready("cuda:0", "a card", 10, None),
        lines.Memory(None, 5),
        lines.Reported("a", 2, "people", 3, 0),
        lines.Published("a", 2),
        lines.Held("a", 2, "the disk is full"),
        lines.Finished("a", 2),
        lines.Finished("a", 2, ("Person 1 is left as they were.",)),
        lines.Failed("a", 2, JobError("video", "it is no video", "")),
        lines.Stopped("a", 2),
    ],
)
def test_a_line_is_read_as_it_was_written(line):
    data = lines.write(line)

    assert data.count(b"\n") == 1
    assert lines.read(data) == line


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfe\n",
        b"null",
        b"[1]",
        b"[" * 100_000,
        b'{"kind": "Nothing"}',
        b'{"kind": ["Stop"], "job": "a", "attempt": 1}',
        b'{"kind": "Stop", "job": "a"}',
        b'{"kind": "Stop", "job": 1, "attempt": 1}',
        json.dumps({"kind": "Failed", "job": "a", "attempt": 1, "error": None}).encode(),
    ],
)
def test_nonsense_is_no_line(data):
    assert lines.read(data) is None
