import numpy as np
import pytest
import torch
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.training import motions
from stripmocap.training.mocap import Clip
from stripmocap.training.motions import MotionBank
from torch.testing import assert_close
from toyclips import toy_clip

SPINE = JOINT_NAMES.index("spine2")


@pytest.fixture
def unstirred(monkeypatch):
    """Nobody is seated or holds joints otherwise, and all is played at its speed."""
    for name in ("seat", "stir"):
        monkeypatch.setattr(motions, name, lambda pose, generator: None)
    monkeypatch.setattr(motions, "SPEEDS", (1.0, 1.0))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def turning(*, frames=200, joint=SPINE, speed=0.05, feet_ok=True):
    """Somebody who turns one joint about y, past half a turn, and walks along x."""
    pose = np.zeros((frames, 24, 3))
    angle = (speed * np.arange(frames) + np.pi) % (2 * np.pi) - np.pi
    pose[:, joint, 1] = angle
    path = np.zeros((frames, 3))
    path[:, 0] = np.arange(frames) / 30
    return Clip("turn", "turn", pose[:, 1:], feet_ok, pose[:, 0], path)


def steps(pose):
    rotmat = aa_to_matrix(pose)
    return (rotmat[:, 1:] - rotmat[:, :-1]).norm(dim=(-2, -1))


def test_axis_angles_do_not_jump_where_they_wrap(unstirred):
    bank = MotionBank.of((turning(frames=110),))

    pose = bank.draw(4, 110, generator()).pose

    # Past half a turn, but not past a whole one.
    assert float(pose.norm(dim=-1).max()) > 3.5
    assert float((pose[:, 1:] - pose[:, :-1]).abs().max()) < 0.06


def test_pieces_are_played_slower_and_faster():
    bank = MotionBank.of((turning(),))

    drawn = bank.draw(32, 60, generator())

    forward = (drawn.path[:, 1:, 0] - drawn.path[:, :-1, 0]).abs() * 30
    least, most = motions.SPEEDS
    assert_close(forward, forward[:, :1].expand_as(forward), atol=1e-3, rtol=0)
    assert least - 0.01 < float(forward.min()) < float(forward.max()) < most + 0.01
    assert float(forward.max() - forward.min()) > 0.3


def test_motions_are_the_clips_or_their_mirror_images(unstirred):
    bank = MotionBank.of((turning(),))

    drawn = bank.draw(16, 30, generator())

    turned = drawn.pose[..., 1, SPINE, 1] - drawn.pose[..., 0, SPINE, 1]
    assert_close(turned.abs(), torch.full((16,), 0.05), atol=1e-4, rtol=0)
    assert {float(sign) for sign in turned.sign()} == {-1.0, 1.0}
    # Who turns the other way walks the other way: the world is in the mirror too.
    walked = drawn.path[:, 1, 0] - drawn.path[:, 0, 0]
    assert torch.equal(turned.sign(), walked.sign())


def test_whatever_is_drawn_for_a_person_holds_for_all_the_piece():
    still = turning(speed=0.0)
    bank = MotionBank.of((still,))

    assert float(steps(bank.draw(16, 20, generator()).pose).max()) < 1e-4


def test_a_clip_that_is_too_short_is_played_to_and_fro(unstirred):
    bank = MotionBank.of((turning(frames=10),))

    pose = bank.draw(8, 40, generator()).pose

    assert torch.isfinite(pose).all()
    assert float(steps(pose).max()) < 0.1


def test_feet_come_from_clips_whose_feet_are_right():
    wrong = turning(joint=JOINT_NAMES.index("left_foot"), feet_ok=False)
    bank = MotionBank.of((wrong, toy_clip(frames=90)))

    drawn = bank.draw(32, 20, generator())

    assert bank.feet_reached[0] == 0
    assert float(drawn.pose[:, :, JOINT_NAMES.index("left_foot")].abs().max()) < 2.5


@pytest.mark.parametrize("frames", [1, 2])
def test_short_pieces_are_pieces(frames):
    bank = MotionBank.of((toy_clip(),))

    assert bank.draw(3, frames, generator()).pose.shape == (3, frames, 24, 3)
