import numpy as np
import pytest
from stripmocap.video import crops


def ramp(height, width, per_px):
    """A picture whose first two channels say where a pixel is."""
    y, x = np.mgrid[:height, :width] * per_px
    return np.stack([x, y, np.full_like(x, 255)], axis=-1).round().astype(np.uint8)


@pytest.mark.parametrize("side", [112.0, 224.0, 330.0, 448.0, 700.0, 1000.0])
def test_a_pixel_of_the_crop_shows_the_place_that_it_comes_from(side):
    per_px = 200 / 1100
    image, center = ramp(1100, 1100, per_px), np.array([540.0, 555.5])

    got = crops.crop(image, center, side=side)

    y, x = np.mgrid[:224, :224]
    places = crops.to_picture(np.stack([x, y], axis=-1), center, side=side)
    assert got.shape == (224, 224, 3)
    assert np.abs(got[..., :2] - places * per_px).max() < 1.0


@pytest.mark.parametrize("side", [112.0, 448.0, 1000.0])
def test_a_plain_crop_shows_the_same_places(side):
    image, center = ramp(1100, 1100, 200 / 1100), np.array([540.0, 555.5])

    got = crops.plain_crop(image, center, side=side)

    expected = crops.crop(image, center, side=side)
    assert np.abs(got.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("side", [50.0, 200.0, 3000.0])
def test_to_picture_undoes_affine(side):
    points, center = np.random.default_rng(0).uniform(0, 500, (9, 2)), np.array([120.0, 44.0])

    there = points @ (matrix := crops.affine(center, side))[:, :2].T + matrix[:, 2]

    np.testing.assert_allclose(crops.to_picture(there, center, side=side), points, atol=1e-9)


def test_a_checkerboard_of_pixels_becomes_grey_when_it_is_shrunk():
    board = np.indices((900, 900)).sum(axis=0) % 2 * 255
    image = np.repeat(board[..., None], 3, axis=-1).astype(np.uint8)

    got = crops.crop(image, np.array([450.0, 450.0]), side=896)

    assert np.abs(got[2:-2, 2:-2].astype(int) - 127).max() < 20


@pytest.mark.parametrize("side", [100.0, 900.0])
def test_outside_the_picture_all_is_black(side):
    image = np.full((120, 160, 3), 200, np.uint8)

    beside = crops.crop(image, np.array([160.0 + side, 60.0]), side=side)
    partly = crops.crop(image, np.array([0.0, 60.0]), side=side)

    assert beside.max() == 0
    assert partly[:, :110].max() == 0
    assert partly[112, 115:120].max() == 200


@pytest.mark.parametrize("count", [40, 91, 224, 300, 777])
def test_official_resize_is_pillows(count):
    pillow = pytest.importorskip("PIL.Image")
    part = np.random.default_rng(count).integers(0, 256, (count, count + 3, 3)).astype(np.uint8)

    expected = pillow.fromarray(part).resize((224, 224), pillow.Resampling.BILINEAR)

    np.testing.assert_array_equal(crops._resized(part, 224), np.asarray(expected))


def test_official_crop_of_nothing_is_black():
    image = np.full((20, 30, 3), 9.0)

    assert crops.official_crop(image, np.array([500.0, 500.0]), scale=0.3).max() == 0


def test_official_crop_stretches_contrast():
    image = np.full((300, 300, 3), 100.0)
    image[100:200, 100:200] = 110.0

    got = crops.official_crop(image, np.array([150.0, 150.0]), scale=1.0)

    assert (got.min(), got.max()) == (0, 255)
