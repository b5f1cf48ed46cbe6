"""Long motions in pieces that overlap: split, solved a few at a time, and put together again.

As HuMoR's code does it (Rempe et al., ICCV 2021, supplement): all pieces are of one length, what
they overlap by is spread evenly, and each batch goes on from the last piece of the one before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from .objective import Frames, Observed, Overlaps, Piece, Problem
from .paper import Fitted
from .state import CONTACT_JOINTS

LENGTH = 60  # frames of a piece
OVERLAP = 10  # frames that neighbours share, at least
AT_ONCE = 4  # pieces that share a line search

Interval = tuple[int, int]  # first frame, and the one after the last
Solve = Callable[[Problem, Frames], Fitted]


@dataclass(frozen=True, eq=False)
class Motion:
    """One motion over T frames, camera axes."""

    transl: Tensor  # (T, 3) metres
    global_orient: Tensor  # (T, 3, 3) pelvis to camera
    body_pose: Tensor  # (T, 21, 3, 3) joints to their parents
    contacts: Tensor  # (T, 9) chances
    betas: Tensor  # (L,) the mean of the pieces'
    floor: Tensor  # (3,) metres, the first piece's, its point nearest to the camera's centre


def split(frames: int, *, length: int = LENGTH, overlap: int = OVERLAP) -> list[Interval]:
    """The pieces of a motion of so many frames: one where it is no longer than a piece.

    Args:
        frames: 1 or more.
        length: of each piece, more than `overlap`.
        overlap: what neighbours share, or up to twice that and more where it is spread.
    """
    if frames <= length:
        return [(0, frames)]
    count = math.ceil((frames - overlap) / (length - overlap))
    shared, rest = divmod(count * length - frames, count - 1)
    starts = [index * (length - shared) - min(index, rest) for index in range(count)]
    return [(start, start + length) for start in starts]


def solve_in_pieces(
    problem: Problem,
    start: Frames,
    *,
    solve: Solve,
    length: int = LENGTH,
    overlap: int = OVERLAP,
    at_once: int = AT_ONCE,
    before: tuple[int, Piece] | None = None,
) -> Motion:
    """One motion of any length, solved piece by piece.

    Args:
        problem: of one motion (1, T), without overlaps.
        start: (1, T).
        solve: what solves a few pieces at once, for instance `paper.solve`.
        length: of a piece, frames.
        overlap: frames that neighbours share at least.
        at_once: pieces that are solved together.
        before: what the motion goes on from, and how many of its first frames that shares.
    """
    frames = start.transl.shape[1]
    intervals = split(frames, length=length, overlap=overlap)
    shared = [before[1] - after[0] for before, after in pairwise(intervals)]
    pieces: list[Motion] = []
    count, last = before or (0, None)
    for first in range(0, len(intervals), at_once):
        batch = intervals[first : first + at_once]
        inner = shared[first : first + len(batch) - 1]
        joints = inner if last is None else [count, *inner]
        part = replace(
            problem,
            observed=_observed(problem.observed, batch),
            overlaps=Overlaps(joints, last) if joints else None,
        )
        fitted = solve(part, _frames(start, batch))
        pieces += motions_of(part, fitted)
        last, count = _piece(part, fitted), _next(shared, first + len(batch) - 1)
    return stitched(pieces, shared)


def motions_of(problem: Problem, fitted: Fitted) -> list[Motion]:
    """The N motions of a fit, camera axes."""
    led, unknowns = fitted.led, fitted.unknowns
    orient = led.frame.rotmat.mT.unsqueeze(1) @ led.states.global_orient
    transl = led.in_camera[..., 0, :] - problem.figure.rest_pelvis(unknowns.betas).unsqueeze(1)
    return [
        Motion(
            transl=transl[index],
            global_orient=orient[index],
            body_pose=led.states.body_pose[index],
            contacts=led.contacts[index][:, list(CONTACT_JOINTS)],
            betas=unknowns.betas[index],
            floor=unknowns.floor[index],
        )
        for index in range(len(transl))
    ]


def stitched(pieces: list[Motion], shared: list[int]) -> Motion:
    """One motion: frames that two pieces share are the earlier one's, the floor the first one's."""
    kept = [0, *shared]

    def joined(name: str) -> Tensor:
        parts = zip(pieces, kept, strict=True)
        return torch.cat([getattr(piece, name)[count:] for piece, count in parts])

    return Motion(
        transl=joined("transl"),
        global_orient=joined("global_orient"),
        body_pose=joined("body_pose"),
        contacts=joined("contacts"),
        betas=torch.stack([piece.betas for piece in pieces]).mean(dim=0),
        floor=pieces[0].floor,
    )


def _next(shared: list[int], index: int) -> int:
    return shared[index] if index < len(shared) else 0


def _piece(problem: Problem, fitted: Fitted) -> Piece:
    shared = fitted.led.in_camera[-1].index_select(-2, problem.figure.shared)
    return Piece(shared, fitted.unknowns.betas[-1], fitted.unknowns.floor[-1])


def _observed(observed: Observed, intervals: list[Interval]) -> Observed:
    parts = [observed.at(slice(None), slice(*each)) for each in intervals]
    moved = [each.moved for each in parts if each.moved is not None]
    return replace(
        observed,
        keypoints=torch.cat([each.keypoints for each in parts]),
        confidence=torch.cat([each.confidence for each in parts]),
        floor=torch.cat([each.floor for each in parts]),
        moved=torch.cat(moved) if moved else None,
    )


def _frames(start: Frames, intervals: list[Interval]) -> Frames:
    parts = [start.at(slice(None), slice(*each)) for each in intervals]
    return Frames(
        transl=torch.cat([each.transl for each in parts]),
        global_orient=torch.cat([each.global_orient for each in parts]),
        pose_latents=torch.cat([each.pose_latents for each in parts]),
        betas=torch.cat([each.betas for each in parts]),
    )
