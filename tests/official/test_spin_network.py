"""Our network against `spin_hmr.npz`: features, bodies and cameras of SPIN's own."""

import json

import numpy as np
import pytest
import torch
from stripmocap.methods.hmr.inference import prepared
from stripmocap.methods.hmr.pixel_network import PixelNetwork, spin_name
from stripmocap.methods.hmr.regressor import read_state

pytestmark = pytest.mark.official
TOLERANCE = 1e-5  # times 1 + the largest number, as the oracles ask of a single forward


@pytest.fixture(scope="module")
def numbers(oracles):
    return oracles("spin_hmr")


@pytest.fixture(scope="module")
def state(oracles):
    entries = json.loads((oracles.folder / "spin_keys.json").read_text("utf-8"))["entries"]
    shapes = {entry["key"]: entry["shape"] for entry in entries}
    return oracles.synth.fill_all(shapes, oracles.seed)


@pytest.fixture(scope="module")
def network(state):
    network = PixelNetwork().eval()
    named = {name: torch.as_tensor(state[spin_name(name)]) for name in network.state_dict()}
    network.load_state_dict(named)
    return network


@pytest.fixture(scope="module")
def pictures(oracles):
    return torch.tensor(oracles.synth.normal("spin_img", (2, 3, 224, 224), oracles.seed))


def near(got, expected):
    expected = np.asarray(expected)
    np.testing.assert_allclose(
        got.detach(), expected, rtol=0, atol=TOLERANCE * (1 + np.abs(expected).max())
    )


def test_weights_are_filled_as_the_oracles_were(state, numbers):
    sums = [state[str(name)].astype(np.float64).sum() for name in numbers["checksum_names"]]

    np.testing.assert_allclose(sums, numbers["checksums"], rtol=1e-6)


def test_our_state_is_that_of_spin_entry_by_entry(state, network):
    ours = {spin_name(name): tuple(each.shape) for name, each in network.state_dict().items()}

    assert ours == {name: each.shape for name, each in state.items()}


def test_features_are_those_of_spin(network, pictures, numbers):
    with torch.no_grad():
        near(network.features(pictures), numbers["features"])


@pytest.mark.parametrize(("iterations", "suffix"), [(1, "_iter1"), (3, "")])
def test_bodies_are_those_of_spin(network, numbers, iterations, suffix):
    features = torch.tensor(numbers["features"])

    got = network.regressor(features, iterations=iterations)

    near(got.rotmat, numbers[f"rotmat{suffix}"])
    near(got.betas, numbers[f"betas{suffix}"])
    near(got.camera, numbers[f"cam{suffix}"])


def test_the_whole_network_is_spin(network, pictures, numbers):
    with torch.no_grad():
        got = network(pictures)

    near(got.rotmat, numbers["rotmat"])
    near(got.betas, numbers["betas"])
    near(got.camera, numbers["cam"])


def test_the_network_made_fast_is_still_spin(network, pictures, numbers):
    swift = prepared(network, device=torch.device("cpu"))

    with torch.no_grad():
        got = swift(pictures.contiguous(memory_format=torch.channels_last))

    near(got.rotmat, numbers["rotmat"])
    near(got.betas, numbers["betas"])
    near(got.camera, numbers["cam"])


def test_the_folded_regressor_answers_as_the_iterative_one(network, numbers):
    features = torch.tensor(numbers["features"])
    swift = prepared(network, device=torch.device("cpu"))

    near(swift.regressor(features).rotmat, numbers["rotmat"])
    near(read_state(swift.regressor.affine(features)).camera, numbers["cam"])
