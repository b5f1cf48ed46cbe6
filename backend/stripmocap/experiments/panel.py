"""A client that does as the panel: asks again after lost replies, follows, retries, fetches."""

from __future__ import annotations

import contextlib
import random
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..contract import result_file
from ..contract.errors import (
    BackendUnavailable,
    NotAllowed,
    NotThere,
    QueueUnavailable,
    ResultFileError,
    StripMocapError,
    WrongState,
)
from ..contract.handover import new_client_key
from ..contract.messages import CaptureRequest
from ..contract.service import Service
from .ledger import Entry, Ledger
from .served import Served

OPEN_JOBS = 2  # that a panel has at once
WAIT_S = 0.3  # for news
CANCELLED = 0.15  # share of the jobs that are cancelled once
ABSENT_S = 90.0  # a service that is away for longer has not come back
_RETRIED = {"worker_died", "device_out_of_memory"}
_AWAY = (BackendUnavailable, NotAllowed)  # a killed service, and one with a new token

Ask = Callable[[int], tuple[CaptureRequest, Path | None]]  # number -> request, file to be sent


class Panel(threading.Thread):
    """One client, until it is told to `finish` and its last job has ended.

    Args:
        name: of the client.
        served: where the service is.
        ask: what its jobs are; a file that is to be sent takes the place of the clip's path.
        ledger: where it writes down what it is told.
        seed: of its whims.
    """

    def __init__(self, name: str, *, served: Served, ask: Ask, ledger: Ledger, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.client_key = new_client_key()
        self.uploading = threading.Event()
        self._served, self._ask, self._ledger = served, ask, ledger
        self._whims = random.Random(seed)
        self._finishing = threading.Event()
        self._open: list[Entry] = []
        self._unwanted: set[str] = set()  # keys of jobs that will be cancelled, and retried
        self._number = 0
        self._heard_s = time.monotonic()
        self._epoch, self._after = "", 0

    def finish(self) -> None:
        """No new jobs from now on."""
        self._finishing.set()

    def run(self) -> None:
        """Works until it is finished; what nobody foresaw is a violation."""
        service = None
        while self._open or not self._finishing.is_set():
            try:
                service = service or self._found()
                self._round(service)
                self._heard_s = time.monotonic()
            except _AWAY:
                service = None
                if time.monotonic() - self._heard_s > ABSENT_S:
                    return self._ledger.violate("service away", f"for {ABSENT_S} s, {self.name}")
                time.sleep(0.1)
            except QueueUnavailable:
                self._ledger.count("queue unavailable for a moment")
                time.sleep(0.2)
            except Exception as error:
                said = f"{self.name} met {type(error).__name__}: {error}"
                self._ledger.violate("unforeseen error", said)
                time.sleep(0.5)

    def _found(self) -> Service:
        service = self._served.service(self.client_key)
        if service is None:
            raise BackendUnavailable("it has not said where it is")
        return service

    def _round(self, service: Service) -> None:
        if len(self._open) < OPEN_JOBS and not self._finishing.is_set():
            self._submit(service)
        for entry in list(self._open):
            self._follow(service, entry)
        self._listen(service)

    def _listen(self, service: Service) -> None:
        """Waits for news, and takes it as the panel does."""
        told = service.events(after=self._after, epoch=self._epoch or None, wait_s=WAIT_S)
        self._epoch, self._after = told.epoch, told.number
        if told.missed:
            self._ledger.count("lists read again")
        mine = {each.job_id: each for each in self._open}
        for status in told.jobs:
            if status.id in mine:
                self._ledger.seen(mine[status.id], status, epoch=told.epoch)

    def _submit(self, service: Service) -> None:
        # The number rises only once the reply is here: until then the same is asked again.
        request, file = self._ask(self._number)
        if file is not None:
            self.uploading.set()
            try:
                path = service.upload(file)
            finally:
                self.uploading.clear()
            request = replace(request, clip=replace(request.clip, path=path))
        key = f"{self.name}-{self._number}"
        status = service.submit(request, key=key)
        if self._whims.random() < 0.2:  # as after a reply that was lost
            status = service.submit(request, key=key)
        self._open.append(self._ledger.submitted(key, status))
        self._number += 1
        if self._whims.random() < CANCELLED:
            self._unwanted.add(key)

    def _follow(self, service: Service, entry: Entry) -> None:
        try:
            status = service.job(entry.job_id)
        except NotThere:
            self._ledger.violate("job lost", f"{entry.key} {entry.job_id}")
            self._open.remove(entry)
            return
        self._ledger.seen(entry, status, epoch=self._epoch)
        if status.state == "done":
            self._fetch(service, entry)
            self._open.remove(entry)
        elif status.state == "failed":
            assert status.error is not None
            if status.error.code not in _RETRIED:
                said = f"{entry.job_id} {status.error.code}: {status.error.message}"
                self._ledger.violate("failed otherwise", said)
            self._retry(service, entry)
        elif status.state == "cancelled":
            self._retry(service, entry)
        elif entry.key in self._unwanted and self._whims.random() < 0.1:
            self._unwanted.discard(entry.key)
            with contextlib.suppress(WrongState):  # it ended meanwhile
                service.cancel(entry.job_id)
                self._ledger.count("cancelled by the client")
        elif status.partial is not None and self._whims.random() < 0.3:
            self._look(service, entry)

    def _retry(self, service: Service, entry: Entry) -> None:
        self._ledger.retried(entry)
        with contextlib.suppress(WrongState):  # the reply to an earlier try was lost
            service.retry(entry.job_id)

    def _fetch(self, service: Service, entry: Entry) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "result.npz"
            self._loads(service.result, entry, path, what="result")
        self._ledger.count("results fetched")

    def _look(self, service: Service, entry: Entry) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "partial.npz"
            with contextlib.suppress(WrongState, NotThere):  # the job has ended meanwhile
                self._loads(service.partial, entry, path, what="partial")
                self._ledger.count("partial results fetched")

    def _loads(
        self, fetch: Callable[[str, Path], object], entry: Entry, path: Path, *, what: str
    ) -> None:
        try:
            fetch(entry.job_id, path)
            result_file.load(path)
        except ResultFileError as error:
            self._ledger.violate("half-written file", f"{what} of {entry.job_id}: {error}")
        except _AWAY:
            raise
        except StripMocapError as error:
            if isinstance(error, WrongState | NotThere):
                raise
            self._ledger.violate("unreadable file", f"{what} of {entry.job_id}: {error}")
