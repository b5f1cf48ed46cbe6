import pytest
import torch
from stripmocap.methods.features.keypoints import NUMBERS
from stripmocap.methods.vibe.keypoint_network import Sizes, TemporalNetwork
from torch.testing import assert_close

SMALL = Sizes(features=32, blocks=1, hidden=16, memory=8, layers=1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    found = TemporalNetwork(SMALL).eval()
    torch.nn.init.normal_(found.regressor.decpose.weight, std=0.2)
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


def test_untaught_encoders_leave_what_single_frames_say(network):
    for encoder in (network.onward, network.back):
        torch.nn.init.zeros_(encoder.linear.weight)
        torch.nn.init.zeros_(encoder.linear.bias)
    seen = numbers()

    assert_close(network.features(seen), network.single(seen))


def test_what_is_not_kept_of_a_frame_is_left_to_the_encoders(network):
    seen = numbers()
    single = network.single(seen)
    before = network.features(seen)
    with torch.no_grad():
        network.kept.fill_(0.25)

    assert_close(network.features(seen), before - 0.75 * single)


def test_bodies_come_person_by_person(network):
    seen = numbers()

    found = network(seen)

    assert_close(found.rotmat[9:], network(seen[1:]).rotmat)
