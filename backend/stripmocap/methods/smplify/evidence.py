"""What the pictures say about N frames of bodies, as tensors that the energies read.

The frames of all people stand one after another; `sequence` tells whose they are. Frames of one
person are in order of time. Weights are already everything that makes a measurement count less:
the detector's confidence, the kind of landmark, and how close in time the frames are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import median_filter
from torch import Tensor

from ...contract.motion import Camera
from ...contract.skeleton import BLAZEPOSE_NAMES
from ...people.observations import Person

# How far BlazePose's landmarks are from where they should be, as a share of the person's size.
KEYPOINT_SIGMA = 0.01
# Frames closer than this see the same mistake of the detector twice, and share one vote.
VOTE_S = 1 / 30

TYPICAL_HEIGHT_M = 1.7
# BlazePose marks hips in front of the joints: by so much on our rendered walk, seen from the side.
HIPS_AHEAD_M = 0.035
_HIPS = (BLAZEPOSE_NAMES.index("left_hip"), BLAZEPOSE_NAMES.index("right_hip"))

# What touches the ground.
FOOT_POINTS = ("left_heel", "left_foot_index", "right_heel", "right_foot_index")
# Bones whose directions the detector's 3D landmarks tell: (from, to).
CUE_BONES = (
    *(("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
    *(("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist")),
    *(("left_hip", "left_knee"), ("left_knee", "left_ankle")),
    *(("right_hip", "right_knee"), ("right_knee", "right_ankle")),
    *(("left_heel", "left_foot_index"), ("right_heel", "right_foot_index")),
    *(("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")),
    *(("left_hip", "left_shoulder"), ("right_hip", "right_shoulder")),
    *(("left_wrist", "left_index"), ("right_wrist", "right_index")),
    *(("left_ear", "nose"), ("right_ear", "nose"), ("left_shoulder", "left_ear")),
    ("right_shoulder", "right_ear"),
)
# Landmarks that are vague on the body, or that the detector places less well, count less.
_VAGUE = {"eye": 0.2, "ear": 0.5, "mouth": 0.2, "nose": 0.6, "pinky": 0.3, "index": 0.3}
_VAGUE |= {"thumb": 0.2, "heel": 0.6, "foot_index": 0.6}


def landmark_weights() -> np.ndarray:
    """(33,) in [0, 1], how much each of BlazePose's landmarks counts when it is well seen."""
    return np.array([_vagueness(name) for name in BLAZEPOSE_NAMES])


@dataclass(frozen=True, eq=False)
class Guess:
    """What a regressor said of the same N frames: it knows how people move, not only where."""

    bones: Tensor  # (N, C, 3) vectors of the bones that the body has, camera axes, metres
    body_pose: Tensor  # (N, 23, 3) axis-angle
    sure: Tensor  # (N,) in [0, 1], 0 where it said nothing that can be used

    def at(self, frames: slice | Tensor) -> Guess:
        """What was said of some of the frames."""
        return Guess(self.bones[frames], self.body_pose[frames], self.sure[frames])


@dataclass(frozen=True, eq=False)
class Evidence:
    """K = 33 BlazePose landmarks over N frames of G people."""

    sequence: Tensor  # (N,) int64, whose frame it is
    times_s: Tensor  # (N,) float64
    size_px: Tensor  # (N,) how large the person is, pixels
    keypoints: Tensor  # (N, K, 2) pixels
    weights: Tensor  # (N, K) in [0, 1]
    votes: Tensor  # (N,) in [0, 1]: a frame's share of time
    cue: Tensor  # (N, C, 3) bone vectors in camera axes, metres of the detector's own body
    cue_weights: Tensor  # (N, C) in [0, 1]
    focal: float  # pixels
    center: Tensor  # (2,) pixels
    guess: Guess | None = None

    @property
    def hips(self) -> Tensor:
        """(N, 2) pixels, the middle of the hips."""
        return self.keypoints[:, list(_HIPS)].mean(dim=1)

    def __len__(self) -> int:
        return len(self.sequence)

    def at(self, frames: slice | Tensor) -> Evidence:
        """The evidence of some of the frames."""
        return Evidence(
            sequence=self.sequence[frames],
            times_s=self.times_s[frames],
            size_px=self.size_px[frames],
            keypoints=self.keypoints[frames],
            weights=self.weights[frames],
            votes=self.votes[frames],
            cue=self.cue[frames],
            cue_weights=self.cue_weights[frames],
            focal=self.focal,
            center=self.center,
            guess=self.guess and self.guess.at(frames),
        )


def gather(
    people: Sequence[Person], camera: Camera, *, device: torch.device, dtype: torch.dtype
) -> Evidence:
    """The evidence of all frames of `people`, seen by `camera`."""
    parts = [_of_person(index, each, camera) for index, each in enumerate(people)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def tensor(name: str) -> Tensor:
        return torch.tensor(joined[name], dtype=dtype, device=device)

    return Evidence(
        sequence=torch.tensor(joined["sequence"], device=device),
        times_s=torch.tensor(joined["times_s"], device=device),
        size_px=tensor("size_px"),
        keypoints=tensor("keypoints"),
        weights=tensor("weights"),
        votes=tensor("votes"),
        cue=tensor("cue"),
        cue_weights=tensor("cue_weights"),
        focal=camera.focal_px,
        center=torch.tensor(camera.center_px, dtype=dtype, device=device),
    )


def _of_person(index: int, person: Person, camera: Camera) -> dict[str, np.ndarray]:
    confidence = person.keypoints[..., 2]
    gaps = np.diff(person.times_s, append=person.times_s[-1] + VOTE_S)
    vote = np.minimum(gaps / VOTE_S, 1)[:, None]
    bones = np.array([[BLAZEPOSE_NAMES.index(end) for end in bone] for bone in CUE_BONES])
    start, stop = bones.T
    vectors = person.landmarks3d[:, stop] - person.landmarks3d[:, start]
    size_px = person_size(person)
    return {
        "sequence": np.full(len(person.times_s), index),
        "times_s": person.times_s,
        "size_px": size_px,
        "keypoints": _hips_at_joints(person, size_px),
        "weights": confidence**2 * landmark_weights() * vote,
        "votes": vote[:, 0],
        "cue": vectors @ _toward(person, camera).transpose(0, 2, 1),
        "cue_weights": np.minimum(confidence[:, start], confidence[:, stop]) ** 2 * vote,
    }


def _vagueness(name: str) -> float:
    return next((weight for part, weight in _VAGUE.items() if part in name), 1.0)


def person_size(person: Person) -> np.ndarray:
    """(T,) pixels, how large the person is in the picture: steady over time and pose.

    The length of the detector's own 3D body gives the scale that a box loses when someone sits.
    """
    flat = person.landmarks3d[..., :2] - person.landmarks3d[..., :2].mean(axis=1, keepdims=True)
    seen = person.keypoints[..., :2] - person.keypoints[..., :2].mean(axis=1, keepdims=True)
    spread = np.sqrt((flat**2).sum(axis=(1, 2)).clip(1e-6))
    pixels_per_metre = np.sqrt((seen**2).sum(axis=(1, 2))) / spread
    return TYPICAL_HEIGHT_M * median_filter(pixels_per_metre.clip(min=1.0), size=9, mode="nearest")


def _hips_at_joints(person: Person, size_px: np.ndarray) -> np.ndarray:
    """(T, 33, 2) pixels, the landmarks with the hips moved back to where the joints are."""
    names = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
    left_hip, right_hip, left_shoulder, right_shoulder = (
        person.landmarks3d[:, BLAZEPOSE_NAMES.index(name)] for name in names
    )
    up = left_shoulder + right_shoulder - left_hip - right_hip
    forward = np.cross(left_hip - right_hip, up)
    forward /= np.linalg.norm(forward, axis=1, keepdims=True).clip(1e-9)
    pixels = person.keypoints[..., :2].copy()
    shift = HIPS_AHEAD_M * size_px[:, None] / TYPICAL_HEIGHT_M * forward[:, :2]
    pixels[:, list(_HIPS)] -= shift[:, None]
    return pixels


def _toward(person: Person, camera: Camera) -> np.ndarray:
    """(T, 3, 3) turns the detector's view, straight at the person, into the camera's axes."""
    middle = person.keypoints[:, list(_HIPS), :2].mean(axis=1)
    ray = np.concatenate(
        [(middle - camera.center_px) / camera.focal_px, np.ones((len(middle), 1))], axis=1
    )
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    # The smallest turn from the optical axis z to the ray, by Rodrigues with sin and cos known.
    axis = np.stack([-ray[:, 1], ray[:, 0], np.zeros(len(ray))], axis=1)  # z x ray
    cross = np.zeros((len(ray), 3, 3))
    cross[:, 0, 2], cross[:, 2, 0] = axis[:, 1], -axis[:, 1]
    cross[:, 1, 2], cross[:, 2, 1] = -axis[:, 0], axis[:, 0]
    return np.eye(3) + cross + cross @ cross / (1 + ray[:, 2])[:, None, None]
