"""Fifty clients and a thousand jobs on one service: whether answers and memory stay flat.

Workers are toys that finish at once, so that only the service is measured. Some connections are
dropped in the middle of what they send or fetch. Clients are threads of other processes than the
service's, but share the machine with it: response times hold their waiting for a processor too.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ..contract import handover
from ..contract.errors import StripMocapError
from ..contract.handover import Handover, new_client_key
from ..contract.jobs import CLIENT_HEADER
from ..contract.messages import CaptureRequest, Clip
from ..contract.service import Service
from .outcome import Outcome
from .served import TOY, Served

CLIENTS = 50
PROCESSES = 5  # that the clients are spread over
SLOWER = 3.0  # times the first median: a median at the end beyond it is not flat
SLOWER_S = 0.05  # nor is one that grew by less than this slow
GROWN = 16 * 2**20  # bytes that the service may be larger after the second crowd than the first
WAVES = 2  # crowds, one after the other
VANISHING = 100  # connections dropped half way
ALONE = 100  # calls that are timed before and after
JOB_MS = 60  # that a toy works, so that the queue fills up
_DRAIN_S = 900.0
_COMMAND = (sys.executable, "-m", "stripmocap.experiments.load")


@dataclass
class Figures:
    """What one process of clients measured."""

    seconds: dict[str, list[float]] = field(default_factory=dict)  # by call
    violations: list[str] = field(default_factory=list)


@dataclass
class _Watch:
    """What was seen from outside while the clients worked."""

    queued: int = 0  # most at once
    size: int = 0  # bytes, most


def run(folder: Path, *, jobs: int, seed: int, clients: int = CLIENTS) -> Outcome:
    """How the service bears `jobs` jobs of `clients` clients at once."""
    served = Served(TOY, folder / "load")
    served.start()
    try:
        pid = served.pid
        assert pid is not None
        service, watch = psutil.Process(pid), _Watch()
        first, sizes = _measured(served), [service.memory_info().rss]
        figures = []
        for wave in range(WAVES):
            crowd = _crowd(served, jobs=jobs, clients=clients, seed=seed + wave)
            _vanish(served, random.Random(seed + wave))
            while any(child.poll() is None for child, _ in crowd):
                _look(served, service, watch)
                time.sleep(1.0)
            figures += [_figures_of(child, said) for child, said in crowd]
            sizes.append(service.memory_info().rss)
        last = _measured(served)
        violations = [said for each in figures for said in each.violations]
        violations += _judged(first, last, sizes)
        if served.pid != pid:
            violations.append(f"the service ended with status {served.status}")
    finally:
        served.end()
    said = ", ".join(f"{size / 2**20:.0f}" for size in sizes)
    return Outcome(
        f"{clients} clients, twice {jobs} jobs, {WAVES * VANISHING} dropped connections",
        WAVES * jobs,
        "every job ends once; answers and memory as at the start; no error",
        tuple(violations),
        f"a call alone, before and after: {_said(first)}, {_said(last)}; meanwhile: "
        f"{_shown(figures)}; at most {watch.queued} queued; memory before, after the first and "
        f"after the second wave {said} MiB, at most {watch.size / 2**20:.0f}",
    )


def _look(served: Served, service: psutil.Process, watch: _Watch) -> None:
    with contextlib.suppress(psutil.Error):
        watch.size = max(watch.size, service.memory_info().rss)
    client = served.service()
    with contextlib.suppress(StripMocapError):
        watch.queued = max(watch.queued, client.health().queued if client else 0)


def main() -> int:
    """The clients of the command line: data folder, their number, jobs of each, seed."""
    data, clients, jobs, seed = Path(sys.argv[1]), *(int(each) for each in sys.argv[2:5])
    told = handover.read(data)
    assert told is not None
    figures = Figures()
    with ThreadPoolExecutor(clients) as pool:
        for each in [pool.submit(_client, told, jobs, seed + n, figures) for n in range(clients)]:
            each.result()
    json.dump({"seconds": figures.seconds, "violations": figures.violations}, sys.stdout)
    return 0


def _client(told: Handover, jobs: int, seed: int, figures: Figures) -> None:
    """Asks for its jobs, then follows them as the panel does, until all have ended."""
    service = Service.of(told, client_key=new_client_key())
    waiting: set[str] = set()
    for number in range(jobs):
        request = CaptureRequest(Clip(f"/footage/{seed}-{number}-{JOB_MS}ms.mp4"))
        key = f"{seed}-{number}"
        status = _timed("submit", lambda r=request, k=key: service.submit(r, key=k), figures)
        if status is not None:
            waiting.add(status.id)
    until = time.monotonic() + _DRAIN_S
    while waiting and time.monotonic() < until:
        page = _timed("list", service.jobs, figures)
        if page is not None:
            waiting -= {each.id for each in page.jobs if each.state == "done"}
        one = next(iter(waiting), None)
        if one is not None:
            _timed("job", lambda job_id=one: service.job(job_id), figures)
        with contextlib.suppress(StripMocapError):
            service.events(wait_s=1.0, after=0)
        time.sleep(1.0)
    if waiting:
        figures.violations.append(f"{len(waiting)} jobs of client {seed} have not ended")


def _timed(name, work, figures: Figures):
    began = time.monotonic()
    try:
        return work()
    except StripMocapError as error:
        figures.violations.append(f"{name}: {error}")
    finally:
        figures.seconds.setdefault(name, []).append(time.monotonic() - began)


def _crowd(
    served: Served, *, jobs: int, clients: int, seed: int
) -> list[tuple[subprocess.Popen[bytes], Path]]:
    """The processes of clients, and where each writes what it measured."""
    each, share = max(1, clients // PROCESSES), str(max(1, jobs // clients))
    crowd = []
    for number in range(clients // each):
        path = served.data.with_name(f"clients{number}.json")
        arguments = (str(served.data), str(each), share, str(10 * seed + 100_000 * number))
        with path.open("wb") as said:
            crowd.append((subprocess.Popen([*_COMMAND, *arguments], stdout=said), path))
    return crowd


def _figures_of(child: subprocess.Popen[bytes], said: Path) -> Figures:
    if child.returncode:
        return Figures(violations=[f"clients ended with status {child.returncode}"])
    return Figures(**json.loads(said.read_text(encoding="utf-8")))


def _measured(served: Served) -> list[float]:
    """Seconds of calls to the service while nobody else calls, sorted."""
    client = served.service(new_client_key())
    assert client is not None
    spent = []
    for number in range(ALONE):
        began = time.monotonic()
        if number % 2:
            client.jobs()
        else:
            client.health()
        spent.append(time.monotonic() - began)
    return sorted(spent)


def _judged(first: Sequence[float], last: Sequence[float], sizes: Sequence[int]) -> list[str]:
    found, grown = [], sizes[-1] - sizes[1]  # the first crowd makes the threads that serve it
    before, after = _share(first, 0.5), _share(last, 0.5)
    if after > max(before * SLOWER, before + SLOWER_S):
        found.append(f"an answer took {before * 1000:.0f} ms, and {after * 1000:.0f} ms at the end")
    if grown > GROWN:
        found.append(f"the second crowd made the service {grown / 2**20:.0f} MiB larger")
    return found


def _vanish(served: Served, chance: random.Random) -> None:
    """Sends the half of a file, or takes the half of an answer, and is gone."""
    told = handover.read(served.data)
    assert told is not None
    parts = urllib.parse.urlsplit(told.url)
    headers = (
        f"Host: {parts.netloc}\r\nAuthorization: Bearer {told.token}\r\n"
        f"{CLIENT_HEADER}: {new_client_key()}\r\n"
    )
    for _ in range(VANISHING):
        sha256 = chance.randbytes(32).hex()
        with (
            contextlib.suppress(OSError),
            socket.create_connection((parts.hostname, parts.port), timeout=10) as line,
        ):
            if chance.random() < 0.5:
                size = 4 * 2**20
                body = json.dumps({"sha256": sha256, "size": size}).encode()
                post = f"POST /v1/uploads HTTP/1.1\r\n{headers}Content-Type: application/json\r\n"
                line.sendall(f"{post}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                line.recv(4096)
                put = f"PUT /v1/uploads/{sha256}?offset=0 HTTP/1.1\r\n{headers}"
                line.sendall(f"{put}Content-Length: {size}\r\n\r\n".encode())
                line.sendall(chance.randbytes(chance.randrange(size)))
            else:
                line.sendall(f"GET /openapi.json HTTP/1.1\r\n{headers}\r\n".encode())
                line.recv(chance.randrange(1, 2000))
        time.sleep(chance.uniform(0, 0.1))


def _share(seconds: Sequence[float], share: float) -> float:
    """The time that this share of the calls took at most; `seconds` is sorted."""
    return seconds[min(int(share * len(seconds)), len(seconds) - 1)] if seconds else 0.0


def _said(seconds: Sequence[float]) -> str:
    half, most = _share(seconds, 0.5) * 1000, _share(seconds, 0.99) * 1000
    return f"{half:.0f} ms (p99 {most:.0f} ms)"


def _shown(figures: Sequence[Figures]) -> str:
    names = sorted({name for each in figures for name in each.seconds})
    spent = {name: [s for each in figures for s in each.seconds.get(name, [])] for name in names}
    return ", ".join(f"{name} {_said(sorted(each))}" for name, each in spent.items())


if __name__ == "__main__":
    sys.exit(main())
