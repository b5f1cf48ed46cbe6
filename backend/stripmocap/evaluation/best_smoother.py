"""The accelerations that the best linear smoother would read from noisy places.

Whoever knows how motion and noise vary together over time (their second moments), and nothing
else, can do no better in the mean square: Wiener, "Extrapolation, Interpolation, and Smoothing of
Stationary Time Series", 1949, for a stretch that ends. Accelerations are taken for stationary;
where things are, and how fast, may be anything. Metres, and m/s^2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

_JITTER = 1e-9  # of what varies most, that keeps matrices from being singular


@dataclass(frozen=True)
class Noise:
    """What a number is off by: part of its variance is forgotten slowly, the rest at once."""

    deviation: float  # metres
    slow: float  # share of the variance
    seconds: float  # in which that is forgotten

    def covariance(self, frames: int, *, fps: float) -> np.ndarray:
        """(T, T) square metres."""
        apart = np.abs(np.subtract.outer(np.arange(frames), np.arange(frames)))
        kept = self.slow * np.exp(-apart / (fps * self.seconds))
        return self.deviation**2 * (kept + (1 - self.slow) * np.eye(frames))

    def drawn(
        self, frames: int, count: int, *, fps: float, generator: np.random.Generator
    ) -> np.ndarray:
        """(T, count) metres."""
        root = np.linalg.cholesky(self.covariance(frames, fps=fps))
        return root @ generator.standard_normal((frames, count))


def accelerations(places: np.ndarray, *, fps: float) -> np.ndarray:
    """(T - 2, ...) m/s^2 of places (T, ...)."""
    return np.diff(places, n=2, axis=0) * fps**2


def covariances(series: Iterable[np.ndarray], *, lags: int) -> np.ndarray:
    """(lags, C, C) how numbers vary with those so many frames before, series counting the same.

    Args:
        series: (T, C) each; every one is made as loud as the others, 1 on average.
        lags: frames beyond which nothing is thought to hang together; shares fade towards there.
    """
    found, count = 0.0, 0
    for each in series:
        size = 2 * max(len(each), lags)
        # `rfft` of more than the series lets ends not meet.
        spectrum = np.fft.rfft(each / np.sqrt(np.square(each).mean()), size, axis=0)
        cross = spectrum[:, :, None] * spectrum[:, None].conj()
        found = found + np.fft.irfft(cross, size, axis=0)[:lags] / len(each)
        count += 1
    assert count
    fade = 1 - np.arange(lags) / lags  # Bartlett's, which keeps every spectrum above nothing
    return fade[:, None, None] * found / count


def smoothed(
    places: np.ndarray, *, lagged: np.ndarray, loudness: float, noise: list[Noise], fps: float
) -> np.ndarray:
    """(T - 2, C) m/s^2, the likeliest accelerations of numbers that were seen with noise.

    Args:
        places: (T, C) metres, as they were seen.
        lagged: of `covariances`, of the same C numbers.
        loudness: mean square of the accelerations, which is known, too.
        noise: of each of the C.
        fps: frames a second.
    """
    frames, count = len(places) - 2, places.shape[1]
    usual = _stationary(loudness * lagged, frames)
    blocks = usual.reshape(frames, count, frames, count).copy()
    known: dict[Noise, np.ndarray] = {}
    for column, each in enumerate(noise):
        if each not in known:
            rough = accelerations(each.covariance(frames + 2, fps=fps), fps=fps)
            known[each] = accelerations(rough.T, fps=fps)
        blocks[:, column, :, column] += known[each]
    seen = blocks.reshape(len(usual), -1)
    seen[np.diag_indices_from(seen)] += _JITTER * seen.diagonal().max()
    rough = accelerations(places, fps=fps).ravel()
    return (usual @ cho_solve(cho_factor(seen), rough)).reshape(frames, count)


def _stationary(lagged: np.ndarray, frames: int) -> np.ndarray:
    """(T C, T C) of what varies by lags, time first."""
    count = lagged.shape[1]
    full = np.zeros((frames, count, frames, count))
    for lag, each in enumerate(lagged[:frames]):
        row = np.arange(frames - lag)
        full[row + lag, :, row, :] = each
        full[row, :, row + lag, :] = each.T
    return full.reshape(frames * count, -1)
