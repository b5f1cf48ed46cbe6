import torch
from stripmocap.body import kinematics
from stripmocap.contract.skeleton import JOINT_COUNT, PARENTS
from torch.testing import assert_close
from torchtoys import random_state


def test_subtree_of_the_left_knee_is_knee_ankle_and_foot():
    below = kinematics.subtrees(torch.float32, "cpu")[4].nonzero().flatten().tolist()

    assert below == [4, 7, 10]


def test_every_joint_stands_one_level_below_its_parent():
    level = {
        joint: depth for depth, joints in enumerate(kinematics.SMPL.levels) for joint in joints
    }

    assert len(level) == JOINT_COUNT
    assert all(level[joint] == level[PARENTS[joint]] + 1 for joint in range(1, JOINT_COUNT))


def test_rotations_by_level_are_those_of_one_walk_down_the_tree():
    state = random_state(3)
    local = torch.cat([state["global_orient"].unsqueeze(1), state["body_pose"]], dim=1)
    walked = [local[:, 0]]
    for joint in range(1, JOINT_COUNT):
        walked.append(walked[PARENTS[joint]] @ local[:, joint])

    rotations = kinematics.global_rotations(state["global_orient"], state["body_pose"])

    assert_close(rotations, torch.stack(walked, dim=1))


def test_bones_keep_their_length_in_any_pose():
    state = random_state(3)
    rest = torch.randn(JOINT_COUNT, 3, generator=torch.Generator().manual_seed(0)).double()
    rotations = kinematics.global_rotations(state["global_orient"], state["body_pose"])

    posed = kinematics.chain(
        rotations, rest, subtree=kinematics.subtrees(torch.float64, "cpu")
    ).positions

    lengths = kinematics.bones(rest)[1:].norm(dim=-1)
    assert_close(kinematics.bones(posed)[:, 1:].norm(dim=-1), lengths.expand(3, -1))
    assert_close(posed[:, 0], rest[:1].expand(3, 3))
