from __future__ import annotations

import json
import math

import pytest
from stripmocap.contract.errors import RequestError
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import SmplifyOptions


def test_a_request_comes_back_from_json_as_it_was():
    request = CaptureRequest(
        Clip("shot.mp4", start_s=1.5, stop_s=4),
        options=SmplifyOptions(depth_cue=0, smoothness=2, contacts=0.5),
        body="female",
        height_m=1.8,
        focal_px=900,
    )

    text = json.dumps(request.to_json(), allow_nan=False)

    assert CaptureRequest.from_json(json.loads(text)) == request


def test_an_open_end_survives_json():
    request = CaptureRequest(Clip("shot.mp4"))

    text = json.dumps(request.to_json(), allow_nan=False)

    assert math.isinf(CaptureRequest.from_json(json.loads(text)).clip.stop_s)


@pytest.mark.parametrize(
    "span", [{"start_s": -1}, {"start_s": 2, "stop_s": 2}, {"start_s": math.nan}]
)
def test_a_span_without_pictures_is_refused(span):
    with pytest.raises(RequestError, match="is empty"):
        Clip("shot.mp4", **span)


@pytest.mark.parametrize(
    "changes",
    [
        {"estimator": "magic"},
        {"body": "child"},
        {"height_m": 180},
        {"height_m": math.nan},
        {"focal_px": 0},
        {"focal_px": math.inf},
    ],
)
def test_what_cannot_be_is_refused_with_what_can(changes):
    with pytest.raises(RequestError) as refused:
        CaptureRequest(Clip("shot.mp4"), **changes)

    assert refused.value.hint


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"clip": None},
        {"clip": 3},
        {"clip": {"path": ""}},
        {"clip": {"path": "a.mp4", "start_s": "soon"}},
        {"clip": {"path": "a.mp4"}, "colour": "red"},
        {"clip": {"path": "a.mp4"}, "options": {"magic": 1}},
        {"clip": {"path": "a.mp4"}, "pose_prior": "wishful"},
        {"clip": {"path": "a.mp4"}, "options": {"smoothness": "much"}},
        {"clip": {"path": "a.mp4"}, "options": 3},
        {"clip": {"path": "a.mp4"}, "estimator": ["smplify"]},
        {"clip": {"path": "a.mp4"}, "height_m": "tall"},
    ],
)
def test_json_that_is_no_request_is_refused(values):
    with pytest.raises(RequestError):
        CaptureRequest.from_json(values)
