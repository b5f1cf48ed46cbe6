from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.contract.errors import ResultFileError
from stripmocap.contract.motion import LEVEL_WORLD_FROM_CAMERA, Capture, Take
from toyshot import toy_camera, toy_capture, toy_motion


@pytest.fixture
def motion():
    return toy_motion(0, frames=4, fps=30, seed=0)


def test_arrays_are_kept_as_read_only_copies(motion):
    given = np.zeros((4, 3))

    kept = replace(motion, transl=given).transl
    given += 1

    assert_allclose(kept, 0)
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1


@pytest.mark.parametrize(
    "changes",
    [
        {"times_s": [0, 1, 1, 2]},
        {"times_s": []},
        {"transl": np.zeros((3, 3))},
        {"transl": np.full((4, 3), np.nan)},
        {"body_pose": np.zeros((4, 24, 3))},
        {"betas": np.zeros(16)},
        {"confidence": np.full(4, 1.1)},
    ],
)
def test_a_motion_that_cannot_be_is_refused(motion, changes):
    with pytest.raises(ResultFileError):
        replace(motion, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"focal_px": 0.0},
        {"focal_px": np.nan},
        {"size_px": (0, 720)},
        {"center_px": np.zeros(3)},
        {"world_from_camera": np.eye(3)},
    ],
)
def test_a_camera_that_cannot_be_is_refused(changes):
    with pytest.raises(ResultFileError):
        replace(toy_camera(), **changes)


def test_the_level_camera_looks_along_y_with_its_top_up():
    right, down, forward = LEVEL_WORLD_FROM_CAMERA[:3, :3].T

    assert_allclose(right, [1, 0, 0])
    assert_allclose(down, [0, 0, -1])
    assert_allclose(forward, [0, 1, 0])


def test_a_take_is_found_by_its_label():
    assert toy_capture(frames=2).take("refined").label == "refined"


def test_a_take_that_is_missing_is_refused_with_those_there_are():
    capture = Capture(toy_camera(), (Take("fitted", ()),), {})

    with pytest.raises(ResultFileError) as refused:
        capture.take("refined")

    assert "fitted" in refused.value.hint


def test_an_unknown_label_is_refused():
    with pytest.raises(ResultFileError, match="'best'"):
        Take("best", ())


def test_the_best_take_is_the_one_that_most_was_done_for():
    takes = (Take("refined", ()), Take("frame", ()), Take("fitted", ()))

    assert Capture(toy_camera(), takes, {}).best.label == "refined"
