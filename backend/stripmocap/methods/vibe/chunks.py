"""A long shot through the temporal network piece by piece: the same numbers in bounded memory.

The encoder that runs back in time needs what comes after a piece. So a first sweep goes from the
end to the beginning and keeps only its state at the borders; the second goes onward, piece by
piece, with both. A shot of one piece is swept once.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..hmr.regressor import Regressed
from .keypoint_network import TemporalNetwork

FRAMES = 4096  # of a piece: over two minutes, and some 100 MB


def read(network: TemporalNetwork, numbers: Tensor, *, frames: int = FRAMES) -> Iterator[Regressed]:
    """The bodies (N * frames) of one piece after the other, a person's frames together.

    Args:
        network: evaluating, on some device.
        numbers: (N, T, NUMBERS) of views, anywhere.
        frames: of a piece; the last one may have fewer.
    """
    device = next(network.parameters()).device
    pieces = numbers.split(frames, dim=1)
    behind = _states_behind(network, pieces, device=device)
    state = None
    for piece, later in zip(pieces, behind, strict=True):
        single = network.single(piece.to(device))
        onward, state = network.onward(single, state)
        back, _ = network.back(single.flip(1), later)
        features = network.combined(single, onward=onward, back=back.flip(1))
        yield network.regressor(features.flatten(0, 1))


def _states_behind(
    network: TemporalNetwork, pieces: tuple[Tensor, ...], *, device: torch.device
) -> list[Tensor | None]:
    """The backward encoder's state behind each piece, which knows all that comes after it."""
    states: list[Tensor | None] = [None]
    for piece in pieces[:0:-1]:
        single = network.single(piece.to(device))
        _, state = network.back(single.flip(1), states[-1])
        states.append(state)
    return states[::-1]
