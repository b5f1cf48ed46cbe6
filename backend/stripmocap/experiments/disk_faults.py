"""Faults of the disk under the real service with toy workers: full, and not to be written."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from .batch import Batch
from .outcome import Outcome
from .served import TOY, Served
from .small_disk import CannotMount, SmallDisk, small_disk

_MEGABYTES = 12
_REFUSAL_S = 30.0  # within which a service that cannot write must have said so and ended


def full(folder: Path, *, times: int, seed: int) -> Outcome:
    """The disk fills up while jobs come, run and end, and has space again later."""
    fault = "Disk full"
    holds = "the service lives, says so, loses nothing, and goes on once there is space"
    chance = random.Random(seed)
    try:
        with small_disk(folder / "full", megabytes=_MEGABYTES) as disk:
            served = Served(TOY, disk.folder / "data")
            served.start()
            try:
                violations, refused = _fill_again_and_again(disk, served, chance, times)
            finally:
                served.end()
    except CannotMount as error:
        return Outcome(fault, 0, holds, skipped=str(error))
    return Outcome(fault, times, holds, tuple(violations), f"{refused} calls refused meanwhile")


def _fill_again_and_again(
    disk: SmallDisk, served: Served, chance: random.Random, times: int
) -> tuple[list[str], int]:
    violations, refused = [], 0
    for number in range(times):
        batch, pid = Batch(served), served.pid
        batch.add(2, milliseconds=chance.randrange(600))
        time.sleep(chance.uniform(0, 0.5))
        disk.fill(leave=chance.choice([0, 0, 4096, 20_000, 100_000]))
        batch.add(2, milliseconds=50)
        batch.call("health", lambda batch=batch: batch.service.health())
        time.sleep(chance.uniform(0, 2))
        if number % 5 == 4:  # also a start on a full disk must come to something
            served.kill()
            served.launch()
            served.wait(limit_s=5)
            disk.free()
            if served.wait() is None:
                served.start()
            pid = served.pid
        disk.free()
        if served.pid != pid:
            violations.append(f"the service ended with status {served.status}")
            served.start()
        batch.finish()
        batch.check(served.data)
        violations += batch.violations
        if disk.left() < _MEGABYTES * 2**20 / 3:
            there = {each.name: each.stat().st_size for each in served.data.iterdir()}
            violations.append(f"the service itself filled the disk: {there}")
        refused += batch.refused
        for job_id in batch.jobs.values():
            batch.call("delete", lambda batch=batch, job_id=job_id: batch.service.delete(job_id))
    return violations, refused


def read_only(folder: Path, *, times: int, seed: int) -> Outcome:
    """The service is started on a data folder that may not be written."""
    del seed
    fault, holds = (
        "Data folder read-only",
        f"it ends within {_REFUSAL_S:.0f} s with a sentence and no traceback",
    )
    violations: list[str] = []
    try:
        for number in range(times):
            violations += _refused_start(folder / f"readonly{number}", used=bool(number % 2))
    except CannotMount as error:
        return Outcome(fault, 0, holds, skipped=str(error))
    return Outcome(fault, times, holds, tuple(violations))


def _refused_start(folder: Path, *, used: bool) -> list[str]:
    with small_disk(folder, megabytes=_MEGABYTES) as disk:
        served, said = Served(TOY, folder / "data"), folder.with_name(f"{folder.name}.txt")
        if used:
            served.start()
            batch = Batch(served)
            batch.add(2, milliseconds=20)
            batch.finish()
            served.end()
        disk.forbid_writing()
        # What it says cannot go beside its folder, which is on the same disk.
        launched = Served(TOY, folder / "data", said=said)
        launched.launch()
        ended = _until(lambda: launched.status is not None, _REFUSAL_S)
        text = said.read_text(encoding="utf-8", errors="replace")
        launched.end()
        if not ended:
            return [f"it still runs after {_REFUSAL_S:.0f} s"]
        if launched.status == 0 or "Traceback" in text or not text.strip():
            return [f"it ended with status {launched.status}, saying {text[-300:]!r}"]
    return []


def _until(holds: Callable[[], bool], limit_s: float) -> bool:
    until = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
