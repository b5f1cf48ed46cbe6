from dataclasses import replace
from pathlib import Path

import pytest
import torch
from stripmocap.contract.errors import RequestError
from stripmocap.methods.features.keypoints import FLAT_NUMBERS, NUMBERS, View
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork, Sizes
from stripmocap.methods.hmr.weights import load_keypoint_network, save_keypoint_network
from stripmocap.training.hmr import Plan
from stripmocap.training.hmr_run import Order, begun
from torch.testing import assert_close

FLAT = Sizes(features=32, blocks=1, hidden=16, numbers=FLAT_NUMBERS)
WHOLE = Sizes(features=32, blocks=1, hidden=16, numbers=NUMBERS)


@pytest.fixture
def flat(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "flat.safetensors"
    save_keypoint_network(KeypointNetwork.of(FLAT), path, metadata={})
    return path


def order(start, sizes):
    return Order(data=Path(), output=Path(), folder=Path(), sizes=sizes, start=start)


def test_what_a_network_did_not_hear_counts_for_nothing_at_first(flat):
    numbers = torch.randn(4, NUMBERS, generator=torch.Generator().manual_seed(1))
    view = View(numbers, torch.zeros(4, 2), torch.ones(4))

    with torch.no_grad():
        found = begun(order(flat, WHOLE)).eval()(view)
        expected = load_keypoint_network(flat)(view)

    assert_close(found.rotmat, expected.rotmat, atol=1e-5, rtol=0)
    assert_close(found.betas, expected.betas, atol=1e-5, rtol=0)


def test_weights_of_other_sizes_are_not_begun_with(flat):
    other = Sizes(features=16, blocks=1, hidden=16, numbers=NUMBERS)

    with pytest.raises(RequestError, match="holds a network of"):
        begun(order(flat, other))


def test_orders_tell_their_trainings_apart(flat, tmp_path):
    mine = order(flat, WHOLE)
    copied = tmp_path / "copied.safetensors"
    copied.write_bytes(flat.read_bytes())
    told = mine.told(())

    assert replace(mine, start=copied, output=tmp_path).told(()) == told
    assert replace(mine, start=None).told(()) != told
    assert replace(mine, plan=Plan(batch=8)).told(()) != told
