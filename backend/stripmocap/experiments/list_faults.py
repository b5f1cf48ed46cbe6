"""Faults of the job list and of the clock, done to the real service with toy workers."""

from __future__ import annotations

import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .batch import ANSWER_S, Batch
from .outcome import Outcome
from .served import TOY, Served

LIST = "jobs.sqlite"
KEPT = "every job is there once, in its order; done ones keep their result; the rest ends"
_YEAR_S = 365 * 86400.0
JUMPS_S = (3600.0, -3600.0, 10 * _YEAR_S, -10 * _YEAR_S, 60 * _YEAR_S, -50 * _YEAR_S, 1.0, -1.0)


@contextmanager
def serving(folder: Path, name: str, **environment: str) -> Iterator[Served]:
    """A running service on a new folder, ended at last."""
    served = Served(TOY, folder / name, environment=environment)
    served.start()
    try:
        yield served
    finally:
        served.end()


def locked(folder: Path, *, times: int, seed: int) -> Outcome:
    """Another program holds the job list for up to half a minute, while jobs come and run."""
    chance, violations, refused = random.Random(seed), [], 0
    with serving(folder, "locked") as served:
        for _ in range(times):
            batch, has, gone = Batch(served), threading.Event(), threading.Event()
            batch.add(2, milliseconds=400)
            held = (served.data / LIST, chance.uniform(0.5, 30))
            holder = threading.Thread(target=_hold, args=(*held, has, gone), daemon=True)
            holder.start()
            has.wait(30)
            while not gone.is_set():
                batch.add(1, milliseconds=50)
                batch.call("health", lambda batch=batch: batch.service.health())
            holder.join()
            batch.finish()
            batch.check(served.data)
            violations += batch.violations
            refused += batch.refused
    holds = f"every call ends within {ANSWER_S:.0f} s, refusals are said as such; {KEPT}"
    return Outcome(
        "Job list locked by another program", times, holds, tuple(violations),
        f"{refused} calls refused meanwhile",
    )  # fmt: skip


def _hold(path: Path, seconds: float, has: threading.Event, gone: threading.Event) -> None:
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        has.set()
        time.sleep(seconds)
        other.execute("ROLLBACK")
    gone.set()


def damaged_while_stopped(folder: Path, *, times: int, seed: int) -> Outcome:
    """The job list is spoilt between two runs of the service."""
    chance, violations, told = random.Random(seed), [], 0
    for number in range(times):
        with serving(folder, f"stopped{number}") as served:
            batch = _half_done(served)
            if chance.random() < 0.5:
                served.kill()
            served.end()
            how = damage(served.data / LIST, chance)
            served.launch()
            if served.wait() is None:
                violations.append(f"after {how} the service does not start ({served.status})")
                continue
            told += any("job list was" in each for each in batch.service.health().notices)
            batch.check(served.data)
            batch.finish()
            batch.check(served.data)
            violations += [f"after {how}: {each}" for each in batch.violations]
    said = _said(told)
    return Outcome("Job list damaged while stopped", times, KEPT, tuple(violations), said)


def damaged_while_running(folder: Path, *, times: int, seed: int) -> Outcome:
    """The job list is spoilt under a service that works, which is then also killed."""
    chance, violations, told = random.Random(seed), [], 0
    for number in range(times):
        with serving(folder, f"running{number}") as served:
            batch = _half_done(served)
            how = damage(served.data / LIST, chance)
            batch.add(2, milliseconds=50)
            if number % 2:
                served.kill()
                served.launch()
                if served.wait() is None:
                    violations.append(f"after {how} the service does not start ({served.status})")
                    continue
            batch.finish()
            batch.check(served.data)
            told += any("job list was" in each for each in batch.service.health().notices)
            violations += [f"after {how}: {each}" for each in batch.violations]
    said = _said(told)
    return Outcome("Job list damaged while running", times, KEPT, tuple(violations), said)


def damage(path: Path, chance: random.Random) -> str:
    """Spoils the database at `path`, or its log of writes; in words, how."""
    wal = path.with_name(f"{path.name}-wal")
    victim = wal if wal.exists() and chance.random() < 0.4 else path
    size = victim.stat().st_size
    how = chance.choice(["bytes", "block", "cut", "header", "zeros", "text", "gone"])
    if size == 0 or how == "gone":
        victim.unlink()
        return f"{victim.name}: gone"
    with victim.open("r+b") as file:
        match how:
            case "bytes":
                for _ in range(30):
                    file.seek(chance.randrange(size))
                    file.write(chance.randbytes(1))
            case "block":
                file.seek(chance.randrange(size))
                file.write(chance.randbytes(4096))
            case "cut":
                file.truncate(chance.randrange(size))
            case "header":
                file.write(chance.randbytes(100))
            case "zeros":
                file.write(bytes(size))
            case "text":
                file.truncate(0)
                file.write(b"this is no database\n" * 500)
    return f"{victim.name}: {how}"


def clock(folder: Path, *, times: int, seed: int) -> Outcome:
    """The time of day jumps by an hour to decades, forth and back, while jobs come and run."""
    fault = "Clock jumps by 1 s to 60 years, forth and back"
    holds = "jobs run in the order of asking; waiting calls return in time; none is lost"
    shim = _clock_shim(folder)
    if shim is None:
        return Outcome(fault, 0, holds, skipped="needs Linux and a C compiler")
    offset = folder / "offset"
    offset.write_bytes(struct.pack("<d", 0.0))
    chance, violations = random.Random(seed), []
    environment = {"LD_PRELOAD": str(shim), "JUMPING_CLOCK": str(offset)}
    with serving(folder, "clock", **environment) as served:
        for number in range(times):
            batch = Batch(served)
            batch.add(2, milliseconds=200)
            with offset.open("r+b") as file:
                file.write(struct.pack("<d", chance.choice(JUMPS_S)))
            batch.add(2, milliseconds=50)
            batch.call("events", lambda batch=batch: batch.service.events(after=0, wait_s=0.5))
            if number % 4 == 3:
                served.kill()
                served.start()
            batch.finish()
            batch.check(served.data)
            violations += batch.violations + _out_of_order(batch)
    return Outcome(fault, times, holds, tuple(violations))


def _out_of_order(batch: Batch) -> list[str]:
    """Where the newest-first list of the service is not that of asking."""
    listed = [each.key for each in batch.service.every_job()]
    asked = sorted(batch.jobs, key=lambda key: int(key.removeprefix("job")), reverse=True)
    return [] if listed == asked else [f"asked {asked}, listed {listed}"]


def _said(times: int) -> str:
    return f"{times} times it hit something in use: said, kept aside and made again"


def _half_done(served: Served) -> Batch:
    """Three jobs that are done, one that runs, and two in the queue."""
    batch = Batch(served)
    batch.add(3, milliseconds=20)
    batch.finish()
    batch.add(3, milliseconds=600)
    return batch


def _clock_shim(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    built, source = folder / "clock.so", Path(__file__).with_name("clock.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(built), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return built if done.returncode == 0 else None
