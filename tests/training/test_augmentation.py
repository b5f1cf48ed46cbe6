"""Changed pictures: what their bodies do, and the way back."""

import pytest
import torch
from stripmocap.contract.skeleton import SPIN_NAMES
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.training import augmentation
from stripmocap.training.augmentation import Augmentation


@pytest.fixture
def bodies():
    return 0.4 * torch.randn(64, 72, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def drawn():
    return Augmentation.draw(64, generator=torch.Generator().manual_seed(1))


def rotations(bodies):
    return aa_to_matrix(bodies.unflatten(1, (24, 3)))


def test_what_was_done_to_a_body_is_undone(bodies, drawn):
    back = drawn.undone(drawn.of(bodies))

    torch.testing.assert_close(rotations(back), rotations(bodies), atol=1e-5, rtol=0)


def test_a_plain_picture_changes_no_body(bodies):
    plain = Augmentation.none(64)

    assert torch.equal(plain.of(bodies), bodies)
    assert torch.equal(plain.undone(bodies), bodies)


def test_a_turn_of_the_picture_turns_the_pelvis_only(bodies):
    quarter = torch.full((64,), torch.pi / 2)

    turned = augmentation.turned(bodies, quarter)

    assert torch.equal(turned[:, 3:], bodies[:, 3:])
    # What pointed right in the picture (x) now points up (-y).
    right = torch.tensor([1.0, 0.0, 0.0])
    up = torch.tensor([0.0, -1.0, 0.0]).expand(64, 3)
    torch.testing.assert_close(augmentation.in_plane(quarter) @ right, up, atol=1e-6, rtol=0)


def test_the_mirror_exchanges_left_and_right(bodies):
    mirrored = augmentation.mirror_where(torch.ones(64, dtype=torch.bool), bodies)
    left_elbow, right_elbow = slice(54, 57), slice(57, 60)

    sign = torch.tensor([1.0, -1.0, -1.0])
    torch.testing.assert_close(mirrored[:, left_elbow], bodies[:, right_elbow] * sign)


def test_mirroring_keypoints_twice_changes_nothing():
    points = torch.randn(5, 49, 3, generator=torch.Generator().manual_seed(2))

    for columns in (slice(0, 49), slice(25, 49)):
        twice = augmentation.mirrored_points(augmentation.mirrored_points(points[:, columns]))
        assert torch.equal(twice, points[:, columns])


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("OP RAnkle", "OP LAnkle"),
        ("LEar", "REar"),
        ("OP LBigToe", "OP RBigToe"),
        ("OP Neck", "OP Neck"),
        ("Jaw", "Jaw"),
    ],
)
def test_a_keypoint_has_a_partner_of_its_own_half(name, other):
    partner = augmentation.keypoint_partners()[SPIN_NAMES.index(name)]

    assert SPIN_NAMES[partner] == other


def test_drawn_changes_stay_within_their_bounds():
    drawn = Augmentation.draw(4000, generator=torch.Generator().manual_seed(3))

    assert drawn.turn_rad.abs().max() <= torch.pi / 3 + 1e-6
    assert 0.57 < (drawn.turn_rad == 0).float().mean() < 0.63
    assert 0.47 < drawn.mirrored.float().mean() < 0.53
    assert 0.75 - 1e-6 <= drawn.scale.min() < drawn.scale.max() <= 1.25 + 1e-6
    assert 0.6 - 1e-6 <= drawn.colour.min() < drawn.colour.max() <= 1.4 + 1e-6


def test_the_same_seed_draws_the_same_changes():
    first, second = (
        Augmentation.draw(9, generator=torch.Generator().manual_seed(4)) for _ in range(2)
    )

    assert all(torch.equal(getattr(first, name), getattr(second, name)) for name in vars(first))
