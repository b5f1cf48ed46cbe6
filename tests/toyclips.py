"""Toy motion capture: a person who walks on the spot, nods, and turns slowly round."""

from __future__ import annotations

import numpy as np
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.training.mocap import Clip

UPRIGHT = np.array([np.pi / 2, 0.0, 0.0])  # carries y up to z up


def toy_clip(*, name="walk", kind="walk", frames=60, feet_ok=True, seed=0) -> Clip:
    """A clip of a second or two; the seed moves joints a little."""
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(frames) / 30
    pose = np.tile(0.05 * rng.standard_normal((1, 23, 3)), (frames, 1, 1))
    for joint, swing in (("left_hip", 0.5), ("right_hip", -0.5), ("left_shoulder", -0.3)):
        pose[:, JOINT_NAMES.index(joint) - 1, 0] += swing * np.sin(phase)
    for joint, lag in (("left_knee", 0.0), ("right_knee", np.pi)):
        pose[:, JOINT_NAMES.index(joint) - 1, 0] = 0.6 + 0.5 * np.sin(phase + lag)
    path = np.column_stack([0.02 * np.arange(frames), np.zeros(frames), np.full(frames, 0.9)])
    return Clip(name, kind, pose, feet_ok, np.tile(UPRIGHT, (frames, 1)), path)
