"""Motions in the form of AMASS, which most other programs read and write.

Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes", ICCV 2019: `poses` (T, 156)
axis-angle of SMPL-H's 52 joints, `trans` (T, 3) metres, `betas` (16), at a steady rate, in a world
with z up. Its body turns about the rest pelvis, as SMPL's does. Newer files split the poses into
`root_orient`, `pose_body` and `pose_hand` and spell the rate `mocap_frame_rate`; both are read.
Hands are written in their rest pose, and SMPL's two hand joints have no place there. `betas` are
those of the motion's own body: on another body, SMPL's too, they mean another shape. AMASS knows
no contacts; where ours are known, they stand beside the rest, with the names of what they are of.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .arrays import checked
from .body_file import GENDERS
from .errors import RequestError, ResultFileError
from .motion import Camera, Motion
from .quaternions import aa_to_quat, matrix_to_quat, multiply, quat_to_aa, slerp
from .skeleton import BETAS_COUNT, CONTACT_NAMES, JOINT_COUNT

POSES_WIDTH = 156
BETAS_WIDTH = 16
DMPLS_WIDTH = 8
BODY_JOINTS = 21  # of SMPL-H, without the root; the first of SMPL's 23, all but the hands
UNKNOWN_SIZE_PX = (1920, 1080)
_RATES = ("mocap_framerate", "mocap_frame_rate")
_STEPS_MERGED = 1e-6  # seconds: times this near are the same frame


def to_amass(
    motion: Motion,
    camera: Camera,
    rest_pelvis: np.ndarray,
    *,
    fps: float,
    gender: str = "neutral",
) -> dict[str, np.ndarray]:
    """The entries of an AMASS file that holds `motion` in the world, at `fps`.

    Rotations are interpolated along the shortest arc, positions linearly.

    Args:
        motion: in camera axes.
        camera: whose `world_from_camera_at` says where the world is.
        rest_pelvis: (3,) metres, the pelvis of the rest body of this shape.
        fps: frames a second of the file; the first frame is the motion's first.
        gender: the body's.

    Raises:
        RequestError: `fps` is not a positive number.
    """
    if not (np.isfinite(fps) and fps > 0):
        raise RequestError(f"the frame rate is {fps}", hint="Give frames a second, above 0.")
    orient, transl = moved(
        motion.global_orient,
        motion.transl,
        camera.world_from_camera_at(motion.times_s),
        rest_pelvis=rest_pelvis,
    )
    times_s = steady_times(motion.times_s, fps=fps)
    poses = np.zeros((len(times_s), POSES_WIDTH))
    poses[:, :3] = resampled_rotations(orient[:, None], motion.times_s, times_s)[:, 0]
    body = resampled_rotations(motion.body_pose[:, :BODY_JOINTS], motion.times_s, times_s)
    poses[:, 3 : 3 + 3 * BODY_JOINTS] = body.reshape(len(times_s), -1)
    betas = np.zeros(BETAS_WIDTH)
    betas[:BETAS_COUNT] = motion.betas
    arrays = {
        "poses": poses,
        "trans": resampled_points(transl, motion.times_s, times_s),
        "betas": betas,
        "dmpls": np.zeros((len(times_s), DMPLS_WIDTH)),
        "mocap_framerate": np.array(float(fps)),
        "gender": np.array(gender),
    }
    if motion.contacts is not None:
        arrays["contacts"] = resampled_points(motion.contacts, motion.times_s, times_s)
        arrays["contact_names"] = np.array(CONTACT_NAMES)
    return arrays


def from_amass(
    arrays: Mapping[str, np.ndarray],
    rest_pelvis: np.ndarray,
    *,
    person: int = 0,
    camera: Camera | None = None,
) -> tuple[Motion, Camera]:
    """The motion in the entries of an AMASS file, seen by `camera`.

    Args:
        arrays: the file's entries.
        rest_pelvis: (3,) metres, the pelvis of the rest body of the file's shape.
        person: the number that the motion gets.
        camera: None for a level one at the world's origin that looks along y.

    Raises:
        ResultFileError: an entry is missing or of the wrong shape.
    """
    poses = _poses(arrays)
    count = len(poses)
    trans = checked(
        "trans", _entry(arrays, "trans"), (count, 3), dtype=np.float64, error=ResultFileError
    )
    betas = np.zeros(BETAS_COUNT)
    given = np.ravel(arrays["betas"])[:BETAS_COUNT] if "betas" in arrays else betas
    betas[: len(given)] = given
    if camera is None:
        width, height = UNKNOWN_SIZE_PX
        camera = Camera(
            focal_px=float(np.hypot(width, height)),
            center_px=np.array([width / 2, height / 2]),
            size_px=UNKNOWN_SIZE_PX,
        )
    orient, transl = moved(
        poses[:, :3],
        trans,
        np.linalg.inv(camera.world_from_camera),
        rest_pelvis=rest_pelvis,
    )
    body_pose = np.zeros((count, JOINT_COUNT - 1, 3))
    body_pose[:, :BODY_JOINTS] = poses[:, 3 : 3 + 3 * BODY_JOINTS].reshape(count, -1, 3)
    motion = Motion(
        person=person,
        times_s=np.arange(count) / _rate(arrays),
        global_orient=orient,
        body_pose=body_pose,
        betas=betas,
        transl=transl,
        confidence=np.ones(count),
        contacts=_contacts(arrays),
    )
    return motion, camera


def gender_in(arrays: Mapping[str, np.ndarray]) -> str:
    """One of `GENDERS`: that of the AMASS file, neutral if it does not say."""
    gender = arrays["gender"].item() if "gender" in arrays else ""
    if isinstance(gender, bytes):  # as older files hold it
        gender = gender.decode("ascii", "replace")
    return gender if gender in GENDERS else "neutral"


def usual_fps(times_s: np.ndarray) -> float:
    """Frames a second of an irregular clock: by its median step; 30 for a single frame."""
    if len(times_s) < 2:
        return 30.0
    fps = 1.0 / float(np.median(np.diff(times_s)))
    # Times are kept to some microseconds, so that 29.97 comes back as 29.9699.
    return round(fps, 3)


def moved(
    global_orient: np.ndarray,
    transl: np.ndarray,
    transform: np.ndarray,
    *,
    rest_pelvis: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Axis-angle (T, 3) and translation (T, 3) metres of a body moved by `transform`.

    It is (4, 4), or (T, 4, 4), one for each frame.

    SMPL turns about its rest pelvis p0: `transl' = R (p0 + transl) + t - p0`.
    """
    rotation, offset = transform[..., :3, :3], transform[..., :3, 3]
    orient = quat_to_aa(multiply(matrix_to_quat(rotation), aa_to_quat(global_orient)))
    turned = np.einsum("...ij,...j->...i", rotation, rest_pelvis + transl)
    return orient, turned + offset - rest_pelvis


def steady_times(times_s: np.ndarray, *, fps: float) -> np.ndarray:
    """(T,) seconds, steps of 1 / fps from the first time to the last."""
    count = int(np.floor((times_s[-1] - times_s[0]) * fps + _STEPS_MERGED * fps)) + 1
    return np.minimum(times_s[0] + np.arange(count) / fps, times_s[-1])


def resampled_points(points: np.ndarray, times_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """(W, ...) `points` (T, ...) at the times `wanted_s`, linear in between."""
    left, right, weight = _neighbours(times_s, wanted_s)
    weight = weight.reshape(-1, *[1] * (points.ndim - 1))
    return (1 - weight) * points[left] + weight * points[right]


def resampled_rotations(
    axis_angle: np.ndarray, times_s: np.ndarray, wanted_s: np.ndarray
) -> np.ndarray:
    """(W, J, 3) axis-angle (T, J, 3) at the times `wanted_s`, along the shortest arc in between."""
    left, right, weight = _neighbours(times_s, wanted_s)
    quats = aa_to_quat(axis_angle)
    return quat_to_aa(slerp(quats[left], quats[right], weight.reshape(-1, 1, 1)))


def _neighbours(
    times_s: np.ndarray, wanted_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices left and right of each wanted time, and how far between them it lies, in [0, 1]."""
    right = np.clip(np.searchsorted(times_s, wanted_s), 1, max(len(times_s) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(times_s) - 1)
    span = np.maximum(times_s[right] - times_s[left], np.finfo(np.float64).tiny)
    return left, right, np.clip((wanted_s - times_s[left]) / span, 0.0, 1.0)


def _poses(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """(T, 66 or more) axis-angle of the root and the body joints."""
    if "poses" in arrays:
        poses = np.asarray(arrays["poses"], dtype=np.float64)
    else:
        parts = [_entry(arrays, name) for name in ("root_orient", "pose_body")]
        if any(part.ndim != 2 for part in parts) or len(parts[0]) != len(parts[1]):
            raise ResultFileError("root_orient and pose_body do not belong together")
        poses = np.concatenate(parts, axis=1).astype(np.float64)
    width = 3 * (1 + BODY_JOINTS)
    if poses.ndim != 2 or len(poses) == 0 or poses.shape[1] < width:
        raise ResultFileError(f"the poses have shape {poses.shape}, not (T, {width} or more)")
    return checked("poses", poses, (None, None), dtype=np.float64, error=ResultFileError)


def _contacts(arrays: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The chances that `to_amass` wrote; other programs mean other joints by that name."""
    names = arrays.get("contact_names")
    if names is None or tuple(np.ravel(names).tolist()) != CONTACT_NAMES:
        return None
    return _entry(arrays, "contacts")


def _rate(arrays: Mapping[str, np.ndarray]) -> float:
    name = next((each for each in _RATES if each in arrays), None)
    if name is None:
        raise ResultFileError(
            "the file does not say its frame rate", hint=f"Add {_RATES[0]}, frames a second."
        )
    rate = float(arrays[name])
    if not (np.isfinite(rate) and rate > 0):
        raise ResultFileError(f"{name} is {rate}")
    return rate


def _entry(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in arrays:
        raise ResultFileError(
            f"there is no {name}", hint="Give a file of AMASS: poses, trans, betas, gender."
        )
    return np.asarray(arrays[name])
