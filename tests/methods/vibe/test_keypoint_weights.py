import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from stripmocap.methods.features.keypoints import NUMBERS
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork
from stripmocap.methods.hmr.weights import save_keypoint_network
from stripmocap.methods.vibe import keypoint_weights
from stripmocap.methods.vibe.estimate import SHIPPED_VIBE
from stripmocap.methods.vibe.keypoint_network import Sizes, TemporalNetwork

SMALL = Sizes(features=32, blocks=1, memory=8, layers=1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TemporalNetwork(SMALL).eval()


def test_a_network_comes_back_from_its_file_alone(network, tmp_path):
    keypoint_weights.save_temporal_network(network, tmp_path / "w.safetensors", metadata={})
    numbers = torch.rand(2, 5, NUMBERS)

    loaded = keypoint_weights.load_temporal_network(tmp_path / "w.safetensors")

    assert loaded.sizes == SMALL
    assert not loaded.training
    # Half precision on disk has three digits.
    torch.testing.assert_close(loaded(numbers).rotmat, network(numbers).rotmat, atol=5e-3, rtol=0)


def test_the_shipped_network_says_bodies():
    network = keypoint_weights.load_temporal_network(SHIPPED_VIBE)

    said = network(torch.zeros(1, 4, NUMBERS))

    unit = said.rotmat.mT @ said.rotmat
    torch.testing.assert_close(unit, torch.eye(3).expand_as(unit), atol=1e-4, rtol=0)
    assert said.betas.isfinite().all()
    assert SHIPPED_VIBE.with_suffix(".md").is_file()


def test_weights_of_single_frames_are_named(tmp_path):
    path = tmp_path / "w.safetensors"
    save_keypoint_network(KeypointNetwork(32, blocks=1, hidden=16), path, metadata={})

    with pytest.raises(AssetCorrupt, match="keypoint network"):
        keypoint_weights.load_temporal_network(path)


@pytest.mark.parametrize("sizes", ["", "[]", '{"memory": 0}', '{"memory": 1e9}', '{"width": 8}'])
def test_sizes_that_cannot_be_are_refused(sizes, tmp_path):
    said = {"kind": keypoint_weights.TEMPORAL_KIND, "sizes": sizes}
    save_file({"window": np.zeros(3)}, tmp_path / "w.safetensors", metadata=said)

    with pytest.raises(AssetCorrupt, match="sizes"):
        keypoint_weights.load_temporal_network(tmp_path / "w.safetensors")


def test_missing_weights_are_said(tmp_path):
    with pytest.raises(AssetMissing):
        keypoint_weights.load_temporal_network(tmp_path / "nothing.safetensors")
