"""Small sound movies and pictures of many kinds, in memory: what hostile files are made from."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

SIZE_PX = (64, 64)  # libx265 spoils its own memory below its blocks of 64
FRAMES = 8
FPS = Fraction(25)


@dataclass(frozen=True)
class Recipe:
    """How one seed is encoded."""

    name: str  # with the suffix that belongs to it
    container: str
    codec: str
    pix_fmt: str = "yuv420p"


@dataclass(frozen=True)
class Seed:
    """A sound file."""

    name: str
    data: bytes

    @property
    def suffix(self) -> str:
        """With its dot."""
        return self.name[self.name.rindex(".") :]


RECIPES = (
    Recipe("h264.mp4", "mp4", "libx264"),
    Recipe("mpeg4.mp4", "mp4", "mpeg4"),
    Recipe("h264.mov", "mov", "libx264"),
    Recipe("prores.mov", "mov", "prores_ks", "yuv422p10le"),
    Recipe("h264.mkv", "matroska", "libx264"),
    Recipe("ffv1.mkv", "matroska", "ffv1", "bgr0"),
    Recipe("vp8.webm", "webm", "libvpx"),
    Recipe("vp9.webm", "webm", "libvpx-vp9"),
    Recipe("mjpeg.avi", "avi", "mjpeg", "yuvj420p"),
    Recipe("mpeg4.avi", "avi", "mpeg4"),
    Recipe("h264.ts", "mpegts", "libx264"),
    Recipe("mpeg2.mpg", "mpeg", "mpeg2video"),
    Recipe("wmv.wmv", "asf", "wmv2"),
    Recipe("bare.h264", "h264", "libx264"),
    Recipe("hevc.mp4", "mp4", "libx265"),
    Recipe("anim.gif", "gif", "gif", "rgb8"),
    Recipe("still.png", "image2pipe", "png", "rgb24"),
    Recipe("still.jpg", "image2pipe", "mjpeg", "yuvj420p"),
    Recipe("still.tif", "image2pipe", "tiff", "rgb24"),
    Recipe("still.bmp", "image2pipe", "bmp", "bgr24"),
    Recipe("still.webp", "image2pipe", "libwebp"),
    Recipe("still.jp2", "image2pipe", "jpeg2000", "rgb24"),
    Recipe("still.exr", "image2pipe", "exr", "gbrpf32le"),
    Recipe("still.dpx", "image2pipe", "dpx", "rgb24"),
    Recipe("still.tga", "image2pipe", "targa", "bgr24"),
)
_QUIET = {"libx265": {"x265-params": "log-level=none"}}


def seeds() -> list[Seed]:
    """Every seed that this machine's ffmpeg can encode, in the order of `RECIPES`."""
    return [Seed(each.name, encoded(each)) for each in RECIPES if each.codec in av.codecs_available]


def encoded(recipe: Recipe, *, size_px: tuple[int, int] = SIZE_PX, frames: int = FRAMES) -> bytes:
    """The file that `recipe` makes: a bright square that wanders over a grey ramp."""
    file = io.BytesIO()
    count = 1 if recipe.container == "image2pipe" else frames
    with av.open(file, "w", format=recipe.container) as container:
        stream = container.add_stream(recipe.codec, rate=FPS, options=_QUIET.get(recipe.codec, {}))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size_px
        stream.pix_fmt = recipe.pix_fmt
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(_picture(size_px, index), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _picture(size_px: tuple[int, int], index: int) -> np.ndarray:
    """(H, W, 3) uint8 RGB."""
    width, height = size_px
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = np.linspace(40, 160, width, dtype=np.uint8)[None, :, None]
    left = 2 + 3 * index % max(1, width - 10)
    picture[height // 4 : height // 2, left : left + 8] = 230
    return picture
