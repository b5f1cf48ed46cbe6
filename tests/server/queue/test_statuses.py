"""What owners see of their jobs."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from server.queues import ANNA, BERT, finish_next, made, request
from stripmocap.contract.errors import VideoError
from stripmocap.contract.jobs import FileStatus, JobProgress, JobStatus, from_json, to_json
from stripmocap.server.queue import statuses as statuses_module
from stripmocap.server.queue.statuses import Statuses
from stripmocap.server.queue.store import Store


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "data", clock=lambda: 1234.5)
    yield opened
    opened.close()


def nobody(job_id):
    """The progress of jobs that no worker works on."""
    return None


def test_a_queued_job_has_a_place_among_everybody_s(store):
    store.add(request(), owner=BERT)
    job = store.add(request("walk.mp4"), owner=ANNA, key="shot", priority=0)

    status = Statuses(store, nobody).of(job)

    assert (status.id, status.key, status.name) == (job.id, "shot", "walk.mp4")
    assert (status.state, status.place, status.created_s) == ("queued", 1, 1234.5)
    assert status.progress == JobProgress()
    assert status.request == request("walk.mp4").told()
    assert (status.partial, status.result, status.error) == (None, None, None)


def test_a_status_can_be_sent(store):
    store.add(request(), owner=ANNA)
    done = finish_next(store)
    status = Statuses(store, nobody).of(done)

    assert from_json(JobStatus, json.loads(json.dumps(to_json(status)))) == status


def test_a_running_job_s_progress_is_what_its_worker_says_and_never_less_than_before(store):
    job = store.add(request(), owner=ANNA)
    store.claim("cpu")
    store.keep_share(job.id, 0.5)
    said = JobProgress("people", 3, 10, 0.3, 60.0)
    shown = Statuses(store, lambda job_id: said if job_id == job.id else None)

    assert shown.of(store.get(job.id)).progress == JobProgress("people", 3, 10, 0.5, 60.0)
    assert shown.of(store.get(job.id)).place is None
    store.requeue(job.id, note="The worker died.")
    assert shown.of(store.get(job.id)).progress == JobProgress(share=0.5)


def test_ended_jobs_say_how(store):
    for _ in range(3):
        store.add(request(), owner=ANNA)
    done = finish_next(store)
    failed = store.fail(store.claim("cpu").id, VideoError("it is gone", hint="Bring it back."))
    cancelled = store.cancel(store.claim("cpu").id)

    shown = Statuses(store, nobody).of_all([done, failed, cancelled])

    assert [each.state for each in shown] == ["done", "failed", "cancelled"]
    assert shown[0].progress == JobProgress(share=1.0, left_s=0.0)
    assert shown[0].result == done.result
    assert shown[1].error == failed.error
    assert [each.place for each in shown] == [None] * 3
    assert [each.finished_s for each in shown] == [1234.5] * 3


def test_what_is_finished_of_a_running_job_can_be_fetched(store):
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")
    shown = Statuses(store, nobody)
    assert shown.of(job).partial is None

    for content in (b"one person", b"two people"):
        written = job.folder / "written"
        written.write_bytes(content)
        written.replace(job.folder / "partial.npz")
        expected = FileStatus(hashlib.sha256(content).hexdigest(), len(content))
        assert shown.of(job).partial == expected

    store.succeed(job.id, made(job))
    assert shown.of(store.get(job.id)).partial is None


def test_a_partial_result_is_read_once(store, monkeypatch):
    def counted(path):
        read.append(path)
        return original(path)

    read, original = [], statuses_module.status_of
    monkeypatch.setattr(statuses_module, "status_of", counted)
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")
    partial = job.folder / "partial.npz"
    partial.write_bytes(b"half")
    shown = Statuses(store, nobody)

    for _ in range(5):
        assert shown.of(job).partial is not None
    assert len(read) == 1

    os.utime(partial, ns=(1, 1))
    assert shown.of(job).partial is not None
    assert len(read) == 2
