from dataclasses import dataclass

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from stripmocap import checkpoints
from stripmocap.contract.errors import AssetCorrupt, AssetMissing


def test_arrays_come_back(tmp_path):
    path, means = tmp_path / "weights.safetensors", np.linspace(0, 1, 12).reshape(3, 4)
    save_file({"means": means}, path)

    np.testing.assert_array_equal(checkpoints.load_arrays(path)["means"], means)


@pytest.mark.parametrize("length", [0, 5, 20])
def test_a_file_cut_short_is_refused(tmp_path, length):
    path = tmp_path / "weights.safetensors"
    save_file({"means": np.zeros(3)}, path)
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(AssetCorrupt):
        checkpoints.load_arrays(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssetMissing, match="absent"):
        checkpoints.load_arrays(tmp_path / "absent.safetensors")


@dataclass(frozen=True)
class Sizes:
    width: int = 2


MOST = {"width": 1 << 20}


def network_of(sizes: dict[str, int]) -> torch.nn.Module:
    return torch.nn.Linear(sizes["width"], sizes["width"])


def test_a_network_comes_back_from_its_file_alone(tmp_path):
    path, network = tmp_path / "weights.safetensors", network_of({"width": 3})
    checkpoints.save_sized(network, path, kind="toy", sizes=Sizes(3), metadata={})

    read = checkpoints.load_sized(path, network_of, kind="toy", most=MOST)

    torch.testing.assert_close(read.state_dict(), network.state_dict(), rtol=0, atol=1e-3)


def test_a_file_that_claims_sizes_it_does_not_have_takes_no_memory(tmp_path):
    path, built = tmp_path / "weights.safetensors", list[str]()

    def build(sizes: dict[str, int]) -> torch.nn.Module:
        network = network_of(sizes)  # 4 TB, were it real
        built.append(next(network.parameters()).device.type)
        return network

    checkpoints.save_sized(
        network_of({"width": 2}), path, kind="toy", sizes=Sizes(1 << 20), metadata={}
    )

    with pytest.raises(AssetCorrupt, match="of another shape"):
        checkpoints.load_sized(path, build, kind="toy", most=MOST)
    assert built == ["meta"]
