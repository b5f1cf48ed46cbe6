"""Our crops against `spin_crop.npz` and `vibe_crop.npz`: the same bytes."""

import numpy as np
import pytest
from stripmocap.video import crops

pytestmark = pytest.mark.official


@pytest.fixture(scope="module")
def numbers(oracles):
    return oracles("spin_crop")


@pytest.fixture(scope="module")
def image(oracles):
    return oracles.synth.uniform("crop_img", (180, 240, 3), oracles.seed) * 200 + 20


@pytest.mark.parametrize(
    ("name", "center", "scale"),
    [("inside", (130.3, 90.7), 0.65), ("partial", (20, 30), 0.9)],
)
def test_official_crop_has_the_bytes_of_spin(numbers, image, name, center, scale):
    got = crops.official_crop(image, np.array(center), scale=scale)

    np.testing.assert_array_equal(got[::4, ::4], numbers[f"crop_{name}_every4"])


def test_official_transforms_are_those_of_spin(numbers):
    got = [crops.official_affine((130.3, 90.7), scale=0.65, turn_deg=each) for each in (0, 30)]

    np.testing.assert_allclose(got, numbers["transform_mats"], rtol=0, atol=1e-9)


def test_official_transforms_cut_points_as_spin_does(numbers):
    points = [(10 * i + 1, 7 * i + 1) for i in range(5)]
    matrices = [crops.official_affine((130.3, 90.7), scale=0.65, turn_deg=each) for each in (0, 30)]

    got = [crops.official_points(point, matrix) for point in points for matrix in matrices]

    np.testing.assert_array_equal(got, numbers["transform_pts"])


@pytest.mark.parametrize(
    ("name", "center", "side"), [("inside", (150.2, 120.7), 130), ("border", (20, 30), 160)]
)
def test_ordinary_crop_of_a_small_box_is_that_of_vibe(oracles, name, center, side):
    picture = oracles.synth.uniform("vcrop", (240, 320, 3), oracles.seed) * 255

    got = crops.crop(picture.astype(np.uint8), np.array(center), side=1.1 * side)

    expected = oracles("vibe_crop")[f"raw_{name}_every4"]
    # Older OpenCV looks at places to 1/32 px; in noise that is worth this many shades.
    assert np.abs(got[::4, ::4].astype(int) - expected).max() <= 255 / 32


def test_ordinary_crop_has_the_transform_of_vibe(oracles):
    expected = oracles("vibe_crop")["trans"]

    np.testing.assert_allclose(crops.affine((150.2, 120.7), 1.1 * 130), expected, rtol=0, atol=1e-4)
