"""How much of what comes before and after a frame the temporal network needs.

Judged frames stand in the middle of windows of their own, and the network knows nothing outside
them. All lengths judge the same frames; a window of one frame has no neighbours at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..methods.vibe.keypoint_network import TemporalNetwork
from ..training.held_out_motion import shot_view
from ..training.shots import Shot
from ..training.synthetic import LandmarkBody
from .vibe_shots import Errors, Means, errors, means

LENGTHS = (1, 4, 8, 16, 32, 64)
EVERY = 30  # frames from one that is judged to the next
_AT_ONCE = 8192  # frames that are read together


@dataclass(frozen=True)
class Windowed:
    """How well the network does when it knows so many frames."""

    frames: int | None  # None: the whole shot
    means: Means


@torch.no_grad()
def run(network: TemporalNetwork, shots: Sequence[Shot], *, body: LandmarkBody) -> list[Windowed]:
    """The errors with windows of every length, then with whole shots.

    Args:
        network: evaluating, on the CPU.
        shots: those that are too short for the longest window are left out.
        body: on the CPU.
    """
    found: dict[int | None, list[Errors]] = {length: [] for length in (*LENGTHS, None)}
    for shot in shots:
        frames = judged(len(shot.samples))
        if not len(frames):
            continue
        around = (frames[:, None] + torch.arange(-1, 2)).flatten()  # accelerations need neighbours
        numbers = shot_view(shot.samples).numbers
        for length, rows in found.items():
            if length is None:
                features = network.features(numbers[None])[0, around]
            else:
                features = in_windows(network, numbers, frames=around, length=length)
            said = network.regressor(features)
            truth = shot.samples[around]
            all_three = errors(said.rotmat, said.betas, truth, body=body, kind=shot.kind)
            rows.append(_middles(all_three))
    return [Windowed(length, means(rows)) for length, rows in found.items()]


def judged(frames: int) -> Tensor:
    """(N,) the frames of a shot of so many that have the longest window about them."""
    reach = max(LENGTHS) // 2 + 1
    return torch.arange(reach, max(frames - reach, reach), EVERY)


def in_windows(network: TemporalNetwork, numbers: Tensor, *, frames: Tensor, length: int) -> Tensor:
    """(N, F) what the regressor is told of `frames`, each in the middle of a window of its own.

    Args:
        network: evaluating.
        numbers: (T, NUMBERS) of a shot's views.
        frames: (N,) int64; the windows about them must lie inside the shot.
        length: of a window, frames; of an even one, the later middle.
    """
    before = length // 2
    window = torch.arange(-before, length - before)
    parts = frames.split(max(1, _AT_ONCE // length))
    return torch.cat(
        [network.features(numbers[some[:, None] + window])[:, before] for some in parts]
    )


def _middles(found: Errors) -> Errors:
    """Of the frame in the middle of each three."""
    some = slice(1, None, 3)
    return Errors(found.kind, found.pa_mm[some], found.mpjpe_mm[some], found.accel[some])
