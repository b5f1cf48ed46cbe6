"""ResNet-50 without its classifier: 2048 features of a crop.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1, in the form that
strides in the 3x3 convolution, as SPIN and VIBE use it (Kolotouros et al., ICCV 2019). Names of
layers are those of their checkpoints, which are torchvision's too.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

FEATURES = 2048
CROP_PX = 224  # the side of the crops that published weights have seen
_STEM = 64  # channels
_EXPANSION = 4
_BLOCKS = (3, 4, 6, 3)


class ResNet50(nn.Module):
    """Pictures (B, 3, H, W) to features (B, 2048)."""

    def __init__(self) -> None:
        """An untrained network, with convolutions drawn as He et al. draw them."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, _STEM, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(_STEM)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = _layer(_STEM, 64, blocks=_BLOCKS[0], stride=1)
        self.layer2 = _layer(256, 128, blocks=_BLOCKS[1], stride=2)
        self.layer3 = _layer(512, 256, blocks=_BLOCKS[2], stride=2)
        self.layer4 = _layer(1024, 512, blocks=_BLOCKS[3], stride=2)
        for each in self.modules():
            if isinstance(each, nn.Conv2d):
                spread = math.sqrt(2 / (math.prod(each.kernel_size) * each.out_channels))
                nn.init.normal_(each.weight, std=spread)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 2048) features, the mean over what is left of each picture."""
        maps = self.maxpool(self.relu(self.bn1(self.conv1(pictures))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = layer(maps)
        return maps.mean(dim=(2, 3))


class _Bottleneck(nn.Module):
    def __init__(self, channels: int, inner: int, *, stride: int) -> None:
        super().__init__()
        outer = inner * _EXPANSION
        self.conv1 = nn.Conv2d(channels, inner, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outer, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outer)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or channels != outer:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, outer, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(outer),
            )

    def forward(self, maps: Tensor) -> Tensor:
        passed = maps if self.downsample is None else self.downsample(maps)
        maps = self.relu(self.bn1(self.conv1(maps)))
        maps = self.relu(self.bn2(self.conv2(maps)))
        maps = self.bn3(self.conv3(maps))
        maps += passed
        return self.relu(maps)


def fused(network: ResNet50) -> ResNet50:
    """A copy for evaluation: every batch norm is folded into the convolution before it.

    The numbers are equal but for rounding. The copy cannot be trained.
    """
    result = copy.deepcopy(network).eval()
    _fuse(result, "conv1", "bn1")
    for block in result.modules():
        if isinstance(block, _Bottleneck):
            for index in (1, 2, 3):
                _fuse(block, f"conv{index}", f"bn{index}")
            if block.downsample is not None:
                _fuse(block.downsample, "0", "1")
    return result.requires_grad_(False)


def _fuse(module: nn.Module, convolution: str, norm: str) -> None:
    pair = module.get_submodule(convolution), module.get_submodule(norm)
    setattr(module, convolution, fuse_conv_bn_eval(*pair))
    setattr(module, norm, nn.Identity())


def _layer(channels: int, inner: int, *, blocks: int, stride: int) -> nn.Sequential:
    first = _Bottleneck(channels, inner, stride=stride)
    outer = inner * _EXPANSION
    return nn.Sequential(first, *(_Bottleneck(outer, inner, stride=1) for _ in range(blocks - 1)))


def normalised(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) what the network is fed, of RGB pictures (B, H, W, 3) in [0, 255].

    Means and spreads are ImageNet's.
    """
    mean = torch.tensor([0.485, 0.456, 0.406], device=pictures.device)
    spread = torch.tensor([0.229, 0.224, 0.225], device=pictures.device)
    return ((pictures.float() / 255 - mean) / spread).movedim(-1, 1)
