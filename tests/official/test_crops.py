"""Our crops against `spin_crop.npz` and `vibe_crop.npz`: the same bytes."""

import numpy as np
import pytest
import torch
from stripmocap.evaluation import protocol_vibe
from stripmocap.methods.features.keypoints import BOX_SCALE, boxes_of
from stripmocap.methods.features.resnet import normalised
from stripmocap.methods.vibe.pixels import ENLARGED
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


@pytest.fixture(scope="module")
def vibe(oracles):
    return oracles("vibe_crop")


@pytest.mark.parametrize("make", [crops.crop, crops.plain_crop])
@pytest.mark.parametrize(
    ("name", "center", "side"), [("inside", (150.2, 120.7), 130), ("border", (20, 30), 160)]
)
def test_crops_of_small_boxes_are_those_of_vibe(oracles, vibe, name, center, side, make):
    picture = oracles.synth.uniform("vcrop", (240, 320, 3), oracles.seed) * 255

    got = make(picture.astype(np.uint8), np.array(center), side=1.1 * side)

    # Older OpenCV looks at places to 1/32 px; in noise that is worth this many shades.
    expected = vibe[f"raw_{name}_every4"]
    assert np.abs(got[::4, ::4].astype(int) - expected).max() <= 255 / 32


@pytest.mark.parametrize("name", ["inside", "border"])
def test_crops_are_fed_to_the_network_as_vibe_feeds_them(vibe, name):
    fed = normalised(torch.tensor(vibe[f"raw_{name}_every4"])[None])[0]

    np.testing.assert_allclose(fed, vibe[f"norm_{name}_every4"], rtol=0, atol=1e-5)


def test_ordinary_crop_has_the_transform_of_vibe(vibe):
    expected = vibe["trans"]

    np.testing.assert_allclose(crops.affine((150.2, 120.7), 1.1 * 130), expected, rtol=0, atol=1e-4)


def test_keypoints_come_to_the_crop_where_vibe_puts_them(vibe):
    matrix = crops.affine((20, 30), 1.1 * 160)

    got = vibe["kp_in"][:, :2] @ matrix[:, :2].T + matrix[:, 2]

    np.testing.assert_allclose(got, vibe["kp_out"][:, :2], rtol=0, atol=1e-3)
    back = crops.to_picture(got, np.array([20, 30]), side=1.1 * 160)
    np.testing.assert_allclose(back, vibe["kp_in"][:, :2], rtol=0, atol=1e-9)


def test_keypoints_in_half_sides_from_the_middle_of_the_crop_are_those_of_vibe(vibe):
    half = crops.CROP_PX / 2

    picture = crops.to_picture(half * (1 + vibe["norm2d"]), np.array([half, half]), side=2 * half)

    np.testing.assert_allclose(picture, vibe["kp_in"][:, :2], rtol=0, atol=1e-4)


def test_boxes_about_keypoints_are_those_of_vibe_but_for_the_room_around(vibe):
    keypoints = torch.tensor(vibe["kp_in"]).float()
    keypoints[:, 2] = 1.0

    center, side = boxes_of(keypoints[None])

    x, y, width, height = vibe["kp_bbox"]
    np.testing.assert_allclose(center[0], [x, y], rtol=1e-5)
    assert width == height
    assert float(side) / BOX_SCALE * ENLARGED == pytest.approx(width, rel=1e-5)


def test_pieces_of_sequences_are_those_of_vibe(vibe):
    found = protocol_vibe.windows([37, 10, 50], length=protocol_vibe.WINDOW)

    np.testing.assert_array_equal(found, vibe["chunks"])
