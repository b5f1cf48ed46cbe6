"""Jobs as their owners see them: the record, the place in the queue, progress and files."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from ...contract.jobs import FileStatus, JobProgress, JobStatus
from .job import PARTIAL, Job, status_of
from .store import Store

_MOST_KEPT = 256  # checksums of partial results; more jobs than that never run at once

Progress = Callable[[str], JobProgress | None]  # of a running job, by its id


class Statuses:
    """Makes what is shown of jobs.

    Args:
        store: where the jobs are.
        progress: what their workers say; None where none works on the job.
    """

    def __init__(self, store: Store, progress: Progress) -> None:
        self._store = store
        self._progress = progress
        self._partials: OrderedDict[Path, tuple[tuple[int, int, int], FileStatus]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, job: Job) -> JobStatus:
        """What its owner sees of the job now."""
        return self.of_all([job])[0]

    def of_all(self, jobs: Iterable[Job]) -> list[JobStatus]:
        """What their owner sees of the jobs now, in the same order."""
        listed = list(jobs)
        places = self._store.places(job.id for job in listed if job.state == "queued")
        return [self._of(job, places.get(job.id)) for job in listed]

    def _of(self, job: Job, place: int | None) -> JobStatus:
        return JobStatus(
            id=job.id,
            key=job.key,
            name=job.name,
            state=job.state,
            priority=job.priority,
            place=place,
            progress=self._progress_of(job),
            request=job.request.told(),
            attempts=job.attempts,
            notes=job.notes,
            error=job.error,
            result=job.result,
            partial=self._partial(job),
            created_s=job.created_s,
            started_s=job.started_s,
            finished_s=job.finished_s,
        )

    def _progress_of(self, job: Job) -> JobProgress:
        """How far the job is; never less than what was said before."""
        if job.state == "done":
            return JobProgress(share=1.0, left_s=0.0)
        said = self._progress(job.id) if job.state == "running" else None
        if said is None:
            return JobProgress(share=job.share)
        share = max(said.share, job.share)
        return JobProgress(said.stage, said.done, said.of, share, said.left_s)

    def _partial(self, job: Job) -> FileStatus | None:
        """What is finished of a job that has not ended; its checksum is made once a file."""
        if job.ended or job.attempts == 0:
            return None
        path = job.folder / PARTIAL
        try:
            found = path.stat()
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            with self._lock:
                kept = self._partials.get(path)
            if kept is not None and kept[0] == version:
                return kept[1]
            status = status_of(path)
        except OSError:
            return None
        with self._lock:
            self._partials[path] = (version, status)
            self._partials.move_to_end(path)
            while len(self._partials) > _MOST_KEPT:
                self._partials.popitem(last=False)
        return status
