"""What the tests of the job list share: requests, and a worker that is done at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stripmocap.contract.errors import VideoError
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.queue.job import RESULT, Job, has_result
from stripmocap.server.queue.store import Store

ANNA, BERT = "a" * 64, "b" * 64


def request(name: str = "shot.mp4") -> CaptureRequest:
    return CaptureRequest(Clip(f"footage/{name}"))


def made(job: Job, content: bytes = b"a result") -> Path:
    """The file that the job's worker leaves."""
    path = job.work / RESULT
    path.write_bytes(content)
    return path


def finish_next(store: Store, content: bytes = b"a result") -> Job:
    """The job that was next, done."""
    job = store.claim("cpu")
    assert job is not None
    return store.succeed(job.id, made(job, content))


def order(store: Store) -> list[str]:
    """Ids of the queued jobs in the order in which they run."""
    jobs, _ = store.listed(state="queued", limit=10_000)
    places = store.places(job.id for job in jobs)
    return sorted(places, key=places.__getitem__)


def filled(data: Path) -> Store:
    """A queue with jobs of all kinds, and what must survive of it."""
    store = Store(data)
    for number in range(12):
        owner = ANNA if number % 2 else BERT
        store.add(request(f"{number}.mp4"), owner=owner, key=f"shot {number}")
    finish_next(store, b"first result")
    finish_next(store, b"second result")
    job = store.claim("cpu")
    store.fail(job.id, VideoError("it is gone", hint="Bring it back."))
    store.cancel(store.claim("cpu").id)
    retried = store.claim("cpu")
    store.cancel(retried.id)
    store.retry(retried.id)
    deleted = store.claim("cpu")
    store.cancel(deleted.id)
    store.delete(deleted.id)
    last, _ = store.listed(limit=1)
    store.move(last[0].id, priority=5)
    store.move(order(store)[-2], to="first")
    return store


def kept(store: Store) -> tuple[list[tuple[Any, ...]], list[str]]:
    """What must survive: who owns what, how it ended, and in which order the rest runs."""
    jobs, _ = store.listed(limit=1000)
    for job in jobs:
        assert job.state != "done" or has_result(job)
    known = [
        (job.id, job.owner, job.key, job.state, job.request, job.result, job.error) for job in jobs
    ]
    return known, order(store)


class Ears:
    """Keeps what the store tells."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, bool]] = []

    def __call__(self, owner: str, job_id: str, deleted: bool) -> None:
        self.heard.append((owner, job_id, deleted))
