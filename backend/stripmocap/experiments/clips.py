"""What the jobs of an experiment's clients are."""

from __future__ import annotations

import random
from pathlib import Path

from ..contract.messages import CaptureRequest, Clip
from .panel import Ask


def toy_clips(folder: Path, *, seed: int, most_ms: int = 600, uploads: bool = False) -> Ask:
    """Footage that exists only by name, for toy workers; each takes up to `most_ms`.

    With `uploads` every third one is a file of some megabytes that must be sent.
    """

    def ask(number: int) -> tuple[CaptureRequest, Path | None]:
        chance = random.Random(f"{seed} {number}")
        path = folder / f"{seed}-{number}-{chance.randrange(most_ms)}ms.mp4"
        request = CaptureRequest(Clip(str(path), start_s=chance.random()))
        if not uploads or number % 3:
            return request, None
        path.write_bytes(chance.randbytes(5 * 2**20))
        return request, path

    return ask


def real_clips(
    video: Path, folder: Path, *, seed: int, length_s: float = 0.6, uploads: bool = False
) -> Ask:
    """Spans of a video of at least a second; with `uploads`, every third one of a copy of its own.

    A copy ends in a box of random bytes that players pass over, so that it is another file.
    """

    def ask(number: int) -> tuple[CaptureRequest, Path | None]:
        chance = random.Random(f"{seed} {number}")
        start_s = round(chance.uniform(0, 0.4), 3)
        request = CaptureRequest(Clip(str(video), start_s=start_s, stop_s=start_s + length_s))
        if not uploads or number % 3:
            return request, None
        path = folder / f"{seed}-{number}{video.suffix}"
        size = 12 * 2**20
        box = (size + 8).to_bytes(4, "big") + b"free" + chance.randbytes(size)
        path.write_bytes(video.read_bytes() + box)
        return request, path

    return ask
