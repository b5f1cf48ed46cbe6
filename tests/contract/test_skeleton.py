from __future__ import annotations

import pytest
from stripmocap.contract.skeleton import (
    BLAZEPOSE_NAMES,
    JOINT_COUNT,
    JOINT_NAMES,
    LIMB_JOINTS,
    PARENTS,
    SMPLH_JOINT_NAMES,
    SMPLH_PARENTS,
    SPIN_NAMES,
    mirrored,
)


def test_parents_come_before_their_children():
    assert len(PARENTS) == JOINT_COUNT == 24
    assert PARENTS[0] == -1
    assert all(0 <= parent < joint for joint, parent in enumerate(PARENTS) if joint)


def test_left_and_right_hang_alike_on_the_tree():
    for joint, parent in enumerate(PARENTS[1:], start=1):
        other = JOINT_NAMES.index(mirrored(JOINT_NAMES[joint]))

        assert JOINT_NAMES[PARENTS[other]] == mirrored(JOINT_NAMES[parent])


def test_fingers_hang_on_their_wrists_three_bones_each():
    assert len(SMPLH_PARENTS) == len(SMPLH_JOINT_NAMES) == 52
    for joint in range(22, 52):
        name, parent = SMPLH_JOINT_NAMES[joint], SMPLH_JOINT_NAMES[SMPLH_PARENTS[joint]]

        above = {"1": f"{name.partition('_')[0]}_wrist", "2": f"{name[:-1]}1", "3": f"{name[:-1]}2"}
        assert parent == above[name[-1]]


@pytest.mark.parametrize("names", [JOINT_NAMES, SMPLH_JOINT_NAMES, BLAZEPOSE_NAMES, LIMB_JOINTS])
def test_every_name_has_its_mirror_image_and_back(names):
    assert {mirrored(name) for name in names} == set(names)
    assert [mirrored(mirrored(name)) for name in names] == list(names)


@pytest.mark.parametrize(("names", "count"), [(BLAZEPOSE_NAMES, 33), (SPIN_NAMES, 49)])
def test_every_name_of_a_set_stands_once(names, count):
    assert len(names) == len(set(names)) == count


def test_limbs_are_joints():
    assert set(LIMB_JOINTS) <= set(JOINT_NAMES)
