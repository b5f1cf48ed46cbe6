"""What the tests of the job list share: requests, and a worker that is done at once."""

from __future__ import annotations

from pathlib import Path

from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.job import RESULT, Job
from stripmocap.server.store import Store

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


class Ears:
    """Keeps what the store tells."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, bool]] = []

    def __call__(self, owner: str, job_id: str, deleted: bool) -> None:
        self.heard.append((owner, job_id, deleted))
