"""What clients were told about their jobs, and every contradiction in it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from ..contract.jobs import JobStatus

_SLACK = 1e-9  # of a share: a rounding error is no step back


@dataclass
class Entry:
    """One job as its client has seen it."""

    key: str
    job_id: str
    share: float = 0.0  # highest since it was last retried
    epoch: str = ""  # the run of the service that said so
    sha256: str | None = None  # of the result, once it is done
    state: str = "queued"
    stage: str = ""
    retries: int = 0


@dataclass
class Ledger:
    """All clients' jobs. Thread-safe.

    A service that is killed may have told a client a share that it had not kept yet; such a step
    back is counted on its own, because the client sees it.
    """

    entries: dict[str, Entry] = field(default_factory=dict)  # by key
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def violate(self, what: str, said: str) -> None:
        """Notes that the invariant `what` does not hold."""
        with self._lock:
            self.counts[f"violation: {what}"] += 1
            self.violations.append(f"{time.strftime('%H:%M:%S')} {what}: {said}")

    def count(self, what: str) -> None:
        """Notes that something happened that may."""
        with self._lock:
            self.counts[what] += 1

    def submitted(self, key: str, status: JobStatus) -> Entry:
        """The client asked under `key` and was told of this job."""
        with self._lock:
            entry = self.entries.setdefault(key, Entry(key, status.id))
            if entry.job_id != status.id:
                self.violate("job twice", f"{key} is {entry.job_id} and {status.id}")
            return entry

    def seen(self, entry: Entry, status: JobStatus, *, epoch: str) -> None:
        """The client was told `status` of its job by this run of the service."""
        with self._lock:
            share = status.progress.share
            if share < entry.share - _SLACK:
                what = "share went back" if epoch == entry.epoch else "share back after a kill"
                self.violate(what, f"{entry.job_id} {entry.share:.4f} to {share:.4f}")
            if entry.sha256 is not None:
                self._check_done(entry, status)
            elif status.result is not None and status.state == "done":
                entry.sha256 = status.result.sha256
            entry.share, entry.epoch = share, epoch
            entry.state, entry.stage = status.state, status.progress.stage

    def retried(self, entry: Entry) -> None:
        """The client retried its job; it begins anew."""
        with self._lock:
            entry.share, entry.retries = 0.0, entry.retries + 1
            self.counts["retried by the client"] += 1

    def now(self, state: str, stage: str = "") -> bool:
        """Whether some job was last seen in this state and stage."""
        with self._lock:
            return any(
                each.state == state and each.stage == stage for each in self.entries.values()
            )

    def unended(self) -> list[str]:
        """Ids of the jobs that have not been seen to end."""
        with self._lock:
            return [
                each.job_id
                for each in self.entries.values()
                if each.state not in {"done", "failed", "cancelled"}
            ]

    def _check_done(self, entry: Entry, status: JobStatus) -> None:
        if status.state != "done":
            self.violate("done job went on", f"{entry.job_id} is {status.state}")
        elif status.result is None or status.result.sha256 != entry.sha256:
            self.violate("two results", f"{entry.job_id} had {entry.sha256}, has {status.result}")
