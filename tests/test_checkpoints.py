import numpy as np
import pytest
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
