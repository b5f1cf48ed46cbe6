import numpy as np
import pytest
import torch
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from stripmocap.methods.humor import weights
from stripmocap.methods.humor.initial_state import NUMBERS
from stripmocap.methods.humor.network import MotionPrior
from stripmocap.methods.humor.pose_prior import PosePrior


def tiny(network):
    """A state that takes no room on disk, one number a tensor."""
    return {
        name: torch.full((), 1 + index).to(each.dtype).expand(each.shape)
        for index, (name, each) in enumerate(network.state_dict().items())
    }


@pytest.fixture(scope="module")
def humor():
    return tiny(MotionPrior())


@pytest.fixture(scope="module")
def vposer():
    return tiny(PosePrior())


def saved(content, folder, *, legacy=False):
    torch.save(content, folder / "h.pth", _use_new_zipfile_serialization=not legacy)
    return folder / "h.pth"


def holds(network, state):
    return all(torch.equal(each, state[name]) for name, each in network.state_dict().items())


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_humor_checkpoint_is_read_and_its_optimiser_left_alone(humor, tmp_path, legacy, prefix):
    content = {
        "model": {prefix + name: each for name, each in humor.items()},
        "optim": {"state": {}, "param_groups": [{"lr": 1e-4}]},
        "epoch": 199,
        "min_val_loss": np.float64(1.5),
    }

    network = weights.load_motion_prior(saved(content, tmp_path, legacy=legacy))

    assert not network.training
    assert holds(network, humor)


def test_networks_that_stand_alone_in_a_file_are_read(humor, vposer, tmp_path):
    assert holds(weights.load_motion_prior(saved(humor, tmp_path)), humor)

    network = weights.load_pose_prior(saved(vposer, tmp_path))

    assert not network.training
    assert holds(network, vposer)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("decoder.net.9.bias"), r"1 missing \(decoder.net.9.bias\)"),
        (lambda state: state.update(head=torch.ones(2)), r"1 unexpected \(head\)"),
        (
            lambda state: state.update({"encoder.net.0.bias": torch.ones(1).expand(10**15)}),
            "1 of another shape",
        ),
        (
            lambda state: state.update({"encoder.net.0.bias": torch.tensor(np.nan).expand(1024)}),
            "1 not finite",
        ),
        (lambda state: state.update({"encoder.net.0.bias": 3}), "1 of another shape"),
    ],
)
def test_a_partial_or_changed_checkpoint_is_refused(humor, tmp_path, change, said):
    state = dict(humor)
    change(state)

    with pytest.raises(AssetCorrupt, match=said):
        weights.load_motion_prior(saved({"model": state}, tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"bodyprior_enc_fc1.weight": 0, "bodyprior_dec_fc1.weight": 0}, "VPoser"),
        ({"gen_state_dict": {}, "epoch": 1}, "a VIBE checkpoint"),
        ({"model": 3}, "a file that begins with model"),
        (7, "without named entries"),
    ],
)
def test_a_checkpoint_of_another_network_is_named(tmp_path, content, said):
    with pytest.raises(AssetCorrupt, match=f"{said}.*, not HuMoR's network"):
        weights.load_motion_prior(saved(content, tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"model": {"prior_net.net.0.weight": 0, "decoder.net.0.weight": 0}}, "HuMoR"),
        ({"pytorch-lightning_version": "1.1", "state_dict": {}}, "a Lightning checkpoint"),
        ([], "without named entries"),
    ],
)
def test_what_is_not_the_first_vposer_is_named(tmp_path, content, said):
    with pytest.raises(AssetCorrupt, match=f"{said}.*, not VPoser's first version"):
        weights.load_pose_prior(saved(content, tmp_path))


@pytest.mark.parametrize(
    "load",
    [weights.load_motion_prior, weights.load_pose_prior, weights.load_initial_state_prior],
)
def test_a_missing_or_damaged_file_is_named(load, tmp_path):
    with pytest.raises(AssetMissing, match="absent"):
        load(tmp_path / "absent")

    (tmp_path / "h").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(AssetCorrupt, match="h"):
        load(tmp_path / "h")


def mixture():
    return {
        "weights": np.array([0.25, 0.75]),
        "means": np.zeros((2, NUMBERS)),
        "covariances": np.stack([np.eye(NUMBERS), 4 * np.eye(NUMBERS)]),
    }


def test_a_mixture_of_first_moments_is_read(tmp_path):
    np.savez(tmp_path / "prior_gmm.npz", **mixture())

    prior = weights.load_initial_state_prior(tmp_path / "prior_gmm.npz")

    assert prior.means.shape == (2, NUMBERS)
    torch.testing.assert_close(prior.factors[1], torch.eye(NUMBERS) / 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": None}, "has no weights"),
        ({"means": np.zeros((2, 69))}, "is no mixture"),
        ({"means": np.full((2, NUMBERS), np.nan)}, "is no mixture"),
        ({"covariances": np.zeros((2, NUMBERS, NUMBERS))}, "is no mixture"),
        ({"covariances": np.stack([-np.eye(NUMBERS)] * 2)}, "is no mixture"),
        ({"weights": np.array([1.0, -1.0])}, "is no mixture"),
        ({"weights": np.array(["a", "b"])}, "is no mixture"),
        ({"weights": np.zeros(0), "means": np.zeros((0, NUMBERS))}, "is no mixture"),
    ],
)
def test_another_mixture_is_refused(tmp_path, change, said):
    arrays = {name: each for name, each in (mixture() | change).items() if each is not None}
    np.savez(tmp_path / "prior_gmm.npz", **arrays)

    with pytest.raises(AssetCorrupt, match=said):
        weights.load_initial_state_prior(tmp_path / "prior_gmm.npz")
