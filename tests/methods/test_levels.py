"""Who is on a level of their own, and who is not."""

import numpy as np
import pytest
from stripmocap.methods.levels import own_level

LEAST_M = 0.06


def level_of(*heights: float, resting: float = 1.0) -> float:
    """Of somebody whose left foot has these heights in turn, and whose right one is lifted."""
    left = np.repeat(heights, 20) + 0.02 * np.sin(np.arange(20 * len(heights)))
    feet = np.stack([left, left + 0.3], axis=1)
    rests = np.arange(len(left)) < resting * len(left)
    return own_level(feet, np.stack([rests, rests], axis=1), least_m=LEAST_M)


@pytest.mark.parametrize("level_m", [-1.8, -0.1, 0.1, 0.4, 2.0])
def test_who_rests_at_one_height_is_on_that_level(level_m):
    assert level_of(level_m) == pytest.approx(level_m, abs=0.02)


def test_a_few_centimetres_are_no_level():
    assert level_of(0.04) == 0


def test_nobody_is_on_a_level_who_is_on_the_ground_as_long():
    assert level_of(0.0, 0.4) == 0
    assert level_of(0.0, 0.4, 0.4) == 0


def test_who_climbs_stairs_has_no_level():
    assert level_of(0.0, 0.2, 0.4, 0.6, 0.8) == 0


def test_a_step_aside_does_not_take_a_level_away():
    assert level_of(0.4, 0.4, 0.0, 0.4, 0.4) == pytest.approx(0.4, abs=0.02)


def test_who_hardly_rests_has_no_level():
    assert level_of(0.4, resting=0.1) == 0
