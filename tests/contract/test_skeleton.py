from __future__ import annotations

import pytest
from stripmocap.contract.skeleton import (
    BLAZEPOSE_NAMES,
    JOINT_COUNT,
    JOINT_NAMES,
    LIMB_JOINTS,
    PARENTS,
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


@pytest.mark.parametrize("names", [JOINT_NAMES, BLAZEPOSE_NAMES, LIMB_JOINTS])
def test_every_name_has_its_mirror_image_and_back(names):
    assert {mirrored(name) for name in names} == set(names)
    assert [mirrored(mirrored(name)) for name in names] == list(names)


@pytest.mark.parametrize(("names", "count"), [(BLAZEPOSE_NAMES, 33), (SPIN_NAMES, 49)])
def test_every_name_of_a_set_stands_once(names, count):
    assert len(names) == len(set(names)) == count


def test_limbs_are_joints():
    assert set(LIMB_JOINTS) <= set(JOINT_NAMES)
