import pytest
import torch
from stripmocap.methods.features.keypoints import NUMBERS
from stripmocap.methods.hmr.regressor import read_state
from stripmocap.methods.vibe.keypoint_network import MARGIN, Sizes, TemporalNetwork
from stripmocap.methods.vibe.mirror import mirrored_numbers, mirrored_states
from torch.testing import assert_close

SMALL = Sizes(features=32, blocks=1, memory=8, layers=1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    found = TemporalNetwork(SMALL).eval()
    torch.nn.init.normal_(found.states.weight, std=0.2)
    return found


def numbers(people=2, frames=9):
    return torch.rand(people, frames, NUMBERS, generator=torch.Generator().manual_seed(1))


def test_every_frame_hears_those_before_and_after(network):
    seen = numbers()
    changed = seen.clone()
    changed[:, 4] += 1.0

    apart = (network.features(changed) - network.features(seen)).abs().amax(dim=-1)

    assert (apart > 0).all()


def test_people_do_not_hear_each_other(network):
    seen = numbers()

    assert_close(network.features(seen)[:1], network.features(seen[:1]))


def test_untaught_encoders_leave_what_frames_say(network):
    for encoder in (network.onward, network.back):
        torch.nn.init.zeros_(encoder.linear.weight)
        torch.nn.init.zeros_(encoder.linear.bias)
    seen = numbers()

    assert_close(network.features(seen), network.single(seen))


def test_margin_is_all_that_a_piece_needs(network):
    seen = numbers(frames=40 + 2 * MARGIN)
    whole = network.single(seen)

    piece = network.single(seen[:, 10 : 30 + 2 * MARGIN])

    assert_close(piece[:, MARGIN:-MARGIN], whole[:, 10 + MARGIN : 30 + MARGIN])


def test_the_mirror_image_is_posed_as_the_mirror_image(network):
    seen = numbers()

    pose, apart = network.poses(mirrored_numbers(seen))

    expected, likewise = network.poses(seen)
    assert_close(pose, mirrored_states(expected))
    assert_close(apart, mirrored_states(likewise).abs())


def test_an_untaught_reading_takes_the_mean_pose_as_it_is(network):
    network.regressor.middle.uniform_(-1, 1)
    network.regressor.spread.fill_(0.5)
    features = torch.randn(3, 157 + SMALL.hearing)

    found = network.regressor(features)

    expected = read_state(0.5 * features[:, :157] + network.regressor.middle)
    assert_close(found.rotmat, expected.rotmat)
    assert_close(found.betas, expected.betas)


@pytest.mark.parametrize("score", [0.0, 1e-4, 1.0])
def test_trust_is_above_zero_and_at_most_one(network, score):
    told = 100.0 * torch.randn(2, 3, network.trust.first.in_features)

    trust = network.trust(told, torch.full((2, 3, 33), score))

    assert (trust > 0).all()
    assert (trust <= 1).all()


def test_bodies_come_person_by_person(network):
    seen = numbers()

    found = network(seen)

    assert_close(found.rotmat[9:], network(seen[1:]).rotmat)
