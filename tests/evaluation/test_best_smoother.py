"""The best linear smoother, on noise and motion whose second moments are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.evaluation.best_smoother import Noise, accelerations, covariances, smoothed

FPS = 30.0
FRAMES = 60
QUIET = Noise(1e-6, 0.8, 0.8)


@pytest.fixture
def motion():
    """(T, 2) metres: two numbers that swing, one after the other."""
    at_s = np.arange(FRAMES) / FPS
    return 0.1 * np.stack([np.sin(8 * at_s), np.cos(8 * at_s + 0.3)], axis=1)


def _read(motion, noise, *, seed=0):
    generator = np.random.default_rng(seed)
    seen = motion + noise.drawn(FRAMES, 2, fps=FPS, generator=generator)
    truth = accelerations(motion, fps=FPS)
    lagged = covariances([truth], lags=40)
    loudness = float(np.square(truth).mean())
    found = smoothed(seen, lagged=lagged, loudness=loudness, noise=[noise] * 2, fps=FPS)
    return found, truth, accelerations(seen, fps=FPS)


def test_without_noise_the_smoother_reads_what_is_there(motion):
    found, truth, _ = _read(motion, QUIET)

    assert_allclose(found, truth, atol=0.05)


def test_amid_nothing_but_noise_the_smoother_says_nothing(motion):
    found, truth, _ = _read(motion, Noise(30.0, 0.0, 1.0))

    assert np.abs(found).max() < 0.1 * np.abs(truth).max()


@pytest.mark.parametrize("deviation", [0.003, 0.01, 0.03])
def test_the_smoother_is_nearer_than_what_is_seen_and_than_silence(motion, deviation):
    found, truth, rough = _read(motion, Noise(deviation, 0.84, 0.83))

    missed = np.square(found - truth).mean()
    assert missed < np.square(rough - truth).mean()
    assert missed < np.square(truth).mean()


def test_the_smoother_errs_more_where_there_is_more_noise(motion):
    missed = []
    for deviation in (0.001, 0.01, 0.1):
        found, truth, _ = _read(motion, Noise(deviation, 0.84, 0.83))
        missed.append(np.square(found - truth).mean())

    assert missed == sorted(missed)


def test_where_things_are_and_how_fast_changes_no_acceleration(motion):
    noise = Noise(0.01, 0.84, 0.83)
    lagged = covariances([accelerations(motion, fps=FPS)], lags=40)
    moved = motion + 3.0 + 2.0 * np.arange(FRAMES)[:, None] / FPS

    one, other = (
        smoothed(each, lagged=lagged, loudness=4.0, noise=[noise] * 2, fps=FPS)
        for each in (motion, moved)
    )

    assert_allclose(one, other, atol=1e-6)


def test_drawn_noise_is_as_large_as_it_is_said_to_be():
    noise = Noise(0.02, 0.5, 0.1)

    drawn = noise.drawn(400, 50, fps=FPS, generator=np.random.default_rng(1))

    assert drawn.std() == pytest.approx(0.02, rel=0.05)


def test_lagged_covariances_count_every_series_the_same(motion):
    quiet, loud = accelerations(motion, fps=FPS), 100 * accelerations(motion[::-1], fps=FPS)

    found = covariances([quiet, loud], lags=1)

    assert np.trace(found[0]) / 2 == pytest.approx(1.0)
