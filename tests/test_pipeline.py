"""The story of a capture, with stand-ins for what sees people and for what fits bodies."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import pytest
import torch
from movies import turn_clockwise, write_movie
from numpy.testing import assert_allclose
from standins import SIZE, cast, request, silent, stand_in
from stripmocap import lookout, pipeline
from stripmocap.contract.errors import AssetMissing, NobodyFound, VideoError
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.methods.toolbox import Estimate
from toyshot import toy_motion


@pytest.fixture
def asked(tmp_path, monkeypatch) -> dict:
    """What the stand-ins were asked: `expected_frames`, `camera` and `tools`."""
    return stand_in(monkeypatch, tmp_path / "network")


@pytest.fixture
def footage(tmp_path) -> Path:
    return write_movie(tmp_path / "walk.mp4", size=SIZE, frames=10)


def test_the_estimate_becomes_the_fitted_take_and_its_camera_is_kept(asked, footage):
    capture = pipeline.capture(request(footage), report=silent)

    assert [take.label for take in capture.takes] == ["fitted"]
    assert len(capture.takes[0].motions) == 1
    assert capture.camera.focal_px == 77.0


def test_without_a_focal_length_the_diagonal_gives_one(asked, footage):
    pipeline.capture(request(footage), report=silent)

    camera = asked["camera"]
    assert camera.focal_px == pytest.approx(pipeline.USUAL_FOCAL * math.hypot(*SIZE))
    # Pixel (0, 0) is the centre of the first one, so the middle is half a pixel before size / 2.
    assert_allclose(camera.center_px, [31.5, 23.5])


def test_a_focal_length_and_a_height_that_are_given_are_used(asked, footage):
    pipeline.capture(request(footage, focal_px=123.0, height_m=1.9), report=silent)

    assert asked["camera"].focal_px == 123.0
    assert asked["tools"].height_m == 1.9


def test_the_camera_has_the_size_of_the_picture_as_shown(asked, footage):
    pipeline.capture(request(turn_clockwise(footage)), report=silent)

    assert asked["camera"].size_px == (48, 64)


@pytest.mark.parametrize(
    ("span", "count"), [({}, 10), ({"start_s": 0.2}, 4), ({"stop_s": 0.1}, 3), ({"stop_s": 99}, 10)]
)
def test_the_report_is_told_how_many_frames_to_expect(asked, footage, span, count):
    clip = Clip(str(footage), **span)

    pipeline.capture(CaptureRequest(clip), report=silent)

    assert asked["expected_frames"] == count


def test_provenance_says_what_was_asked_and_what_it_was_made_with(asked, footage):
    asked_for = request(footage, body="female")

    made = pipeline.capture(asked_for, report=silent)

    provenance = made.provenance
    assert CaptureRequest.from_json(json.loads(json.dumps(provenance))["request"]) == asked_for
    assert provenance["body"]["name"] == "embedded female"
    assert provenance["body"]["licence"] == "CC0-1.0"
    assert set(provenance["body"]["rest_pelvis_m"]) == {each.label for each in made.takes}
    assert provenance["source"]["fps"] == "30"
    assert set(provenance["versions"]) >= {"stripmocap", "torch", "numpy", "av"}
    assert provenance["files"]["blazepose_detector"] == {
        "sha256": hashlib.sha256(b"weights").hexdigest(),
        "licence": "Apache-2.0",
    }


def test_a_clip_without_people_is_refused_with_what_a_person_needs(asked, footage, monkeypatch):
    monkeypatch.setattr(lookout, "follow", lambda frames, **_: cast())

    with pytest.raises(NobodyFound, match=r"walk\.mp4") as refused:
        pipeline.capture(request(footage), report=silent)

    assert refused.value.hint


def test_a_part_is_published_as_a_capture_that_says_so(footage, asked, monkeypatch):
    parts = []

    def load(tools, options):
        def estimate(people, camera, report, *, start, clip, publish, journal):
            estimated = Estimate(camera, (toy_motion(0, frames=2, fps=30, seed=0),))
            publish(estimated)
            return estimated

        return estimate

    monkeypatch.setattr(pipeline, "ESTIMATORS", {"smplify": {"embedded": load}})

    whole = pipeline.Workshop().capture(request(footage), report=silent, publish=parts.append)

    (part,) = parts
    assert part.provenance == {**whole.provenance, "partial": True}
    assert "partial" not in whole.provenance
    assert [take.label for take in part.takes] == ["fitted"]


def test_apples_device_lacks_what_a_fit_needs():
    assert pipeline.Workshop("mps").device.type == "cpu"
    assert pipeline.Workshop("cuda:1").device == torch.device("cuda", 1)


def test_a_missing_clip_is_refused_before_anything_is_loaded(asked, tmp_path):
    with pytest.raises(VideoError):
        pipeline.capture(request(tmp_path / "none.mp4"), report=silent)

    assert "tools" not in asked


def test_a_prior_that_the_user_should_bring_is_asked_for_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIPMOCAP_CACHE", str(tmp_path / "cache"))
    video = tmp_path / "clip.mp4"
    write_movie(video, frames=3)
    request = CaptureRequest(Clip(str(video)), pose_prior="smplify")

    with pytest.raises(AssetMissing, match=r"gmm_08\.pkl") as refused:
        pipeline.capture(request, report=silent)

    assert str(tmp_path / "cache") in refused.value.hint
