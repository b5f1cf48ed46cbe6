"""Many hands at one job list: threads, a stray second service, and a service that is killed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from server.queues import ANNA, finish_next, made, order, request
from stripmocap.contract.errors import VideoError
from stripmocap.server.queue.job import has_result
from stripmocap.server.queue.store import Store

DEADLINE_S = 60


def together(number, work):
    """What `work(0)`, `work(1)`… answer, all begun at once."""
    begin = threading.Barrier(number)

    def begun(each):
        begin.wait(DEADLINE_S)
        return work(each)

    with ThreadPoolExecutor(number) as pool:
        return [each.result(DEADLINE_S) for each in [pool.submit(begun, n) for n in range(number)]]


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "data")
    yield opened
    opened.close()


def test_one_key_asked_for_by_many_at_once_makes_one_job(store):
    jobs = together(16, lambda _: store.add(request(), owner=ANNA, key="shot"))

    assert len({job.id for job in jobs}) == 1
    assert len(list((store.get(jobs[0].id).folder).parent.iterdir())) == 1


def test_no_job_is_claimed_twice(store):
    for _ in range(20):
        store.add(request(), owner=ANNA)

    claimed = together(8, lambda _: [store.claim("cpu") for _ in range(4)])
    ids = [job.id for jobs in claimed for job in jobs if job is not None]

    assert (len(ids), len(set(ids))) == (20, 20)
    assert store.counts() == (0, 20)


def test_of_cancelling_and_succeeding_at_once_one_wins(store):
    for _ in range(10):
        store.add(request(), owner=ANNA)
        job = store.claim("cpu")
        result = made(job)

        def end(which, job=job, result=result):
            try:
                return (store.cancel(job.id) if which else store.succeed(job.id, result)).state
            except Exception as error:
                return error.code

        told = together(2, end)
        state = store.get(job.id).state
        assert told in (["done", "wrong_state"], ["cancelled", "cancelled"])
        assert (state == "done") == has_result(store.get(job.id))
        assert (state == "done") == (job.folder / "result.npz").exists()


def test_a_stray_second_service_makes_no_second_result(tmp_path):
    first, second = Store(tmp_path), Store(tmp_path)
    for _ in range(5):
        first.add(request(), owner=ANNA)
    job = first.claim("cpu")
    assert second.claim("cpu").id != job.id
    assert order(first) == order(second)

    done = first.succeed(job.id, made(job, b"the first"))
    job.work.mkdir()
    again = second.succeed(job.id, made(job, b"the second"))

    assert again == done
    assert (done.folder / "result.npz").read_bytes() == b"the first"
    assert second.fail(job.id, VideoError("no")) == done


def test_two_services_that_claim_and_add_at_once_keep_one_list(tmp_path):
    stores = [Store(tmp_path), Store(tmp_path)]

    def work(each):
        store = stores[each % 2]
        return [store.add(request(), owner=ANNA).id for _ in range(5)], store.claim("cpu")

    worked = together(6, work)

    claimed = [job.id for _, job in worked if job is not None]
    added = {job_id for ids, _ in worked for job_id in ids}
    assert len(set(claimed)) == len(claimed)
    assert {job.id for job in stores[0].listed()[0]} == added
    assert stores[0].listed() == stores[1].listed()


def test_reading_does_not_wait_for_writing(store):
    job = store.add(request(), owner=ANNA)
    inside, leave = threading.Event(), threading.Event()

    def slow(rows, undo):
        inside.set()
        assert leave.wait(DEADLINE_S)

    writing = threading.Thread(target=lambda: store._database.write(slow))
    writing.start()
    assert inside.wait(DEADLINE_S)

    assert store.get(job.id) == job
    assert store.places([job.id]) == {job.id: 0}
    leave.set()
    writing.join(DEADLINE_S)
    assert not writing.is_alive()


def test_whoever_is_told_may_ask(tmp_path):
    seen = []
    store = Store(tmp_path, changed=lambda owner, job_id, gone: seen.append(store.counts()))

    store.add(request(), owner=ANNA)
    done = finish_next(store)
    store.delete(done.id)

    assert seen == [(1, 0), (0, 1), (0, 0), (0, 0)]


def test_a_long_queue_is_asked_about_as_quickly_as_a_short_one(tmp_path):
    store = Store(tmp_path)

    def quickest(ask):
        times = []
        for _ in range(20):
            begun = time.perf_counter()
            ask()
            times.append(time.perf_counter() - begun)
        return min(times)

    for _ in range(30):
        last = store.add(request(), owner=ANNA)
    short = quickest(lambda: store.listed(owner=ANNA, limit=20))
    with store._database._writing:
        for _ in range(270):
            last = store.add(request(), owner=ANNA)

    assert quickest(lambda: store.listed(owner=ANNA, limit=20)) < 10 * short
    assert quickest(lambda: store.places([last.id])) < 0.05


_CHILD = """
import json, os, random, sys
from pathlib import Path
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.queue.store import Store
store, rng = Store(Path(sys.argv[1])), random.Random(int(sys.argv[2]))
store.recover()
def say(*what):
    print(json.dumps(what), flush=True)
say("open")
while True:
    choice = rng.random()
    if choice < 0.5:
        say("queued", store.add(CaptureRequest(Clip("shot.mp4")), owner="anna").id)
        continue
    job = store.claim("cpu")
    if job is None:
        continue
    say("begun", job.id)
    if choice < 0.8:
        made = job.work / "result.npz"
        made.write_bytes(rng.randbytes(5000))
        done = store.succeed(job.id, made)
        say("done", job.id, done.result.sha256)
    elif choice < 0.9:
        say("cancelled", store.cancel(job.id).id)
    else:
        store.cancel(job.id)
        store.delete(job.id)
        say("deleted", job.id)
"""


def test_a_service_that_is_killed_at_any_moment_loses_nothing_that_it_said(tmp_path):
    rng, said = random.Random(0), {}
    for run in range(12):
        command = [sys.executable, "-c", _CHILD, str(tmp_path / "data"), str(run)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        watchdog = threading.Timer(DEADLINE_S, child.kill)
        watchdog.start()
        try:
            # Then somewhere in what it does next.
            lines = [child.stdout.readline() for _ in range(rng.randint(1, 12))]
            time.sleep(rng.uniform(0, 0.02))
            child.kill()
            lines += child.stdout.readlines()
        finally:
            child.kill()
            watchdog.cancel()
            child.wait(DEADLINE_S)
        assert json.loads(lines[0]) == ["open"]
        # What a pipe holds of a last line may be cut.
        for line in lines[1:]:
            if line.endswith("\n"):
                state, job_id, *sha256 = json.loads(line)
                said[job_id] = (state, sha256)

    store = Store(tmp_path / "data")
    store.recover()
    jobs = {job.id: job for job in store.listed(limit=100_000)[0]}

    assert len(said) > 20
    assert store.notices == [] or "taken up" in store.notices[0]
    for job_id, (state, sha256) in said.items():
        if state == "deleted":
            assert job_id not in jobs
            continue
        if state == "begun" and job_id not in jobs:
            continue  # it was being deleted when its service was killed
        job = jobs[job_id]
        assert job.state == state or state in {"queued", "begun"}
        assert not sha256 or job.result.sha256 == sha256[0]
    assert all(has_result(job) for job in jobs.values() if job.state == "done")
    assert len(jobs) <= len(said) + 12  # one job a run may have been added and not said
