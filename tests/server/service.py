"""A queue with a supervisor over toy workers, as tests of the service need it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.queue.store import Job, Store
from stripmocap.server.workers.supervisor import Supervisor
from stripmocap.settings import Settings

TOY = Path(__file__).with_name("toyworker.py")
DEADLINE_S = 30.0  # for what takes a second; a busy machine is slow, a hang is a fault


class Service:
    """Store and supervisor in one folder, with one toy worker or more."""

    def __init__(self, folder: Path, *, habit: str = "well", store: Store | None = None, **options):
        self.folder = folder
        self._news = threading.Condition()
        self.changes: list[tuple[str, str, bool]] = []
        self.store = store or Store(folder / "data", changed=self._changed)
        self.supervisor = Supervisor(
            self.store,
            Settings(data=folder / "data", **options),
            changed=self._changed,
            command=[sys.executable, str(TOY), habit],
        )

    def __enter__(self) -> Service:
        self.supervisor.start()
        return self

    def __exit__(self, *_) -> None:
        self.supervisor.stop()
        self.store.close()

    def add(self, deed: str) -> Job:
        """A queued job that makes the toy worker do the deed."""
        clip = Clip(str(self.folder / f"{deed}.mp4"))
        job = self.store.add(CaptureRequest(clip), owner="somebody")
        self.supervisor.wake()
        return job

    def go(self) -> None:
        """Lets the jobs go on that wait."""
        (self.folder / "go").touch()

    def cancel(self, job: Job) -> Job:
        cancelled = self.store.cancel(job.id)
        self.supervisor.cancel(cancelled)
        return cancelled

    def until(self, holds: Callable[[], bool], *, within_s: float = DEADLINE_S) -> float:
        """Seconds until something holds; fails if it does not."""
        began = time.monotonic()
        with self._news:
            # Processes end without a word to us, so some things are looked at now and then.
            while not holds():
                assert time.monotonic() - began < within_s, "it took too long"
                self._news.wait(0.02)
        return time.monotonic() - began

    def until_ended(self, job: Job) -> Job:
        self.until(lambda: self.store.get(job.id).ended)
        return self.store.get(job.id)

    def until_works(self, job: Job) -> Job:
        """The job, once it is in the stage of its deed."""
        _, _, stage = Path(job.request.clip.path).stem.partition("-")

        def reached() -> bool:
            progress = self.supervisor.progress(job.id)
            return progress is not None and progress.stage == (stage or "people")

        self.until(reached)
        return self.store.get(job.id)

    def until_idle(self) -> float:
        return self.until(lambda: self.supervisor.idle)

    def until_ready(self) -> None:
        self.until(lambda: all(each.state == "ready" for each in self.supervisor.devices()))

    def workers(self) -> list[psutil.Process]:
        """The worker processes of this service."""
        found = []
        for each in psutil.Process().children():
            try:
                if each.status() != psutil.STATUS_ZOMBIE and str(TOY) in each.cmdline():
                    found.append(each)
            except psutil.Error:
                continue
        return found

    def _changed(self, owner: str, job_id: str, deleted: bool) -> None:
        with self._news:
            self.changes.append((owner, job_id, deleted))
            self._news.notify_all()
