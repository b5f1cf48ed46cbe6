"""What really happened, from a ground-truth file: one person's joints as one camera saw them.

A truth file is an .npz without pickle: `joints3d` (P, T, J, 3) metres in a world with z up,
`valid` (P, T, J), `joint_names`, `person_names`, `camera_names`, `fps`, and for each camera `K`
(3, 3), `R` (3, 3), `t` (3,) with x_cam = R X + t in OpenCV's axes, and `dist` (k1, k2, p1, p2).
Camera arrays may have a leading axis of persons, where each person has cameras of their own.
Frame i is shown at i / fps seconds. Joints carry SMPL's names or OpenPose's.
A capture of fewer frames a second is compared at its own rate: `Truth.at_rate`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..contract import npz_file
from ..contract.arrays import checked
from ..contract.errors import TruthFileError
from ..contract.skeleton import LIMB_JOINTS
from .metrics import FOOT_POINTS

_SNAP = 0.05  # of a frame: nearer to a frame than this is that frame
_TOE_NAMES = {"left_toe": ("LBigToe", "left_foot"), "right_toe": ("RBigToe", "right_foot")}


@dataclass(frozen=True, eq=False)
class Truth:
    """One person's limb joints over T frames, and the camera that looks at them."""

    camera_name: str
    person_name: str
    fps: float
    limbs_world: np.ndarray  # (T, 12, 3) metres, `LIMB_JOINTS`, world; zero where not valid
    valid: np.ndarray  # (T, 12)
    feet_world: np.ndarray  # (T, 4, 3) metres, `FOOT_POINTS`, world; NaN where unknown
    intrinsics: np.ndarray  # (3, 3) pixels of the video
    distortion: np.ndarray  # (4,) k1, k2, p1, p2
    rotation: np.ndarray  # (3, 3) world -> camera
    translation: np.ndarray  # (3,) metres
    start_s: float = 0.0  # when the first frame is shown

    @property
    def times_s(self) -> np.ndarray:
        """(T,) seconds of the video's own clock."""
        return self.start_s + np.arange(len(self.limbs_world)) / self.fps

    def at_rate(self, fps: float, *, start_s: float) -> Truth:
        """The truth at `start_s` + i / `fps`, on straight lines between its own frames.

        What lies between a frame that is known and one that is not is not known, but for times
        within `_SNAP` of a frame, which take that one alone.
        """
        last_s = float(self.times_s[-1])
        count = int(np.floor((last_s - start_s) * fps + _SNAP)) + 1
        wanted = start_s + np.arange(max(count, 0)) / fps
        places = np.clip((wanted - self.start_s) * self.fps, 0, len(self.limbs_world) - 1)
        nearest = np.rint(places)
        places = np.where(np.abs(places - nearest) < _SNAP, nearest, places)
        left, right = np.floor(places).astype(int), np.ceil(places).astype(int)
        share = (places - left)[:, None, None]

        def between(points: np.ndarray) -> np.ndarray:
            return (1 - share) * points[left] + share * points[right]

        valid = self.valid[left] & self.valid[right]
        return replace(
            self,
            fps=fps,
            limbs_world=np.where(valid[..., None], between(self.limbs_world), 0.0),
            valid=valid,
            feet_world=between(self.feet_world),
            start_s=start_s,
        )

    @property
    def limbs_camera(self) -> np.ndarray:
        """(T, 12, 3) metres, camera axes; meaningless where not valid."""
        return self.limbs_world @ self.rotation.T + self.translation

    def limbs_px(self) -> np.ndarray:
        """(T, 12, 2) pixels of the limb joints; NaN where not valid or behind the camera.

        Brown's model of distortion ("Close-range camera calibration", 1971) in OpenCV's order.
        """
        points = self.limbs_camera
        seen = self.valid & (points[..., 2] > 1e-3)
        depth = np.where(seen, points[..., 2], 1.0)
        x, y = points[..., 0] / depth, points[..., 1] / depth
        k1, k2, p1, p2 = self.distortion
        square = x * x + y * y
        radial = 1 + k1 * square + k2 * square**2
        bent_x = x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x)
        bent_y = y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y
        plane = np.stack([bent_x, bent_y, np.ones_like(x)], axis=-1)
        pixels = (plane @ self.intrinsics.T)[..., :2]
        return np.where(seen[..., None], pixels, np.nan)


def load(path: Path, *, camera: str | None, person: str | None) -> Truth:
    """The truth about `person` as `camera` saw them; None stands for the only one there is.

    Raises:
        TruthFileError: the file is missing or damaged, has no such camera or person, or has
            several where none was named.
    """
    arrays = npz_file.read(path, error=TruthFileError)
    try:
        return _truth(arrays, path=path, camera=camera, person=person)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise TruthFileError(
            f"{path} is not a complete truth file ({error})",
            hint="It needs joints3d, joint_names, person_names, camera_names, fps, K, R and t.",
        ) from error


def _truth(
    arrays: dict[str, np.ndarray], *, path: Path, camera: str | None, person: str | None
) -> Truth:
    persons = [str(name) for name in arrays["person_names"]]
    cameras = [str(name) for name in arrays["camera_names"]]
    person_index = _chosen(person, persons, what="person", path=path)
    camera_index = _chosen(camera, cameras, what="camera", path=path)
    names = [str(name) for name in arrays["joint_names"]]
    joints = np.asarray(arrays["joints3d"][person_index], dtype=np.float64)  # (T, J, 3)
    known = np.asarray(np.isfinite(joints).all(axis=-1))
    if "valid" in arrays:
        known = known & np.asarray(arrays["valid"][person_index], dtype=bool)

    columns = {name: _column(names, _spellings(name)) for name in LIMB_JOINTS}
    limbs = [column for column in columns.values() if column is not None]
    if missing := [name for name, column in columns.items() if column is None]:
        raise TruthFileError(
            f"{path} has no {', '.join(missing)}", hint=f"It has the joints: {', '.join(names)}."
        )
    valid = known[:, limbs]
    fps = float(arrays["fps"])
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f"fps is {fps}")

    def of_camera(name: str, shape: tuple[int, ...]) -> np.ndarray:
        array = np.asarray(arrays[name])
        if array.ndim == len(shape) + 2:
            array = array[person_index]
        return checked(name, array[camera_index], shape, dtype=np.float64, error=TruthFileError)

    return Truth(
        camera_name=cameras[camera_index],
        person_name=persons[person_index],
        fps=fps,
        limbs_world=np.where(valid[..., None], joints[:, limbs], 0.0),
        valid=valid,
        feet_world=_feet(joints, known, names),
        intrinsics=of_camera("K", (3, 3)),
        distortion=of_camera("dist", (4,)) if "dist" in arrays else np.zeros(4),
        rotation=of_camera("R", (3, 3)),
        translation=of_camera("t", (3,)),
    )


def _chosen(name: str | None, names: list[str], *, what: str, path: Path) -> int:
    if name is None and len(names) == 1:
        return 0
    if name is None or name not in names:
        asked = f"has {len(names)} {what}s" if name is None else f"has no {what} {name!r}"
        raise TruthFileError(f"{path} {asked}", hint=f"Use --{what} with {' or '.join(names)}.")
    return names.index(name)


def _spellings(joint: str) -> tuple[str, ...]:
    side, _, part = joint.partition("_")
    return joint, f"{side[0].upper()}{part.capitalize()}"


def _column(names: list[str], spellings: tuple[str, ...]) -> int | None:
    return next((names.index(each) for each in spellings if each in names), None)


def _feet(joints: np.ndarray, known: np.ndarray, names: list[str]) -> np.ndarray:
    """(T, 4, 3) `FOOT_POINTS` of the truth, NaN where it has none."""
    feet = np.full((len(joints), len(FOOT_POINTS), 3), np.nan)
    for index, point in enumerate(FOOT_POINTS):
        spellings = _TOE_NAMES.get(point) or _spellings(point)
        column = _column(names, spellings)
        if column is not None:
            feet[:, index] = np.where(known[:, column, None], joints[:, column], np.nan)
    return feet
