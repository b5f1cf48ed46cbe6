import math
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from stripmocap.methods.smplify.priors import SHIPPED_PRIOR, PosePrior
from torch.testing import assert_close


@pytest.fixture
def mixture():
    rng = np.random.default_rng(0)
    factors = rng.normal(scale=0.05, size=(3, 69, 69))
    return {
        "means": rng.normal(scale=0.2, size=(3, 69)),
        "covars": factors @ factors.transpose(0, 2, 1) + 0.05 * np.eye(69),
        "weights": np.array([0.5, 0.3, 0.2]),
    }


@pytest.fixture
def prior(mixture):
    return PosePrior.from_mixture(
        mixture["means"], mixture["covars"], weights=mixture["weights"], dtype=torch.float64
    )


@pytest.fixture
def poses():
    return torch.tensor(np.random.default_rng(1).normal(scale=0.3, size=(5, 69)))


def test_squared_residuals_are_mahalanobis_distances(mixture, prior, poses):
    offsets = poses.numpy()[:, None] - mixture["means"]
    expected = np.einsum("nmi,mij,nmj->nm", offsets, np.linalg.inv(mixture["covars"]), offsets)

    assert_close(prior.residuals(poses).square().sum(dim=-1), torch.tensor(expected))


def test_energies_are_negative_log_likelihoods_up_to_one_constant(mixture, prior, poses):
    normal = torch.distributions.MultivariateNormal(
        torch.tensor(mixture["means"]), torch.tensor(mixture["covars"])
    )
    log = normal.log_prob(poses.unsqueeze(1)) + torch.tensor(mixture["weights"]).log()

    difference = prior.energies(poses) + log

    assert_close(difference, difference[0, 0].expand_as(difference))


def test_energy_is_that_of_the_likeliest_gaussian(prior, poses):
    assert_close(prior.energy(poses), prior.energies(poses).min(dim=-1).values)


def test_each_mean_is_likelier_than_what_lies_around_it(mixture, prior):
    means = torch.tensor(mixture["means"])

    assert (prior.energy(means + 0.1) > prior.energy(means)).all()


def test_a_file_of_the_user_is_read_like_our_own(tmp_path, mixture, prior, poses):
    theirs, ours = tmp_path / "gmm_08.pkl", tmp_path / "prior.safetensors"
    theirs.write_bytes(pickle.dumps(mixture, protocol=2))
    save_file(mixture, ours)

    for path in (theirs, ours):
        loaded = PosePrior.load(path, dtype=torch.float64)
        assert_close(loaded.energies(poses), prior.energies(poses))


def test_a_file_without_a_mixture_is_refused(tmp_path, mixture):
    path = tmp_path / "prior.safetensors"
    for spoilt in (
        {"means": mixture["means"]},
        mixture | {"means": mixture["means"][:, :60]},
        mixture | {"covars": mixture["covars"][0]},
        mixture | {"covars": -mixture["covars"]},
        mixture | {"weights": np.full(3, np.nan)},
    ):
        save_file({name: np.ascontiguousarray(each) for name, each in spoilt.items()}, path)
        with pytest.raises(AssetCorrupt):
            PosePrior.load(path)

    with pytest.raises(AssetMissing):
        PosePrior.load(tmp_path / "absent.safetensors")


def test_a_hostile_prior_is_refused_and_runs_nothing(tmp_path):
    path, marker = tmp_path / "gmm_08.pkl", tmp_path / "ran"
    path.write_bytes(f"cos\nsystem\n(S'touch {marker}'\ntR.".encode())

    with pytest.raises(AssetCorrupt):
        PosePrior.load(path)

    assert not marker.exists()


def test_shipped_prior_finds_standing_likelier_than_contortion():
    prior = PosePrior.load()
    standing = torch.zeros(69)
    standing[[16 * 3 - 1, 17 * 3 - 1]] = torch.tensor([-1.2, 1.2])  # arms hang by the body
    contorted = torch.full((69,), 1.0)

    assert prior.means.shape == (8, 69)
    assert math.isclose(float(prior.weights.sum()), 1, rel_tol=1e-5)
    assert prior.energy(standing) + 50 < prior.energy(contorted)


def test_shipped_prior_has_no_number_that_is_nearly_certain():
    spread = torch.linalg.inv(PosePrior.load(dtype=torch.float64).precisions)

    assert spread.diagonal(dim1=1, dim2=2).sqrt().min() > 0.04
    assert SHIPPED_PRIOR.with_suffix(".md").is_file()
