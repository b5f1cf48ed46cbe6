from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from stripmocap.contract.messages import Clip
from stripmocap.evaluation import strips
from stripmocap.evaluation.strips import strip
from stripmocap.video.frames import Frame
from toytrials import ToyCase, tried

pytestmark = pytest.mark.usefixtures("small_body")
SIZE = (64, 48)


def read(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def test_each_method_has_a_row_and_so_has_the_footage(monkeypatch):
    trials = tried(ToyCase())
    shown = [Frame(number / 25, np.zeros((48, 64, 3), dtype=np.uint8)) for number in range(4)]
    monkeypatch.setattr(strips, "read_frames", lambda clip: iter(shown))

    without = read(strip(trials, footage=None, count=2))
    filmed = read(strip(trials, footage=Clip("x"), count=2))

    height, width = without.shape[:2]
    assert filmed.shape[:2] == (height // len(trials) * (len(trials) + 1), width)
    assert filmed[: height // len(trials)].max() < 20  # black footage, no body over it
    assert filmed[height // len(trials) :].max() > 100


def test_moments_lie_where_all_methods_have_frames():
    first, second, _ = tried(ToyCase())
    series = first.found.series
    late = replace(
        second, found=replace(second.found, series=replace(series, times_s=series.times_s + 0.04))
    )

    moments = strips._moments([first, late], 3)

    assert (moments > 0.04).all()
    assert (moments < series.times_s[-1]).all()
    assert (np.diff(moments) > 0).all()


def test_the_frame_that_is_shown_at_a_moment_is_taken(monkeypatch):
    pictures = [Frame(at, np.full((2, 2, 3), n, dtype=np.uint8)) for n, at in enumerate((0, 1, 2))]
    monkeypatch.setattr(strips, "read_frames", lambda clip: iter(pictures))

    found = strips._frames(Clip("x"), np.array([0.5, 0.9, 1.0, 7.0]), SIZE)

    assert [int(frame.image[0, 0, 0]) for frame in found] == [0, 0, 1, 2]


def test_a_motion_that_trembles_has_longer_trails():
    (trial, *_) = tried(ToyCase())
    motion = trial.capture.takes[0].motions[0]
    places = motion.transl + 0.1 * (np.arange(4) % 2)[:, None] * [1, 0, 0]
    shaken = replace(motion, transl=places)
    take = replace(trial.capture.takes[0], motions=(shaken,))
    other = replace(trial, capture=replace(trial.capture, takes=(take, *trial.capture.takes[1:])))

    def coloured(trial):
        image = strips._Row(trial).painted(Frame(3 / 25, np.zeros((480, 640, 3), dtype=np.uint8)))
        return (image == strips.TRAILS["left_wrist"]).all(axis=-1).sum()

    assert coloured(other) > coloured(trial)
