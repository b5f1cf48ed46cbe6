"""How motions begin: a mixture of Gaussians over canonical first moments.

By expectation and maximisation (Rempe et al., "HuMoR", ICCV 2021, 4.2). Means start at moments far
apart (k-means++). Small Gaussians borrow from the spread that all have in common, and none is
narrower than `LEAST_SPREAD`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

Report = Callable[[str, int, int], None]

COMPONENTS = 12  # HuMoR's
ITERATIONS = 20
KMEANS_ITERATIONS = 8
SHRINKAGE = 0.02  # of all moments: as if each Gaussian had seen as many more of the common spread
LEAST_SPREAD = (0.005, 0.05)  # metres of places; metres or radians a second of velocities
_PLACES = 66  # numbers that are places; the others are velocities


@dataclass(frozen=True, eq=False)
class Mixture:
    """M Gaussians."""

    means: np.ndarray  # (M, D)
    covariances: np.ndarray  # (M, D, D)
    weights: np.ndarray  # (M,) summing to one


def fit(numbers: np.ndarray, *, components: int, seed: int, report: Report) -> Mixture:
    """The mixture that explains numbers (N, D), float64, well; a seed gives always the same."""
    mixture = _start(numbers, components, np.random.default_rng(seed))
    for iteration in range(ITERATIONS):
        mixture = _step(numbers, mixture)
        report("initial states", iteration + 1, ITERATIONS)
    order = np.argsort(-mixture.weights)
    return Mixture(mixture.means[order], mixture.covariances[order], mixture.weights[order])


def likelihood(mixture: Mixture, numbers: np.ndarray) -> float:
    """Mean log likelihood of numbers (N, D), nats a moment."""
    return float(np.logaddexp.reduce(_log_joint(mixture, numbers), axis=1).mean())


def _start(numbers: np.ndarray, components: int, rng: np.random.Generator) -> Mixture:
    chosen = [int(rng.integers(len(numbers)))]
    nearest = np.full(len(numbers), np.inf)
    while len(chosen) < components:
        nearest = np.minimum(nearest, _squared(numbers, numbers[chosen[-1:]])[:, 0])
        chosen.append(int(rng.choice(len(numbers), p=nearest / nearest.sum())))
    means = numbers[chosen].copy()
    label = np.zeros(len(numbers), dtype=np.int64)
    for _ in range(KMEANS_ITERATIONS):
        label = _squared(numbers, means).argmin(axis=1)
        for index in np.unique(label):
            means[index] = numbers[label == index].mean(axis=0)
    within = numbers - means[label]
    spread = within.T @ within / len(numbers) + _floor(numbers.shape[1])
    counts = np.bincount(label, minlength=components) + 1.0
    return Mixture(means, np.repeat(spread[None], components, axis=0), counts / counts.sum())


def _step(numbers: np.ndarray, mixture: Mixture) -> Mixture:
    """One step of expectation and maximisation."""
    log = _log_joint(mixture, numbers)
    share = np.exp(log - np.logaddexp.reduce(log, axis=1, keepdims=True))  # (N, M)
    counts = share.sum(axis=0) + 1e-9
    means = share.T @ numbers / counts[:, None]
    scatter = np.empty_like(mixture.covariances)
    for index, mean in enumerate(means):
        apart = (numbers - mean) * np.sqrt(share[:, index, None])
        scatter[index] = apart.T @ apart
    borrowed = SHRINKAGE * scatter.sum(axis=0)
    believed = counts + SHRINKAGE * counts.sum()
    covariances = (scatter + borrowed) / believed[:, None, None] + _floor(numbers.shape[1])
    return Mixture(means, covariances, counts / counts.sum())


def _floor(count: int) -> np.ndarray:
    places, velocities = LEAST_SPREAD
    return np.diag(np.where(np.arange(count) < _PLACES, places, velocities) ** 2)


def _squared(numbers: np.ndarray, means: np.ndarray) -> np.ndarray:
    """(N, M) squared distances."""
    return np.stack([np.square(numbers - mean).sum(axis=1) for mean in means], axis=1)


def _log_joint(mixture: Mixture, numbers: np.ndarray) -> np.ndarray:
    """(N, M) log of weight times density."""
    log = np.empty((len(numbers), len(mixture.weights)))
    for index, weight in enumerate(mixture.weights):
        factor = np.linalg.cholesky(mixture.covariances[index])
        apart = (numbers - mixture.means[index]).T
        apart = scipy.linalg.solve_triangular(factor, apart, lower=True)
        constant = 2 * np.log(np.diag(factor)).sum() + numbers.shape[1] * np.log(2 * np.pi)
        log[:, index] = np.log(weight) - (np.square(apart).sum(axis=0) + constant) / 2
    return log
