from __future__ import annotations

import json
import math

import numpy as np
import pytest
from stripmocap.contract.camera_path import CameraPath
from stripmocap.contract.corrections import Correction, Mark
from stripmocap.contract.errors import RequestError
from stripmocap.contract.messages import MOST_CORRECTIONS, CaptureRequest, Clip
from stripmocap.contract.methods import (
    METHODS,
    HumorOptions,
    SmplifyOptions,
    SpinOptions,
    VibeOptions,
)


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


def refined(**changes):
    asked = {"estimator": "spin", "options": SpinOptions(), "refiners": ("smplify",), **changes}
    return CaptureRequest(Clip("shot.mp4"), **asked)


@pytest.mark.parametrize(
    "request_",
    [
        refined(weights="official"),
        refined(refiner_options=(SmplifyOptions(smoothness=2),)),
        refined(refiners=()),
        refined(estimator="vibe", options=VibeOptions(smooth=0.5)),
        refined(refiners=("smplify", "humor")),
        refined(refiners=("humor",), refiner_options=(HumorOptions(prior=2, solver="paper"),)),
    ],
)
def test_a_request_of_several_methods_comes_back_from_json_as_it_was(request_):
    text = json.dumps(request_.to_json(), allow_nan=False)

    assert CaptureRequest.from_json(json.loads(text)) == request_


def test_a_request_of_an_earlier_version_asks_for_what_it_asked_for():
    earlier = {
        "clip": {"path": "a.mp4", "start_s": 0.0, "stop_s": None},
        "estimator": "smplify",
        "options": {"depth_cue": 1.0, "smoothness": 2.0, "contacts": 1.0},
        "body": "female",
        "height_m": None,
        "focal_px": None,
        "pose_prior": "embedded",
    }

    request = CaptureRequest.from_json(earlier)

    assert (request.weights, request.refiners) == ("embedded", ())
    assert request.options == SmplifyOptions(smoothness=2)


def test_a_refiner_runs_behind_the_estimator_with_its_own_options():
    request = refined(refiner_options=(SmplifyOptions(smoothness=2),))

    assert request.methods == (METHODS["spin"], METHODS["smplify"])
    assert [request.options_of(each) for each in request.methods] == [
        SpinOptions(),
        SmplifyOptions(smoothness=2),
    ]
    assert request.stages == ("people", "frame", "fit")


PATH = CameraPath(
    np.array([0.0, 0.5]),
    np.array([[0.0, 0.0, 1.5], [1.0, 0.0, 1.5]]),
    np.array([[1.0, 0, 0, 0]] * 2),
)


def test_a_moving_camera_comes_back_from_json_and_is_left_out_of_lists():
    request = refined(camera_path=PATH)

    text = json.dumps(request.to_json(), allow_nan=False)

    assert CaptureRequest.from_json(json.loads(text)) == request
    assert request != refined()
    assert CaptureRequest.from_json(request.told()) == refined()


def test_feet_at_rest_in_a_moving_picture_hold_nothing():
    request = refined(camera_path=PATH, refiner_options=(SmplifyOptions(smoothness=2),))

    assert request.refiner_options == (SmplifyOptions(smoothness=2),)
    assert request.options_of(METHODS["smplify"]) == SmplifyOptions(smoothness=2, contacts=0)


def test_a_request_of_an_earlier_version_has_a_chain_of_its_one_refiner():
    earlier = {
        **refined().told(),
        "refiner": "smplify",
        "refiner_options": {"depth_cue": 1.0, "smoothness": 2.0, "contacts": 1.0},
    }
    del earlier["refiners"]

    request = CaptureRequest.from_json(earlier)

    assert request == refined(refiner_options=(SmplifyOptions(smoothness=2),))
    alone = CaptureRequest.from_json({**earlier, "refiner": None, "refiner_options": None})
    assert alone == refined(refiners=())


def test_options_of_a_refiner_that_are_not_given_are_its_defaults():
    assert refined().refiner_options == (SmplifyOptions(),)
    assert refined(refiner_options=(None,)) == refined()
    assert CaptureRequest(Clip("a.mp4")).refiner_options == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"options": SmplifyOptions()}, "spin takes SpinOptions"),
        ({"refiner_options": (SpinOptions(),)}, "smplify takes SmplifyOptions"),
        ({"refiners": ("spin",)}, "no refiner 'spin'"),
        ({"refiners": "smplify"}, "refiners is 'smplify'"),
        ({"refiners": (), "refiner_options": (SmplifyOptions(),)}, "options for 1 refiners"),
        ({"refiners": ("smplify", "smplify")}, "cannot refine what smplify makes"),
        ({"refiners": ("humor", "smplify")}, "smplify cannot refine what humor makes"),
        ({"estimator": "humor", "options": None, "refiners": ()}, "no estimator 'humor'"),
        ({"estimator": "smplify", "options": SmplifyOptions()}, "cannot refine what smplify"),
        ({"weights": "stolen"}, "no 'stolen' weights"),
        ({"weights": "official", "body": "female"}, "no female body"),
        (
            {"estimator": "vibe", "options": VibeOptions(conventions="published")},
            "no published conventions",
        ),
        ({"estimator": "vibe", "options": SpinOptions()}, "vibe takes VibeOptions"),
    ],
)
def test_methods_that_do_not_go_together_are_refused(changes, said):
    with pytest.raises(RequestError, match=said):
        refined(**changes)


HERE, THERE = Mark(0.5, 0.25, 0.5), Mark(1.5, 0.75, 0.5)


def test_who_only_looks_for_people_chooses_no_method():
    request = CaptureRequest(Clip("shot.mp4"), estimator=None)

    assert (request.methods, request.stages, request.options) == ((), ("people",), None)
    assert CaptureRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


@pytest.mark.parametrize(
    "changes",
    [
        {"options": SmplifyOptions()},
        {"refiners": ("smplify",)},
        {"refiner_options": (SmplifyOptions(),)},
    ],
)
def test_choices_for_methods_need_a_method(changes):
    with pytest.raises(RequestError, match="no method"):
        CaptureRequest(Clip("shot.mp4"), estimator=None, **changes)


def test_options_that_are_not_given_are_the_estimators_defaults():
    assert CaptureRequest(Clip("a.mp4")).options == SmplifyOptions()
    assert CaptureRequest(Clip("a.mp4"), estimator="spin").options == SpinOptions()


def test_corrections_come_back_from_json_in_order():
    corrections = (
        Correction("merge", HERE, THERE),
        Correction("swap", HERE, THERE, time_s=1.0),
        Correction("split", THERE, time_s=2.0),
        Correction("ignore", HERE),
        Correction("choose", THERE),
    )
    request = CaptureRequest(Clip("shot.mp4"), corrections=corrections)

    text = json.dumps(request.to_json(), allow_nan=False)

    assert CaptureRequest.from_json(json.loads(text)) == request


def test_endless_corrections_are_refused():
    many = (Correction("ignore", HERE),) * (MOST_CORRECTIONS + 1)

    with pytest.raises(RequestError, match="corrections"):
        CaptureRequest(Clip("shot.mp4"), corrections=many)


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
        {"clip": {"path": "a.mp4"}, "refiner": ["smplify"]},
        {"clip": {"path": "a.mp4"}, "refiner": "smplify", "refiners": []},
        {"clip": {"path": "a.mp4"}, "refiner": None, "refiner_options": {}},
        {"clip": {"path": "a.mp4"}, "refiners": "smplify"},
        {"clip": {"path": "a.mp4"}, "refiners": [["smplify"]]},
        {"clip": {"path": "a.mp4"}, "refiners": ["smplify"], "refiner_options": {}},
        {"clip": {"path": "a.mp4"}, "refiners": [], "refiner_options": [None]},
        {"clip": {"path": "a.mp4"}, "camera_path": 3},
        {"clip": {"path": "a.mp4"}, "camera_path": {"times_s": [0.0]}},
        {"clip": {"path": "a.mp4"}, "camera_path": {"poses": 12}},
        {"clip": {"path": "a.mp4"}, "refiner_options": {}},
        {"clip": {"path": "a.mp4"}, "weights": 3},
        {"clip": {"path": "a.mp4"}, "corrections": 3},
        {"clip": {"path": "a.mp4"}, "corrections": [3]},
        {"clip": {"path": "a.mp4"}, "corrections": [{"kind": "ignore"}]},
        {"clip": {"path": "a.mp4"}, "corrections": [{"kind": "ignore", "who": {"x": 1}}]},
        {"clip": {"path": "a.mp4"}, "estimator": None, "options": {}},
    ],
)
def test_json_that_is_no_request_is_refused(values):
    with pytest.raises(RequestError):
        CaptureRequest.from_json(values)
