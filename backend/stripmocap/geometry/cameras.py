"""Pinhole cameras: points in metres to pixels, and where a person stands from what is seen.

Camera axes are OpenCV's: x right, y down, z forward, metres. Focal length is in pixels and one
number: all our cameras have square pixels. Weak perspective (scale, x, y) follows Kanazawa et al.,
"End-to-end Recovery of Human Shape and Pose", CVPR 2018, 3.2; its unit is half the crop's side.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .rotations import cross_matrix

# Metres: points nearer than this, or behind the camera, are projected as if they stood here.
MIN_DEPTH = 1e-3
# SPIN's guard against a scale of zero.
_SCALE_EPSILON = 1e-9
# Next to focal^2 in the normal equations: only a person without any keypoint feels it.
_RIDGE = 1e-9


def project(points: Tensor, *, focal: Tensor | float, center: Tensor) -> Tensor:
    """Pixels of camera-space points under a pinhole camera.

    Args:
        points: (..., 3) metres, camera axes. Depth must exceed `MIN_DEPTH`; nearer points are
            clamped to it, so gradients stay finite while a fit wanders behind the camera.
        focal: pixels, a number or (..., 1).
        center: (..., 2) principal point, pixels, x then y.

    Returns:
        (..., 2) pixels, x then y.
    """
    depth = points[..., 2:].clamp(min=MIN_DEPTH)
    return focal * points[..., :2] / depth + center


def weak_perspective_to_transl(camera: Tensor, *, focal: float, size_px: float) -> Tensor:
    """(..., 3) metres, where a weak-perspective camera of a crop says the person stands.

    Args:
        camera: (..., 3) scale, x, y as the network gives them.
        focal: pixels of the crop.
        size_px: the crop's side in its own pixels.
    """
    scale, x, y = camera.unbind(dim=-1)
    return torch.stack([x, y, 2 * focal / (size_px * scale + _SCALE_EPSILON)], dim=-1)


def crop_to_picture_transl(
    camera: Tensor,
    *,
    box_center: Tensor,
    box_side: Tensor,
    focal: Tensor | float,
    center: Tensor,
) -> Tensor:
    """(..., 3) metres, where the person of a crop stands before the camera of the whole picture.

    The person looks the same from both, but for perspective: the crop's weak camera knows nothing
    of where in the picture its box was.

    Args:
        camera: (..., 3) scale, x, y of the crop.
        box_center: (..., 2) pixels of the picture.
        box_side: (...,) pixels of the picture.
        focal: pixels of the picture, a number or (...,).
        center: (..., 2) principal point, pixels of the picture.
    """
    scale, x, y = camera.unbind(dim=-1)
    depth = 2 * focal / (box_side * scale + _SCALE_EPSILON)
    tangents = (box_center - center) / torch.as_tensor(focal).unsqueeze(-1)
    offset = tangents * depth.unsqueeze(-1)
    return torch.stack([x + offset[..., 0], y + offset[..., 1], depth], dim=-1)


def crop_to_picture_camera(
    camera: Tensor, *, box_center: Tensor, box_side: Tensor, size_px: Tensor
) -> Tensor:
    """(..., 4) a crop's weak camera as one of the whole picture: scales x and y, then x, y.

    A point (X, Y) is seen at `scale (X + x)` in half widths, and so for Y in half heights, from the
    picture's middle. VIBE's demo draws with such cameras (Kocabas et al., CVPR 2020).

    Args:
        camera: (..., 3) scale, x, y of the crop.
        box_center: (..., 2) pixels of the picture.
        box_side: (...,) pixels of the picture. VIBE gives it before its crop enlarges it by a
            tenth, so that what it draws is a tenth too small.
        size_px: (2,) width and height of the picture.
    """
    scale = camera[..., :1] * box_side.unsqueeze(-1) / size_px
    return torch.cat([scale, camera[..., 1:] + (2 * box_center / size_px - 1) / scale], dim=-1)


def picture_to_crop_camera(
    camera: Tensor, *, box_center: Tensor, box_side: Tensor, size_px: Tensor
) -> Tensor:
    """(..., 3) scale, x, y of a crop, of the whole picture's: see `crop_to_picture_camera`."""
    scale, place = camera[..., :2], camera[..., 2:]
    place = place - (2 * box_center / size_px - 1) / scale
    return torch.cat([scale[..., :1] * size_px[0] / box_side.unsqueeze(-1), place], dim=-1)


def picture_camera_to_transl(
    camera: Tensor, *, focal: Tensor | float, center: Tensor, size_px: Tensor
) -> Tensor:
    """(..., 3) metres, where a weak camera of the whole picture says the person stands.

    Args:
        camera: (..., 4) of `crop_to_picture_camera`.
        focal: pixels, a number or (...,).
        center: (..., 2) principal point, pixels.
        size_px: (2,) width and height of the picture.
    """
    depth = 2 * focal / (camera[..., 0] * size_px[0] + _SCALE_EPSILON)
    slope = (size_px / 2 - center) / torch.as_tensor(focal).unsqueeze(-1)
    return torch.cat([camera[..., 2:] + slope * depth.unsqueeze(-1), depth.unsqueeze(-1)], dim=-1)


def crop_to_picture_rotmat(*, box_center: Tensor, focal: Tensor | float, center: Tensor) -> Tensor:
    """(..., 3, 3) that turns what a crop's camera sees to the camera of the whole picture.

    A network sees a crop as if its camera looked straight at the box's middle. The shortest turn
    takes the optical axis there.

    Args:
        box_center: (..., 2) pixels of the picture.
        focal: pixels of the picture, a number or (..., 1).
        center: (..., 2) principal point, pixels of the picture.
    """
    offset = (box_center - center) / focal
    ray = torch.nn.functional.normalize(torch.nn.functional.pad(offset, (0, 1), value=1.0), dim=-1)
    x, y, z = ray.unbind(dim=-1)
    # Rodrigues' formula with the axis (-y, x, 0) = axis x ray, whose length is the angle's sine.
    cross = cross_matrix(torch.stack([-y, x, torch.zeros_like(z)], dim=-1))
    identity = torch.eye(3, dtype=ray.dtype, device=ray.device)
    return identity + cross + cross @ cross / (1 + z)[..., None, None]


def transl_from_keypoints(
    points: Tensor,
    keypoints: Tensor,
    *,
    confidence: Tensor,
    focal: Tensor | float,
    center: Tensor,
) -> Tensor:
    """(..., 3) metres, the translation under which points project nearest to keypoints.

    Weighted linear least squares of `focal t_xy - (k - c) t_z = (k - c) Z - focal XY` with k the
    keypoint, c the centre and X, Y, Z the point, as SPIN starts its camera (Kolotouros et al.,
    ICCV 2019). Without any confidence the answer is zero.

    Args:
        points: (..., K, 3) metres, camera axes, before translation.
        keypoints: (..., K, 2) pixels.
        confidence: (..., K), linear weight of a keypoint's squared error.
        focal: pixels, a number or (..., 1, 1).
        center: (..., 2) pixels.
    """
    # The normal equations square the ratio of focal length to picture: too much for float32.
    seen = (keypoints - center.unsqueeze(-2)).double()
    rest, focal_px = points.double(), torch.as_tensor(focal).double()
    along = focal_px.unsqueeze(-1) * torch.eye(2, dtype=torch.float64, device=points.device)
    along = along.expand(*seen.shape, 2)
    matrix = torch.cat([along, -seen.unsqueeze(-1)], dim=-1).flatten(-3, -2)  # (..., 2K, 3)
    goal = (seen * rest[..., 2:] - focal_px * rest[..., :2]).flatten(start_dim=-2)  # (..., 2K)
    weights = confidence.double().repeat_interleave(2, dim=-1)
    normal = torch.einsum("...ki,...k,...kj->...ij", matrix, weights, matrix)
    normal = normal + _RIDGE * torch.eye(3, dtype=torch.float64, device=points.device)
    right = torch.einsum("...ki,...k,...k->...i", matrix, weights, goal)
    return torch.linalg.solve(normal, right).to(points.dtype)
