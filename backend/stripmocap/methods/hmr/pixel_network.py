"""SPIN's network: ResNet-50 and the iterative regressor (Kolotouros et al., ICCV 2019).

In its checkpoints all layers lie side by side; `spin_name` says what each of ours is called there.
"""

from __future__ import annotations

from torch import Tensor, nn

from ..features import resnet
from .regressor import FoldedRegressor, Regressed, Regressor


class PixelNetwork(nn.Module):
    """Crops to bodies."""

    def __init__(self) -> None:
        """An untrained network."""
        super().__init__()
        self.encoder = resnet.ResNet50()
        self.regressor: Regressor | FoldedRegressor = Regressor(resnet.FEATURES)

    def forward(self, pictures: Tensor) -> Regressed:
        """The bodies in crops (B, 3, 224, 224), normalised as `resnet.normalised` does."""
        return self.regressor(self.features(pictures))

    def features(self, pictures: Tensor) -> Tensor:
        """(B, 2048) what the regressor is told, and what a temporal network reads."""
        return self.encoder(pictures.to(self.encoder.conv1.weight.dtype)).float()


def spin_name(name: str) -> str:
    """What an entry of our state is called in SPIN's checkpoints."""
    return name.partition(".")[2]
