import pytest
import torch
from stripmocap.methods.features.keypoints import (
    BOX_SCALE,
    FLAT_NUMBERS,
    NUMBERS,
    KeypointEncoder,
    view_of,
)
from torch.testing import assert_close

CENTER = torch.tensor([320.0, 240.0])


@pytest.fixture
def keypoints():
    places = 200 + 200 * torch.rand(5, 33, 2, generator=torch.Generator().manual_seed(0))
    return torch.cat([places, torch.full((5, 33, 1), 0.9)], dim=-1)


@pytest.fixture
def guess():
    return 0.5 * torch.randn(5, 33, 3, generator=torch.Generator().manual_seed(1))


def test_the_box_is_square_around_what_is_seen_well(keypoints):
    keypoints[:, 0] = torch.tensor([5000.0, 5000.0, 0.1])

    view = view_of(keypoints, focal=700.0, center=CENTER)

    seen = keypoints[:, 1:, :2]
    extent = (seen.amax(dim=1) - seen.amin(dim=1)).amax(dim=1)
    assert_close(view.box_side, BOX_SCALE * extent)


def test_a_person_moved_and_grown_in_the_picture_looks_the_same_in_the_box(keypoints):
    moved = torch.cat([2 * keypoints[..., :2] + 30, keypoints[..., 2:]], dim=-1)

    one, other = (view_of(each, focal=700.0, center=CENTER) for each in (keypoints, moved))

    assert_close(other.numbers[:, :66], one.numbers[:, :66], atol=1e-5, rtol=0)


def test_nothing_of_a_missing_keypoint_is_looked_at(keypoints, guess):
    keypoints[:, 7, 2] = 0.0
    elsewhere, other_guess = keypoints.clone(), guess.clone()
    elsewhere[:, 7, :2], other_guess[:, 7] = -1e4, 9.0

    one = view_of(keypoints, focal=700.0, center=CENTER, landmarks3d=guess)
    other = view_of(elsewhere, focal=700.0, center=CENTER, landmarks3d=other_guess)

    assert_close(other.numbers, one.numbers)


def test_nobody_at_all_gives_numbers():
    view = view_of(torch.zeros(2, 33, 3), focal=700.0, center=CENTER)

    assert torch.isfinite(view.numbers).all()
    assert (view.box_side > 0).all()


def test_a_guess_of_zeros_is_no_guess(keypoints):
    without = view_of(keypoints, focal=700.0, center=CENTER)
    zeros = view_of(keypoints, focal=700.0, center=CENTER, landmarks3d=torch.zeros(5, 33, 3))

    assert_close(zeros.numbers, without.numbers)
    assert (without.numbers[:, -1] == 0).all()
    assert without.numbers.shape == (5, NUMBERS)


def test_an_encoder_of_the_picture_alone_does_not_hear_the_guess(keypoints, guess):
    encoder = KeypointEncoder(16, blocks=1, numbers=FLAT_NUMBERS).eval()
    views = [view_of(keypoints, focal=700.0, center=CENTER, landmarks3d=each)
             for each in (None, guess)]  # fmt: skip

    without, with_guess = (encoder(each.numbers) for each in views)

    assert_close(with_guess, without, atol=0, rtol=0)


def test_an_encoder_of_all_numbers_hears_the_guess(keypoints, guess):
    encoder = KeypointEncoder(16, blocks=1).eval()
    views = [view_of(keypoints, focal=700.0, center=CENTER, landmarks3d=each)
             for each in (None, guess)]  # fmt: skip

    without, with_guess = (encoder(each.numbers) for each in views)

    assert (with_guess - without).abs().max() > 1e-3
