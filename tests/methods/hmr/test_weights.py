import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from stripmocap.contract.errors import AssetCorrupt, AssetMissing, DiskFull
from stripmocap.methods.features.keypoints import view_of
from stripmocap.methods.hmr import weights
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork
from stripmocap.methods.hmr.pixel_network import PixelNetwork, spin_name


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


@pytest.fixture(scope="module")
def spin():
    """A state under SPIN's names that takes no room on disk: one number a tensor."""
    values = iter(np.linspace(0.1, 1.0, 400))
    return {
        spin_name(name): torch.full((), float(next(values))).to(each.dtype).expand(each.shape)
        for name, each in PixelNetwork().state_dict().items()
    }


def saved(content, folder, *, legacy=False):
    torch.save(content, folder / "c.pt", _use_new_zipfile_serialization=not legacy)
    return folder / "c.pt"


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_a_spin_checkpoint_is_read(spin, tmp_path, legacy, alone):
    beside = {"epoch": 3, "batch_size": 64, "dataset_perm": np.arange(3), "optimizer": {}}
    path = saved(spin if alone else {"model": spin, **beside}, tmp_path, legacy=legacy)

    network = weights.load_pixel_network(path)

    assert not network.training
    assert all(
        torch.equal(each, spin[spin_name(name)]) for name, each in network.state_dict().items()
    )


def test_counts_of_batches_may_be_absent(spin, tmp_path):
    without = {name: each for name, each in spin.items() if "num_batches" not in name}

    assert weights.load_pixel_network(saved({"model": without}, tmp_path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("fc2.bias"), r"1 missing \(regressor.fc2.bias\)"),
        (lambda state: state.pop("init_pose"), r"1 missing \(regressor.init_pose\)"),
        (lambda state: state.update(head=torch.ones(2)), r"1 unexpected \(head\)"),
        (
            lambda state: state.update({"fc1.bias": torch.ones(1).expand(10**15)}),
            "1 of another shape",
        ),
        (
            lambda state: state.update({"fc1.bias": torch.tensor(np.nan).expand(1024)}),
            "1 not finite",
        ),
        (lambda state: state.update({"fc1.bias": 3}), "1 of another shape"),
    ],
)
def test_a_partial_or_changed_checkpoint_is_refused(spin, tmp_path, change, said):
    state = dict(spin)
    change(state)

    with pytest.raises(AssetCorrupt, match=said):
        weights.load_pixel_network(saved({"model": state}, tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"gen_state_dict": {}, "epoch": 1}, "a VIBE checkpoint, not a SPIN"),
        ({"model": {"prior_net.net.0.weight": 0, "decoder.net.0.weight": 0}}, "HuMoR"),
        ({"conv1.weight": 0, "layer4.0.conv1.weight": 0}, "a ResNet without"),
        ({"model": 3}, "begins with model"),
        (7, "without named entries"),
    ],
)
def test_a_checkpoint_of_another_network_is_named(tmp_path, content, said):
    with pytest.raises(AssetCorrupt, match=said):
        weights.load_pixel_network(saved(content, tmp_path))
