import json

import numpy as np
import pytest
import torch
from stripmocap import checkpoints
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from stripmocap.methods.humor import own_weights
from stripmocap.methods.humor.initial_state import NUMBERS, InitialStatePrior
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.methods.humor.pose_prior import PosePrior, PoseSizes
from stripmocap.methods.humor.state import State
from torch.testing import assert_close

SMALL = Sizes(latent=4, hidden=32, layers=1)


def test_a_motion_prior_comes_back_with_its_sizes(tmp_path):
    network = MotionPrior(SMALL)

    own_weights.save_motion_prior(network, tmp_path / "m", metadata={"made": "today"})
    found = own_weights.load_own_motion_prior(tmp_path / "m")

    assert found.sizes == SMALL
    assert not found.training
    assert checkpoints.load_metadata(tmp_path / "m")["made"] == "today"
    for name, each in network.state_dict().items():
        assert_close(found.state_dict()[name], each.half().float())


def test_a_pose_prior_comes_back_with_its_sizes(tmp_path):
    network = PosePrior(PoseSizes(latent=4, hidden=16)).eval()
    latent = torch.ones(2, 4)

    own_weights.save_pose_prior(network, tmp_path / "p", metadata={})
    found = own_weights.load_own_pose_prior(tmp_path / "p")

    assert found.sizes == network.sizes
    assert_close(found.decode(latent), network.decode(latent), rtol=0, atol=0.02)


def test_one_prior_is_not_taken_for_the_other(tmp_path):
    own_weights.save_motion_prior(MotionPrior(SMALL), tmp_path / "m", metadata={})

    with pytest.raises(AssetCorrupt, match="holds motion prior 1, not pose prior"):
        own_weights.load_own_pose_prior(tmp_path / "m")


@pytest.mark.parametrize(
    "sizes",
    [
        "",
        "[]",
        "{",
        json.dumps({"latent": 4, "hidden": 10**9, "layers": 1}),
        json.dumps({"latent": 4, "hidden": 32, "layers": 10**4}),
        json.dumps({"latent": 4, "hidden": 32, "layers": True}),
        json.dumps({"latent": 4, "hidden": 33, "layers": 1}),
        json.dumps({"latent": 4, "width": 32}),
    ],
)
def test_sizes_that_no_network_has_are_refused(tmp_path, sizes):
    metadata = {"kind": own_weights.MOTION_KIND, "sizes": sizes}
    checkpoints.save_network(MotionPrior(SMALL), tmp_path / "m", metadata=metadata)

    with pytest.raises(AssetCorrupt, match="of its sizes"):
        own_weights.load_own_motion_prior(tmp_path / "m")


def test_other_sizes_than_the_arrays_have_are_refused(tmp_path):
    sizes = json.dumps({"latent": 5, "hidden": 32, "layers": 1})
    metadata = {"kind": own_weights.MOTION_KIND, "sizes": sizes}
    checkpoints.save_network(MotionPrior(SMALL), tmp_path / "m", metadata=metadata)

    with pytest.raises(AssetCorrupt, match="of another shape"):
        own_weights.load_own_motion_prior(tmp_path / "m")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssetMissing, match="absent"):
        own_weights.load_own_motion_prior(tmp_path / "absent")


def mixture():
    rng = np.random.default_rng(0)
    means = rng.standard_normal((3, NUMBERS))
    return means, np.stack([np.eye(NUMBERS) * each for each in (1.0, 2.0, 0.5)])


def test_how_motions_begin_comes_back(tmp_path):
    means, covariances = mixture()
    weights = np.array([0.5, 0.3, 0.2])
    first = State(torch.randn(4, 339))

    own_weights.save_initial_state_prior(
        means, covariances, weights=weights, path=tmp_path / "b", metadata={"made": "today"}
    )
    found = own_weights.load_own_initial_state_prior(tmp_path / "b")

    expected = InitialStatePrior.from_mixture(means, covariances, weights=weights)
    assert_close(found.energy(first), expected.energy(first), rtol=1e-4, atol=0)
    assert checkpoints.load_metadata(tmp_path / "b")["made"] == "today"


def test_another_file_does_not_say_how_motions_begin(tmp_path):
    own_weights.save_motion_prior(MotionPrior(SMALL), tmp_path / "m", metadata={})

    with pytest.raises(AssetCorrupt, match="not mixture over first moments"):
        own_weights.load_own_initial_state_prior(tmp_path / "m")


def test_a_mixture_that_is_none_is_refused(tmp_path):
    means, covariances = mixture()

    own_weights.save_initial_state_prior(
        means, -covariances, weights=np.ones(3), path=tmp_path / "b", metadata={}
    )

    with pytest.raises(AssetCorrupt, match="no mixture"):
        own_weights.load_own_initial_state_prior(tmp_path / "b")
