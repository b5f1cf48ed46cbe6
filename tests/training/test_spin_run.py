"""Training in the loop from end to end: clips or pictures in, weights, card and fits out."""

import json
import signal

import cv2
import numpy as np
import pytest
import torch
from stripmocap.body.model import Body
from stripmocap.contract import body_file
from stripmocap.contract.errors import Cancelled, RequestError
from stripmocap.contract.motion import Camera
from stripmocap.contract.skeleton import SPIN_NAMES
from stripmocap.evaluation.pictures import draw_body
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.hmr.keypoint_network import Sizes
from stripmocap.methods.hmr.regressor import Regressor
from stripmocap.methods.hmr.weights import load_keypoint_network, load_pixel_network
from stripmocap.methods.smplify import paper
from stripmocap.training import hmr_run, spin_run
from stripmocap.training.fits import Fits
from torch import nn

PEOPLE = 6
SIZE_PX = 320
FOCAL_PX = 2000.0


class TinyPixelNetwork(nn.Module):
    """The form of SPIN's network, a thousandth of its size."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.regressor = Regressor(48, hidden=16)

    def forward(self, pictures):
        return self.regressor(self.encoder(pictures))


def quiet(_stage, _done, _of):
    pass


@pytest.fixture
def clips(tmp_path):
    """One clip a split, in the form of the shared data."""
    entries = []
    for split in ("train", "val"):
        poses = 0.2 * np.random.default_rng(0).standard_normal((60, 24, 3))
        arrays = {"poses": poses.astype(np.float16), "trans": np.zeros((60, 3), np.float32)}
        np.savez(tmp_path / f"cmu_{split}.npz", **arrays)
        entries.append(
            {"id": split, "kind": "walk", "subject": "7", "start": 0, "frames": 60,
             "shard": f"cmu_{split}.npz", "feet_ok": True}
        )  # fmt: skip
    (tmp_path / "index.json").write_text(json.dumps({"clips": entries}), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Renders of the embedded body, as a dataset in SPIN's layout; half of the bodies known."""
    folder = tmp_path_factory.mktemp("rendered")
    template = body_file.load(body_file.EMBEDDED_BODY)
    body = Body.from_template(template)
    rng = np.random.default_rng(1)
    pose = 0.15 * rng.standard_normal((PEOPLE, 72))
    pose[:, :3] = [3.1, 0, 0]
    rotmat = aa_to_matrix(torch.tensor(pose, dtype=torch.float32).unflatten(1, (24, 3)))
    place = {"betas": torch.zeros(PEOPLE, 10), "transl": torch.tensor([[0.0, 0.9, 14.0]] * PEOPLE)}
    vertices = body.vertices(rotmat[:, 0], rotmat[:, 1:], **place).numpy()
    points = paper.reduced_points(template)(rotmat[:, 0], rotmat[:, 1:], place["betas"]).numpy()
    seen = points + place["transl"].numpy()[:, None]
    pixels = FOCAL_PX * seen[..., :2] / seen[..., 2:] + SIZE_PX / 2
    keypoints = np.concatenate([pixels, np.ones((PEOPLE, len(SPIN_NAMES), 1))], axis=-1)
    camera = Camera(FOCAL_PX, np.full(2, SIZE_PX / 2), (SIZE_PX, SIZE_PX))
    for person in range(PEOPLE):
        image = np.full((SIZE_PX, SIZE_PX, 3), 90, np.uint8)
        image = draw_body(image, vertices[person], faces=template.faces, camera=camera)
        cv2.imwrite(str(folder / f"{person}.png"), image[..., ::-1])
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    np.savez(
        folder / "rendered.npz",
        imgname=np.array([f"{person}.png" for person in range(PEOPLE)]),
        center=(low + high) / 2,
        scale=1.2 * (high - low).max(axis=1) / 200,
        openpose=keypoints[:, :25],
        part=keypoints[:, 25:],
        pose=pose,
        shape=np.zeros((PEOPLE, 10)),
        has_smpl=np.arange(PEOPLE) % 2,
    )
    return folder / "rendered.npz"


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(hmr_run, "SIZES", Sizes(features=32, blocks=1, hidden=16))
    monkeypatch.setattr(spin_run, "HELD_OUT", 16)
    monkeypatch.setattr(spin_run, "PixelNetwork", TinyPixelNetwork)


def keypoints_order(clips, name="a", **changes):
    said = {"mocap": clips, "samples": 8, "known": 0.5, "steps": 4, "batch": 4, "rate": 1e-3}
    return spin_run.Order(
        output=clips / f"{name}.safetensors", folder=clips / name, **(said | changes)
    )


@pytest.mark.usefixtures("small")
def test_keypoints_of_clips_become_weights_card_and_dictionary(clips):
    found = spin_run.main(keypoints_order(clips), report=quiet)

    assert load_keypoint_network(clips / "a.safetensors").sizes.features == 32
    assert Fits.load(clips / "a" / "fits" / "mocap_fits.npy", count=8).known.all()
    assert np.isfinite(found["PA-MPJPE mm"])
    card = (clips / "a.md").read_text(encoding="utf-8")
    assert "NSF EIA-0196217" in card
    assert "sha256" in card


@pytest.mark.usefixtures("small")
def test_a_stopped_training_ends_in_the_same_weights_and_fits(clips):
    spin_run.main(keypoints_order(clips), report=quiet)

    def interrupt(_stage, done, _of):
        if done == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Cancelled):
        spin_run.main(keypoints_order(clips, "b"), report=interrupt)
    spin_run.main(keypoints_order(clips, "b"), report=quiet)

    whole, parts = (
        Fits.load(clips / name / "fits" / "mocap_fits.npy", count=8).numbers for name in "ab"
    )
    torch.testing.assert_close(parts, whole, atol=0, rtol=0)
    first, second = (load_keypoint_network(clips / f"{name}.safetensors") for name in "ab")
    torch.testing.assert_close(first.state_dict(), second.state_dict(), atol=0, rtol=0)


@pytest.mark.usefixtures("small")
def test_a_training_goes_on_with_the_fits_it_is_given(clips):
    spin_run.main(keypoints_order(clips), report=quiet)
    shelf = clips / "a" / "fits"
    before = Fits.load(shelf / "mocap_fits.npy", count=8).numbers

    order = keypoints_order(clips, "b", fits=shelf, steps=1)
    fits = spin_run.load_fits(order.shelf, [("mocap", 8)])

    assert torch.equal(fits.numbers, before)


@pytest.mark.usefixtures("small")
def test_pictures_in_spins_layout_become_weights_in_spins_form(pictures, tmp_path):
    order = spin_run.Order(
        output=tmp_path / "a.pt", folder=tmp_path / "a", data=(pictures,), steps=4, batch=3
    )

    spin_run.main(order, report=quiet)

    state = torch.load(tmp_path / "a.pt", weights_only=True)["model"]
    assert {"fc1.weight", "decpose.bias", "init_cam"} <= set(state)
    assert Fits.load(order.shelf / "rendered_fits.npy", count=PEOPLE).known.any()


@pytest.mark.slow
def test_spins_own_network_learns_from_pictures(pictures, tmp_path):
    order = spin_run.Order(
        output=tmp_path / "a.pt", folder=tmp_path / "a", data=(pictures,), steps=2, batch=3
    )

    spin_run.main(order, report=quiet)

    load_pixel_network(tmp_path / "a.pt")


def test_people_come_from_datasets_or_from_clips(tmp_path):
    output = tmp_path / "a.safetensors"
    with pytest.raises(RequestError, match="either"):
        spin_run.Order(output=output, folder=tmp_path)
    with pytest.raises(RequestError, match="either"):
        spin_run.Order(output=output, folder=tmp_path, data=(tmp_path,), mocap=tmp_path)


def test_weights_of_pictures_are_not_given_the_name_of_others(tmp_path):
    with pytest.raises(RequestError, match="network for pictures") as caught:
        spin_run.Order(output=tmp_path / "a.safetensors", folder=tmp_path, data=(tmp_path,))

    assert ".pt" in caught.value.hint
