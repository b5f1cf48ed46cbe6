"""What clients may send is what the contract knows, no more, no less, and nothing else gets in."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from pydantic import ValidationError
from stripmocap.contract.camera_path import MOST_POSES, CameraPath
from stripmocap.contract.errors import RequestError
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import METHODS, SmplifyOptions, SpinOptions, VibeOptions
from stripmocap.server.web import asks
from stripmocap.server.web.guards import MAX_JSON_BYTES


def names(record) -> set[str]:
    return {each.name for each in dataclasses.fields(record)}


@pytest.mark.parametrize(
    ("ask", "record"),
    [
        (asks.RequestAsk, CaptureRequest),
        (asks.ClipAsk, Clip),
        (asks.CameraPathAsk, CameraPath),
        *((asks.OPTIONS[key], each.options) for key, each in METHODS.items()),
    ],
)
def test_an_ask_has_the_fields_of_the_contract(ask, record):
    assert set(ask.model_fields) == names(record)


def test_the_shortest_ask_means_the_request_with_its_defaults():
    ask = asks.RequestAsk.model_validate({"clip": {"path": "/a.mp4"}})

    assert ask.meant() == CaptureRequest(Clip("/a.mp4"))


@pytest.mark.parametrize(
    "asked",
    [
        {"options": SmplifyOptions(depth_cue=2.0), "body": "female"},
        {"estimator": "spin", "options": SpinOptions(), "weights": "official"},
        {"estimator": "vibe", "options": VibeOptions(smooth=0.5), "refiners": ("smplify",)},
        {
            "estimator": "spin",
            "options": SpinOptions(),
            "refiners": ("smplify",),
            "refiner_options": (SmplifyOptions(smoothness=2.0),),
        },
        {
            "camera_path": CameraPath(
                np.array([0.0, 0.5]),
                np.array([[0.0, 1.0, 1.5]] * 2),
                np.array([[1.0, 0, 0, 0]] * 2),
            )
        },
    ],
)
def test_what_the_contract_writes_is_understood_as_it_was_meant(asked):
    request = CaptureRequest(Clip("/a.mp4", 1.5, 2.5), height_m=1.7, focal_px=1200.0, **asked)

    assert asks.RequestAsk.model_validate(request.to_json()).meant() == request


def test_options_that_are_not_said_are_those_of_the_method_that_was():
    ask = asks.RequestAsk.model_validate({"clip": {"path": "/a.mp4"}, "estimator": "spin"})

    assert ask.meant().options == SpinOptions()


def test_options_of_another_method_are_refused_when_they_are_meant():
    ask = asks.RequestAsk.model_validate(
        {"clip": {"path": "/a.mp4"}, "estimator": "spin", "options": {"smoothness": 2.0}}
    )

    with pytest.raises(RequestError, match="no option smoothness"):
        ask.meant()


@pytest.mark.parametrize(
    "wrong",
    [
        {"clip": {"path": "/a.mp4", "start_s": math.nan}},
        {"clip": {"path": "/a.mp4", "start_s": -1.0}},
        {"clip": {"path": "/a.mp4", "stop_s": math.inf}},
        {"clip": {"path": "/a.mp4", "start_s": "1"}},
        {"clip": {"path": "/a.mp4", "start_s": True}},
        {"clip": {"path": ""}},
        {"clip": {"path": "/a\0.mp4"}},
        {"clip": {"path": "/a\n.mp4"}},
        {"clip": {"path": "/" + "a" * 5000}},
        {"clip": {"path": "/a\ud800.mp4"}},
        {"clip": {"path": "/a.mp4", "fps": 25}},
        {"clip": {"path": "/a.mp4"}, "estimator": "magic"},
        {"clip": {"path": "/a.mp4"}, "refiners": ["spin"]},
        {"clip": {"path": "/a.mp4"}, "refiners": ["smplify"] * 9},
        {"clip": {"path": "/a.mp4"}, "refiner": "smplify"},
        {"clip": {"path": "/a.mp4"}, "camera_path": {"times_s": []}},
        {"clip": {"path": "/a.mp4"}, "camera_path": {"times_s": [0], "positions": [[0, 0, 0]]}},
        {
            "clip": {"path": "/a.mp4"},
            "camera_path": {"times_s": [0], "positions": [[0, 0]], "quats": [[1, 0, 0, 0]]},
        },
        {
            "clip": {"path": "/a.mp4"},
            "camera_path": {
                "times_s": [0] * 5001,
                "positions": [[0, 0, 0]] * 5001,
                "quats": [[1, 0, 0, 0]] * 5001,
            },
        },
        {"clip": {"path": "/a.mp4"}, "weights": "stolen"},
        {"clip": {"path": "/a.mp4"}, "options": {"magic": 1.0}},
        {"clip": {"path": "/a.mp4"}, "options": {"smoothness": 1e9}},
        {"clip": {"path": "/a.mp4"}, "height_m": 17.0},
        {"clip": {"path": "/a.mp4"}, "focal_px": 0.0},
        {"clip": {"path": "/a.mp4"}, "body": None},
        {"clip": "/a.mp4"},
        {},
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        asks.RequestAsk.model_validate(wrong)


def test_a_name_that_is_no_unicode_is_shown_as_well_as_can_be():
    ask = asks.UploadAsk.model_validate({"sha256": "0" * 64, "size": 1, "name": "a\udcff.mp4"})

    assert ask.name == "a?.mp4"


@pytest.mark.parametrize("sha256", ["0" * 63, "0" * 65, "G" * 64, "A" * 64, "../" * 21 + "a", ""])
def test_what_is_no_checksum_is_refused(sha256):
    with pytest.raises(ValidationError):
        asks.UploadAsk.model_validate({"sha256": sha256, "size": 1})


def test_a_whole_number_may_be_written_with_a_point():
    assert asks.MoveAsk.model_validate({"priority": 4.0}).priority == 4

    with pytest.raises(ValidationError):
        asks.MoveAsk.model_validate({"priority": 4.5})


def test_the_longest_camera_path_fits_into_a_call():
    count = MOST_POSES
    rng = np.random.default_rng(1)
    quats = rng.normal(size=(count, 4))
    path = CameraPath(
        4000 + np.arange(count) / 24 + 0.0417,
        rng.uniform(-99, 99, size=(count, 3)),
        quats / np.linalg.norm(quats, axis=1, keepdims=True),
    )

    text = json.dumps(CaptureRequest(Clip("/a.mp4"), camera_path=path).to_json())

    assert len(text) < MAX_JSON_BYTES / 2
