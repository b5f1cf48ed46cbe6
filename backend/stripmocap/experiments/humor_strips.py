"""Picture strips of takes beside the truth, from the side, on the floor that each take found.

A row is a take, a column a moment. The grid is the floor z = 0; lines are the ways of an ankle
and of both feet over the last moments: where a foot should stand, they are dots. Below the floor,
feet are seen through it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..body.model import Body
from ..contract.body_file import BodyTemplate
from ..contract.motion import Camera, Motion
from ..contract.skeleton import JOINT_NAMES
from ..evaluation.comparison import in_world, joints_of
from ..evaluation.pictures import draw_body
from ..geometry.rotations import aa_to_matrix, matrix_to_aa
from .humor_shots import FloorShot

SPELL, STEPS = "humor-hidden.jpg", "humor-feet.jpg"
COUNT = 7  # moments
TRUTH = "truth"
TRAIL_S = 0.5
_TRAILS = {"left_ankle": (0, 130, 200), "left_foot": (0, 160, 110), "right_foot": (200, 90, 0)}
_TILE_PX = (200, 280)
_FINE = 2  # times as large is everything drawn, and then shrunk
_PAPER, _GRID, _FLOOR = (236, 236, 236), (205, 205, 205), (120, 120, 120)
_SEEN, _HIDDEN = (110, 170, 230), (235, 160, 90)
_PELVIS, _HIPS = 0, ("left_hip", "right_hip")
_WIDE_M = 1.0  # of the grid, to each side


@dataclass(frozen=True)
class View:
    """From where somebody looks on."""

    away_m: float
    eye_m: float  # above the floor
    focal: float  # heights of the picture


WHOLE, FEET = View(4.2, 0.9, 1.95), View(2.6, 0.25, 2.2)


@dataclass(frozen=True, eq=False)
class Row:
    """A take of one person, in its own world."""

    motion: Motion
    camera: Camera


def truth_row(shot: FloorShot) -> Row:
    """What really happened in a shot."""
    samples, truth = shot.shot.samples, shot.truth
    turns = matrix_to_aa(samples.rotmat).numpy()
    pose = np.eye(4)
    pose[:3, :3] = truth.rotation.T
    pose[:3, 3] = -truth.rotation.T @ truth.translation
    motion = Motion(
        person=0,
        times_s=shot.shot.times_s,
        global_orient=turns[:, 0],
        body_pose=turns[:, 1:],
        betas=samples.betas[0].numpy(),
        transl=samples.transl.numpy(),
        confidence=np.ones(len(samples)),
    )
    camera = shot.camera
    return Row(motion, Camera(camera.focal_px, camera.center_px, camera.size_px, pose))


def pictured(
    shot: FloorShot, takes: Mapping[str, Row], *, template: BodyTemplate
) -> dict[str, np.ndarray]:
    """The strips of one shot, by file name: its first spell, and feet where nothing hides them.

    Args:
        shot: with a spell in it.
        takes: of the shot, in the order of the lines.
        template: their body.
    """
    hidden = np.asarray(shot.hidden.any(axis=1))
    rows = {TRUTH: truth_row(shot), **takes}
    first = int(np.argmax(hidden))
    length = int(np.argmin(hidden[first:])) if not hidden[first:].all() else len(hidden) - first
    spell = np.linspace(first - length / 6, first + length * 7 / 6, COUNT).round().astype(int)
    spell = spell.clip(0, len(hidden) - 1)
    steps = np.linspace(0, max(first - 3, COUNT), COUNT).astype(int).clip(0, len(hidden) - 1)
    drawn = {"hidden": hidden, "template": template}
    return {
        SPELL: strip(rows, spell.tolist(), **drawn),
        STEPS: strip(rows, steps.tolist(), view=FEET, **drawn),
    }


def strip(
    rows: Mapping[str, Row],
    frames: Sequence[int],
    *,
    hidden: np.ndarray,
    template: BodyTemplate,
    view: View = WHOLE,
) -> np.ndarray:
    """(H, W, 3) uint8 RGB, a line for each of `rows`.

    Args:
        rows: takes of the same frames, by name.
        frames: which are shown.
        hidden: (T,) bool, whether something hides the person; those bodies are of another colour.
        template: the body of all rows.
        view: of the whole body, or of the feet.
    """
    body = Body.from_template(template)
    lines = []
    for name, row in rows.items():
        side = _Side.of(row, body, view, middle=frames[len(frames) // 2])
        tiles = [
            side.tile(frame, faces=template.faces, colour=_HIDDEN if hidden[frame] else _SEEN)
            for frame in frames
        ]
        lines.append(_named(np.concatenate(tiles, axis=1), name))
    return np.concatenate(lines)


@dataclass(frozen=True, eq=False)
class _Side:
    """A take as somebody sees it who stands beside the person, wherever the person goes."""

    row: Row
    body: Body
    view: View
    joints: np.ndarray  # (T, 24, 3) metres, world
    right: np.ndarray  # (3,) unit, level: what the picture has to its right

    @classmethod
    def of(cls, row: Row, body: Body, view: View, *, middle: int) -> _Side:
        joints = in_world(joints_of(row.motion, body), row.camera, row.motion.times_s)
        left, other = (joints[middle, JOINT_NAMES.index(name)] for name in _HIPS)
        across = (left - other) * [1, 1, 0]
        forward = np.cross(across, [0, 0, 1.0])
        return cls(row, body, view, joints, forward / max(np.linalg.norm(forward), 1e-6))

    def tile(self, frame: int, *, faces: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
        width, height = self._viewer.size_px
        image = np.full((height, width, 3), _PAPER, dtype=np.uint8)
        origin = self.joints[frame, _PELVIS] * [1, 1, 0]
        self._grid(image)
        image = draw_body(
            image,
            self._seen(self._vertices(frame) - origin),
            faces=faces,
            camera=self._viewer,
            colour=colour,
            opacity=0.9,
        )
        times_s = self.row.motion.times_s
        some = (times_s <= times_s[frame]) & (times_s >= times_s[frame] - TRAIL_S)
        for name, shade in _TRAILS.items():
            way = self._seen(self.joints[some, JOINT_NAMES.index(name)] - origin)
            self._line(image, way, shade, width=_FINE)
        floor = self._seen(np.array([-_WIDE_M, _WIDE_M])[:, None] * self.right)
        self._line(image, floor, _FLOOR, width=_FINE)
        return cv2.resize(image, _TILE_PX, interpolation=cv2.INTER_AREA)

    @property
    def _viewer(self) -> Camera:
        width, height = (_FINE * each for each in _TILE_PX)
        return Camera(self.view.focal * height, np.array([width / 2, height / 2]), (width, height))

    def _vertices(self, frame: int) -> np.ndarray:
        motion = self.row.motion
        with torch.no_grad():
            vertices = self.body.vertices(
                aa_to_matrix(torch.tensor(motion.global_orient[frame])),
                aa_to_matrix(torch.tensor(motion.body_pose[frame])),
                betas=torch.tensor(motion.betas),
                transl=torch.tensor(motion.transl[frame]),
            )
        points = vertices.double().numpy()[None]
        return in_world(points, self.row.camera, motion.times_s[frame : frame + 1])[0]

    def _seen(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) world points about the person, in axes of who looks on."""
        ahead = np.cross([0, 0, 1.0], self.right)
        axes = np.stack([self.right, [0, 0, -1.0], ahead])
        return points @ axes.T + [0, self.view.eye_m, self.view.away_m]

    def _grid(self, image: np.ndarray) -> None:
        ahead = np.cross([0, 0, 1.0], self.right)
        for step in np.linspace(-_WIDE_M, _WIDE_M, 9):
            for one, other in ((self.right, ahead), (ahead, self.right)):
                ends = step * one + np.array([-_WIDE_M, _WIDE_M])[:, None] * other
                self._line(image, self._seen(ends), _GRID, width=1)

    def _line(
        self, image: np.ndarray, points: np.ndarray, colour: tuple[int, int, int], *, width: int
    ) -> None:
        viewer = self._viewer
        depth = np.maximum(points[:, 2:], 0.1)
        pixels = np.rint(viewer.focal_px * points[:, :2] / depth + viewer.center_px)
        cv2.polylines(image, [pixels.astype(np.int32)], False, colour, width, cv2.LINE_AA)


def _named(row: np.ndarray, name: str) -> np.ndarray:
    row = np.ascontiguousarray(row)
    cv2.putText(row, name, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    return row
