"""From footage to refined motion on HuMoR's weights as they are published: files of that form."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from brought import put_to_use, smpl
from fitscenes import walk
from movies import write_movie
from standins import cast, request, silent
from stripmocap import assets, pipeline
from stripmocap.contract import body_file
from stripmocap.contract.errors import AssetMissing
from stripmocap.contract.methods import HumorOptions, SmplifyOptions
from stripmocap.methods.humor import refine
from stripmocap.methods.humor.initial_state import NUMBERS
from stripmocap.methods.humor.network import MotionPrior
from stripmocap.methods.humor.paper import Schedule
from stripmocap.methods.humor.paper_shot import PaperSolver
from stripmocap.methods.humor.pose_prior import PosePrior

SIZE, FRAMES = (1280, 720), 6
HUMOR, FIRST, POSE = "best_model.pth", "prior_gmm.npz", "TR00_E096.pt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("brought")
    torch.save({"model": MotionPrior().state_dict(), "epoch": 1}, folder / HUMOR)
    torch.save(PosePrior().state_dict(), folder / POSE)
    means = 0.1 * np.random.default_rng(0).normal(size=(2, NUMBERS))
    np.savez(
        folder / FIRST,
        weights=np.array([0.4, 0.6]),
        means=means,
        covariances=np.stack([np.eye(NUMBERS)] * 2),
    )
    np.savez(folder / "SMPL_NEUTRAL.npz", **smpl())
    return folder


@pytest.fixture
def footage(tmp_path, monkeypatch, folder):
    """A movie with somebody in it; the detector is a stand-in, all other files are read."""

    def follow(frames, *, detector, report, expected_frames, **more):
        count = len(list(frames))
        return cast(walk(body_file.load(body_file.EMBEDDED_BODY), frames=count).person)

    put_to_use(folder, follow=follow, eyes=tmp_path / "eyes", monkeypatch=monkeypatch)
    return write_movie(tmp_path / "walk.mp4", size=SIZE, frames=FRAMES)


def captured(footage, solver="fast"):
    asked = request(
        footage,
        estimator="smplify",
        options=SmplifyOptions(),
        refiners=("humor",),
        refiner_options=(HumorOptions(solver=solver),),
        weights="official",
        focal_px=1000.0,
    )
    return pipeline.capture(asked, report=silent)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["fast", "paper"])
def test_the_published_prior_refines_smpls_body(footage, monkeypatch, solver):
    few = Schedule(placing=0, posing=1, short=1, held=1, free=1)
    monkeypatch.setattr(refine, "PaperSolver", partial(PaperSolver, schedule=few))

    found = captured(footage, solver)

    (motion,) = found.take("refined").motions
    assert len(motion.times_s) == FRAMES
    for each in (motion.global_orient, motion.body_pose, motion.transl, motion.confidence):
        assert np.isfinite(each).all()
    assert {"humor_official", "smpl_neutral"} <= set(found.provenance["files"])
    assert "non-commercial" in found.provenance["methods"][-1]["licence"]


@pytest.mark.slow
def test_without_the_published_prior_the_missing_file_is_named(footage):
    at = assets.cache_folder() / HUMOR
    kept = at.rename(at.with_suffix(".kept"))
    try:
        with pytest.raises(AssetMissing, match=r"best_model\.pth"):
            captured(footage)
    finally:
        kept.rename(at)
