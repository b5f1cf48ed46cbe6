"""The child that reads hostile videos, one a line of its standard input, as a worker would first.

For each path it answers with one line of JSON: how it ended, and the most memory it held meanwhile.
It limits its own memory as a last resort, so that the machine outlives whatever is found.
"""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import psutil

from ..contract.errors import StripMocapError
from ..contract.messages import Clip
from ..video.frames import probe, read_frames

MOST_FRAMES = 40
SPANS = ((0.0, 1.0), (0.12, 0.2))  # from the start, and with a seek
MEMORY_LIMIT = 6 * 2**30  # bytes of addresses
_STATUS, _REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> int:
    """Reads until the input ends; the exit status."""
    _limit_memory()
    # What decoders print must not end up among the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps({"ready": _memory_peak()}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_read(json.loads(line))), file=answers, flush=True)
    return 0


def _read(path: str) -> dict[str, Any]:
    _forget_peak()
    began, frames = time.perf_counter(), 0
    outcome, said = "frames", ""
    try:
        probe(path)
        for start_s, stop_s in SPANS:
            clip = Clip(path, start_s, stop_s)
            frames += sum(1 for _ in islice(read_frames(clip), MOST_FRAMES))
    except StripMocapError as error:
        outcome, said = "refused", f"{error.code}: {error.message}"
    except BaseException as error:  # whatever it is, it is what we look for
        outcome, said = "escaped", f"{type(error).__name__}: {error}"
    return {
        "outcome": "frames" if frames and outcome == "refused" else outcome,
        "said": said[:300],
        "frames": frames,
        "seconds": time.perf_counter() - began,
        "peak": _memory_peak(),
    }


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def _forget_peak() -> None:
    if _REFERENCES.exists():
        _REFERENCES.write_text("5", encoding="ascii")


def _memory_peak() -> int:
    """Bytes held at most since `_forget_peak`; without Linux, those held now."""
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return psutil.Process().memory_info().rss


if __name__ == "__main__":
    sys.exit(main())
