"""A long shot through the temporal network piece by piece: the same numbers in bounded memory.

The encoder that runs back in time needs what comes after a piece. So a first sweep goes from the
end to the beginning and keeps only its state at the borders; the second goes onward, piece by
piece, with both. A shot of one piece is swept once. What a frame says together with a few about it
is asked with so many more frames on either side.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..hmr.regressor import Regressed
from .keypoint_network import MARGIN, TemporalNetwork

FRAMES = 4096  # of a piece: over two minutes, and some 100 MB


def read(network: TemporalNetwork, numbers: Tensor, *, frames: int = FRAMES) -> Iterator[Regressed]:
    """The bodies (N * frames) of one piece after the other, a person's frames together.

    Args:
        network: evaluating, on some device.
        numbers: (N, T, NUMBERS) of views, anywhere.
        frames: of a piece; the last one may have fewer.
    """
    device = next(network.parameters()).device
    shot = _Shot(network, numbers, frames, device)
    state = None
    for piece, later in zip(shot.pieces, _states_behind(shot), strict=True):
        single = shot.single(piece)
        onward, state = network.onward(single, state)
        back, _ = network.back(single.flip(1), later)
        features = network.combined(single, onward=onward, back=back.flip(1))
        yield network.regressor(features.flatten(0, 1))


class _Shot:
    def __init__(
        self, network: TemporalNetwork, numbers: Tensor, frames: int, device: torch.device
    ) -> None:
        self.network, self._numbers, self._device = network, numbers, device
        starts = range(0, numbers.shape[1], frames)
        self.pieces = [range(each, min(each + frames, numbers.shape[1])) for each in starts]

    def single(self, piece: range) -> Tensor:
        """(N, len(piece), F) what the network says of the frames of a piece alone."""
        first = max(piece.start - MARGIN, 0)
        said = self.network.single(self._numbers[:, first : piece.stop + MARGIN].to(self._device))
        return said[:, piece.start - first : piece.stop - first]


def _states_behind(shot: _Shot) -> list[Tensor | None]:
    """The backward encoder's state behind each piece, which knows all that comes after it."""
    states: list[Tensor | None] = [None]
    for piece in shot.pieces[:0:-1]:
        _, state = shot.network.back(shot.single(piece).flip(1), states[-1])
        states.append(state)
    return states[::-1]
