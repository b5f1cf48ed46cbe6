"""What a capture is: a camera, people's motions, and where they came from.

Camera axes are OpenCV's (x right, y down, z forward); the world is z up with the ground at 0; both
in metres. A motion is in the axes that the camera has at each frame's time:
`x_camera = R(global_orient) (x_rest - p0) + p0 + transl`, with p0 the pelvis joint of the shaped
rest body. Times are seconds of the video file's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .arrays import DType, checked
from .camera_path import CameraPath
from .errors import ResultFileError
from .skeleton import BETAS_COUNT, CONTACT_COUNT, JOINT_COUNT
from .tracks import PersonTrack

TAKE_LABELS = ("frame", "temporal", "fitted", "refined")

# A level camera that looks along the world's +y: what is assumed until a ground is found.
LEVEL_WORLD_FROM_CAMERA = np.array(
    [[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], dtype=np.float64
)


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera with square pixels and no distortion; without a path it stands still.

    With one, `world_from_camera` is that of the path's first moment, whatever is given for it.
    """

    focal_px: float
    center_px: np.ndarray  # (2,) principal point, pixels, x then y
    size_px: tuple[int, int]  # width, height of the picture as shown (rotation applied)
    world_from_camera: np.ndarray = field(
        default_factory=lambda: LEVEL_WORLD_FROM_CAMERA.copy()
    )  # (4, 4) metres
    path: CameraPath | None = None  # where a moving camera was; the world is then the path's

    def __post_init__(self) -> None:
        if not (np.isfinite(self.focal_px) and self.focal_px > 0):
            raise ResultFileError(f"the camera's focal length is {self.focal_px} px")
        if min(self.size_px) < 1:
            raise ResultFileError(f"the camera's picture is {self.size_px} px large")
        _freeze(self, "center_px", (2,), np.float64)
        if self.path is not None:
            object.__setattr__(self, "world_from_camera", self.path.world_from_camera[0])
        _freeze(self, "world_from_camera", (4, 4), np.float64)

    def world_from_camera_at(self, times_s: np.ndarray) -> np.ndarray:
        """(T, 4, 4) metres, where the camera is at times (T,) in seconds of the file's clock."""
        if self.path is None:
            return np.broadcast_to(self.world_from_camera, (len(times_s), 4, 4))
        return self.path.at(times_s)


@dataclass(frozen=True, eq=False)
class Motion:
    """One person's movement over T frames, in camera axes."""

    person: int
    times_s: np.ndarray  # (T,) float64, strictly increasing, presentation time of each frame
    global_orient: np.ndarray  # (T, 3) axis-angle rad, body root -> camera
    body_pose: np.ndarray  # (T, 23, 3) axis-angle rad, child -> parent
    betas: np.ndarray  # (10,) one shape for the whole motion
    transl: np.ndarray  # (T, 3) metres, camera axes
    confidence: np.ndarray  # (T,) in [0, 1]
    contacts: np.ndarray | None = None  # (T, 9) in [0, 1], chance that each of CONTACT_NAMES
    # touches something; None where nobody looked for contacts

    def __post_init__(self) -> None:
        _freeze(self, "times_s", (None,), np.float64)
        frames = len(self.times_s)
        _freeze(self, "global_orient", (frames, 3))
        _freeze(self, "body_pose", (frames, JOINT_COUNT - 1, 3))
        _freeze(self, "betas", (BETAS_COUNT,))
        _freeze(self, "transl", (frames, 3))
        _freeze(self, "confidence", (frames,))
        if self.contacts is not None:
            _freeze(self, "contacts", (frames, CONTACT_COUNT))
        if frames == 0:
            raise ResultFileError(f"the motion of person {self.person} has no frames")
        if (np.diff(self.times_s) <= 0).any():
            raise ResultFileError(f"the times of person {self.person} do not rise")
        if self.confidence.min() < 0 or self.confidence.max() > 1:
            raise ResultFileError(f"the confidence of person {self.person} leaves [0, 1]")
        if self.contacts is not None and not 0 <= self.contacts.min() <= self.contacts.max() <= 1:
            raise ResultFileError(f"the contacts of person {self.person} leave [0, 1]")


@dataclass(frozen=True, eq=False)
class Take:
    """One version of everybody's motion: per-frame, temporal, fitted or refined."""

    label: str
    motions: tuple[Motion, ...]

    def __post_init__(self) -> None:
        if self.label not in TAKE_LABELS:
            raise ResultFileError(f"a take is called {self.label!r}, not one of {TAKE_LABELS}")


@dataclass(frozen=True, eq=False)
class Capture:
    """Everything that a job found: raw takes stay beside cleaned ones."""

    camera: Camera
    takes: tuple[Take, ...]  # none where people were only looked for
    provenance: dict[str, Any]  # JSON: the request, versions, checksums and licences
    tracks: tuple[PersonTrack, ...] = ()  # everybody as followed, before corrections
    notes: tuple[str, ...] = ()  # what a person should know of how it went, in sentences

    @property
    def best(self) -> Take:
        """The take that most was done for; of a capture that has any."""
        return max(self.takes, key=lambda each: TAKE_LABELS.index(each.label))

    def take(self, label: str) -> Take:
        """The take called `label`.

        Raises:
            ResultFileError: the capture has no such take.
        """
        for take in self.takes:
            if take.label == label:
                return take
        have = ", ".join(each.label for each in self.takes)
        raise ResultFileError(f"there is no take {label!r}", hint=f"This capture has: {have}.")


def _freeze(
    record: object, name: str, shape: tuple[int | None, ...], dtype: DType = np.float32
) -> None:
    value = checked(name, getattr(record, name), shape, dtype=dtype, error=ResultFileError)
    object.__setattr__(record, name, value)
