import pytest
import torch
from stripmocap.methods.features.keypoints import NUMBERS
from stripmocap.methods.vibe.keypoint_network import MARGIN, Sizes, TemporalNetwork
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


def test_untaught_encoders_leave_what_frames_say(network):
    for encoder in (network.onward, network.back):
        torch.nn.init.zeros_(encoder.linear.weight)
        torch.nn.init.zeros_(encoder.linear.bias)
    seen = numbers()

    assert_close(network.features(seen), network.single(seen))


def test_margin_is_all_that_a_piece_needs(network):
    seen = numbers(frames=60)
    whole = network.single(seen)

    piece = network.single(seen[:, 20 - MARGIN : 40 + MARGIN])

    assert_close(piece[:, MARGIN:-MARGIN], whole[:, 20:40])


def test_bodies_come_person_by_person(network):
    seen = numbers()

    found = network(seen)

    assert_close(found.rotmat[9:], network(seen[1:]).rotmat)
