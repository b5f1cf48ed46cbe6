"""The durable queue on a good day: what the supervisor says of jobs, and what a restart keeps."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from server.queues import ANNA, Ears, finish_next, made, order, request
from stripmocap.contract.errors import ServiceError, VideoError
from stripmocap.contract.jobs import FileStatus
from stripmocap.server.queue.changes import MOST_INTERRUPTIONS
from stripmocap.server.queue.store import Store


@pytest.fixture
def ears():
    return Ears()


@pytest.fixture
def store(tmp_path, ears):
    with_files = Store(tmp_path / "data", changed=ears)
    yield with_files
    with_files.close()


def test_a_claimed_job_runs_and_has_a_folder_of_its_own(store):
    job = store.add(request(), owner=ANNA)

    claimed = store.claim("cuda:0")

    assert (claimed.id, claimed.state, claimed.attempts) == (job.id, "running", 1)
    assert (claimed.device, claimed.work.name) == ("cuda:0", "work-1")
    assert list(claimed.work.iterdir()) == []


def test_a_job_that_succeeds_has_its_result_and_nothing_else_left(store):
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")
    (job.folder / "partial.npz").write_bytes(b"half")

    done = store.succeed(job.id, made(job, b"all of it"))

    sha256 = hashlib.sha256(b"all of it").hexdigest()
    assert (done.state, done.share, done.result) == ("done", 1.0, FileStatus(sha256, 9))
    assert (done.folder / "result.npz").read_bytes() == b"all of it"
    left = {each.name for each in done.folder.iterdir()}
    assert left == {"request.json", "outcome.json", "result.npz"}


def test_what_is_known_of_a_result_stands_behind_what_happened_on_the_way(store):
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")
    store.requeue(job.id, note="It was too large.", small=True, strike=False)
    job = store.claim("cpu")

    done = store.succeed(job.id, made(job), notes=["Person 1 is left as they were."])

    assert done.notes == ("It was too large.", "Person 1 is left as they were.")
    assert store.get(job.id).notes == done.notes


def test_success_said_twice_is_one_success(store, ears):
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")
    done = store.succeed(job.id, made(job, b"first"))
    heard = len(ears.heard)
    stray = job.folder / "stray.npz"
    stray.write_bytes(b"second")

    assert store.succeed(job.id, stray) == done
    assert store.succeed(job.id, stray) == done
    assert (job.folder / "result.npz").read_bytes() == b"first"
    assert not stray.exists()
    assert len(ears.heard) == heard


def test_a_result_of_an_earlier_attempt_is_dropped(store):
    store.add(request(), owner=ANNA)
    old = store.claim("cpu")
    late = made(old, b"late")
    store.requeue(old.id, note="it stalled")
    assert store.succeed(old.id, late).state == "queued"
    new = store.claim("cpu")
    late.parent.mkdir(exist_ok=True)
    late.write_bytes(b"late")

    assert store.succeed(new.id, late).state == "running"
    assert not late.exists()
    done = store.succeed(new.id, made(new, b"new"))
    assert (done.folder / "result.npz").read_bytes() == b"new"


def test_a_result_of_a_cancelled_job_is_dropped(store):
    job = store.add(request(), owner=ANNA)
    running = store.claim("cpu")
    store.cancel(job.id)
    running.work.mkdir(exist_ok=True)

    assert store.succeed(job.id, made(running)).state == "cancelled"
    assert not (job.folder / "result.npz").exists()


def test_an_end_removes_no_work_of_a_later_attempt(store):
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")
    later = job.folder / "work-2"  # somebody retried it before its end was all tidied up
    later.mkdir()

    store.cancel(job.id)

    assert not job.work.exists()
    assert later.exists()


def test_a_worker_that_left_no_result_is_found_out(store):
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")

    with pytest.raises(ServiceError, match="no result"):
        store.succeed(job.id, job.work / "result.npz")
    assert store.get(job.id).state == "running"


def test_a_job_that_fails_says_why(store):
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")

    failed = store.fail(job.id, VideoError("it is gone", hint="Bring it back."))

    assert failed.state == "failed"
    assert dataclasses.astuple(failed.error) == ("video", "it is gone", "Bring it back.")
    assert store.fail(job.id, VideoError("again")) == failed
    assert store.get(job.id) == failed


def test_a_requeued_job_is_back_where_it_was(store):
    jobs = [store.add(request(), owner=ANNA) for _ in range(3)]
    store.claim("cpu")

    again = store.requeue(jobs[0].id, note="The worker died.", small=True, strike=True)

    assert (again.state, again.small, again.strikes) == ("queued", True, 1)
    assert again.notes == ("The worker died.",)
    assert store.places([jobs[0].id]) == {jobs[0].id: 0}
    assert store.claim("cpu").attempts == 2
    assert store.requeue(jobs[0].id, note="It was closed.").strikes == 1


def test_a_job_can_be_cancelled_until_it_has_ended(store):
    queued, running = (store.add(request(), owner=ANNA) for _ in range(2))
    store.move(running.id, to="first")
    store.claim("cpu")

    for job in (queued, running):
        assert store.cancel(job.id).state == "cancelled"
        assert store.cancel(job.id) == store.get(job.id)
    assert store.requeue(running.id, note="too late").state == "cancelled"
    assert store.fail(running.id, VideoError("too late")).state == "cancelled"
    assert store.counts() == (0, 0)


def test_the_share_of_a_running_job_only_rises(store):
    job = store.add(request(), owner=ANNA)
    store.keep_share(job.id, 0.9)
    assert store.get(job.id).share == 0.0
    store.claim("cpu")

    for share in (0.2, 0.5, 0.4, 7.0, float("nan")):
        store.keep_share(job.id, share)

    assert store.get(job.id).share == 0.5
    store.keep_share("another", 0.5)


def test_rates_are_kept_by_stage_and_device(store, tmp_path):
    store.keep_rate("people", "cpu", 0.5)
    store.keep_rate("people", "cpu", 0.25)
    store.keep_rate("people", "cuda", 0.01)
    store.close()

    assert Store(tmp_path / "data").rates() == {("people", "cpu"): 0.25, ("people", "cuda"): 0.01}


def test_everything_is_there_after_a_restart(store, tmp_path):
    jobs = [store.add(request(f"{each}.mp4"), owner=ANNA, key=each) for each in "abcd"]
    finish_next(store)
    store.move(jobs[3].id, to="first", priority=3)
    store.cancel(jobs[2].id)
    before, places = store.listed()[0], order(store)
    store.close()

    again = Store(tmp_path / "data")

    assert again.listed()[0] == before
    assert order(again) == places
    assert again.notices == []
    assert again.recover() == []


def test_jobs_that_ran_are_queued_again_where_they_were(store, tmp_path):
    jobs = [store.add(request(), owner=ANNA) for _ in range(3)]
    work = store.claim("cpu").work
    (jobs[0].folder / "partial.npz").write_bytes(b"what is finished")
    store.close()

    again = Store(tmp_path / "data")
    (recovered,) = again.recover()

    assert (recovered.id, recovered.state, recovered.interruptions) == (jobs[0].id, "queued", 1)
    assert order(again) == [job.id for job in jobs]
    assert not work.exists()
    assert (jobs[0].folder / "partial.npz").exists()


def test_a_job_that_is_interrupted_again_and_again_fails_with_advice(store):
    job = store.add(request(), owner=ANNA)
    for _ in range(MOST_INTERRUPTIONS):
        assert store.claim("cpu").id == job.id
        (recovered,) = store.recover()

    assert (recovered.state, recovered.error.code) == ("failed", "worker_died")
    assert recovered.error.hint
    assert (job.folder / "outcome.json").exists()


def test_a_job_that_gets_further_may_be_interrupted_as_often_as_it_likes(store):
    job = store.add(request(), owner=ANNA)
    for number in range(2 * MOST_INTERRUPTIONS):
        store.claim("cpu")
        store.keep_share(job.id, 0.02 * (number + 1))
        (recovered,) = store.recover()

    assert (recovered.state, recovered.interruptions) == ("queued", 1)


@pytest.mark.parametrize("jump", [-20 * 365 * 86400.0, 20 * 365 * 86400.0])
def test_a_clock_that_jumps_changes_no_order(tmp_path, jump):
    times = iter([1e9 + jump * (number % 2) for number in range(100)])
    store = Store(tmp_path, clock=lambda: next(times))

    jobs = [store.add(request(), owner=ANNA) for _ in range(5)]
    finish_next(store)
    store.cancel(jobs[1].id)
    store.retry(jobs[1].id)

    assert order(store) == [jobs[each].id for each in (2, 3, 4, 1)]
    assert store.listed()[0] == [store.get(job.id) for job in jobs[::-1]]
