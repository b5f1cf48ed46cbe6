"""Errors of a captured motion against a truth: the numbers that `stripmocap evaluate` prints.

Points are (T, J, 3) metres, frames in truth's own steady rate `fps`; `valid` (T, J) says which of
them both sides have. Errors are taken in camera axes and averaged over joints, then frames, so they
know which way the body faces: MPJPE aligns the mid-hip of each frame, PA-MPJPE also turns and
scales each frame to fit. A number that no frame can give is NaN.

Checked on the balancing trial of Pose2Sim with MediaPipe 0.10.21's world landmarks, three views:
PA-MPJPE 80.8, 127.0, 147.6; MPJPE 109.3, 235.2, 338.6; acceleration error 62.9, 341.9, 329.5, the
very figures that another program had found (aligned at the root the last are 63.4, 341.9, 330.1).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from ..contract.skeleton import LIMB_JOINTS

MIN_PROCRUSTES_POINTS = 4  # three points always fit well, and two any way round
CONTACT_WINDOW_S = 1 / 15  # span over which a foot's speed is measured, longer than mocap noise
CONTACT_SPEED_M_S = 0.2  # a planted foot of a real recording still trembles by 0.1 m/s
# Above the foot's own lowest level: Rempe et al., "HuMoR", ICCV 2021, labels contacts so.
CONTACT_HEIGHT_M = {"ankle": 0.08, "toe": 0.04}
FOOT_POINTS = ("left_ankle", "right_ankle", "left_toe", "right_toe")
_LOWEST_PERCENTILE = 5
_MM = 1000.0
_CM = 100.0


@dataclass(frozen=True)
class Scores:
    """How far one person's motion is from the truth."""

    pa_mpjpe_mm: float
    mpjpe_mm: float
    accel_error_m_s2: float
    foot_slide_cm_s: float
    jitter: float  # m/s^3
    frames: int  # compared; a capture that left frames out shows it here
    penetration_mm: float = math.nan  # of soles into the capture's own floor

    def to_json(self) -> dict[str, float | int | None]:
        """A dictionary that `json` can write; a number that could not be taken becomes None."""
        return {
            name: value if math.isfinite(value) else None for name, value in asdict(self).items()
        }


def score(
    joints: np.ndarray,
    truth: np.ndarray,
    *,
    valid: np.ndarray,
    feet: np.ndarray,
    contacts: np.ndarray,
    joints_world: np.ndarray,
    soles: np.ndarray,
    fps: float,
) -> Scores:
    """All numbers of a motion whose frame i belongs to the truth's frame i.

    Args:
        joints: (T, 12, 3) metres, camera axes, `LIMB_JOINTS`; NaN where not captured.
        truth: (T, 12, 3) metres, camera axes.
        valid: (T, 12) whether the truth is known.
        feet: (T, 4, 3) metres, captured `FOOT_POINTS` in the capture's own world, z up.
        contacts: (T, 4) whether each foot point is planted, from `planted`.
        joints_world: (T, 12, 3) metres, the captured joints in the capture's own world.
        soles: (T, 2, C, 3) metres, points of the captured soles there.
        fps: frames a second of all of these.
    """
    known = valid & np.isfinite(joints).all(axis=-1) & np.isfinite(truth).all(axis=-1)
    return Scores(
        pa_mpjpe_mm=pa_mpjpe_mm(joints, truth, valid=known),
        mpjpe_mm=mpjpe_mm(joints, truth, valid=known),
        accel_error_m_s2=acceleration_error(joints, truth, valid=known, fps=fps),
        foot_slide_cm_s=foot_slide_cm_s(feet, contacts=contacts, fps=fps),
        jitter=jitter(joints_world, fps=fps),
        frames=int(known.any(axis=1).sum()),
        penetration_mm=penetration_mm(soles),
    )


def mpjpe_mm(joints: np.ndarray, truth: np.ndarray, *, valid: np.ndarray) -> float:
    """Mean distance, mm, once the mid-hip of each frame is moved onto the truth's.

    Frames whose hips are not both valid are left out.
    """
    usable = valid & _hips_known(valid)[:, None]
    return _mean_over_frames(_distances(rooted(joints), rooted(truth)), usable) * _MM


def pa_mpjpe_mm(joints: np.ndarray, truth: np.ndarray, *, valid: np.ndarray) -> float:
    """Mean distance, mm, once each frame is moved, turned and scaled to fit the truth best.

    Frames with fewer than `MIN_PROCRUSTES_POINTS` valid joints are left out.
    """
    usable = valid & (valid.sum(axis=1) >= MIN_PROCRUSTES_POINTS)[:, None]
    aligned = procrustes(joints, truth, valid=usable)
    return _mean_over_frames(_distances(aligned, truth), usable) * _MM


def acceleration_error(
    joints: np.ndarray, truth: np.ndarray, *, valid: np.ndarray, fps: float
) -> float:
    """Mean length, m/s^2, of the difference of the joints' accelerations in camera axes.

    Accelerations are second differences times fps^2; a joint counts where it is valid three frames
    running. Nothing is aligned (as in Rempe et al., "HuMoR", ICCV 2021; Kanazawa et al., "Learning
    3D Human Dynamics from Video", CVPR 2019, align the root and leave out fps): a root that
    trembles in depth is seen by whoever looks from the side, so it counts.
    """
    usable = valid[:-2] & valid[1:-1] & valid[2:]
    difference = np.diff(joints - truth, n=2, axis=0) * fps**2
    return _mean_over_frames(np.linalg.norm(difference, axis=-1), usable)


def jitter(joints_world: np.ndarray, *, fps: float) -> float:
    """Mean length, m/s^3, of the third difference of world joints times fps^3, truth unseen.

    As in Yi et al., "TransPose", SIGGRAPH 2021, table 1; theirs is printed in hundreds.
    """
    jerk = np.linalg.norm(np.diff(joints_world, n=3, axis=0), axis=-1) * fps**3
    return _mean_over_frames(jerk, np.isfinite(jerk))


def planted(points: np.ndarray, *, fps: float) -> np.ndarray:
    """(T, 4) whether each of `FOOT_POINTS` stands: slow, and near its own lowest level.

    Take them from the truth, so that a motion cannot score well by never touching the ground; only
    where the truth has no feet, from the motion itself.

    Args:
        points: (T, 4, 3) metres, z up; NaN where unknown, which is never planted.
        fps: frames a second.
    """
    known = np.asarray(np.isfinite(points).all(axis=-1))
    speeds = np.linalg.norm(_velocities(points, fps=fps), axis=-1)
    standing = np.zeros(known.shape, dtype=bool)
    for column, name in enumerate(FOOT_POINTS):
        heights = points[:, column, 2]
        if not known[:, column].any():
            continue
        floor = np.percentile(heights[known[:, column]], _LOWEST_PERCENTILE)
        limit = floor + CONTACT_HEIGHT_M[name.partition("_")[2]]
        with np.errstate(invalid="ignore"):
            standing[:, column] = (heights < limit) & (speeds[:, column] < CONTACT_SPEED_M_S)
    return standing


def foot_slide_cm_s(feet: np.ndarray, *, contacts: np.ndarray, fps: float) -> float:
    """Mean horizontal speed, cm/s, of foot points while they should stand.

    Args:
        feet: (T, 4, 3) metres, `FOOT_POINTS` in a world with z up; NaN where unknown.
        contacts: (T, 4) whether each should stand.
        fps: frames a second.
    """
    steps = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1) * fps
    slides = steps[contacts[:-1] & contacts[1:] & np.isfinite(steps)]
    return float(slides.mean()) * _CM if slides.size else math.nan


def penetration_mm(soles: np.ndarray) -> float:
    """Mean depth, mm, of each foot's lowest point below the floor; 0 where it is above.

    Args:
        soles: (T, 2, C, 3) metres in a world with z up and the floor at 0; NaN where unknown.
    """
    lowest = soles[..., 2].min(axis=-1)  # (T, 2)
    depths = np.maximum(-lowest[np.isfinite(lowest)], 0)
    return float(depths.mean()) * _MM if depths.size else math.nan


def procrustes(points: np.ndarray, target: np.ndarray, *, valid: np.ndarray) -> np.ndarray:
    """(T, J, 3) `points` of each frame under the similarity that fits `target` best.

    Mirror images are not allowed (Umeyama, "Least-squares estimation of transformation parameters
    between two point patterns", PAMI 1991, eq. 34-42). Joints that are not valid do not count.
    """
    weights = valid[..., None].astype(np.float64)
    count = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    source = np.where(valid[..., None], points, 0.0)
    goal = np.where(valid[..., None], target, 0.0)
    source_mean = source.sum(axis=1, keepdims=True) / count
    goal_mean = goal.sum(axis=1, keepdims=True) / count
    source, goal = (source - source_mean) * weights, (goal - goal_mean) * weights

    left, singular, right = np.linalg.svd(np.einsum("tji,tjk->tik", goal, source))
    signs = np.ones_like(singular)  # (T, 3)
    signs[:, 2] = np.sign(np.linalg.det(left @ right))
    rotation = (left * signs[:, None, :]) @ right  # (T, 3, 3)
    spread = np.maximum((source**2).sum(axis=(1, 2)), np.finfo(float).tiny)
    scale = (singular * signs).sum(axis=1) / spread
    turned = np.einsum("tik,tjk->tji", rotation, points - source_mean)
    return scale[:, None, None] * turned + goal_mean


def rooted(joints: np.ndarray) -> np.ndarray:
    """(T, 12, 3) limb joints about the middle of their hips."""
    hips = [LIMB_JOINTS.index("left_hip"), LIMB_JOINTS.index("right_hip")]
    return joints - joints[:, hips].mean(axis=1, keepdims=True)


def _hips_known(valid: np.ndarray) -> np.ndarray:
    return valid[:, LIMB_JOINTS.index("left_hip")] & valid[:, LIMB_JOINTS.index("right_hip")]


def _distances(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points - target, axis=-1)


def _mean_over_frames(values: np.ndarray, usable: np.ndarray) -> float:
    counts = usable.sum(axis=1)
    if not counts.any():
        return math.nan
    sums = np.where(usable, values, 0.0).sum(axis=1)
    return float((sums[counts > 0] / counts[counts > 0]).mean())


def _velocities(points: np.ndarray, *, fps: float) -> np.ndarray:
    # A central difference over the whole window, one-sided at the ends.
    reach = max(1, round(CONTACT_WINDOW_S * fps / 2))
    frames = np.arange(len(points))
    later = np.minimum(frames + reach, len(points) - 1)
    earlier = np.maximum(frames - reach, 0)
    seconds = np.maximum(later - earlier, 1) / fps
    return (points[later] - points[earlier]) / seconds[:, None, None]
