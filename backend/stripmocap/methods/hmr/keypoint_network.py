"""The embedded form of HMR: the same regressor, looking at keypoints instead of pixels."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..features.keypoints import FLAT_NUMBERS, NUMBERS, KeypointEncoder, View
from .regressor import Regressed, Regressor


@dataclass(frozen=True)
class Sizes:
    """What one keypoint network has more or less of than another; kept in its file."""

    features: int = 1024
    blocks: int = 2
    hidden: int = 1024
    numbers: int = FLAT_NUMBERS  # of a view; files that do not say hear the picture only


class KeypointNetwork(nn.Module):
    """Views of keypoints to bodies."""

    def __init__(
        self,
        features: int = 1024,
        *,
        blocks: int = 2,
        hidden: int = 1024,
        dropout: float = 0.1,
        numbers: int = NUMBERS,
    ) -> None:
        """An untrained network: see `KeypointEncoder` and `Regressor`."""
        super().__init__()
        self.sizes = Sizes(features, blocks, hidden, numbers)
        self.encoder = KeypointEncoder(features, blocks=blocks, dropout=dropout, numbers=numbers)
        self.regressor = Regressor(features, hidden=hidden, dropout=0.0)

    @classmethod
    def of(cls, sizes: Sizes, *, dropout: float = 0.1) -> KeypointNetwork:
        """An untrained network of these sizes."""
        return cls(
            sizes.features,
            blocks=sizes.blocks,
            hidden=sizes.hidden,
            dropout=dropout,
            numbers=sizes.numbers,
        )

    def forward(self, view: View) -> Regressed:
        """The bodies in the boxes of `view`."""
        return self.regressor(self.features(view))

    def features(self, view: View) -> Tensor:
        """(B, F) what the regressor is told, and what a temporal network reads."""
        return self.encoder(view.numbers)
