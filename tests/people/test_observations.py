from __future__ import annotations

import numpy as np
import pytest
from stripmocap.contract.errors import StripMocapError
from stripmocap.people.observations import PICTURE_PX, Cast, Person, Picture


def person(**changes) -> Person:
    values = {
        "person": 0,
        "times_s": [0.0, 0.1],
        "boxes": np.zeros((2, 4)),
        "keypoints": np.zeros((2, 33, 3)),
        "landmarks3d": np.zeros((2, 33, 3)),
        "presence": [1.0, 0.0],
    }
    return Person(**{**values, **changes})


def test_arrays_become_read_only_and_of_one_type():
    made = person()

    assert made.times_s.dtype == np.float64
    assert made.keypoints.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        made.boxes[0] = 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"boxes": np.zeros((3, 4))}, "boxes"),
        ({"keypoints": np.full((2, 33, 3), np.nan)}, "not finite"),
        ({"presence": [1.0, 1.5]}, "confidence"),
        ({"times_s": [0.1, 0.1]}, "do not rise"),
    ],
)
def test_what_cannot_be_is_refused(changes, complaint):
    with pytest.raises((ValueError, StripMocapError), match=complaint):
        person(**changes)


def test_a_cast_has_an_album_for_each_person():
    picture = Picture(0.1, np.zeros((PICTURE_PX, PICTURE_PX, 3)))

    assert Cast([0.0, 0.1], (person(),), ((picture,),)).pictures[0][0].image.dtype == np.uint8
    with pytest.raises(ValueError, match="albums"):
        Cast([0.0, 0.1], (person(),), ())


def test_the_times_of_a_cast_rise():
    with pytest.raises(ValueError, match="do not rise"):
        Cast([0.1, 0.0], (), ())
