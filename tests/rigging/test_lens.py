import numpy as np
import pytest
from stripmocap_extension.addon.rigging import lens


def test_principal_point_in_the_middle_needs_no_shift():
    made = lens.of_pinhole(
        1000, center_px=np.array([639.5, 359.5]), size_px=(1280, 720), render_aspect=16 / 9
    )

    assert (made.shift_x, made.shift_y) == (0, 0)
    assert made.lens_mm == pytest.approx(1000 * 36 / 1280)


def test_principal_point_to_the_right_and_below_moves_the_view_left_and_up():
    made = lens.of_pinhole(
        1000, center_px=np.array([703.5, 423.5]), size_px=(1280, 720), render_aspect=16 / 9
    )

    assert made.shift_x == pytest.approx(-0.05)
    assert made.shift_y == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("size_px", "render_aspect", "fit"),
    [
        ((1920, 1080), 16 / 9, "HORIZONTAL"),
        ((1080, 1920), 16 / 9, "VERTICAL"),  # a phone's clip in a wide scene
        ((1920, 1080), 9 / 16, "HORIZONTAL"),
        ((640, 480), 16 / 9, "VERTICAL"),
    ],
)
def test_whole_picture_shows(size_px, render_aspect, fit):
    made = lens.of_pinhole(900, center_px=np.zeros(2), size_px=size_px, render_aspect=render_aspect)

    assert made.sensor_fit == fit
