"""A decoded picture in the colours that everybody else here works with."""

from __future__ import annotations

from pathlib import Path

import av
import av.error
import numpy as np

from ..contract.errors import VideoError


def as_rgb(picture: av.VideoFrame, file: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a picture of `file`, as it is stored.

    Raises:
        VideoError: it says that its colours are of a kind that nobody knows, as damaged files do.
    """
    try:
        return picture.to_ndarray(format="rgb24")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"the colours of {file} cannot be read ({getattr(error, 'strerror', None) or error})",
            hint="Convert it to H.264 first; if it is damaged, make or copy it again.",
        ) from error
