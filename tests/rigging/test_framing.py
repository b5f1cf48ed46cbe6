import math

import numpy as np
import pytest
from stripmocap_extension.addon.rigging.framing import Layer, framing

SIZE = (160.0, 96.0)
MOVED = Layer(
    SIZE,
    offset_px=(10, -6),
    scale=(1.5, 0.5),
    rotation=0.5,
    origin=(0.25, 0.75),
    flips=(True, False),
)


def test_the_middle_of_a_plain_picture_is_the_middle_of_the_canvas():
    np.testing.assert_allclose(framing((Layer(SIZE),)).points((0.5, 0.5)), (0, 0), atol=1e-9)


def test_the_top_left_corner_is_up_and_left():
    np.testing.assert_allclose(framing((Layer(SIZE),)).points((0, 0)), (-80, 48))


def test_a_picture_is_scaled_and_turned_about_its_origin():
    layer = Layer(SIZE, scale=(2, 2), rotation=math.pi / 2, origin=(0, 0))

    seen = framing((layer,))

    np.testing.assert_allclose(seen.points((0, 1)), (-80, -48))  # its bottom left corner stays
    np.testing.assert_allclose(seen.points((1, 1)), (-80, -48 + 320))


def test_a_flip_turns_the_whole_canvas_round():
    seen = framing((Layer(SIZE, offset_px=(10, 0), flips=(True, False)),))

    np.testing.assert_allclose(seen.points((0.5, 0.5)), (-10, 0), atol=1e-9)


def test_metas_come_after_what_is_in_them():
    meta = Layer((320.0, 240.0), scale=(0.5, 0.5), offset_px=(100, 0))
    inside = Layer(SIZE, offset_px=(10, 20))

    np.testing.assert_allclose(framing((inside, meta)).points((0.5, 0.5)), (105, 10))


@pytest.mark.parametrize("turned_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("layers", [(Layer(SIZE),), (MOVED,), (MOVED, MOVED)])
def test_places_come_back(layers, turned_deg):
    seen = framing(layers, turned_deg=turned_deg)
    places = np.random.default_rng(0).uniform(-1, 2, size=(5, 2))

    np.testing.assert_allclose(seen.shares(seen.points(places)), places, atol=1e-9)


@pytest.mark.parametrize(
    ("turned_deg", "corner"),
    [(0, (-80, 48)), (90, (-80, -48)), (180, (80, -48)), (270, (80, 48))],
)
def test_where_blender_does_not_turn_a_movie_its_top_left_corner_is_elsewhere(turned_deg, corner):
    # To be shown the right way up, the file's picture is turned clockwise by so much: at 90
    # degrees its bottom left corner comes to the top left.
    seen = framing((Layer(SIZE),), turned_deg=turned_deg)

    np.testing.assert_allclose(seen.points((0, 0)), corner, atol=1e-9)


def test_a_picture_that_is_scaled_to_nothing_is_seen_nowhere():
    seen = framing((Layer(SIZE, scale=(0, 1)),))

    assert np.isnan(seen.shares((1, 2))).all()


def test_the_outline_of_a_box_goes_round_whole_pixels():
    seen = framing((Layer(SIZE),))

    corners = seen.outline((-0.5, -0.5, 159.5, 95.5), size_px=SIZE)

    np.testing.assert_allclose(corners, [(-80, 48), (80, 48), (80, -48), (-80, -48)])
