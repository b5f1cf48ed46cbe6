from dataclasses import replace
from pathlib import Path

import pytest
import torch
from stripmocap.contract.errors import RequestError
from stripmocap.methods.features.keypoints import FLAT_NUMBERS, NUMBERS, view_of
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork, Sizes
from stripmocap.methods.hmr.weights import save_keypoint_network
from stripmocap.training.hmr_run import Order, begun
from torch.testing import assert_close

SIZES = Sizes(features=16, blocks=1, hidden=16, numbers=NUMBERS)


@pytest.fixture
def order(tmp_path):
    return Order(Path("data"), tmp_path / "new.safetensors", tmp_path / "run", sizes=SIZES)


@pytest.fixture
def flat(tmp_path):
    """Weights of a network that hears the picture only."""
    torch.manual_seed(3)
    network = KeypointNetwork.of(replace(SIZES, numbers=FLAT_NUMBERS)).half().float().eval()
    path = tmp_path / "flat.safetensors"
    save_keypoint_network(network, path, metadata={})
    return network, path


def test_a_training_begins_as_the_weights_that_it_is_given(order, flat):
    network, path = flat
    view = view_of(
        torch.rand(4, 33, 3), focal=1.0, center=torch.zeros(2), landmarks3d=torch.randn(4, 33, 3)
    )

    grown = begun(replace(order, start=path)).eval()

    assert grown.sizes == SIZES
    assert_close(grown(view).rotmat, network(view).rotmat, atol=1e-6, rtol=0)


def test_weights_of_another_size_are_refused(order, flat):
    other = replace(order, sizes=replace(SIZES, features=32), start=flat[1])

    with pytest.raises(RequestError, match="features=16"):
        begun(other)
