"""Where a moving camera was: solved elsewhere, and given with the request.

Its world is the one that bodies are put into: metres, z up, the floor at 0. Camera axes are
OpenCV's (x right, y down, z forward). Times are seconds of the video file's own clock. A service
reads paths as JSON in a request, so they are kept to as many digits as matter and to `MOST_POSES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import checked
from .errors import RequestError
from .quaternions import matrix_to_quat, quat_to_matrix, slerp

MOST_POSES = 5000  # about half of what a request may be long; a moment in between is interpolated
FARTHEST_M = 10_000.0  # from the world's origin
_DIGITS_S, _DIGITS_M, _DIGITS = 6, 5, 7
_RIGID = 1e-3  # by which a matrix may miss being a rotation


@dataclass(frozen=True, eq=False)
class CameraPath:
    """Poses of a camera at K moments; before the first and behind the last it stands still."""

    times_s: np.ndarray  # (K,) float64, strictly increasing
    positions: np.ndarray  # (K, 3) float64, metres, where the camera is in the world
    quats: np.ndarray  # (K, 4) float64, wxyz, camera axes -> world

    def __post_init__(self) -> None:
        _freeze(self, "times_s", (None,), digits=_DIGITS_S)
        count = len(self.times_s)
        if not 1 <= count <= MOST_POSES:
            raise RequestError(
                f"the camera path has {count} poses", hint=f"Give 1 to {MOST_POSES} of them."
            )
        if (np.diff(self.times_s) <= 0).any():
            raise RequestError("the times of the camera path do not rise")
        _freeze(self, "positions", (count, 3), digits=_DIGITS_M)
        if np.abs(self.positions).max() > FARTHEST_M:
            raise RequestError(
                f"the camera is up to {np.abs(self.positions).max():.0f} m from the world's origin",
                hint=f"Give metres, up to {FARTHEST_M:.0f}.",
            )
        _freeze(self, "quats", (count, 4), digits=_DIGITS)
        length = np.linalg.norm(self.quats, axis=1)
        if np.abs(length - 1).max() > _RIGID:
            raise RequestError(
                "the camera path has quaternions that are no rotations",
                hint="Give unit quaternions, w first.",
            )

    @classmethod
    def of_matrices(cls, times_s: np.ndarray, world_from_camera: np.ndarray) -> CameraPath:
        """The path of a camera with these poses.

        Of more than `MOST_POSES`, the nearest to evenly spread ones are kept.

        Args:
            times_s: (K,) seconds of the file's own clock, strictly increasing.
            world_from_camera: (K, 4, 4) metres, rigid: without scale.

        Raises:
            RequestError: times do not rise, or a matrix is not rigid.
        """
        times_s = checked("times_s", times_s, (None,), dtype=np.float64, error=RequestError)
        poses = checked(
            *("world_from_camera", world_from_camera, (len(times_s), 4, 4)),
            dtype=np.float64,
            error=RequestError,
        )
        rotations = poses[:, :3, :3]
        misses = np.abs(np.swapaxes(rotations, 1, 2) @ rotations - np.eye(3)).max(initial=0.0)
        is_turned_out = (np.linalg.det(rotations) < 0).any()
        if misses > _RIGID or is_turned_out or (poses[:, 3] != [0, 0, 0, 1]).any():
            raise RequestError(
                "the camera path has poses that are not rigid",
                hint="Give matrices of a rotation and a position, without scale.",
            )
        kept = np.linspace(0, len(times_s) - 1, min(len(times_s), MOST_POSES)).round().astype(int)
        return cls(times_s[kept], poses[kept, :3, 3], matrix_to_quat(rotations[kept]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CameraPath) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    @property
    def world_from_camera(self) -> np.ndarray:
        """(K, 4, 4) metres, the poses as matrices."""
        return _matrices(self.positions, self.quats)

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """(..., 4, 4) metres, `world_from_camera` at moments (...) in seconds of the file's clock.

        Turns follow the shortest arc between the poses around, positions a straight line.
        """
        wanted_s = np.clip(times_s, self.times_s[0], self.times_s[-1])
        right = np.minimum(np.searchsorted(self.times_s, wanted_s), len(self.times_s) - 1)
        left = np.maximum(right - 1, 0)
        span_s = np.where(right > left, self.times_s[right] - self.times_s[left], 1.0)
        weight = ((wanted_s - self.times_s[left]) / span_s)[..., None]
        positions = (1 - weight) * self.positions[left] + weight * self.positions[right]
        return _matrices(positions, slerp(self.quats[left], self.quats[right], weight))

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json` can write, and a file of a camera path holds."""
        return {
            "times_s": self.times_s.tolist(),
            "positions": self.positions.tolist(),
            "quats": self.quats.tolist(),
        }

    def _content(self) -> tuple[bytes, bytes, bytes]:
        return self.times_s.tobytes(), self.positions.tobytes(), self.quats.tobytes()


def path_from_json(values: Mapping[str, Any]) -> CameraPath:
    """The path that `to_json` wrote.

    Raises:
        RequestError: an entry is missing, unknown, or no numbers of the right shape.
    """
    try:
        return CameraPath(**{str(name): np.asarray(each) for name, each in values.items()})
    except (AttributeError, TypeError, ValueError) as error:
        raise RequestError(
            f"the camera path cannot be read ({error})",
            hint="It has times_s, positions (x, y, z in metres) and quats (w, x, y, z).",
        ) from error


def _matrices(positions: np.ndarray, quats: np.ndarray) -> np.ndarray:
    """(..., 4, 4) of positions (..., 3) and quaternions (..., 4) of nearly unit length."""
    units = quats / np.linalg.norm(quats, axis=-1, keepdims=True)
    poses = np.zeros((*positions.shape[:-1], 4, 4))
    poses[..., :3, :3] = quat_to_matrix(units)
    poses[..., :3, 3] = positions
    poses[..., 3, 3] = 1.0
    return poses


def _freeze(path: CameraPath, name: str, shape: tuple[int | None, ...], *, digits: int) -> None:
    given = checked(
        f"the camera path's {name}",
        getattr(path, name),
        shape,
        dtype=np.float64,
        error=RequestError,
    )
    value = given.round(digits) + 0.0  # no -0.0, which JSON would keep
    value.setflags(write=False)
    object.__setattr__(path, name, value)
