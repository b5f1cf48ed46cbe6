"""SPIN's pages for the network that looks at keypoints: people of whom a detector saw 33 points.

Of most of them nothing else may be known: that is what the loop is for. The 33 are given to the fit
as OpenPose's half of SPIN's 49. The picture may be turned and mirrored about the camera's axis,
which no camera would notice; it is not scaled or coloured, as keypoints have no such thing.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..body.landmarks import spin49_from_blazepose
from ..contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES, SPIN_NAMES, mirrored
from ..geometry.rotations import matrix_to_aa
from ..methods.features.keypoints import View, view_of
from ..methods.smplify.paper import ReducedPoints
from ..people.sides import OTHER_SIDE
from .augmentation import OPENPOSE_COUNT, Augmentation, in_plane
from .spin import CROP_PX, Batch
from .synthetic import Samples

_JOINT_PARTNERS = [JOINT_NAMES.index(mirrored(name)) for name in JOINT_NAMES]
# A fit starts its camera from the training sets' torso where OpenPose's was not seen.
_TORSO = {
    "RHip": "right_hip",
    "LHip": "left_hip",
    "RShoulder": "right_shoulder",
    "LShoulder": "left_shoulder",
}


class KeypointPages:
    """A fixed set of people, seen by a detector; the bodies of some are known."""

    def __init__(
        self,
        samples: Samples,
        points: ReducedPoints,
        *,
        informed: Tensor,
        device: torch.device | str = "cpu",
    ) -> None:
        """Pages of `samples`.

        Args:
            samples: the people.
            points: SPIN's 49 on their body, on the device of `samples`.
            informed: (N,) bool, whose bodies may be known.
            device: where pages are opened.
        """
        self.samples, self.informed, self.device = samples, informed, device
        self._places = torch.tensor(_places(), device=samples.keypoints.device)
        with torch.no_grad():
            pose = matrix_to_aa(samples.rotmat)
            points49 = points(samples.rotmat[:, 0], samples.rotmat[:, 1:], samples.betas)
        self._pose = pose.flatten(1)
        self._joints = torch.cat([points49, torch.ones_like(points49[..., :1])], dim=-1)

    def __len__(self) -> int:
        return len(self.samples)

    def open(self, index: Tensor, augmentation: Augmentation) -> tuple[View, Batch]:
        """What the network is shown, and what is known."""
        samples = self.samples[index]
        keypoints = changed(samples.keypoints, augmentation, center=samples.center)
        view = view_of(
            keypoints,
            focal=samples.focal,
            center=samples.center,
            landmarks3d=changed_guess(samples.landmarks3d, augmentation),
        )
        scale = CROP_PX / view.box_side
        corner = view.box_center - view.box_side[:, None] / 2
        informed = self.informed[index]
        batch = Batch(
            keypoints=self._spin49(keypoints, corner=corner, scale=scale),
            focal=samples.focal * scale,
            center=(samples.center - corner) * scale[:, None],
            joints=augmentation.of_points(self._joints[index])[:, OPENPOSE_COUNT:],
            has_joints=informed,
            pose=augmentation.of(self._pose[index]),
            betas=samples.betas,
            has_body=informed,
            known=_known_changed(samples.known, augmentation),
            index=index,
            augmentation=augmentation,
        )
        seen = View(*(each.to(self.device) for each in vars(view).values()))
        return seen, batch.to(self.device)

    def _spin49(self, keypoints: Tensor, *, corner: Tensor, scale: Tensor) -> Tensor:
        """(B, 49, 3) pixels of the crop, and the detector's score; 0 where it has no such point."""
        inside = (keypoints[..., :2] - corner[:, None]) * scale[:, None, None]
        every = torch.cat([inside, keypoints[..., 2:]], dim=-1)
        none = torch.zeros_like(every[:, :1])
        found = torch.cat([none, every], dim=1)[:, self._places]
        for name, landmark in _TORSO.items():
            found[:, SPIN_NAMES.index(name), :2] = inside[:, BLAZEPOSE_NAMES.index(landmark)]
        return found


def changed(keypoints: Tensor, augmentation: Augmentation, *, center: Tensor) -> Tensor:
    """(B, 33, 3) what a detector would see of a picture that is turned and mirrored.

    Args:
        keypoints: (B, 33, 3) px, px, score.
        augmentation: about the principal point; only turn and mirror are looked at.
        center: (B, 2) principal point, pixels.
    """
    turn = in_plane(augmentation.turn_rad)[:, :2, :2]
    off = (keypoints[..., :2] - center[:, None]) @ turn.mT
    plain = torch.cat([off, keypoints[..., 2:]], dim=-1)
    other = plain[:, OTHER_SIDE] * plain.new_tensor([-1.0, 1.0, 1.0])
    chosen = torch.where(augmentation.mirrored[:, None, None], other, plain)
    return torch.cat([chosen[..., :2] + center[:, None], chosen[..., 2:]], dim=-1)


def changed_guess(landmarks3d: Tensor, augmentation: Augmentation) -> Tensor:
    """(B, 33, 3) metres, the detector's guess in a picture that is turned and mirrored.

    The guess is seen straight at the person, from a view that the picture's turn turns as well.
    """
    turned = landmarks3d @ in_plane(augmentation.turn_rad).mT
    other = turned[:, OTHER_SIDE] * turned.new_tensor([-1.0, 1.0, 1.0])
    return torch.where(augmentation.mirrored[:, None, None], other, turned)


def _places() -> np.ndarray:
    """(49,) which of 33 landmarks each of SPIN's is, counted from one; 0: none."""
    numbers = np.arange(1, len(BLAZEPOSE_NAMES) + 1)
    return spin49_from_blazepose(np.repeat(numbers[:, None], 3, axis=1))[:, 0]


def _known_changed(known: Tensor, augmentation: Augmentation) -> Tensor:
    return torch.where(augmentation.mirrored[:, None], known[:, _JOINT_PARTNERS], known)
