"""The body as a dressed person: which face is skin, cloth, shoe, hair or eye, and how thick."""

from __future__ import annotations

import numpy as np
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.contract.skeleton import JOINT_NAMES

ZONES = ("skin", "shirt", "trousers", "shoes", "hair", "eye", "iris", "lips")
# How far a zone stands off the skin, metres.
_THICKNESS = {"shirt": 0.011, "trousers": 0.010, "shoes": 0.007, "hair": 0.012}
_SLEEVE = 0.62  # share of the upper arm
_EYE_RADIUS_SHARE = 0.42  # of the eyeball's width: the iris


def zones(body: BodyTemplate) -> np.ndarray:
    """(F,) index into `ZONES` of every face, chosen by where it lies on the resting body."""
    centres = body.v_template[body.faces].mean(axis=1)
    weights = body.lbs_weights[body.faces].mean(axis=1)
    joints = body.J_regressor @ body.v_template
    at = {name: joints[index] for index, name in enumerate(JOINT_NAMES)}
    x, y = np.abs(centres[:, 0]), centres[:, 1]
    chosen = np.full(len(centres), ZONES.index("skin"))

    head = weights[:, JOINT_NAMES.index("head")] + weights[:, JOINT_NAMES.index("neck")]
    sleeve_end = at["left_shoulder"][0] + _SLEEVE * (at["left_elbow"] - at["left_shoulder"])[0]
    waist = at["pelvis"][1] + 0.03
    neckline = at["neck"][1] - 0.035 + 0.25 * x - 0.15 * (centres[:, 2] - at["neck"][2])
    chosen[(y > waist) & (x < sleeve_end) & (y < neckline) & (head < 0.9)] = ZONES.index("shirt")
    chosen[(y <= waist) & (x < 0.4)] = ZONES.index("trousers")
    chosen[y < at["left_ankle"][1] + 0.01] = ZONES.index("shoes")
    chosen[_is_hair(body, centres)] = ZONES.index("hair")
    chosen[_is_lip(body, centres)] = ZONES.index("lips")
    _mark_eyes(body, centres, chosen)
    return chosen


def dressed(vertices: np.ndarray, body: BodyTemplate, zone: np.ndarray) -> np.ndarray:
    """(V, 3) `vertices` of the posed skin, moved outwards where something is worn."""
    thickness = np.array([_THICKNESS.get(name, 0.0) for name in ZONES])[zone]
    corners = vertices[body.faces]
    normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    push = np.zeros((len(vertices), 3))
    thick = np.zeros(len(vertices))
    for corner in body.faces.T:
        np.add.at(push, corner, normals)
        np.maximum.at(thick, corner, thickness)
    push = push / np.maximum(np.linalg.norm(push, axis=1, keepdims=True), 1e-12)
    return vertices + push * thick[:, None]


def _landmark(body: BodyTemplate, name: str) -> np.ndarray:
    return body.landmark_regressor[body.landmark_names.index(name)] @ body.v_template


def _is_hair(body: BodyTemplate, centres: np.ndarray) -> np.ndarray:
    ear, eye = _landmark(body, "left_ear"), _landmark(body, "left_eye")
    y, z = centres[:, 1], centres[:, 2]
    near_ear = np.linalg.norm(np.abs(centres) * [1, 0, 0] + centres * [0, 1, 1] - ear, axis=1)
    crown = y > eye[1] + 0.060 - 0.02 * (z < ear[2] + 0.05)
    back = (z < ear[2] - 0.012) & (y > ear[1] - 0.045)
    temple = (z < ear[2] + 0.022) & (y > ear[1] + 0.022)
    return (crown | back | temple) & (near_ear > 0.028) & (y > ear[1] - 0.05)


def _is_lip(body: BodyTemplate, centres: np.ndarray) -> np.ndarray:
    left, right, nose = (_landmark(body, name) for name in ("mouth_left", "mouth_right", "nose"))
    middle = 0.5 * (left + right)
    across = (centres[:, 0] - middle[0]) / (0.5 * (left[0] - right[0]))
    up = (centres[:, 1] - middle[1]) / 0.011
    return (across**2 + up**2 < 1.0) & (centres[:, 2] > middle[2]) & (centres[:, 2] < nose[2])


def _mark_eyes(body: BodyTemplate, centres: np.ndarray, chosen: np.ndarray) -> None:
    """Eyeballs are the two small closed parts of the mesh, last in the file."""
    first = _first_eye_vertex(body.faces)
    ball = body.faces.min(axis=1) >= first
    chosen[ball] = ZONES.index("eye")
    for side in (centres[:, 0] > 0, centres[:, 0] < 0):
        vertices = body.v_template[np.unique(body.faces[ball & side])]
        middle, width = vertices.mean(axis=0), np.ptp(vertices[:, 0])
        off_axis = np.linalg.norm((centres - middle)[:, :2], axis=1)
        front = centres[:, 2] > middle[2]
        chosen[ball & side & front & (off_axis < 0.5 * _EYE_RADIUS_SHARE * width)] = ZONES.index(
            "iris"
        )


def _first_eye_vertex(faces: np.ndarray) -> int:
    """The first vertex after which no face reaches back: where the eyeballs start."""
    count = faces.max() + 1
    reaches = np.zeros(count + 1, dtype=int)
    np.add.at(reaches, faces.min(axis=1), 1)
    np.add.at(reaches, faces.max(axis=1), -1)
    # A cut with no face across it, at most a few hundred vertices before the end.
    cuts = [cut + 1 for cut in np.flatnonzero(np.cumsum(reaches)[:-1] == 0) if cut < count - 1]
    return min(int(cut) for cut in cuts if cut > 0.9 * count)
