"""Captured bodies over the footage, frame by frame: a movie, or one picture.

Frames are read, painted and written one at a time, so memory does not grow with length. The movie
keeps the footage's own times, however irregular.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import cv2
import numpy as np
import roma
import torch

from ..body.model import Body
from ..contract.body_file import BodyTemplate
from ..contract.errors import ResultFileError
from ..contract.messages import Clip
from ..contract.motion import Camera, Motion, Take
from ..video.frames import Frame, read_frames
from .pictures import draw_body

COLOURS = ((110, 170, 230), (240, 150, 90), (130, 200, 120), (200, 130, 210), (225, 205, 90))
MAX_SIDE_PX = 1280  # of the movie; enough to judge by, and ten times as quick as 8K
TIME_BASE = Fraction(1, 90_000)  # divides all usual frame rates
MISS_S = 1 / 50  # a body is drawn on frames this near to one of its own


class Painter:
    """Paints the bodies of one take over frames."""

    def __init__(self, take: Take, camera: Camera, *, template: BodyTemplate, body: Body) -> None:
        self._motions = take.motions
        self._camera = camera
        self._faces = template.faces
        self._body = body

    def painted(self, frame: Frame) -> np.ndarray:
        """(H, W, 3) uint8 RGB, `frame` with everybody over it, at most `MAX_SIDE_PX` long."""
        image = _fitted(frame.image)
        bodies = []
        for index, motion in enumerate(self._motions):
            nearest = int(np.abs(motion.times_s - frame.time_s).argmin())
            if abs(motion.times_s[nearest] - frame.time_s) <= MISS_S:
                vertices = vertices_at(motion, nearest, body=self._body)
                bodies.append((vertices[:, 2].mean(), index, vertices))
        for _, index, vertices in sorted(bodies, key=lambda each: -each[0]):  # far ones first
            image = draw_body(
                image,
                vertices,
                faces=self._faces,
                camera=self._camera,
                colour=COLOURS[index % len(COLOURS)],
            )
        return image


def write_movie(clip: Clip, painter: Painter, *, path: Path) -> Iterator[int]:
    """Writes `clip` with bodies to the .mp4 file `path`; yields the number of frames done.

    Raises:
        VideoError: the clip cannot be read.
        ResultFileError: the movie cannot be written.
    """
    try:
        with av.open(str(path), "w") as container:
            frames = read_frames(clip)
            first = next(frames)
            stream = _stream(container, _fitted(first.image).shape)
            for count, frame in enumerate(itertools.chain([first], frames), start=1):
                picture = av.VideoFrame.from_ndarray(painter.painted(frame), format="rgb24")
                picture.pts = round((frame.time_s - first.time_s) / TIME_BASE)
                picture.time_base = TIME_BASE
                container.mux(stream.encode(picture))
                yield count
            container.mux(stream.encode(None))
    except (av.error.FFmpegError, OSError) as error:
        raise ResultFileError(
            f"{path} cannot be written ({error})",
            hint="Choose a folder that you may write to and that has space left.",
        ) from error


def frame_at(clip: Clip, time_s: float) -> Frame:
    """The frame of `clip` that is shown at `time_s`: the last one that began by then.

    Raises:
        VideoError: the clip cannot be read.
    """
    found = None
    for frame in read_frames(clip):
        if found is not None and frame.time_s > time_s:
            break
        found = frame
    assert found is not None  # read_frames gives a frame or raises
    return found


def vertices_at(motion: Motion, frame: int, *, body: Body) -> np.ndarray:
    """(V, 3) metres, camera axes, the mesh of `motion` at the index `frame`."""

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, dtype=body.v_template.dtype)

    with torch.no_grad():
        vertices = body.vertices(
            roma.rotvec_to_rotmat(tensor(motion.global_orient[frame])),
            roma.rotvec_to_rotmat(tensor(motion.body_pose[frame])),
            betas=tensor(motion.betas),
            transl=tensor(motion.transl[frame]),
        )
    return vertices.numpy()


def _stream(container: av.container.OutputContainer, shape: tuple[int, ...]) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=30, options={"crf": "20", "preset": "veryfast"})
    stream.height, stream.width = shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    stream.time_base = TIME_BASE
    return stream


def _fitted(image: np.ndarray) -> np.ndarray:
    """`image` at most `MAX_SIDE_PX` long, with even sides, which the codec wants."""
    height, width = image.shape[:2]
    ratio = min(1.0, MAX_SIDE_PX / max(height, width))
    size = tuple(max(2, round(side * ratio / 2) * 2) for side in (width, height))
    if size == (width, height):
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
