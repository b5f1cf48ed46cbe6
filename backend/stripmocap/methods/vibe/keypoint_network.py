"""The embedded form of VIBE: the same temporal encoder over features of keypoints.

A capture has all its frames before it starts, so the encoder runs twice, onward and back in time:
what hides a person is looked at from both of its ends. Both are plain encoders, each of which can
be read piece by piece (`chunks.py`). VIBE adds what its encoder says to the features of the frame
itself, and those of keypoints tremble as the detector does: here they are averaged with their
neighbours' before (`trusted_mean.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..features.keypoints import NUMBERS, SCORES, KeypointEncoder
from ..hmr.regressor import Regressed, Regressor
from .temporal_encoder import TemporalEncoder
from .trusted_mean import TrustedMean

FPS = 30.0  # of the frames that it reads: motion is learnt at this rate
MARGIN = 8  # frames on either side that a frame's features are averaged with


@dataclass(frozen=True)
class Sizes:
    """What one temporal network has more or less of than another; kept in its file."""

    features: int = 512
    blocks: int = 4  # of the keypoint encoder
    hidden: int = 256  # of the regressor
    memory: int = 384  # numbers in the state of each layer of the GRUs
    layers: int = 2
    numbers: int = NUMBERS  # of a view


class TemporalNetwork(nn.Module):
    """What is seen of people over time to bodies."""

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """An untrained network; `dropout` is the keypoint encoder's."""
        super().__init__()
        self.sizes = sizes
        self.encoder = KeypointEncoder(
            sizes.features, blocks=sizes.blocks, dropout=dropout, numbers=sizes.numbers
        )
        self.onward = TemporalEncoder(sizes.features, hidden=sizes.memory, layers=sizes.layers)
        self.back = TemporalEncoder(sizes.features, hidden=sizes.memory, layers=sizes.layers)
        self.mean = TrustedMean(sizes.features, reach=MARGIN)
        self.regressor = Regressor(sizes.features, hidden=sizes.hidden, dropout=0.0)

    def forward(self, numbers: Tensor) -> Regressed:
        """The bodies (N * T) of `View.numbers` (N, T, NUMBERS), `FPS` frames a second."""
        return self.regressor(self.features(numbers).flatten(0, 1))

    def features(self, numbers: Tensor) -> Tensor:
        """(N, T, F) what the regressor is told."""
        single = self.single(numbers)
        onward, _ = self.onward(single)
        back, _ = self.back(single.flip(1))
        return self.combined(single, onward=onward, back=back.flip(1))

    def combined(self, single: Tensor, *, onward: Tensor, back: Tensor) -> Tensor:
        """(N, T, F) what the regressor is told.

        Args:
            single: (N, T, F) what `single` says.
            onward: (N, T, F) the first encoder's answer to them.
            back: (N, T, F) the second one's, put into the order of the frames.
        """
        return onward + back - single  # each of them has added to `single`

    def single(self, numbers: Tensor) -> Tensor:
        """(N, T, F) features of each frame and of the `MARGIN` frames about it.

        Who reads a shot piece by piece gives so many more on either side, as far as there are any.
        """
        features = self.encoder(numbers.flatten(0, 1)).unflatten(0, numbers.shape[:2])
        return self.mean(features, sureness=numbers[..., SCORES].mean(dim=-1))
