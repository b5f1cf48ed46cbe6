"""From footage to motion on weights as their authors give them away: files of the right form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from brought import put_to_use, smpl
from movies import write_movie
from standins import cast, request, silent
from stripmocap import assets, pipeline
from stripmocap.body.official import VERTEX_COUNT
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from stripmocap.contract.methods import SpinOptions, VibeOptions
from stripmocap.methods.hmr.pixel_network import PixelNetwork, spin_name
from stripmocap.methods.vibe.pixel_network import Generator
from stripmocap.people.observations import Person

SIZE, FRAMES = (96, 64), 5
VIBE, SPIN = "vibe_model_wo_3dpw.pth.tar", "spin_model_checkpoint.pth.tar"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Brought files: SMPL and both networks, of random numbers, in the forms of their authors."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("brought")
    generator = {name: each.half() for name, each in Generator().state_dict().items()}
    generator["regressor.smpl.v_template"] = torch.zeros(VERTEX_COUNT, 3)
    torch.save(
        {"gen_state_dict": generator, "epoch": 1, "performance": np.float64(56.5)}, folder / VIBE
    )
    spin = PixelNetwork().state_dict().items()
    torch.save({"model": {spin_name(name): halved(each) for name, each in spin}}, folder / SPIN)
    np.savez(folder / "SMPL_NEUTRAL.npz", **smpl())
    return folder


def halved(each):
    return each.half() if each.is_floating_point() else each


@pytest.fixture
def footage(tmp_path, monkeypatch, folder):
    """A movie with somebody in it; the detector is a stand-in, all other files are real."""

    def follow(frames, *, detector, report, expected_frames, **more):
        times_s = np.array([frame.time_s for frame in frames])
        keypoints = np.random.default_rng(1).uniform(-15, 15, (1, 33, 3)).repeat(FRAMES, axis=0)
        keypoints[..., :2] += (40, 30)
        keypoints[..., 2] = 0.9
        box = np.tile([25.0, 15, 55, 45], (FRAMES, 1))
        landmarks3d, presence = np.zeros((FRAMES, 33, 3)), np.ones(FRAMES)
        return cast(Person(0, times_s, box, keypoints, landmarks3d, presence))

    put_to_use(folder, follow=follow, eyes=tmp_path / "eyes", monkeypatch=monkeypatch)
    return write_movie(tmp_path / "walk.mp4", size=SIZE, frames=FRAMES)


def captured(footage, method="vibe", options=None):
    asked = request(footage, estimator=method, options=options or VibeOptions(), weights="official")
    return pipeline.capture(asked, report=silent)


@pytest.mark.slow
@pytest.mark.parametrize("conventions", ["house", "published"])
def test_official_vibe_runs_from_footage_to_motion(footage, conventions):
    found = captured(footage, options=VibeOptions(conventions=conventions))

    (motion,) = found.takes[0].motions
    assert found.takes[0].label == "temporal"
    assert len(motion.times_s) == FRAMES
    for each in (motion.global_orient, motion.body_pose, motion.betas, motion.transl):
        assert np.isfinite(each).all()
    assert {"vibe_official", "spin_official", "smpl_neutral"} <= set(found.provenance["files"])
    assert "non-commercial" in found.provenance["methods"][0]["licence"]


@pytest.mark.slow
def test_spin_runs_on_the_copy_of_it_that_vibe_brings(footage):
    found = captured(footage, "spin", SpinOptions())

    assert found.takes[0].label == "frame"


@pytest.mark.slow
def test_vibe_without_the_network_that_it_reads_says_which_file_is_missing(footage, monkeypatch):
    at = assets.cache_folder() / SPIN
    kept = at.rename(at.with_suffix(".kept"))
    try:
        with pytest.raises(AssetMissing, match=r"model_checkpoint\.pt"):
            captured(footage)
    finally:
        kept.rename(at)


@pytest.mark.slow
def test_files_that_are_mistaken_for_each_other_are_named(footage):
    vibe, spin = (assets.cache_folder() / name for name in (VIBE, SPIN))
    kept = vibe.rename(vibe.with_suffix(".kept"))
    vibe.write_bytes(spin.read_bytes())
    try:
        with pytest.raises(AssetCorrupt, match="is a SPIN checkpoint, not VIBE's generator"):
            captured(footage)
    finally:
        kept.replace(vibe)
