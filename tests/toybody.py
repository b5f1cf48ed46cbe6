"""A toy body: 24 joints, a square ring of four vertices around each, quads between rings.

Its joints are the means of their rings, so that every number of it can be worked out by hand.
Rest pose is the contract's: T, y up, facing +z, left arm along +x, metres.
"""

from __future__ import annotations

import numpy as np
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.contract.skeleton import (
    BETAS_COUNT,
    BLAZEPOSE_NAMES,
    JOINT_COUNT,
    JOINT_NAMES,
    PARENTS,
)

RING = 4
_LEFT_AND_MIDDLE = {
    "pelvis": (0.0, 0.95, 0.0),
    "spine1": (0.0, 1.06, -0.01),
    "spine2": (0.0, 1.19, 0.0),
    "spine3": (0.0, 1.25, 0.02),
    "neck": (0.0, 1.46, -0.01),
    "head": (0.0, 1.55, 0.03),
    "left_hip": (0.08, 0.87, 0.0),
    "left_knee": (0.10, 0.49, 0.0),
    "left_ankle": (0.09, 0.08, -0.03),
    "left_foot": (0.11, 0.03, 0.10),
    "left_collar": (0.07, 1.38, 0.0),
    "left_shoulder": (0.18, 1.40, -0.01),
    "left_elbow": (0.44, 1.40, -0.02),
    "left_wrist": (0.70, 1.40, -0.01),
    "left_hand": (0.78, 1.39, 0.0),
}
_NEAREST_JOINT = {
    "shoulder": "shoulder",
    "elbow": "elbow",
    "wrist": "wrist",
    "pinky": "hand",
    "index": "hand",
    "thumb": "hand",
    "hip": "hip",
    "knee": "knee",
    "ankle": "ankle",
    "heel": "ankle",
    "foot_index": "foot",
}


def toy_joints() -> np.ndarray:
    """(24, 3) metres, the rest joints of the mean shape."""
    points = dict(_LEFT_AND_MIDDLE)
    for name, (x, y, z) in _LEFT_AND_MIDDLE.items():
        points[name.replace("left", "right")] = (-x if "left" in name else x, y, z)
    return np.array([points[name] for name in JOINT_NAMES])


def toy_body(posedirs: int = 0) -> BodyTemplate:
    """The toy as a body file would give it; `posedirs` is 0 or 207."""
    v_template = _vertices()
    count = len(v_template)
    regressor = np.zeros((JOINT_COUNT, count))
    weights = np.zeros((count, JOINT_COUNT))
    for joint, parent in enumerate(PARENTS):
        ring = slice(RING * joint, RING * (joint + 1))
        regressor[joint, ring] = 1 / RING
        weights[ring, joint] = 1.0 if parent < 0 else 0.6
        weights[ring, parent] += 0.0 if parent < 0 else 0.4
    faces = _faces()
    rng = np.random.default_rng(7)
    return BodyTemplate(
        name="toy neutral",
        licence="CC0-1.0",
        v_template=v_template,
        shapedirs=_shapedirs(v_template, rng),
        posedirs=rng.normal(scale=0.002, size=(count, 3, posedirs)),
        J_regressor=regressor,
        lbs_weights=weights,
        faces=faces,
        uv=np.tile([[0, 0], [1, 0], [1, 1], [0, 1]], (len(faces), 1)),
        landmark_names=BLAZEPOSE_NAMES,
        landmark_regressor=np.array([_landmark_row(name, count) for name in BLAZEPOSE_NAMES]),
    )


def skinned_vertices(
    body: BodyTemplate,
    *,
    global_orient: np.ndarray,
    body_pose: np.ndarray,
    betas: np.ndarray,
    transl: np.ndarray,
) -> np.ndarray:
    """(V, 3) metres: one frame skinned by matrices, written apart from all shipped code.

    Equation 2 of Loper et al., SIGGRAPH Asia 2015, with the body turning about its pelvis.
    """
    rest = body.v_template + body.shapedirs.astype(float) @ betas
    joints = body.J_regressor.astype(float) @ rest
    local = np.array([rotation(each) for each in [global_orient, *body_pose]])
    if body.posedirs.shape[2]:
        rest = rest + body.posedirs.astype(float) @ (local[1:] - np.eye(3)).ravel()
    turned, moved = [local[0]], [joints[0]]
    for joint in range(1, JOINT_COUNT):
        parent = PARENTS[joint]
        turned.append(turned[parent] @ local[joint])
        moved.append(moved[parent] + turned[parent] @ (joints[joint] - joints[parent]))
    weights = body.lbs_weights.astype(float)
    weights = weights / weights.sum(axis=1, keepdims=True)
    out = np.zeros_like(rest)
    for joint in range(JOINT_COUNT):
        placed = (rest - joints[joint]) @ turned[joint].T + moved[joint]
        out += weights[:, joint, None] * placed
    return out + transl


def rotation(axis_angle: np.ndarray) -> np.ndarray:
    """(3, 3) by Rodrigues' formula."""
    angle = np.linalg.norm(axis_angle)
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = np.asarray(axis_angle, dtype=float) / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _vertices() -> np.ndarray:
    joints = toy_joints()
    vertices = []
    for name, joint, parent in zip(JOINT_NAMES, joints, PARENTS, strict=True):
        along = joint - joints[parent] if parent >= 0 else np.array([0.0, 1.0, 0.0])
        across = 0.02 if name.endswith(("hand", "wrist", "foot")) else 0.05
        main = np.abs(along).argmax()
        first, second = np.eye(3)[(main + 1) % 3], np.eye(3)[(main + 2) % 3]
        corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        vertices += [joint + across * (u * first + v * second) for u, v in corners]
    return np.array(vertices)


def _faces() -> np.ndarray:
    faces = []
    for joint, parent in enumerate(PARENTS):
        ring = [RING * joint + corner for corner in range(RING)]
        if joint not in PARENTS:
            faces.append(ring)
        if parent < 0:
            continue
        below = [RING * parent + corner for corner in range(RING)]
        faces += [
            [below[c], below[(c + 1) % RING], ring[(c + 1) % RING], ring[c]] for c in range(RING)
        ]
    return np.array(faces)


def _shapedirs(v_template: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shapedirs = np.empty((*v_template.shape, BETAS_COUNT))
    shapedirs[:, :, 0] = 0.03 * v_template  # height first
    for beta in range(1, BETAS_COUNT):
        shapedirs[:, :, beta] = v_template @ rng.normal(scale=0.01, size=(3, 3))
    return shapedirs


def _landmark_row(name: str, count: int) -> np.ndarray:
    side, _, part = name.partition("_")
    joint = f"{side}_{_NEAREST_JOINT[part]}" if part in _NEAREST_JOINT else "head"
    ring = RING * JOINT_NAMES.index(joint)
    row = np.zeros(count)
    if part in {"shoulder", "elbow", "wrist", "hip", "knee", "ankle"}:
        row[ring : ring + RING] = 1 / RING
    else:  # each other landmark is one corner of its ring
        row[ring + BLAZEPOSE_NAMES.index(name) % RING] = 1
    return row
