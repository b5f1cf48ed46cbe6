"""A corpus of hostile videos, read in child processes that may hang, grow or die alone.

What may come of a file: pictures, or an error that a person can read. A decoder that crashes costs
the service one job, so crashes are counted on their own; whatever else happens is a violation.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from .mutations import Hostile, hostile
from .seed_movies import seeds

TIME_LIMIT_S = 20.0  # for one file; the slowest takes about one second on an idle machine
MEMORY_BOUND = 1536 * 2**20  # bytes that a reader may hold in all, its libraries among them
_START_LIMIT_S = 60.0
_COMMAND = (sys.executable, "-m", "stripmocap.experiments.video_reader")


@dataclass
class Findings:
    """What came of a corpus."""

    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)  # frames, refused, crashed, …
    kinds: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)  # file and how the reader ended
    violations: list[str] = field(default_factory=list)  # file and what happened
    peak: int = 0  # bytes, the most that one file took
    slowest_s: float = 0.0


def read_corpus(
    count: int,
    *,
    seed: int,
    keep: Path | None = None,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Findings:
    """What came of `count` files of the corpus of `seed`.

    Args:
        count: at least 2 000 say something.
        seed: chooses the files.
        keep: folder for the files that did harm; None: they are not kept.
        report: told how many of them are done.
    """
    findings, sound = Findings(), seeds()
    with tempfile.TemporaryDirectory(prefix="stripmocap-hostile-") as folder, _Reader() as reader:
        for number in range(count):
            file = hostile(number, seed=seed, seeds=sound)
            path = Path(folder) / file.name
            path.write_bytes(file.data)
            harmless = _judge(file, reader.read(path), findings)
            if not harmless and keep is not None:
                path.replace(keep / file.name)
            path.unlink(missing_ok=True)
            report(number + 1, count)
    return findings


def _judge(file: Hostile, answer: dict[str, Any], findings: Findings) -> bool:
    """Counts what came of one file; whether it did no harm."""
    outcome, peak = answer["outcome"], answer.get("peak", 0)
    findings.files += 1
    findings.outcomes[outcome] += 1
    findings.kinds[file.kind] += 1
    findings.peak = max(findings.peak, peak)
    findings.slowest_s = max(findings.slowest_s, answer["seconds"])
    if outcome == "crashed":
        findings.crashes.append(f"{file.name}: {answer['said']}")
        return False
    if outcome in {"frames", "refused"} and peak <= MEMORY_BOUND:
        return True
    held = f", {peak / 2**20:.0f} MiB" if peak > MEMORY_BOUND else ""
    findings.violations.append(f"{file.name}: {outcome}{held} {answer['said']}")
    return False


class _Reader:
    """A child that reads videos, and its successors."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __enter__(self) -> _Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def read(self, path: Path) -> dict[str, Any]:
        """How the reading of the file at `path` ended."""
        child = self._running()
        assert child.stdin is not None
        began = time.monotonic()
        try:
            child.stdin.write(json.dumps(str(path)) + "\n")
            child.stdin.flush()
            line = self._lines.get(timeout=TIME_LIMIT_S)
        except (queue.Empty, OSError):
            line = None
        seconds = time.monotonic() - began
        if line is None:
            self._end()
            return {"outcome": "hung", "said": f"after {seconds:.0f} s", "seconds": seconds}
        if not line:
            status = child.wait()
            self._end()
            return {"outcome": "crashed", "said": f"status {status}", "seconds": seconds}
        answer = json.loads(line)
        if answer["peak"] > MEMORY_BOUND:
            self._end()  # what it holds must not count against the next file
        return answer

    def _running(self) -> subprocess.Popen[str]:
        if self._child is not None:
            return self._child
        self._child = child = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._lines = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(child, self._lines), daemon=True).start()
        if not self._lines.get(timeout=_START_LIMIT_S):
            raise RuntimeError(f"the reader of videos does not start (status {child.wait()})")
        return child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


def _listen(child: subprocess.Popen[str], heard: queue.SimpleQueue[str]) -> None:
    """Passes on what `child` says, and at last an empty line."""
    assert child.stdout is not None
    for line in child.stdout:
        heard.put(line)
    heard.put("")
