from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from stripmocap.contract.errors import VideoError
from stripmocap.video.colours import as_rgb


def grey() -> av.VideoFrame:
    picture = np.full((32, 48, 3), 128, np.uint8)
    return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv422p10le")


def test_a_picture_comes_as_bytes_of_red_green_and_blue():
    image = as_rgb(grey(), Path("a.mov"))

    assert (image.shape, image.dtype) == ((32, 48, 3), np.uint8)
    assert np.abs(image.astype(int) - 128).max() < 4


def test_colours_that_nobody_knows_are_said():
    picture = grey()
    picture.colorspace = 99  # as a damaged header has it

    with pytest.raises(VideoError, match=r"colours of a\.mov"):
        as_rgb(picture, Path("a.mov"))
