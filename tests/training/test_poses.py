import pytest
import torch
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.training import poses
from stripmocap.training.poses import PoseBank, mirror, within_limits
from torch.testing import assert_close
from toyclips import toy_clip


@pytest.fixture(scope="module")
def bank():
    return PoseBank.of((toy_clip(), toy_clip(name="run", kind="run", seed=1)))


def drawn(bank, count=500, seed=0):
    return bank.draw(count, torch.Generator().manual_seed(seed))


def test_mirroring_twice_is_the_pose_itself():
    pose = torch.randn(5, 24, 3)

    assert_close(mirror(mirror(pose)), pose)


def test_mirrored_turns_are_the_turns_seen_in_a_mirror():
    pose = torch.randn(1, 24, 3)
    flip = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))

    left = aa_to_matrix(pose)[0, JOINT_NAMES.index("left_knee")]
    right = aa_to_matrix(mirror(pose))[0, JOINT_NAMES.index("right_knee")]

    assert_close(right, flip @ left @ flip)


def test_no_knee_bends_forwards_and_no_elbow_backwards(bank):
    pose = drawn(bank)

    for side, sign in (("left", 1), ("right", -1)):
        knee, elbow = (JOINT_NAMES.index(f"{side}_{part}") for part in ("knee", "elbow"))
        assert pose[:, knee, 0].min() >= poses.KNEE_RANGE[0]
        assert (-sign * pose[:, elbow, 1]).min() >= poses.ELBOW_RANGE[0]


def test_limits_leave_alone_what_is_within_them():
    pose = torch.tensor(toy_clip().body_pose[:1]).float()
    pose = torch.cat([torch.zeros(1, 1, 3), pose], dim=1)

    assert_close(within_limits(pose), pose)


def test_the_same_seed_gives_the_same_poses_and_another_seed_others(bank):
    assert torch.equal(drawn(bank), drawn(bank))
    assert not torch.equal(drawn(bank), drawn(bank, seed=1))


def test_feet_come_from_clips_whose_feet_are_right():
    wrong, right = toy_clip(feet_ok=False, seed=1), toy_clip(name="b", seed=2)
    wrong.body_pose[:, JOINT_NAMES.index("left_foot") - 1] = 9.0  # nobody's foot

    pose = drawn(PoseBank.of((wrong, right)))

    assert pose[:, JOINT_NAMES.index("left_foot")].abs().max() < 5.0


def test_upper_and_lower_bodies_of_different_moments_are_combined():
    still, bent = toy_clip(seed=1), toy_clip(name="b", seed=2)
    for clip, turn in ((still, 0.0), (bent, 1.2)):
        for joint in ("left_hip", "left_shoulder"):
            clip.body_pose[:, JOINT_NAMES.index(joint) - 1] = [0.0, 0.0, turn]

    pose = drawn(PoseBank.of((still, bent)), count=2000)

    hip, shoulder = (pose[:, JOINT_NAMES.index(f"left_{part}"), 2] > 0.6
                     for part in ("hip", "shoulder"))  # fmt: skip
    assert 0.1 < (hip != shoulder).float().mean() < 0.6


def test_rare_poses_weigh_more_than_their_share_of_time():
    common, rare = toy_clip(frames=600), toy_clip(name="rare", frames=20)
    rare.body_pose[:, JOINT_NAMES.index("left_shoulder") - 1] = [0.0, 0.0, 1.4]

    pose = drawn(PoseBank.of((common, rare)), count=2000)

    share = (pose[:, JOINT_NAMES.index("left_shoulder"), 2].abs() > 0.9).float().mean()
    assert share > 2 * 20 / 620
