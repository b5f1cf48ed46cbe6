"""A capture against a truth: whose motion it is, which frames belong together, and the scores.

Frames belong together by time. A truth frame that has no captured frame within half its own
duration is not compared; `Scores.frames` says how many were. Where the capture has clearly fewer
frames a second than the truth, both are compared at the capture's rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import roma
import torch

from ..body.model import Body
from ..contract.errors import NobodyFound
from ..contract.motion import Camera, Capture, Motion
from ..contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from .metrics import Scores, planted, score
from .series import Series, series_of
from .soles import SoleBody
from .truth import Truth

_LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
_FEET = [JOINT_NAMES.index(n) for n in ("left_ankle", "right_ankle", "left_foot", "right_foot")]
MAX_MISS = 0.25  # of the picture's height: further off, it is somebody else
_FRAME_TOLERANCE = 0.5  # of the duration of a truth frame
_NEARLY = 0.05  # of a captured frame, before the truth begins
_SLOWER = 0.75  # of the truth's rate: a capture below it is compared at its own


@dataclass(frozen=True)
class TakeScores:
    """The scores of one take, whose motion in it they are of, and where its errors lie."""

    label: str
    person: int
    scores: Scores
    series: Series


def compare(capture: Capture, truth: Truth, body: Body) -> list[TakeScores]:
    """Scores of every take, for the captured person who is nearest to the truth in the picture.

    Raises:
        NobodyFound: nobody who was captured is near the truth at any time.
    """
    found: list[TakeScores] = []
    for take in capture.takes:
        if not take.motions:
            continue
        misses = [picture_misses(each, capture.camera, truth, body=body) for each in take.motions]
        best = int(np.argmin([np.nan_to_num(each, nan=1.0).sum() for each in misses]))
        if not np.isfinite(misses[best]).any() or np.nanmean(misses[best]) > MAX_MISS:
            continue
        found.append(_judged(take.label, take.motions[best], capture.camera, truth, body))
    if not found:
        raise NobodyFound(
            f"nobody in the capture is where {truth.camera_name} saw {truth.person_name}",
            hint="Check that the video, --camera and --person belong together.",
        )
    return found


def compare_only(capture: Capture, truth: Truth, body: Body) -> list[TakeScores]:
    """Scores of every take of a capture of one person, wherever it puts them."""
    return [
        _judged(take.label, motion, capture.camera, truth, body)
        for take in capture.takes
        for motion in take.motions
    ]


def _judged(label: str, motion: Motion, camera: Camera, truth: Truth, body: Body) -> TakeScores:
    scores = compare_motion(motion, camera, truth, body=body)
    series = errors_over_time(motion, truth, body=body)
    return TakeScores(label, motion.person, scores, series)


def compare_motion(motion: Motion, camera: Camera, truth: Truth, *, body: Body) -> Scores:
    """Scores of one motion."""
    truth = at_pace(truth, motion.times_s)
    joints, soles = SoleBody.from_body(body).of_motion(motion)
    joints = on_truth_frames(joints, motion.times_s, truth)  # (T, 24, 3)
    soles = on_truth_frames(soles.reshape(len(soles), -1, 3), motion.times_s, truth)
    world = in_world(joints, camera, truth.times_s)
    contacts = planted(truth.feet_world, fps=truth.fps)
    if not np.isfinite(truth.feet_world).any():
        contacts = planted(world[:, _FEET], fps=truth.fps)
    return score(
        joints[:, _LIMBS],
        truth.limbs_camera,
        valid=truth.valid,
        feet=world[:, _FEET],
        contacts=contacts,
        joints_world=world[:, _LIMBS],
        soles=in_world(soles, camera, truth.times_s).reshape(len(soles), 2, -1, 3),
        fps=truth.fps,
    )


def in_world(points: np.ndarray, camera: Camera, times_s: np.ndarray) -> np.ndarray:
    """(T, P, 3) metres in the capture's world, of points (T, P, 3) in camera axes at times (T,)."""
    pose = camera.world_from_camera_at(times_s)
    return points @ pose[:, :3, :3].swapaxes(1, 2) + pose[:, None, :3, 3]


def errors_over_time(motion: Motion, truth: Truth, *, body: Body) -> Series:
    """The errors of one motion, frame by frame and joint by joint."""
    truth = at_pace(truth, motion.times_s)
    joints = on_truth_frames(joints_of(motion, body), motion.times_s, truth)[:, _LIMBS]
    return series_of(
        joints, truth.limbs_camera, valid=truth.valid, times_s=truth.times_s, fps=truth.fps
    )


def picture_misses(motion: Motion, camera: Camera, truth: Truth, *, body: Body) -> np.ndarray:
    """(N,) distances in the picture from the truth's limbs, over the picture's height, at most 1.

    One for each limb joint that the truth knows; NaN where its frame was not captured. The choice
    of a person takes those as 1, a whole picture, so that a short lucky track does not win.
    """
    truth = at_pace(truth, motion.times_s)
    goal = truth.limbs_px()
    apart = np.linalg.norm(limbs_seen(motion, camera, truth, body=body) - goal, axis=-1)
    return np.minimum(apart[np.isfinite(goal[..., 0])] / camera.size_px[1], 1.0)


def limbs_seen(motion: Motion, camera: Camera, truth: Truth, *, body: Body) -> np.ndarray:
    """(T, 12, 2) pixels, where the captured limbs are in the truth's frames; NaN where in none."""
    joints = on_truth_frames(joints_of(motion, body), motion.times_s, truth)[:, _LIMBS]
    depth = np.maximum(joints[..., 2:], 1e-3)
    return joints[..., :2] / depth * camera.focal_px + camera.center_px


def at_pace(truth: Truth, times_s: np.ndarray) -> Truth:
    """The truth at the rate of a capture with frames at `times_s`, if that is clearly lower.

    Otherwise the truth itself: most of its frames would have no captured one, and no three in a
    row to take an acceleration from.
    """
    if len(times_s) < 2:
        return truth
    fps = 1.0 / float(np.median(np.diff(times_s)))
    if fps >= _SLOWER * truth.fps:
        return truth
    # Back to the truth's start on the capture's clock, so that a late track misses its frames.
    first = np.ceil((truth.start_s - times_s[0]) * fps - _NEARLY)
    return truth.at_rate(fps, start_s=float(times_s[0] + first / fps))


def joints_of(motion: Motion, body: Body) -> np.ndarray:
    """(T, 24, 3) metres, the joints of `motion` in camera axes, in double precision."""
    dtype = body.J_template.dtype

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, dtype=dtype)

    with torch.no_grad():
        joints = body.joints(
            roma.rotvec_to_rotmat(tensor(motion.global_orient)),
            roma.rotvec_to_rotmat(tensor(motion.body_pose)),
            betas=tensor(motion.betas),
            transl=tensor(motion.transl),
        )
    return joints.numpy().astype(np.float64)


def on_truth_frames(joints: np.ndarray, times_s: np.ndarray, truth: Truth) -> np.ndarray:
    """(T, J, 3) the captured joints nearest in time to each truth frame, NaN where none is near.

    Args:
        joints: (N, J, 3) of a capture, or any other numbers so shaped.
        times_s: (N,) seconds, rising.
        truth: of T frames.
    """
    wanted = truth.times_s
    right = np.clip(np.searchsorted(times_s, wanted), 1, max(len(times_s) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(times_s) - 1)
    nearest = np.where(wanted - times_s[left] <= times_s[right] - wanted, left, right)
    near = np.abs(times_s[nearest] - wanted) <= _FRAME_TOLERANCE / truth.fps
    return np.where(near[:, None, None], joints[nearest], np.nan)
