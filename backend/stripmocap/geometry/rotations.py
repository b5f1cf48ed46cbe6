"""Rotations in the forms that files and papers use, as matrices and back.

Axis-angle `aa` (3) in radians; matrices (3, 3) that act on columns; quaternions (4) as w, x, y, z;
`rot6d` (6) is a matrix's first two columns, written row by row (Zhou et al., "On the Continuity of
Rotation Representations in Neural Networks", CVPR 2019, in the order that SPIN stores). Leading
dimensions are `...`.
"""

from __future__ import annotations

import roma
import torch
from torch import Tensor
from torch.nn.functional import normalize

# Added to each component before the length is taken, as smplx and SPIN do: no division by zero.
_AXIS_EPSILON = 1e-8
_SMALL_ANGLE = 1e-4  # rad; keeps quotients finite where the series' first terms are all there is


def aa_to_matrix(aa: Tensor) -> Tensor:
    """(..., 3, 3) matrices of axis-angles (..., 3), by Rodrigues' formula in smplx's form.

    Differentiable everywhere, also at zero.
    """
    angle = (aa + _AXIS_EPSILON).norm(dim=-1, keepdim=True)
    cross = cross_matrix(aa / angle)  # (..., 3, 3)
    angle = angle.unsqueeze(-1)
    identity = torch.eye(3, dtype=aa.dtype, device=aa.device)
    return identity + angle.sin() * cross + (1 - angle.cos()) * (cross @ cross)


def aa_to_matrix_by_quat(aa: Tensor) -> Tensor:
    """(..., 3, 3) matrices of axis-angles (..., 3), through quaternions as SPIN and VIBE do.

    Equal to `aa_to_matrix` within 1e-6; kept for parity with their networks.
    """
    angle = (aa + _AXIS_EPSILON).norm(dim=-1, keepdim=True)
    half = angle / 2
    return quat_to_matrix(torch.cat([half.cos(), half.sin() * aa / angle], dim=-1))


def matrix_to_aa(matrix: Tensor) -> Tensor:
    """(..., 3) axis-angles of at most pi, of rotation matrices (..., 3, 3).

    Stable near zero and near pi, because roma goes through the quaternion whose largest component
    it computes first, and takes the angle by atan2.
    """
    return roma.rotmat_to_rotvec(matrix)


def matrix_to_quat(matrix: Tensor) -> Tensor:
    """(..., 4) unit quaternions w, x, y, z with w >= 0, of rotation matrices (..., 3, 3)."""
    quat = roma.rotmat_to_unitquat(matrix).roll(1, dims=-1)
    return torch.where(quat[..., :1] < 0, -quat, quat)


def quat_to_matrix(quat: Tensor) -> Tensor:
    """(..., 3, 3) matrices of quaternions (..., 4) w, x, y, z of any length but zero."""
    return roma.unitquat_to_rotmat(normalize(quat, dim=-1).roll(-1, dims=-1))


def aa_to_quat(aa: Tensor) -> Tensor:
    """(..., 4) unit quaternions w, x, y, z of axis-angles (..., 3)."""
    return roma.rotvec_to_unitquat(aa).roll(1, dims=-1)


def quat_to_aa(quat: Tensor) -> Tensor:
    """(..., 3) axis-angles of at most pi, of quaternions (..., 4) w, x, y, z, not zero."""
    return roma.unitquat_to_rotvec(normalize(quat, dim=-1).roll(-1, dims=-1))


def rot6d_to_matrix(rot6d: Tensor, *, epsilon: float = 1e-12) -> Tensor:
    """(..., 3, 3) matrices of six numbers each (..., 6): Gram-Schmidt on two columns.

    Args:
        rot6d: (..., 6), a 3x2 matrix row by row; identity is 1, 0, 0, 1, 0, 0.
        epsilon: the least length that is divided by: SPIN has 1e-12, VIBE 1e-6.
    """
    first, second = rot6d.unflatten(-1, (3, 2)).unbind(dim=-1)  # (..., 3) each
    x = normalize(first, dim=-1, eps=epsilon)
    y = normalize(second - (x * second).sum(dim=-1, keepdim=True) * x, dim=-1, eps=epsilon)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def matrix_to_rot6d(matrix: Tensor) -> Tensor:
    """(..., 6) the first two columns of matrices (..., 3, 3), row by row."""
    return matrix[..., :2].flatten(start_dim=-2)


def left_jacobian(aa: Tensor) -> Tensor:
    """(..., 3, 3) J with `exp(aa + d) = exp(J d) exp(aa)` to first order in d, of (..., 3) rad.

    Closed form as in Barfoot, "State Estimation for Robotics", 2017, equation 7.77a.
    """
    angle = aa.norm(dim=-1).clamp(min=_SMALL_ANGLE)[..., None, None]
    cross = cross_matrix(aa)  # angle times the axis' cross matrix
    identity = torch.eye(3, dtype=aa.dtype, device=aa.device)
    first = 2 * ((angle / 2).sin() / angle) ** 2  # (1 - cos) / angle^2, without cancellation
    # sinc keeps this finite; the difference loses digits only where it is multiplied by nothing.
    second = (1 - torch.sinc(angle / torch.pi)) / angle**2
    return identity + first * cross + second * (cross @ cross)


def cross_matrix(vector: Tensor) -> Tensor:
    """(..., 3, 3) the matrix K of (..., 3) vectors v with K x = v x x."""
    x, y, z = vector.unbind(dim=-1)
    zero = torch.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
