"""Datasets in SPIN's layout: what is read, what is refused, and crops beside keypoints."""

import cv2
import numpy as np
import pytest
import torch
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from stripmocap.training import spin_dataset
from stripmocap.training.augmentation import Augmentation
from stripmocap.training.spin import CROP_PX
from stripmocap.training.spin_dataset import PixelPages

COUNT = 6
WRIST, OTHER_WRIST = 4, 7  # OpenPose's right and left


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    openpose = np.zeros((COUNT, 25, 3))
    openpose[:, WRIST] = [220, 130, 1]
    openpose[:, OTHER_WRIST] = [180, 170, 1]
    return {
        "imgname": np.array([f"pictures/{each}.png" for each in range(COUNT)]),
        "center": np.tile([200.0, 150.0], (COUNT, 1)),
        "scale": np.full(COUNT, 0.7),
        "openpose": openpose,
        "part": np.zeros((COUNT, 24, 3)),
        "S": rng.normal(size=(COUNT, 24, 4)),
        "pose": rng.normal(size=(COUNT, 72)),
        "shape": rng.normal(size=(COUNT, 10)),
        "has_smpl": np.array([1, 0, 1, 1, 1, 1]),
    }


@pytest.fixture
def write(tmp_path, arrays):
    """Pictures with a red right and a blue left wrist, and the dataset that says so."""
    (tmp_path / "pictures").mkdir()
    image = np.zeros((300, 400, 3), np.uint8)
    for column, colour in ((WRIST, (0, 0, 255)), (OTHER_WRIST, (255, 0, 0))):
        x, y = arrays["openpose"][0, column, :2].astype(int).tolist()
        cv2.circle(image, (x, y), 5, colour, -1)  # BGR
    for name in arrays["imgname"]:
        cv2.imwrite(str(tmp_path / name), image)

    def file(**changes):
        kept = {name: each for name, each in (arrays | changes).items() if each is not None}
        np.savez(tmp_path / "toy.npz", **kept)
        return tmp_path / "toy.npz"

    return file


def centre_of(picture, channel):
    """Where a channel's blob is, of a normalised picture (3, 224, 224)."""
    bright = picture[channel] > picture[channel].max() / 2
    rows, columns = torch.nonzero(bright, as_tuple=True)
    return torch.stack([columns.float().mean(), rows.float().mean()])


def changes(**parts):
    plain = Augmentation.none(COUNT)
    return Augmentation(**{**vars(plain), **parts})


@pytest.mark.parametrize(
    "augmentation",
    [
        changes(),
        changes(turn_rad=torch.linspace(-1, 1, COUNT)),
        changes(mirrored=torch.ones(COUNT, dtype=torch.bool)),
        changes(scale=torch.linspace(0.75, 1.25, COUNT)),
        changes(
            turn_rad=torch.linspace(-0.7, 0.9, COUNT),
            mirrored=torch.ones(COUNT, dtype=torch.bool),
            scale=torch.linspace(1.2, 0.8, COUNT),
        ),
    ],
    ids=["plain", "turned", "mirrored", "scaled", "all"],
)
def test_pictures_and_keypoints_change_together(write, augmentation):
    pages = PixelPages([spin_dataset.load(write())])

    pictures, batch = pages.open(torch.arange(COUNT), augmentation)

    for person in range(COUNT):
        names = (WRIST, OTHER_WRIST) if not augmentation.mirrored[person] else (OTHER_WRIST, WRIST)
        for column, channel in zip(names, (0, 2), strict=True):
            expected = batch.keypoints[person, column, :2]
            # The mirror of a picture is at its edge, that of keypoints at 112: a pixel apart.
            assert (centre_of(pictures[person], channel) - expected).abs().max() < 2


def test_a_box_fills_the_crop(write):
    pages = PixelPages([spin_dataset.load(write())])

    batch = pages.open(torch.arange(COUNT), changes())[1]

    expected = (torch.tensor([20.0, -20.0]) * CROP_PX / 140 + CROP_PX / 2).expand(COUNT, -1)
    torch.testing.assert_close(batch.keypoints[:, WRIST, :2], expected)


def test_what_a_dataset_does_not_have_is_not_known(write):
    dataset = spin_dataset.load(write(S=None, pose=None, part=None))

    assert not dataset.has_joints.any()
    assert not dataset.has_body.any()
    assert not dataset.keypoints[:, 25:].any()


def test_has_smpl_says_whose_body_is_known(write):
    assert spin_dataset.load(write()).has_body.tolist() == [True, False, True, True, True, True]
    assert spin_dataset.load(write(has_smpl=None)).has_body.all()


def test_datasets_lie_one_after_the_other(write):
    dataset = spin_dataset.load(write())
    pages = PixelPages([dataset, dataset])

    batch = pages.open(torch.tensor([1, COUNT + 1]), Augmentation.none(2))[1]

    assert len(pages) == 2 * COUNT
    assert torch.equal(batch.pose[0], batch.pose[1])


def test_joints_and_body_turn_with_the_picture(write):
    quarter = changes(turn_rad=torch.full((COUNT,), torch.pi / 2))
    pages = PixelPages([spin_dataset.load(write())])
    index = torch.arange(COUNT)

    plain, turned = pages.open(index, changes())[1], pages.open(index, quarter)[1]

    # Right becomes up: x is now what -y was.
    torch.testing.assert_close(turned.joints[..., 1], -plain.joints[..., 0], atol=1e-5, rtol=0)
    assert torch.equal(turned.joints[..., 2:], plain.joints[..., 2:])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"center": None}, "has no center"),
        ({"openpose": None, "part": None}, "has no keypoints"),
        ({"pose": np.zeros((COUNT, 24))}, r"pose is \(6, 24\), not \(6, 72\)"),
        ({"scale": np.zeros(COUNT)}, "scale is not above 0"),
        ({"shape": np.full((COUNT, 10), np.nan)}, "shape has numbers that are none"),
        ({"imgname": np.arange(COUNT)}, "imgname holds int64"),
        ({"S": np.array([["a"] * 24] * COUNT)}, "S is"),
    ],
)
def test_what_is_no_dataset_is_named(write, bad, message):
    with pytest.raises(AssetCorrupt, match=message):
        spin_dataset.load(write(**bad))


def test_a_file_that_is_no_npz_is_named(tmp_path):
    path = tmp_path / "page.npz"
    path.write_text("<html>")

    with pytest.raises(AssetCorrupt, match=r"page\.npz"):
        spin_dataset.load(path)


def test_missing_files_are_named(write, tmp_path):
    with pytest.raises(AssetMissing, match=r"none\.npz"):
        spin_dataset.load(tmp_path / "none.npz")
    with pytest.raises(AssetMissing, match=r"0\.png is not there"):
        spin_dataset.load(write(), images=tmp_path / "elsewhere")


def test_a_picture_that_is_broken_is_named(write, tmp_path):
    pages = PixelPages([spin_dataset.load(write())])
    (tmp_path / "pictures" / "3.png").write_text("no picture")

    with pytest.raises(AssetCorrupt, match=r"3\.png is no picture"):
        pages.open(torch.arange(COUNT), changes())
