from __future__ import annotations

import numpy as np
import pytest
from stage import landmarks_at
from stripmocap.people.appearance import clothes, difference

KEYPOINTS = landmarks_at(np.array([50.0, 50.0])).keypoints


def dressed(colour: int) -> np.ndarray:
    return clothes(np.full((100, 100, 3), colour, dtype=np.uint8), KEYPOINTS)


def test_the_same_clothes_do_not_differ():
    assert difference(dressed(200), dressed(200)) == pytest.approx(0, abs=1e-6)


def test_other_clothes_differ_wholly():
    assert difference(dressed(200), dressed(20)) == pytest.approx(1)


def test_what_is_out_of_the_picture_decides_nothing():
    image = np.zeros((100, 100, 3), dtype=np.uint8)
    away = KEYPOINTS + np.array([1000, 0, 0])

    assert difference(clothes(image, away), dressed(20)) == 0.5
