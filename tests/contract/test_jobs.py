from __future__ import annotations

import json
from dataclasses import replace

import pytest
from stripmocap.contract.errors import BackendMismatch, DeviceOutOfMemory
from stripmocap.contract.jobs import (
    CacheStatus,
    Events,
    FileStatus,
    JobError,
    JobProgress,
    JobStatus,
    from_json,
    to_json,
)

JOB = JobStatus(
    id="a" * 32,
    key=None,
    name="walk.mp4",
    state="running",
    priority=0,
    place=None,
    progress=JobProgress("people", 3, 10, share=0.2, left_s=4.5),
    request={"clip": {"path": "walk.mp4", "start_s": 0.0, "stop_s": None}},
    attempts=1,
    notes=("A worker died.",),
    error=None,
    result=None,
    partial=FileStatus("0" * 64, 120),
    created_s=1e9,
    started_s=None,
    finished_s=None,
)


def written(record):
    return json.loads(json.dumps(to_json(record)))


def through_json(record):
    return from_json(type(record), written(record))


@pytest.mark.parametrize(
    "record",
    [
        JOB,
        replace(JOB, state="failed", error=JobError("video", "no such file", "Look for it.")),
        Events("e", 7, missed=False, jobs=(JOB, JOB), deleted=("b" * 32,)),
        CacheStatus("cache", 0, 10, {"people": 2}),
    ],
    ids=["job", "failed job", "events", "cache"],
)
def test_a_record_comes_through_json_as_it_was(record):
    assert through_json(record) == record


def test_an_entry_that_is_not_known_here_is_passed_over():
    assert from_json(JobStatus, written(JOB) | {"colour": "red"}) == JOB


@pytest.mark.parametrize(
    "change",
    [
        {"state": "lost"},
        {"priority": "high"},
        {"priority": True},
        {"progress": None},
        {"notes": "one"},
        {"notes": [1]},
        {"created_s": float("nan")},
        {"partial": {"sha256": "0"}},
        {"request": []},
    ],
    ids=str,
)
def test_an_answer_of_another_make_is_refused(change):
    with pytest.raises(BackendMismatch, match="JobStatus"):
        from_json(JobStatus, written(JOB) | change)


def test_an_answer_that_is_no_record_is_refused():
    with pytest.raises(BackendMismatch):
        from_json(JobStatus, ["job"])


@pytest.mark.parametrize(
    ("stage", "label"), [("people", "finding people"), ("", "starting"), ("retouch", "retouch")]
)
def test_a_stage_is_told_in_words(stage, label):
    assert JobProgress(stage).label == label


def test_the_error_of_a_job_is_raised_as_the_class_it_was():
    error = JobError.of(DeviceOutOfMemory("2 GB are not enough", hint="Use another device."))

    assert isinstance(error.raised(), DeviceOutOfMemory)
    assert error.raised().hint == "Use another device."
