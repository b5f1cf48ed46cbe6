from __future__ import annotations

import numpy as np
import pytest
from stripmocap.people.regions import (
    ENLARGEMENT,
    Region,
    cut_out,
    moved,
    radius_px,
    region_of,
    to_picture,
)


def test_a_standing_person_is_not_turned():
    region = region_of(np.array([50.0, 80.0]), np.array([50.0, 40.0]))

    assert region.angle == pytest.approx(0)
    assert region.center_px == (50.0, 80.0)
    assert region.size_px == pytest.approx(80 * ENLARGEMENT)
    assert radius_px(region) == pytest.approx(40)


@pytest.mark.parametrize("direction", [(0, -1), (1, 0), (0, 1), (-0.6, -0.8)])
def test_the_circle_point_is_straight_above_the_middle_of_the_cut_out(direction):
    hips = np.array([50.0, 80.0])
    circle = hips + 40 * np.array(direction)

    region = region_of(hips, circle)

    above = np.array([0.5, 0.5 - 0.5 / ENLARGEMENT])
    np.testing.assert_allclose(to_picture(above, region), circle, atol=1e-9)


def test_a_spot_of_the_picture_is_found_where_the_cut_out_shows_it():
    image = np.zeros((120, 160, 3), dtype=np.uint8)
    image[70:75, 95:100] = 255
    region = Region((90.0, 60.0), 60.0, 0.4)

    cut = cut_out(image, region, 128)

    rows, columns = np.nonzero(cut[:, :, 0] > 127)
    spot = (np.array([columns.mean(), rows.mean()]) + 0.5) / 128
    np.testing.assert_allclose(to_picture(spot, region), [97, 72], atol=0.3)


def test_outside_the_picture_is_black():
    image = np.full((50, 50, 3), 200, dtype=np.uint8)

    cut = cut_out(image, Region((0.0, 0.0), 40.0, 0.0), 64)

    assert (cut[:30, :30] == 0).all()
    assert (cut[34:, 34:] == 200).all()


def test_points_on_one_another_still_make_a_region():
    assert region_of(np.zeros(2), np.zeros(2)).size_px == 1.0


def test_moving_moves_only_the_centre():
    assert moved(Region((1.0, 2.0), 3.0, 0.5), 10, 20) == Region((11.0, 22.0), 3.0, 0.5)
