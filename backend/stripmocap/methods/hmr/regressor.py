"""The iterative regressor: from features of one frame to a body and a weak camera.

A state of 157 numbers (24 rotations of six numbers, ten betas, scale and place in the crop) starts
at a mean and is corrected three times by what the features and the state itself say (Kanazawa et
al., "End-to-end Recovery of Human Shape and Pose", CVPR 2018, 3.1). SPIN's has no non-linearity
between its layers (Kolotouros et al., ICCV 2019), so that without dropout the whole is one affine
map of the features: `folded`. Names of layers and buffers are those of SPIN's checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...contract.skeleton import BETAS_COUNT, JOINT_COUNT
from ...geometry.rotations import rot6d_to_matrix

ITERATIONS = 3
POSE_NUMBERS = 6 * JOINT_COUNT
CAMERA_NUMBERS = 3
STATE_NUMBERS = POSE_NUMBERS + BETAS_COUNT + CAMERA_NUMBERS
LEAST_LENGTH = 1e-12  # of the six numbers' columns that SPIN divides by


@dataclass(frozen=True, eq=False)
class Regressed:
    """B bodies, each as the camera of its own crop sees it."""

    rotmat: Tensor  # (B, 24, 3, 3) pelvis to camera first, then each joint to its parent
    betas: Tensor  # (B, 10)
    camera: Tensor  # (B, 3) scale, x, y; see geometry.cameras.weak_perspective_to_transl

    @property
    def global_orient(self) -> Tensor:
        """(B, 3, 3) pelvis to camera."""
        return self.rotmat[:, 0]

    @property
    def body_pose(self) -> Tensor:
        """(B, 23, 3, 3) each joint to its parent."""
        return self.rotmat[:, 1:]


class Regressor(nn.Module):
    """Features (B, F) to bodies."""

    init_pose: Tensor
    init_shape: Tensor
    init_cam: Tensor

    def __init__(
        self,
        features: int,
        *,
        hidden: int = 1024,
        dropout: float = 0.5,
        rectified: bool = False,
        least_length: float = LEAST_LENGTH,
    ) -> None:
        """A regressor that answers its mean until it is trained or loaded.

        Args:
            features: F.
            hidden: width of the two layers between.
            dropout: after each of them, in training.
            rectified: whether each of them ends in a ReLU, as HMR's do and SPIN's do not.
            least_length: see `geometry.rotations.rot6d_to_matrix`.
        """
        super().__init__()
        self.least_length = least_length
        self.fc1 = nn.Linear(features + STATE_NUMBERS, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.drop = nn.Dropout(dropout)
        self.between = nn.ReLU() if rectified else nn.Identity()
        self.decpose = nn.Linear(hidden, POSE_NUMBERS)
        self.decshape = nn.Linear(hidden, BETAS_COUNT)
        self.deccam = nn.Linear(hidden, CAMERA_NUMBERS)
        for decoder in (self.decpose, self.decshape, self.deccam):
            nn.init.xavier_uniform_(decoder.weight, gain=0.01)
        identity = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]).repeat(JOINT_COUNT)
        self.register_buffer("init_pose", identity[None])
        self.register_buffer("init_shape", torch.zeros(1, BETAS_COUNT))
        self.register_buffer("init_cam", torch.tensor([[0.9, 0.0, 0.0]]))

    def forward(self, features: Tensor, *, iterations: int = ITERATIONS) -> Regressed:
        """The bodies after `iterations` corrections of the mean."""
        states = self.states(features, iterations=iterations)
        return read_state(states[-1], least_length=self.least_length)

    def states(self, features: Tensor, *, iterations: int = ITERATIONS) -> list[Tensor]:
        """(B, 157) the state after each correction."""
        states = [_mean_state(self).expand(len(features), -1)]
        for _ in range(iterations):
            inner = self.drop(self.between(self.fc1(torch.cat([features, states[-1]], dim=1))))
            inner = self.drop(self.between(self.fc2(inner)))
            change = [self.decpose(inner), self.decshape(inner), self.deccam(inner)]
            states.append(states[-1] + torch.cat(change, dim=1))
        return states[1:]


def read_state(state: Tensor, *, least_length: float = LEAST_LENGTH) -> Regressed:
    """The bodies of states (B, 157)."""
    pose, betas, camera = state.split((POSE_NUMBERS, BETAS_COUNT, CAMERA_NUMBERS), dim=1)
    rotmat = rot6d_to_matrix(pose.unflatten(1, (JOINT_COUNT, 6)), epsilon=least_length)
    return Regressed(rotmat, betas, camera)


class FoldedRegressor(nn.Module):
    """A regressor without non-linearities as the one affine map that it is; for evaluation."""

    def __init__(self, affine: nn.Linear, *, least_length: float = LEAST_LENGTH) -> None:
        """See `folded`."""
        super().__init__()
        self.affine, self.least_length = affine, least_length

    def forward(self, features: Tensor) -> Regressed:
        """The bodies that the regressor would answer."""
        return read_state(self.affine(features), least_length=self.least_length)


def folded(regressor: Regressor, *, iterations: int = ITERATIONS) -> FoldedRegressor:
    """`regressor` after `iterations` corrections, as one map of the features, in its own precision.

    A correction adds A f + B s + c to the state s, with f the features, so that the last state is
    (I + C + C^2 ...) (A f + c) + C^n s_0 with C = I + B. The products are taken in float64.

    Raises:
        ValueError: it has non-linearities, or is in training and drops some of what it computes.
    """
    if not isinstance(regressor.between, nn.Identity):
        raise ValueError("a rectified regressor is no affine map")
    if regressor.training and regressor.drop.p > 0:
        raise ValueError("a regressor in training drops out")
    with torch.no_grad():
        slopes, constant = _correction(regressor)
        of_features, of_state = slopes.split((slopes.shape[1] - STATE_NUMBERS, STATE_NUMBERS), 1)
        identity = torch.eye(STATE_NUMBERS, dtype=slopes.dtype, device=slopes.device)
        weight, bias = torch.zeros_like(of_features), _mean_state(regressor)[0].double()
        for _ in range(iterations):
            weight = (identity + of_state) @ weight + of_features
            bias = (identity + of_state) @ bias + constant
        affine = nn.Linear(weight.shape[1], STATE_NUMBERS, device=weight.device)
        affine.weight.copy_(weight)
        affine.bias.copy_(bias)
    result = FoldedRegressor(
        affine.to(regressor.fc1.weight.dtype), least_length=regressor.least_length
    )
    return result.requires_grad_(False).eval()


def _correction(regressor: Regressor) -> tuple[Tensor, Tensor]:
    """(157, F + 157) and (157,), float64: what one correction adds to a state."""
    decoders = (regressor.decpose, regressor.decshape, regressor.deccam)
    weight = torch.cat([each.weight for each in decoders]).double()
    bias = torch.cat([each.bias for each in decoders]).double()
    for layer in (regressor.fc2, regressor.fc1):
        bias = bias + weight @ layer.bias.double()
        weight = weight @ layer.weight.double()
    return weight, bias


def _mean_state(regressor: Regressor) -> Tensor:
    """(1, 157) where every body starts."""
    return torch.cat([regressor.init_pose, regressor.init_shape, regressor.init_cam], dim=1)
