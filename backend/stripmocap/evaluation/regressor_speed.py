"""How fast the regressors are: SPIN's network beside a plain ResNet-50, and the one of keypoints.

Networks hold random numbers: what they say takes as long. Sides run in turns, and the best of each
counts, as in `benchmarks`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from ..contract.skeleton import BLAZEPOSE_NAMES
from ..methods.features import resnet
from ..methods.features.keypoints import view_of
from ..methods.hmr.inference import prepared
from ..methods.hmr.keypoint_network import KeypointNetwork
from ..methods.hmr.pixel_network import PixelNetwork
from .benchmarks import Said

CLASSES = 1000  # of ImageNet, for which the plain network is made
PICTURE_PX = (1920.0, 1080.0)


@dataclass(frozen=True)
class PixelTimes:
    """Milliseconds a crop."""

    resnet50_ms: float  # the plain network with its classifier, evaluating
    published_ms: float  # SPIN's layers as they are trained
    ours_ms: float  # the same numbers, folded

    def to_json(self) -> dict[str, Any]:
        """What the command writes."""
        return asdict(self) | {"over_resnet50": self.ours_ms / self.resnet50_ms - 1}


@dataclass(frozen=True)
class KeypointTimes:
    """Milliseconds a frame, from keypoints to a body."""

    published_ms: float  # layers as they are trained
    ours_ms: float  # folded where that is possible

    def to_json(self) -> dict[str, Any]:
        """What the command writes."""
        return asdict(self)


def pixels(*, batch: int, repeats: int, device: torch.device, report: Said) -> PixelTimes:
    """SPIN's network beside a plain ResNet-50, on crops that are there already."""
    torch.manual_seed(0)
    network = PixelNetwork().eval().to(device)
    classifier = nn.Linear(resnet.FEATURES, CLASSES).to(device)
    swift = prepared(network, device=device)
    crops = torch.rand(batch, resnet.CROP_PX, resnet.CROP_PX, 3, device=device)
    last = resnet.normalised(255 * crops)  # channels lie last in memory, as crops come
    first = last.contiguous()
    sides = {
        "resnet50_ms": lambda: classifier(network.encoder(first)),
        "published_ms": lambda: network(first),
        "ours_ms": lambda: swift(last),
    }
    return PixelTimes(**best_ms(sides, items=batch, repeats=repeats, device=device, report=report))


def keypoints(
    network: KeypointNetwork, *, batch: int, repeats: int, device: torch.device, report: Said
) -> KeypointTimes:
    """The regressor of keypoints, from pixels and scores of `batch` frames to bodies."""
    generator = torch.Generator().manual_seed(0)
    seen = torch.rand(batch, len(BLAZEPOSE_NAMES), 3, generator=generator)
    seen[..., :2] *= torch.tensor(PICTURE_PX)
    seen, center = seen.to(device), torch.tensor(PICTURE_PX, device=device) / 2
    network = network.eval().to(device)
    swift = prepared(network, device=device)
    sides = {
        "published_ms": lambda: network(view_of(seen, focal=PICTURE_PX[0], center=center)),
        "ours_ms": lambda: swift(view_of(seen, focal=PICTURE_PX[0], center=center)),
    }
    return KeypointTimes(
        **best_ms(sides, items=batch, repeats=repeats, device=device, report=report)
    )


def best_ms(
    sides: Mapping[str, Callable[[], object]],
    *,
    items: int,
    repeats: int,
    device: torch.device,
    report: Said,
) -> dict[str, float]:
    """The least milliseconds an item that each side took; a first run of each does not count."""
    best = dict.fromkeys(sides, float("inf"))
    with torch.inference_mode():
        for run in range(repeats + 1):
            for name, side in sides.items():
                began = time.perf_counter()
                side()
                if device.type == "cuda":
                    torch.cuda.synchronize(device)
                if run:
                    best[name] = min(best[name], time.perf_counter() - began)
            report("benchmark", run + 1, repeats + 1)
    return {name: 1000 * seconds / items for name, seconds in best.items()}
