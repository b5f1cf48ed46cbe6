import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.hmr.inference import prepared
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.methods.vibe.pixel_network import Generator, numbers_of, seen_in_crop
from torch.testing import assert_close

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Generator(hidden=32).eval()


def test_what_comes_later_does_not_change_what_came_before(network):
    features = torch.rand(1, 12, 2048)
    changed = torch.cat([features[:, :7], torch.rand(1, 5, 2048)], dim=1)

    with torch.no_grad():
        first, second = network(features)[0].rotmat, network(changed)[0].rotmat

    assert_close(second[:7], first[:7])
    assert not torch.allclose(second[7:], first[7:])


def test_a_prepared_generator_says_the_same_piece_by_piece(network):
    features, swift = torch.rand(2, 12, 2048), prepared(network, device=CPU)

    with torch.no_grad():
        expected, _ = network(features)
        before, state = swift(features[:, :5])
        after, _ = swift(features[:, 5:], state)

    got = torch.cat([each.rotmat.unflatten(0, (2, -1)) for each in (before, after)], dim=1)
    assert_close(got.flatten(0, 1), expected.rotmat, atol=1e-5, rtol=0)


def test_the_85_numbers_hold_camera_pose_and_shape(network):
    with torch.no_grad():
        said, _ = network(torch.rand(1, 3, 2048))

    camera, pose, betas = numbers_of(said).split((3, 72, 10), dim=1)

    assert_close(camera, said.camera)
    assert_close(betas, said.betas)
    assert_close(aa_to_matrix(pose.unflatten(1, (24, 3))), said.rotmat, atol=1e-5, rtol=0)


def test_a_turn_by_pi_has_numbers():
    half = torch.diag(torch.tensor([1.0, -1, -1])).repeat(1, 24, 1, 1)

    numbers = numbers_of(Regressed(half, torch.zeros(1, 10), torch.zeros(1, 3)))

    assert torch.isfinite(numbers).all()
    assert_close(aa_to_matrix(numbers[0, 3:75].unflatten(0, (24, 3))), half[0], atol=1e-5, rtol=0)


def test_a_body_in_the_middle_is_seen_in_the_middle():
    camera = torch.tensor([[0.5, 0.0, 0.0], [0.5, 0.2, -0.4]])
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0]]]).expand(2, -1, -1)

    seen = seen_in_crop(points, camera)

    # At a scale of a half, a metre is half of half the crop.
    expected = torch.tensor([[[0.0, 0.0], [0.5, 0.0]], [[0.1, -0.2], [0.6, -0.2]]])
    assert_close(seen, expected, atol=1e-4, rtol=0)
