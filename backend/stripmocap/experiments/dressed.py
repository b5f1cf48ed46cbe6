"""Quick pictures of a dressed body before a made-up background: what BlazePose is tried on.

Faces that look at the camera are painted far ones first, each with its own colour under one lamp.
A landmark network takes these for people (`keypoints` measures how well, beside real footage).
Pictures are RGB; camera axes are OpenCV's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..contract.body_file import BodyTemplate
from ..contract.skeleton import JOINT_NAMES

SUPERSAMPLED = 2  # painted this much larger, against jagged edges
_NEAREST_M = 0.05
_BITS = 3  # of cv2's places between pixels
_SKINS = ((236, 190, 165), (224, 172, 140), (198, 134, 100), (141, 85, 55), (90, 56, 40))
_HAIRS = ((35, 25, 20), (70, 45, 30), (120, 80, 45), (190, 160, 110), (150, 150, 150))
_IN_LIPS_M, _IN_EYE_M, _IN_IRIS_M = 0.010, 0.0077, 0.005
_BROW_M = 0.022  # over the eye


@dataclass(frozen=True, eq=False)
class Look:
    """How somebody looks, and the light."""

    colours: np.ndarray  # (F, 3) RGB of each face, fully lit
    light: np.ndarray  # (3,) towards the lamp, unit length, camera axes
    ambient: float  # share of the light that comes from everywhere


def drawn_look(body: BodyTemplate, rng: np.random.Generator) -> Look:
    """Clothes, skin and hair by chance, under a lamp somewhere above."""
    skin = np.array(_SKINS[rng.integers(len(_SKINS))], dtype=float)
    colours = np.tile(skin, (len(body.faces), 1))
    zones = _zones(body, short_sleeves=rng.random() < 0.6, short_legs=rng.random() < 0.25)
    shirt, trousers, shoes = (rng.uniform(15, 240, size=3) for _ in range(3))
    colours[zones == "shirt"] = shirt
    colours[zones == "trousers"] = trousers
    colours[zones == "shoes"] = shoes
    colours[zones == "hair"] = _HAIRS[rng.integers(len(_HAIRS))]
    colours[zones == "lips"] = skin * (0.75, 0.5, 0.5)
    colours[zones == "brow"] = skin * 0.4
    colours[zones == "eye"] = (225, 225, 225)
    colours[zones == "iris"] = (40, 30, 25)
    light = np.array([rng.uniform(-1, 1), rng.uniform(-1.2, -0.2), rng.uniform(-1, 0.2)])
    return Look(colours, light / np.linalg.norm(light), float(rng.uniform(0.35, 0.65)))


def drawn_background(size_px: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8, a wall and a floor with stains, and some things."""
    width, height = size_px
    picture = np.empty((height, width, 3))
    horizon = int(height * rng.uniform(0.3, 0.8))
    picture[:horizon], picture[horizon:] = rng.uniform(40, 230, 3), rng.uniform(30, 200, 3)
    for _ in range(rng.integers(0, 8)):
        low = rng.uniform(0, [width, height])
        high = low + rng.uniform(0.03, 0.4, 2) * max(width, height)
        corners = np.rint([low, high]).astype(int).tolist()
        cv2.rectangle(picture, *corners, rng.uniform(10, 245, 3).tolist(), -1)
    for cells in (4, 16, 64):
        coarse = rng.normal(0, 10, (cells, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = cv2.GaussianBlur(picture, (0, 0), max(width, height) / 500)
    return np.clip(picture, 0, 255).astype(np.uint8)


def paint(
    picture: np.ndarray,
    vertices: np.ndarray,
    *,
    faces: np.ndarray,
    look: Look,
    focal_px: float,
    center_px: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """`picture` (H, W, 3) with a body in it, and (H, W) uint8 how much of a pixel it fills.

    Args:
        picture: uint8 RGB.
        vertices: (V, 3) metres, camera axes.
        faces: (F, C), counter-clockwise from outside.
        look: colours of the same faces.
        focal_px: of the picture.
        center_px: (2,) principal point.
    """
    height, width = picture.shape[:2]
    large = cv2.resize(picture, (width * SUPERSAMPLED, height * SUPERSAMPLED))
    mask = np.zeros(large.shape[:2], dtype=np.uint8)
    corners = vertices[faces]
    normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, -1] - corners[:, 1])
    middles = corners.mean(axis=1)
    shown = np.einsum("fc,fc->f", normals, middles) < 0
    shown &= corners[..., 2].min(axis=1) > _NEAREST_M
    order = np.flatnonzero(shown)[np.argsort(-middles[shown, 2])]
    normals = normals[order] / np.maximum(np.linalg.norm(normals[order], axis=1), 1e-12)[:, None]
    bright = look.ambient + (1 - look.ambient) * np.clip(normals @ look.light, 0, 1)
    colours = np.clip(look.colours[order] * bright[:, None], 0, 255)
    places = focal_px * corners[order, :, :2] / corners[order, :, 2:] + center_px
    places = (places + 0.5) * SUPERSAMPLED - 0.5
    polygons = np.rint(np.clip(places, -1e4, 1e4) * (1 << _BITS)).astype(np.int32)
    for polygon, colour in zip(polygons, colours.tolist(), strict=True):
        cv2.fillConvexPoly(large, polygon, colour, cv2.LINE_8, _BITS)
        cv2.fillConvexPoly(mask, polygon, 255, cv2.LINE_8, _BITS)
    small = (width, height)
    return (
        cv2.resize(large, small, interpolation=cv2.INTER_AREA),
        cv2.resize(mask, small, interpolation=cv2.INTER_AREA),
    )


def as_filmed(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`picture` a little blurred and grainy, as a camera has it."""
    soft = cv2.GaussianBlur(picture, (0, 0), 0.6)
    grain = rng.normal(0, 4, picture.shape)
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def _zones(body: BodyTemplate, *, short_sleeves: bool, short_legs: bool) -> np.ndarray:
    """(F,) what each face is, by where it lies on the resting body."""
    middles = body.v_template[body.faces].mean(axis=1)
    weights = body.lbs_weights[body.faces].mean(axis=1)
    at = dict(zip(JOINT_NAMES, body.J_regressor @ body.v_template, strict=True))
    at |= dict(zip(body.landmark_names, body.landmark_regressor @ body.v_template, strict=True))
    x, y, z = np.abs(middles[:, 0]), middles[:, 1], middles[:, 2]
    head = weights[:, JOINT_NAMES.index("head")] > 0.5
    zones = np.full(len(middles), "skin", dtype="<U8")
    arm = at["left_elbow"][0] - 0.06 if short_sleeves else at["left_wrist"][0] - 0.02
    knee = at["left_knee"][1] + 0.05 if short_legs else at["left_ankle"][1] - 0.01
    waist = at["pelvis"][1] + 0.03
    zones[(y > waist) & (x < arm) & (y < at["neck"][1] - 0.03) & ~head] = "shirt"
    zones[(y <= waist) & (y > knee) & (x < 0.4)] = "trousers"
    zones[(y < at["left_ankle"][1]) & (x < 0.4)] = "shoes"
    crown, back = at["left_eye"][1] + 0.05, at["left_ear"][2] - 0.01
    zones[head & ((y > crown) | ((z < back) & (y > at["left_ear"][1] - 0.05)))] = "hair"
    folded = np.column_stack([x, y, z])
    eye, front = at["left_eye"], z > at["left_ear"][2] + 0.03
    brow = folded - eye - np.array([0, _BROW_M, 0])
    zones[front & (np.abs(brow[:, 0]) < 0.018) & (np.abs(brow[:, 1]) < 0.005)] = "brow"
    lips = folded - [0, at["mouth_left"][1], at["mouth_left"][2]]
    wide = np.abs(lips[:, 0]) < at["mouth_left"][0]
    zones[front & wide & (np.abs(lips[:, 1]) < _IN_LIPS_M)] = "lips"
    from_eye = np.linalg.norm((folded - eye)[:, :2] * [0.6, 1.0], axis=1)
    zones[front & (from_eye < _IN_EYE_M)] = "eye"
    zones[front & (from_eye < _IN_IRIS_M)] = "iris"
    return zones
