"""What people are told of the floor, and of feet."""

from dataclasses import replace

import numpy as np
import pytest
from fitscenes import walk
from refinescenes import seen_in
from stripmocap.methods.humor.told import of_feet, of_floor
from toybody import toy_body

PERSON = walk(toy_body(), frames=4, person=3).person


@pytest.mark.parametrize("votes", [[], [0.4, 0.9]])
def test_nothing_is_told_of_who_is_on_the_floor(votes):
    assert not list(of_floor(PERSON, np.array(votes), levels_m=[0.0], is_given=False))


def test_who_stands_on_another_level_is_told_with_its_height():
    votes = np.ones(4)

    (above,) = of_floor(PERSON, votes, levels_m=[0.0, 0.42, 0.1], is_given=False)
    (below,) = of_floor(PERSON, votes, levels_m=[-0.3], is_given=False)

    assert "Person 3 stands 0.42 m above the floor" in above
    assert "0.30 m below the floor" in below


@pytest.mark.parametrize("level_m", [0.0, 1.5])
def test_a_given_floor_that_somebody_is_not_on_is_to_be_checked(level_m):
    (note,) = of_floor(PERSON, np.full(4, 0.1), levels_m=[level_m], is_given=True)

    assert "Check the height of the floor" in note


def test_who_is_cut_off_at_the_waist_is_told_that_feet_are_guessed():
    keypoints = PERSON.keypoints.copy()
    keypoints[:, 25:, 2] = 0.01

    (note,) = of_feet(replace(PERSON, keypoints=keypoints))

    assert "The feet of person 3 are hardly ever seen" in note
    assert not list(of_feet(PERSON))


def test_feet_that_are_seen_whenever_somebody_is_there_are_not_guessed():
    person = walk(toy_body(), frames=100).person
    is_there = np.arange(100) % 20 == 0

    assert not list(of_feet(seen_in(person, is_there)))


def test_one_foot_that_is_seen_now_and_then_tells_enough():
    keypoints = PERSON.keypoints.copy()
    keypoints[:, 25:, 2] = 0.01
    keypoints[::2, 31, 2] = 0.9

    assert not list(of_feet(replace(PERSON, keypoints=keypoints)))
