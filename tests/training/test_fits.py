"""The dictionary of best fits: on disk, and through turned and mirrored pictures."""

import numpy as np
import pytest
import torch
from stripmocap.contract.errors import AssetCorrupt, AssetMissing, DiskFull
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.training.augmentation import Augmentation
from stripmocap.training.fits import Fits

COUNT = 20


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def fits(generator):
    return Fits(0.3 * torch.randn(COUNT, 82, generator=generator))


def stored_all(fits, index, augmentation, better=None):
    pose, betas = fits.fetch(index, augmentation)
    better = torch.ones(len(index), dtype=torch.bool) if better is None else better
    fits.store(index, augmentation, pose=pose, betas=betas, better=better)


def test_what_is_fetched_and_stored_again_is_the_same_fit(fits, generator):
    before = fits.numbers.clone()
    index = torch.randperm(COUNT, generator=generator)

    stored_all(fits, index, Augmentation.draw(COUNT, generator=generator))

    rotations = (
        aa_to_matrix(each[:, :72].unflatten(1, (24, 3))) for each in (fits.numbers, before)
    )
    torch.testing.assert_close(*rotations, atol=1e-5, rtol=0)
    assert torch.equal(fits.numbers[:, 72:], before[:, 72:])


def test_a_fit_that_is_not_better_is_not_stored(fits, generator):
    before = fits.numbers.clone()
    index = torch.tensor([3, 5])
    pose, betas = torch.zeros(2, 72), torch.ones(2, 10)

    fits.store(
        index, Augmentation.none(2), pose=pose, betas=betas, better=torch.tensor([False, True])
    )

    assert torch.equal(fits.numbers[3], before[3])
    assert torch.equal(fits.numbers[5], torch.cat([pose[1], betas[1]]))


def test_a_fit_that_is_no_number_is_never_stored():
    fits = Fits.unknown(2)
    pose = torch.zeros(2, 72)
    pose[0, 7] = torch.nan

    fits.store(
        torch.tensor([0, 1]),
        Augmentation.none(2),
        pose=pose,
        betas=torch.zeros(2, 10),
        better=torch.tensor([True, True]),
    )

    assert fits.known.tolist() == [False, True]


def test_a_saved_dictionary_is_loaded_as_it_was(fits, tmp_path):
    path = tmp_path / "toy_fits.npy"

    fits.save(path)

    assert torch.equal(Fits.load(path, count=COUNT).numbers, fits.numbers)
    assert [each.name for each in tmp_path.iterdir()] == ["toy_fits.npy"]


def test_numpy_alone_can_read_and_write_the_file(fits, tmp_path):
    path = tmp_path / "toy_fits.npy"
    np.save(path, fits.numbers.numpy().astype(np.float64))

    assert torch.equal(Fits.load(path, count=COUNT).numbers, fits.numbers)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssetMissing, match=r"none_fits\.npy is not there"):
        Fits.load(tmp_path / "none_fits.npy", count=COUNT)


@pytest.mark.parametrize(
    "array", [np.zeros((COUNT + 1, 82)), np.zeros((COUNT, 72)), np.array(["a"]), np.array([{}])]
)
def test_what_is_no_dictionary_of_these_pictures_is_refused(array, tmp_path):
    path = tmp_path / "bad_fits.npy"
    np.save(path, array, allow_pickle=True)

    with pytest.raises(AssetCorrupt, match=r"bad_fits\.npy"):
        Fits.load(path, count=COUNT)


def test_half_a_file_is_refused(fits, tmp_path):
    path = tmp_path / "half_fits.npy"
    fits.save(path)
    path.write_bytes(path.read_bytes()[:1000])

    with pytest.raises(AssetCorrupt, match=r"half_fits\.npy"):
        Fits.load(path, count=COUNT)


def test_a_folder_that_is_not_there_is_said(fits, tmp_path):
    with pytest.raises(DiskFull, match="cannot be written"):
        fits.save(tmp_path / "nowhere" / "toy_fits.npy")
