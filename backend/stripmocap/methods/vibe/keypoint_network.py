"""The embedded form of VIBE: its temporal encoder over what a network of single frames says.

A capture has all its frames before it starts, so the encoder runs twice, onward and back in time:
what hides a person is looked at from both of its ends. Both are plain encoders, each of which can
be read piece by piece (`chunks.py`). VIBE adds what its encoder says to the features of the frame
itself, and those of keypoints tremble as the detector does. Here a frame is looked at twice, the
second time in the mirror (`mirror.py`), each joint is averaged with its neighbours in time as far
as it is trusted (`trusted_mean.py`), and features are that mean and what a layer heard of how it
came about.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...contract.skeleton import BETAS_COUNT, JOINT_COUNT
from ..features.keypoints import NUMBERS, SCORES, KeypointEncoder
from ..hmr.regressor import CAMERA_NUMBERS, STATE_NUMBERS, Regressed, read_state
from .mirror import mirrored_numbers, mirrored_states
from .temporal_encoder import TemporalEncoder
from .trusted_mean import TrustedMean

FPS = 30.0  # of the frames that it reads: motion is learnt at this rate
REACH = 20  # frames on either side that a frame's pose is averaged with
_BESIDE = 4  # frames on either side by which it is judged how far a frame stands out
MARGIN = REACH + _BESIDE  # frames on either side that what is said of a frame may depend on
_PARTS = (*(6,) * JOINT_COUNT, BETAS_COUNT, CAMERA_NUMBERS)  # of a state, each trusted by itself
# What untaught networks say: nobody bends anything, before the middle of the picture.
_REST = (*(1.0, 0.0, 0.0, 1.0, 0.0, 0.0) * JOINT_COUNT, *(0.0,) * BETAS_COUNT, 0.9, 0.0, 0.0)
_TOLD = 3 * STATE_NUMBERS + NUMBERS  # of a frame, by which trust is judged
_FIRST_SLOPE = 6.0  # of the trust's logit by the detector's own sureness
_LEAST_LOG = -12.0  # of the trust's logarithm


@dataclass(frozen=True)
class Sizes:
    """What one temporal network has more or less of than another; kept in its file."""

    features: int = 512  # of the keypoint encoder
    blocks: int = 4  # of it
    judging: int = 128  # width of the layers that judge how far a joint is trusted
    hearing: int = 256  # features beside the pose
    memory: int = 256  # numbers in the state of each layer of the GRUs
    layers: int = 1
    numbers: int = NUMBERS  # of a view, that the keypoint encoder hears


class TemporalNetwork(nn.Module):
    """What is seen of people over time to bodies."""

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """An untrained network; `dropout` is the keypoint encoder's."""
        super().__init__()
        self.sizes = sizes
        self.encoder = KeypointEncoder(
            sizes.features, blocks=sizes.blocks, dropout=dropout, numbers=sizes.numbers
        )
        self.states = nn.Linear(sizes.features, STATE_NUMBERS)
        self.states.bias.data.copy_(torch.tensor(_REST))
        self.trust = Trust(sizes.judging)
        self.mean = TrustedMean(_PARTS, reach=REACH)
        self.heard = nn.Linear(_TOLD + len(_PARTS), sizes.hearing)
        features = STATE_NUMBERS + sizes.hearing
        self.onward = TemporalEncoder(features, hidden=sizes.memory, layers=sizes.layers)
        self.back = TemporalEncoder(features, hidden=sizes.memory, layers=sizes.layers)
        self.regressor = Reading(sizes.hearing)

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
        pose, apart = self.poses(numbers)
        beside = pose - _among_neighbours(pose)
        trust = self.trust(torch.cat([pose, apart, beside, numbers], dim=-1), numbers[..., SCORES])
        with torch.autocast(pose.device.type, enabled=False):  # half of it would tremble
            mean = self.mean(pose, trust=trust)
        told = torch.cat([mean, pose - mean, apart, numbers, trust.log()], dim=-1)
        return torch.cat([mean, nn.functional.gelu(self.heard(told)).float()], dim=-1)

    def poses(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """(N, T, 157) what single frames say, on one scale, and how far it is from the mirror's."""
        both = torch.cat([numbers, mirrored_numbers(numbers)]).flatten(0, 1)
        plain, other = self.states(self.encoder(both)).float().chunk(2)
        other = mirrored_states(other)
        pose = self.regressor.scaled((plain + other) / 2)
        apart = (plain - other).abs() / self.regressor.spread
        return tuple(each.unflatten(0, numbers.shape[:2]) for each in (pose, apart))


class Trust(nn.Module):
    """How far each part of each frame's pose is trusted."""

    def __init__(self, width: int) -> None:
        """By the detector's word alone, until it is trained."""
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([_FIRST_SLOPE]))
        self.first, self.second = nn.Linear(_TOLD, width), nn.Linear(width, width)
        self.last = nn.Linear(width, len(_PARTS))
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, told: Tensor, scores: Tensor) -> Tensor:
        """(N, T, 26) above zero, at most one; of each joint, the shape and the camera.

        Args:
            told: (N, T, 673) what is known of frames.
            scores: (N, T, 33) in [0, 1], of the detector.
        """
        inner = nn.functional.gelu(self.first(told))
        inner = nn.functional.gelu(self.second(inner))
        sure = self.slope * (scores.float().mean(dim=-1, keepdim=True) - 0.5)
        logit = self.last(inner).float() + sure
        return nn.functional.logsigmoid(logit).clamp(min=_LEAST_LOG).exp()


class Reading(nn.Module):
    """Features to bodies: a pose on one scale, and what the features beside it add."""

    middle: Tensor
    spread: Tensor

    def __init__(self, hearing: int) -> None:
        """A reading that takes the pose as it is."""
        super().__init__()
        self.added = nn.Linear(hearing, STATE_NUMBERS)
        nn.init.zeros_(self.added.weight)
        nn.init.zeros_(self.added.bias)
        self.register_buffer("middle", torch.zeros(STATE_NUMBERS))
        self.register_buffer("spread", torch.ones(STATE_NUMBERS))

    def forward(self, features: Tensor) -> Regressed:
        """The bodies of features (B, F)."""
        pose, heard = features[:, :STATE_NUMBERS], features[:, STATE_NUMBERS:]
        return read_state((pose + self.added(heard)) * self.spread + self.middle)

    def scaled(self, states: Tensor) -> Tensor:
        """States (..., 157) as features have them."""
        return (states - self.middle) / self.spread


def _among_neighbours(values: Tensor) -> Tensor:
    """(N, T, F) means of (N, T, F) over the frames beside each."""
    width = 2 * _BESIDE + 1
    pooled = nn.functional.avg_pool1d(
        values.transpose(1, 2), width, stride=1, padding=_BESIDE, count_include_pad=False
    )
    return pooled.transpose(1, 2)
