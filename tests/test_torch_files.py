import collections
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from stripmocap import torch_files
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from torch import nn

NEW, OLD = True, False  # torch's two forms of file
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Trainer:
    """A class that only the writer of a checkpoint knows."""


class Bomb:
    """Runs code where a pickle is read carelessly."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


@pytest.fixture(params=[NEW, OLD], ids=["archive", "row of pickles"])
def save(request, tmp_path):
    def saved(content, name="c.pt"):
        path = tmp_path / name
        torch.save(content, path, _use_new_zipfile_serialization=request.param)
        return path

    return saved


def test_tensors_of_every_type_come_back(save):
    types = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8)
    content = {str(each): torch.arange(6).reshape(2, 3).to(each) for each in types}

    read = torch_files.read(save({"model": content}))["model"]

    assert read.keys() == content.keys()
    for name, each in content.items():
        assert read[name].tensor().dtype == each.dtype
        assert torch.equal(read[name].tensor(), each)


def test_parts_of_one_storage_come_back_where_they_were(save):
    whole = torch.arange(24.0).reshape(4, 6)
    parts = {"turned": whole.T, "part": whole[1:3, ::2], "one": whole[3, 5]}

    read = torch_files.read(save(parts))

    for name, each in parts.items():
        assert torch.equal(read[name].tensor(), each)


def test_a_state_with_parameters_and_an_empty_tensor_comes_back(save):
    state = nn.Linear(2, 3).state_dict()
    state["nothing"] = torch.zeros(0, 4)
    state["given"] = nn.Parameter(torch.ones(2))

    read = torch_files.read(save(state))

    assert list(read) == list(state)
    assert read["nothing"].tensor().shape == (0, 4)
    assert torch.equal(read["given"].tensor(), torch.ones(2))


def test_what_a_trainer_keeps_beside_the_weights_is_no_hindrance(save):
    optimiser = torch.optim.Adam(nn.Linear(2, 2).parameters())
    beside = {
        "optimizer": optimiser.state_dict(),
        "performance": np.float64(56.5),
        "perm": np.arange(4),
        "found": collections.defaultdict(list, a=[1]),
        "trainer": Trainer(),
    }

    read = torch_files.read(save({"model": {"w": torch.ones(2)}, **beside}))

    assert torch.equal(read["model"]["w"].tensor(), torch.ones(2))
    assert isinstance(read["trainer"], torch_files.Foreign)


def test_nothing_in_a_checkpoint_is_run(save, tmp_path):
    path = save({"model": {"w": torch.ones(2)}, "extra": Bomb(tmp_path / "ran")})

    torch_files.read(path)

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short_is_refused(save, share):
    path = save({"model": {str(each): torch.ones(50, 50) for each in range(5)}})
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])

    with pytest.raises(AssetCorrupt, match="short"):
        torch_files.read(path)


def test_damaged_numbers_of_an_archive_are_noticed(tmp_path):
    path = tmp_path / "c.pt"
    torch.save({"w": torch.full((1000,), 7.5)}, path)
    data = bytearray(path.read_bytes())
    data[data.index(np.full(10, 7.5, np.float32).tobytes()) + 100] ^= 1
    path.write_bytes(data)

    with pytest.raises(AssetCorrupt, match="damaged"):
        torch_files.read(path)["w"].tensor()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>Sign in", "web page"),
        (b"\0" * 100, "no checkpoint"),
        (b"hello", "no checkpoint"),
        (pickle.dumps({"v_template": np.zeros(3), "shapedirs": 1}, protocol=2), "a body model"),
        (pickle.dumps({"means": 1, "covars": 1, "weights": 1}, protocol=2), "a mixture of poses"),
    ],
)
def test_another_file_is_named_as_what_it_is(tmp_path, content, said):
    path = tmp_path / "model_checkpoint.pt"
    path.write_bytes(content)

    with pytest.raises(AssetCorrupt, match=said):
        torch_files.read(path)


def test_an_archive_of_arrays_is_named(tmp_path):
    np.savez(tmp_path / "body.npz", v_template=np.zeros(3))

    with pytest.raises(AssetCorrupt, match=r"\.npz file of arrays"):
        torch_files.read(tmp_path / "body.npz")


def test_our_own_weights_are_named(tmp_path):
    save_file({"means": np.zeros(3)}, tmp_path / "spin.safetensors")

    with pytest.raises(AssetCorrupt, match="safetensors"):
        torch_files.read(tmp_path / "spin.safetensors")


def test_a_compressed_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "c.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("c/data.pkl", pickle.dumps({}))
        archive.writestr("c/data/0", bytes(1 << 20))

    with pytest.raises(AssetCorrupt, match="compressed"):
        torch_files.read(tmp_path / "c.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssetMissing, match="absent"):
        torch_files.read(tmp_path / "absent.pt")


def rebuilt(*arguments):
    """A pickle that asks for a tensor in its own words; see torch._utils."""

    class Asked:
        def __reduce__(self):
            return (torch._utils._rebuild_tensor_v2, arguments)

    return Asked()


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [(0, (5,), (1,)), (2, (3,), (1,)), (-1, (2,), (1,)), (0, (2, 2), (1,)), (0, (2.0,), (1,))],
)
def test_a_tensor_beyond_its_storage_is_refused(save, offset, size, stride):
    storage = torch.ones(4).storage()

    with pytest.raises(AssetCorrupt):
        torch_files.read(save({"w": rebuilt(storage, offset, size, stride, False, {})}))


def test_a_tensor_of_nothing_is_refused(save):
    with pytest.raises(AssetCorrupt):
        torch_files.read(save({"w": rebuilt(3, 0, (1,), (1,), False, {})}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"gen_state_dict": {}, "performance": 56.0}, "VIBE"),
        ({"model": {"prior_net.net.0.weight": 1, "decoder.net.0.weight": 1}}, "HuMoR"),
        ({"bodyprior_dec_fc1.weight": 1}, "VPoser"),
        ({"state_dict": {}, "pytorch-lightning_version": "1"}, "Lightning"),
        ({"conv1.weight": 1, "layer4.0.conv1.weight": 1, "fc.weight": 1}, "ResNet"),
        ({"this": 1, "that": 2}, "begins with that, this"),
        ([1, 2], "without named entries"),
    ],
)
def test_checkpoints_of_others_are_named(content, said):
    assert said in torch_files.kind_of(content)


def tensors_of(value):
    match value:
        case torch_files.Stored():
            return [value]
        case dict():
            return [each for part in value.values() for each in tensors_of(part)]
        case _:
            return []


def test_a_file_with_some_bytes_changed_is_read_or_refused(save):
    path = save({"model": {str(each): torch.randn(3, 2) for each in range(4)}, "epoch": 3})
    whole, rng = path.read_bytes(), np.random.default_rng(0)

    for _ in range(200):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 6)):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:
            for each in tensors_of(torch_files.read(path)):
                each.tensor()
        except AssetCorrupt:
            continue  # anything else is a fault
