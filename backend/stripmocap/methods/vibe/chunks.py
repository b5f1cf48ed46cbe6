"""A long shot through the temporal network piece by piece: the same numbers in bounded memory.

The encoder that runs back in time needs what comes after a piece. So a first sweep goes from the
end to the beginning and keeps only its state at the borders; the second goes onward, piece by
piece, with both. A shot of one piece is swept once. What a frame says together with a few about it
is asked with so many more frames on either side. What it is shown is made in pieces as well.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..features.keypoints import NUMBERS
from ..hmr.regressor import Regressed
from .keypoint_network import MARGIN, TemporalNetwork
from .views import views_over_time

FRAMES = 4096  # of a piece: over two minutes, and some 100 MB


def shown(
    keypoints: Tensor,
    *,
    landmarks3d: Tensor,
    focal_px: float,
    center: Tensor,
    frames: int = FRAMES,
) -> Tensor:
    """(T, NUMBERS) the views of one person, as `views_over_time` makes them of all frames at once.

    Args:
        keypoints: (T, 33, 3) px and score; score 0 everywhere in frames where nobody is seen.
        landmarks3d: (T, 33, 3) metres about the hips.
        focal_px: of the camera.
        center: (2,) principal point, pixels.
        frames: of a piece.
    """
    count = len(keypoints)
    there = (keypoints[..., 2] > 0).any(dim=1).nonzero()[:, 0]
    numbers = torch.empty(count, NUMBERS)
    for start in range(0, count, frames):
        stop = min(start + frames, count)
        # A frame in which nobody is seen is shown between those around it, wherever these are.
        first, last = start, stop - 1
        if (there <= start).any():
            first = int(there[there <= start][-1])
        if (there >= last).any():
            last = int(there[there >= last][0])
        span = slice(first, last + 1)
        view = views_over_time(
            keypoints[None, span],
            focal=focal_px,
            center=center,
            landmarks3d=landmarks3d[None, span],
        )
        numbers[start:stop] = view.numbers[start - first : stop - first]
    return numbers


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
