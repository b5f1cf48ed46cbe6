"""How large a picture may be. A header of a few bytes can claim any size; memory pays for it."""

from __future__ import annotations

from pathlib import Path

from av.codec.context import CodecContext

from ..contract.errors import VideoError

MAX_SIDE_PX = 16384  # 8K footage has 8192
MAX_PIXELS = 2**27  # 134 million: 400 MB as RGB
# For ffmpeg, which then refuses a larger picture before it asks for the memory.
OPTIONS = {"max_pixels": str(MAX_PIXELS)}
HINT = f"Scale it down to at most {MAX_SIDE_PX} pixels a side and {MAX_PIXELS // 10**6} million."


def bound(codec: CodecContext) -> None:
    """Keeps `codec`, which is not open yet, from decoding what is too large."""
    codec.options = {**codec.options, **OPTIONS}


def check_size(file: Path, width: float, height: float) -> None:
    """Refuses a picture of so many pixels if it is too large.

    Raises:
        VideoError: it is.
    """
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise VideoError(
            f"the pictures of {file} are {width:.0f} x {height:.0f} pixels, too many", hint=HINT
        )
