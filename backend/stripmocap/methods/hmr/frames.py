"""From what a regressor says of single frames to motions: shape, place, gaps, and how sure.

A person has one shape, the weighted mean of what the frames say. Where the person stands follows
from where the landmarks are seen: a regressor knows directions better than distances. Frames in
which too little is seen are put between their neighbours, with a confidence of 0.
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
from ...geometry.cameras import project, transl_from_keypoints
from ...geometry.rotations import aa_to_matrix, matrix_to_aa
from ...people.observations import Person
from ..features.keypoints import LEAST_SEEN, SEEN_SCORE
from ..ground import FOOT_POINTS, at_rest, find_ground, world_from_camera
from ..toolbox import Estimate

USUAL_HEIGHT_M = 1.7
NEAREST_M = 0.1  # that anybody stands before a camera
_ANKLES = ("left_ankle", "right_ankle")  # of bodies without heels and toes
# How much landmarks say of where a body stands. BlazePose marks hips ahead of the joints.
_LANDMARK_WEIGHTS = {"hip": 0.3, "eye": 0.0, "mouth": 0.0, "ear": 0.3, "nose": 0.3, "foot": 0.5}
_LANDMARK_WEIGHTS |= {"heel": 0.5, "pinky": 0.0, "index": 0.0, "thumb": 0.0}
_PLACE_SIGMA = 0.03  # of the person's size: landmarks that are further off lose their vote
_MISS_SIGMA = 0.05  # of the person's size: a landmark missed by this much counts 0.6
_SHAPE_SIGMA = 1.0  # betas: frames that say something else by more lose their vote
_ROUNDS = 4  # of such votes
_FRAMES = 1000  # that are looked at at once: bounds memory


@dataclass(frozen=True, eq=False)
class PerFrame:
    """What a regressor says of one person's T frames."""

    rotmat: Tensor  # (T, 24, 3, 3) pelvis to the camera of the whole picture, then to parents
    betas: Tensor  # (T, 10)
    seen: Tensor  # (T,) bool; what the others hold is not looked at


@dataclass(frozen=True, eq=False)
class Figure:
    """A body as its landmarks are looked at; K of BlazePose's 33 that it has."""

    body: ReducedBody
    columns: Tensor  # (K,) int64, among the 33
    points: Tensor  # (K,) int64, among the body's points
    weights: Tensor  # (K,)
    feet: Tensor  # (F,) int64, among the K
    height: Tensor  # () metres, of betas zero
    height_betas: Tensor  # (10,) metres per unit of beta

    @classmethod
    def from_template(cls, template: BodyTemplate, *, device: torch.device) -> Figure:
        """The figure of a body, on one device."""
        found = blazepose_rows(template)
        names = [BLAZEPOSE_NAMES[column] for column in found.columns]
        feet = [names.index(name) for name in (*FOOT_POINTS, *_ANKLES) if name in names]
        top, sole = template.v_template[:, 1].argmax(), template.v_template[:, 1].argmin()
        upright = template.shapedirs[top, 1] - template.shapedirs[sole, 1]
        return cls(
            body=ReducedBody.from_template(template, found.rows, device=device),
            columns=torch.tensor(found.columns, device=device),
            points=torch.tensor(found.points, device=device),
            weights=torch.tensor([_weight(name) for name in names], device=device),
            feet=torch.tensor(feet[: len(FOOT_POINTS)], device=device),
            height=torch.tensor(
                template.v_template[top, 1] - template.v_template[sole, 1], device=device
            ),
            height_betas=torch.tensor(upright, device=device),
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


def estimate_of(
    people: Sequence[Person],
    camera: Camera,
    found: Sequence[PerFrame],
    *,
    figure: Figure,
    height_m: float | None,
) -> Estimate:
    """Everybody's motion, and the ground under them.

    Args:
        people: who was seen.
        camera: by whom.
        found: what a regressor says of each of them.
        figure: the body.
        height_m: the actor's, where it is known.
    """
    placed = [
        _placed(person, camera, each, figure=figure, height_m=height_m)
        for person, each in zip(people, found, strict=True)
    ]
    joints, feet, rest = (
        np.concatenate([getattr(each, name) for each in placed])
        for name in ("joints", "feet", "rest")
    )
    world = world_from_camera(*find_ground(joints, feet, rest))
    motions = tuple(each.motion for each in placed)
    return Estimate(replace(camera, world_from_camera=world), motions)


@dataclass(frozen=True, eq=False)
class _Placed:
    motion: Motion
    joints: np.ndarray  # (T, 24, 3) metres, camera axes
    feet: np.ndarray  # (T, F, 3)
    rest: np.ndarray  # (T, F) in [0, 1], how surely they rest


def _placed(
    person: Person, camera: Camera, found: PerFrame, *, figure: Figure, height_m: float | None
) -> _Placed:
    """One person's motion, and what it tells of the ground."""
    device = found.rotmat.device
    keypoints = torch.tensor(person.keypoints, device=device)
    times_s = torch.tensor(person.times_s, device=device)
    # Where nobody was ever seen well, anything is better than nothing.
    seen = found.seen if found.seen.any() else torch.ones_like(found.seen)
    sure = keypoints[..., 2].mean(dim=1).clamp(min=1e-3) * seen
    betas = _of_height(_shape(found.betas, sure), height_m, figure)
    rotmat = _between(found.rotmat, seen, times_s)
    points = figure.points_of(rotmat, betas)  # (T, P, 3)
    transl, fit = _place(points[:, figure.points], keypoints[:, figure.columns], camera, figure)
    standing = seen & torch.isfinite(transl).all(dim=1) & (transl[:, 2] > NEAREST_M)
    transl = _lerped(transl, standing, times_s)
    size_px = _size_px(transl, camera).double().cpu().numpy()
    place = points + transl[:, None]
    confidence = torch.where(standing & found.seen, fit, 0.0).clamp(0, 1)
    aa = matrix_to_aa(rotmat).cpu().numpy()
    motion = Motion(
        person=person.person,
        times_s=person.times_s,
        global_orient=aa[:, 0],
        body_pose=aa[:, 1:],
        betas=betas.cpu().numpy(),
        transl=transl.cpu().numpy(),
        confidence=confidence.cpu().numpy(),
    )
    return _Placed(
        motion,
        joints=place[:, :JOINT_COUNT].double().cpu().numpy(),
        feet=place[:, figure.points[figure.feet]].double().cpu().numpy(),
        rest=_rest(person, columns=figure.columns[figure.feet].cpu().numpy(), size_px=size_px),
    )


def _rest(person: Person, *, columns: np.ndarray, size_px: np.ndarray) -> np.ndarray:
    feet = person.keypoints[:, columns].astype(np.float64)
    return at_rest(feet[..., :2], times_s=person.times_s, seen=feet[..., 2], size_px=size_px)


def _shape(betas: Tensor, sure: Tensor) -> Tensor:
    """(10,) what frames (T, 10) say of the shape together, each as much as it is `sure` (T,)."""
    shape = (sure[:, None] * betas).sum(dim=0) / sure.sum()
    for _ in range(_ROUNDS):
        off = (betas - shape).norm(dim=1) / _SHAPE_SIGMA
        votes = sure / (1 + off.square())
        shape = (votes[:, None] * betas).sum(dim=0) / votes.sum()
    return shape


def _of_height(betas: Tensor, height_m: float | None, figure: Figure) -> Tensor:
    """`betas`, changed as little as can be to be `height_m` tall."""
    if height_m is None:
        return betas
    slope = figure.height_betas
    missing = height_m - (figure.height + slope @ betas)
    return betas + missing * slope / slope.square().sum().clamp(min=1e-9)


def _place(
    points: Tensor, keypoints: Tensor, camera: Camera, figure: Figure
) -> tuple[Tensor, Tensor]:
    """Where people stand, and how well they then fit what is seen of them.

    Args:
        points: (T, K, 3) metres, camera axes, before translation.
        keypoints: (T, K, 3) pixels and scores.
        camera: that saw them.
        figure: the body.

    Returns:
        (T, 3) metres, not finite or behind the camera where nothing was seen; (T,) in [0, 1].
    """
    seen, scores = keypoints[..., :2], keypoints[..., 2]
    full = figure.weights * scores.square()  # (T, K)
    transl, miss = _nearest(points, seen, full, camera)
    for _ in range(_ROUNDS):
        votes = full / (1 + (miss / _PLACE_SIGMA).square()).square()
        transl, miss = _nearest(points, seen, votes, camera)
    fit = (full * torch.exp(-0.5 * (miss / _MISS_SIGMA).square())).sum(dim=1)
    return transl, fit / figure.weights.sum()


def _nearest(points: Tensor, seen: Tensor, votes: Tensor, camera: Camera) -> tuple[Tensor, Tensor]:
    """(T, 3) metres, where points fit best, and (T, K) by how much of the size they miss."""
    center = torch.tensor(camera.center_px, dtype=points.dtype, device=points.device)
    transl = transl_from_keypoints(
        points, seen, confidence=votes, focal=camera.focal_px, center=center
    )
    pixels = project(points + transl[:, None], focal=camera.focal_px, center=center)
    return transl, (pixels - seen).norm(dim=-1) / _size_px(transl, camera)[:, None]


def _size_px(transl: Tensor, camera: Camera) -> Tensor:
    """(T,) how large people are in the picture."""
    return camera.focal_px * USUAL_HEIGHT_M / transl[:, 2].abs().clamp(min=0.1)


def _between(rotmat: Tensor, seen: Tensor, times_s: Tensor) -> Tensor:
    """`rotmat` (T, 24, 3, 3), in frames that are not seen turned between those around them."""
    before, after, share = _neighbours(seen, times_s)
    old, new = rotmat[before], rotmat[after]
    turn = share.to(rotmat)[:, None, None] * matrix_to_aa(new @ old.mT)
    return torch.where(seen[:, None, None, None], rotmat, aa_to_matrix(turn) @ old)


def _lerped(places: Tensor, known: Tensor, times_s: Tensor) -> Tensor:
    """`places` (T, 3), in frames that are not known between those around them."""
    if not known.any():
        return torch.zeros_like(places)
    before, after, share = _neighbours(known, times_s)
    between = places[before].lerp(places[after], share.to(places)[:, None])
    return torch.where(known[:, None], places, between)


def _neighbours(known: Tensor, times_s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(T,) indices of the known frames before and after each, and how far between them it is."""
    index = known.nonzero()[:, 0]
    place = torch.searchsorted(index, torch.arange(len(known), device=known.device))
    after = index[place.clamp(max=len(index) - 1)]
    before = index[(place - 1).clamp(min=0)]
    before = torch.where(place >= len(index), after, before)  # behind the last one
    span = (times_s[after] - times_s[before]).clamp(min=1e-9)
    return before, after, ((times_s - times_s[before]) / span).clamp(0, 1)
