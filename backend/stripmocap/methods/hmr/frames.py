"""From what a regressor says of single frames to motions: shape, place, gaps, and how sure.

A person has one shape, the weighted mean of what the frames say. Where the person stands follows
from where the landmarks are seen: a regressor knows directions better than distances. Frames in
which too little is seen are put between their neighbours, with a confidence of 0, or posed by a
regressor that knows what is before them and after them, with a low one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...body.landmarks import blazepose_rows
from ...body.reduced import ReducedBody
from ...contract.body_file import BodyTemplate
from ...contract.motion import Camera, Motion
from ...contract.skeleton import BLAZEPOSE_NAMES, JOINT_COUNT
from ...geometry.rotations import aa_to_matrix, matrix_to_aa
from ...people.observations import Person
from ..features.keypoints import LEAST_SEEN, SEEN_SCORE
from ..ground import FOOT_POINTS, at_rest, find_lower_ground, world_from_camera
from ..toolbox import Estimate
from .places import Steady, find_places, size_px
from .shapes import Shapes

_ANKLES = ("left_ankle", "right_ankle")  # of bodies without heels and toes
# How much landmarks say of where a body stands. BlazePose marks hips ahead of the joints.
_LANDMARK_WEIGHTS = {"hip": 0.3, "eye": 0.0, "mouth": 0.0, "ear": 0.3, "nose": 0.3, "foot": 0.5}
_LANDMARK_WEIGHTS |= {"heel": 0.5, "pinky": 0.0, "index": 0.0, "thumb": 0.0}
# How sure poses are where too little is seen, and how far in time they are half so sure.
_BRIDGED, _BRIDGED_HALF_S = 0.2, 0.3
_FRAMES = 1000  # that are looked at at once: bounds memory


@dataclass(frozen=True, eq=False)
class PerFrame:
    """What a regressor says of one person's T frames."""

    rotmat: Tensor  # (T, 24, 3, 3) pelvis to the camera of the whole picture, then to parents
    betas: Tensor  # (T, 10)
    seen: Tensor  # (T,) bool; the others tell nothing of shape and place
    posed: Tensor | None = None  # (T,) bool, whether `rotmat` is looked at; None: where seen
    transl: Tensor | None = None  # (T, 3) metres, camera axes; None: where landmarks are seen


@dataclass(frozen=True, eq=False)
class Figure:
    """A body as its landmarks are looked at; K of BlazePose's 33 that it has."""

    body: ReducedBody
    columns: Tensor  # (K,) int64, among the 33
    points: Tensor  # (K,) int64, among the body's points
    weights: Tensor  # (K,)
    feet: Tensor  # (F,) int64, among the K
    shapes: Shapes

    @classmethod
    def from_template(
        cls, template: BodyTemplate, *, spoken: BodyTemplate | None = None, device: torch.device
    ) -> Figure:
        """The figure of a body, on one device, for a regressor that was taught on `spoken`."""
        found = blazepose_rows(template)
        names = [BLAZEPOSE_NAMES[column] for column in found.columns]
        feet = [names.index(name) for name in (*FOOT_POINTS, *_ANKLES) if name in names]
        return cls(
            body=ReducedBody.from_template(template, found.rows, device=device),
            columns=torch.tensor(found.columns, device=device),
            points=torch.tensor(found.points, device=device),
            weights=torch.tensor([_weight(name) for name in names], device=device),
            feet=torch.tensor(feet[: len(FOOT_POINTS)], device=device),
            shapes=Shapes.from_template(template, spoken=spoken, device=device),
        )

    def points_of(self, rotmat: Tensor, betas: Tensor) -> Tensor:
        """(T, 24 + K, 3) metres, camera axes, before translation."""
        parts = rotmat.split(_FRAMES)
        return torch.cat([self.body.points(p[:, 0], p[:, 1:], betas=betas) for p in parts])


def _weight(name: str) -> float:
    return next((weight for part, weight in _LANDMARK_WEIGHTS.items() if part in name), 1.0)


def has_enough(keypoints: np.ndarray) -> np.ndarray:
    """(T,) whether so much of a person is seen in (T, 33, 3) that a regressor is to be asked."""
    return (keypoints[..., 2] > SEEN_SCORE).sum(axis=1) >= LEAST_SEEN


def between(rotmat: Tensor, seen: Tensor, times_s: Tensor) -> Tensor:
    """`rotmat` (T, 24, 3, 3), in frames that are not `seen` turned between those around them."""
    gaps = (~seen).nonzero()[:, 0]
    if len(gaps) == 0:
        return rotmat
    before, after, share = (each[gaps] for each in _neighbours(seen, times_s))
    old, new = rotmat[before], rotmat[after]
    turn = share.to(rotmat)[:, None, None] * matrix_to_aa(new @ old.mT)
    return rotmat.index_copy(0, gaps, aa_to_matrix(turn) @ old)


def estimate_of(
    people: Sequence[Person],
    camera: Camera,
    found: Sequence[PerFrame],
    *,
    figure: Figure,
    height_m: float | None,
    steady: Steady = "depth",
) -> Estimate:
    """Everybody's motion, and the ground under them.

    Args:
        people: who was seen.
        camera: by whom.
        found: what a regressor says of each of them.
        figure: the body.
        height_m: the actor's, where it is known.
        steady: in which directions their places are steadied over time.
    """
    placed = [
        _placed(person, camera, each, figure=figure, height_m=height_m, steady=steady)
        for person, each in zip(people, found, strict=True)
    ]
    joints, feet, rest = (
        np.concatenate([getattr(each, name) for each in placed])
        for name in ("joints", "feet", "rest")
    )
    world = world_from_camera(*find_lower_ground(joints, feet, rest))
    motions = tuple(each.motion for each in placed)
    return Estimate(replace(camera, world_from_camera=world), motions)


@dataclass(frozen=True, eq=False)
class _Placed:
    motion: Motion
    joints: np.ndarray  # (T, 24, 3) metres, camera axes
    feet: np.ndarray  # (T, F, 3)
    rest: np.ndarray  # (T, F) in [0, 1], how surely they rest


def _placed(
    person: Person,
    camera: Camera,
    found: PerFrame,
    *,
    figure: Figure,
    height_m: float | None,
    steady: Steady,
) -> _Placed:
    """One person's motion, and what it tells of the ground."""
    device = found.rotmat.device
    keypoints = torch.tensor(person.keypoints, device=device)
    times_s = torch.tensor(person.times_s, device=device)
    # Where nobody was ever seen well, anything is better than nothing.
    seen = found.seen if found.seen.any() else torch.ones_like(found.seen)
    sure = keypoints[..., 2].mean(dim=1).clamp(min=1e-3) * seen
    betas = figure.shapes.agreed(found.betas, sure=sure, height_m=height_m)
    rotmat = between(found.rotmat, seen if found.posed is None else found.posed, times_s)
    points = figure.points_of(rotmat, betas)  # (T, P, 3)
    keypoints[..., 2] *= seen[:, None]
    transl, fit = find_places(
        points[:, figure.points],
        keypoints[:, figure.columns],
        camera,
        weights=figure.weights,
        times_s=person.times_s,
        steady=steady,
    )
    transl = transl if found.transl is None else found.transl
    if found.posed is not None:
        fit = torch.maximum(fit, _bridged(seen, times_s) * found.posed)
    place = points + transl[:, None]
    size = size_px(transl[:, 2], camera).double().cpu().numpy()
    aa = matrix_to_aa(rotmat).cpu().numpy()
    motion = Motion(
        person=person.person,
        times_s=person.times_s,
        global_orient=aa[:, 0],
        body_pose=aa[:, 1:],
        betas=betas.cpu().numpy(),
        transl=transl.cpu().numpy(),
        confidence=fit.cpu().numpy(),
    )
    return _Placed(
        motion,
        joints=place[:, :JOINT_COUNT].double().cpu().numpy(),
        feet=place[:, figure.points[figure.feet]].double().cpu().numpy(),
        rest=_rest(person, columns=figure.columns[figure.feet].cpu().numpy(), size_px=size),
    )


def _rest(person: Person, *, columns: np.ndarray, size_px: np.ndarray) -> np.ndarray:
    """(T, F) how surely the feet at `columns` rest."""
    feet = person.keypoints[:, columns].astype(np.float64)
    return at_rest(feet[..., :2], times_s=person.times_s, seen=feet[..., 2], size_px=size_px)


def _bridged(seen: Tensor, times_s: Tensor) -> Tensor:
    """(T,) how sure poses are, the less the further in time from frames that see something."""
    before, after, _ = _neighbours(seen, times_s)
    away = torch.minimum((times_s - times_s[before]).abs(), (times_s[after] - times_s).abs())
    return torch.where(seen, 0.0, _BRIDGED * 0.5 ** (away / _BRIDGED_HALF_S)).float()


def _neighbours(known: Tensor, times_s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(T,) indices of the known frames before and after each, and how far between them it is."""
    index = known.nonzero()[:, 0]
    place = torch.searchsorted(index, torch.arange(len(known), device=known.device))
    after = index[place.clamp(max=len(index) - 1)]
    before = index[(place - 1).clamp(min=0)]
    before = torch.where(place >= len(index), after, before)  # behind the last one
    span = (times_s[after] - times_s[before]).clamp(min=1e-9)
    return before, after, ((times_s - times_s[before]) / span).clamp(0, 1)
