import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from stripmocap.contract.errors import AssetCorrupt, AssetMissing, DiskFull
from stripmocap.methods.features.keypoints import view_of
from stripmocap.methods.hmr import weights
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork


@pytest.fixture
def network():
    torch.manual_seed(0)
    return KeypointNetwork(32, blocks=1, hidden=16).eval()


def test_a_network_comes_back_from_its_file_alone(network, tmp_path):
    weights.save_keypoint_network(network, tmp_path / "w.safetensors", metadata={"seed": "3"})
    view = view_of(torch.rand(4, 33, 3), focal=1.0, center=torch.zeros(2))

    loaded = weights.load_keypoint_network(tmp_path / "w.safetensors")

    assert loaded.sizes == network.sizes
    assert not loaded.training
    # Half precision on disk has three digits.
    torch.testing.assert_close(loaded(view).rotmat, network(view).rotmat, atol=5e-3, rtol=0)


def test_weights_take_two_bytes_each_on_disk(network, tmp_path):
    weights.save_keypoint_network(network, tmp_path / "w.safetensors", metadata={})

    count = sum(each.numel() for each in network.state_dict().values())
    assert (tmp_path / "w.safetensors").stat().st_size < 2 * count + 4000


def test_a_file_of_another_kind_is_named(tmp_path):
    save_file({"means": np.zeros(3)}, tmp_path / "w.safetensors", metadata={"kind": "pose prior"})

    with pytest.raises(AssetCorrupt, match="pose prior"):
        weights.load_keypoint_network(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    "sizes", ["", "[]", '{"features": -1}', '{"features": "8"}', '{"width": 8}', '{"blocks": 1e9}']
)
def test_sizes_that_cannot_be_are_refused(sizes, tmp_path):
    said = {"kind": weights.KEYPOINT_KIND, "sizes": sizes}
    save_file({"means": np.zeros(3)}, tmp_path / "w.safetensors", metadata=said)

    with pytest.raises(AssetCorrupt, match="sizes"):
        weights.load_keypoint_network(tmp_path / "w.safetensors")


def test_a_network_of_other_sizes_than_it_says_is_refused(network, tmp_path):
    network.sizes = KeypointNetwork(32, blocks=2, hidden=16).sizes
    weights.save_keypoint_network(network, tmp_path / "w.safetensors", metadata={})

    with pytest.raises(AssetCorrupt, match=r"missing.*encoder\.blocks\.1"):
        weights.load_keypoint_network(tmp_path / "w.safetensors")


def test_weights_that_are_no_numbers_are_refused(network, tmp_path):
    network.regressor.fc1.bias.data[0] = torch.nan
    weights.save_keypoint_network(network, tmp_path / "w.safetensors", metadata={})

    with pytest.raises(AssetCorrupt, match=r"not finite \(regressor.fc1.bias"):
        weights.load_keypoint_network(tmp_path / "w.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssetMissing, match="absent"):
        weights.load_keypoint_network(tmp_path / "absent.safetensors")


def test_a_failed_save_leaves_nothing_behind(network, tmp_path):
    with pytest.raises(DiskFull, match="nowhere"):
        weights.save_keypoint_network(network, tmp_path / "nowhere" / "w", metadata={})

    assert list(tmp_path.iterdir()) == []
