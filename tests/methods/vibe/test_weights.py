import numpy as np
import pytest
import torch
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from stripmocap.methods.vibe import weights
from stripmocap.methods.vibe.pixel_network import Generator


@pytest.fixture(scope="module")
def vibe():
    """A generator's state that takes no room on disk, one number a tensor, and SMPL's beside it."""
    values = iter(np.linspace(0.1, 1.0, 40))
    state = {
        name: torch.full((), float(next(values))).expand(each.shape)
        for name, each in Generator().state_dict().items()
    }
    state["regressor.smpl.v_template"] = torch.zeros(()).expand(6890, 3)
    state["regressor.smpl.whatever_smplx_adds"] = torch.zeros((), dtype=torch.int64)
    return state


def saved(content, folder, *, legacy=False):
    torch.save(content, folder / "v.pth.tar", _use_new_zipfile_serialization=not legacy)
    return folder / "v.pth.tar"


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_a_vibe_checkpoint_is_read_and_its_body_left_alone(vibe, tmp_path, legacy, alone):
    beside = {
        "epoch": 3,
        "performance": np.float64(56.5),
        "gen_optimizer": {"state": {}, "param_groups": [{"lr": 5e-5}]},
        "disc_motion_state_dict": {"gru.weight_ih_l0": torch.zeros(2, 2)},
    }
    path = saved(vibe if alone else {"gen_state_dict": vibe, **beside}, tmp_path, legacy=legacy)

    network = weights.load_generator(path)

    assert not network.training
    assert all(torch.equal(each, vibe[name]) for name, each in network.state_dict().items())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("encoder.linear.bias"), r"1 missing \(encoder.linear.bias\)"),
        (lambda state: state.pop("regressor.init_cam"), r"1 missing \(regressor.init_cam\)"),
        (lambda state: state.update(head=torch.ones(2)), r"1 unexpected \(head\)"),
        (
            lambda state: state.update({"regressor.fc1.bias": torch.ones(1).expand(10**15)}),
            "1 of another shape",
        ),
        (
            lambda state: state.update({"regressor.fc1.bias": torch.tensor(np.nan).expand(1024)}),
            "1 not finite",
        ),
        (lambda state: state.update({"regressor.fc1.bias": 3}), "1 of another shape"),
    ],
)
def test_a_partial_or_changed_checkpoint_is_refused(vibe, tmp_path, change, said):
    state = dict(vibe)
    change(state)

    with pytest.raises(AssetCorrupt, match=said):
        weights.load_generator(saved({"gen_state_dict": state}, tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"model": {"conv1.weight": 0, "fc1.weight": 0, "decpose.weight": 0}}, "a SPIN checkpoint"),
        ({"gru.weight_ih_l0": 0, "attention.attention.0.weight": 0}, "motion discriminator"),
        ({"gen_state_dict": {}, "epoch": 1}, "without VIBE's layers"),
        ({"gen_state_dict": 3}, "without VIBE's layers"),
        ({"v_template": 0, "shapedirs": 0}, "a body model"),
        (7, "without named entries"),
    ],
)
def test_a_checkpoint_of_another_network_is_named(tmp_path, content, said):
    with pytest.raises(AssetCorrupt, match=f"{said}.*, not VIBE's generator"):
        weights.load_generator(saved(content, tmp_path))


def test_a_missing_or_damaged_file_is_named(vibe, tmp_path):
    with pytest.raises(AssetMissing, match="absent"):
        weights.load_generator(tmp_path / "absent.pth.tar")

    path = saved({"gen_state_dict": vibe}, tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(AssetCorrupt, match=r"v\.pth\.tar is"):
        weights.load_generator(path)
