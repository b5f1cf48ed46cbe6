from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, LIMB_JOINTS
from stripmocap.experiments.humor_shots import (
    HIDDEN_S,
    MOST_S,
    cut,
    floor_shot,
    hidden_by_turns,
)
from stripmocap.experiments.vibe_spells import inside, runs
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip


@pytest.fixture(scope="module")
def shot():
    return floor_shot(toy_clip(frames=150), embedded_body(), seed=0)


def test_truth_says_what_the_shot_shows(shot):
    joints = shot.truth.limbs_camera

    assert joints.shape == (*shot.hidden.shape, 3)
    expected = shot.shot.samples.joints[:, 0].numpy()
    hips = [LIMB_JOINTS.index("left_hip"), LIMB_JOINTS.index("right_hip")]
    assert np.abs(joints[:, hips].mean(axis=1) - expected).max() < 0.15


def test_spells_hide_the_legs_first_and_then_an_arm(shot):
    spells = runs(inside(150, length_s=HIDDEN_S))
    legs = [LIMB_JOINTS.index(f"{side}_ankle") for side in ("left", "right")]
    wrist = LIMB_JOINTS.index("left_wrist")

    (first, second) = (shot.hidden[start:stop] for start, stop in spells)

    assert first[:, legs].all()
    assert second[:, wrist].all()


def test_outside_spells_nothing_stands_before_the_person():
    spell = inside(60, length_s=HIDDEN_S)
    places = 100 * torch.rand(60, len(BLAZEPOSE_NAMES), 2, generator=torch.manual_seed(0))

    covered = hidden_by_turns(spell)(places, torch.Generator()).cover(places)

    assert not covered[~spell].any()
    assert covered[spell].any(dim=1).all()


@pytest.mark.parametrize(
    ("roll_deg", "is_upright"), [(0, True), (30, True), (90, False), (180, False)]
)
def test_cameras_that_are_held_anyhow_are_told(shot, roll_deg, is_upright):
    level = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    cos, sin = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    rolled = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ level

    assert replace(shot, truth=replace(shot.truth, rotation=rolled)).is_upright == is_upright


def test_long_clips_are_cut():
    clip = cut(toy_clip(frames=1000))

    assert len(clip.pelvis) == len(clip.body_pose) == len(clip.global_orient) == MOST_S * 30
