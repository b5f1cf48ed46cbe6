"""Trains the pose prior: a mixture of eight Gaussians over body poses of free motion capture.

A pose is 69 axis-angle numbers (23 joints, radians, SMPL's order). Frames of CMU's database are
taken five a second, mirrored, and weighed so that neither a long clip nor a common kind of motion
rules. What the data do not know gets a broad spread instead of a collapsed one: see `SPREAD`.
Expectation-maximisation with missing numbers follows Ghahramani & Jordan, "Supervised learning from
incomplete data via an EM approach", NIPS 1993.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.linalg
from safetensors.numpy import save_file

from ..contract.skeleton import JOINT_NAMES
from . import cards
from .mocap import Clips, load_clips, shares

Report = Callable[[str, int, int], None]

COMPONENTS = 8
KMEANS_ITERATIONS = 10
ITERATIONS = 40
RESTARTS = 3
FRAME_STEP = 6  # 30 fps -> 5 fps: neighbours say the same
# Of all poses: as if each Gaussian had seen as many more with the spread that all have in common.
# Between 0.01 and 0.3, this does best on held-out subjects.
SHRINKAGE = 0.03
# Radians: past this an axis-angle may jump to its opposite, and means of both would mean nothing.
LONGEST_TURN = 2.8
FEET = ("left_ankle", "right_ankle", "left_foot", "right_foot")
MIRRORED_SIGNS = (1.0, -1.0, -1.0)
# Radians, standard deviation added to each axis x, y, z. The skeleton behind the data has hinges
# for knees and toes, bends its spine in one place, keeps its collars still, and has no forearm
# twist and no hands (the database's own limits); people have all of these.
SPREAD = {
    "knee": (0.05, 0.1, 0.1),
    "foot": (0.1, 0.1, 0.1),
    "spine2": (0.12, 0.12, 0.12),
    "spine3": (0.12, 0.12, 0.12),
    "collar": (0.12, 0.12, 0.12),
    "elbow": (0.3, 0.05, 0.05),
    "wrist": (0.3, 0.1, 0.1),
    "hand": (0.2, 0.2, 0.2),
}
DEFAULT_SPREAD = (0.05, 0.05, 0.05)


@dataclass(frozen=True, eq=False)
class Poses:
    """Weighed body poses."""

    numbers: np.ndarray  # (N, 69) axis-angle, rad
    feet: np.ndarray  # (N,) bool, whether ankles and toes are known
    weights: np.ndarray  # (N,) mean one


@dataclass(frozen=True, eq=False)
class Mixture:
    """M Gaussians."""

    means: np.ndarray  # (M, 69) rad
    covars: np.ndarray  # (M, 69, 69) rad^2
    weights: np.ndarray  # (M,) summing to one


def main(data: Path, output: Path, *, seed: int, report: Report) -> None:
    """Trains on the clips in `data`; writes `output` (.safetensors) and its card beside it (.md).

    Raises:
        AssetMissing, AssetCorrupt: the data are not there, or not what they should be.
    """
    started = time.monotonic()
    train = weighed_poses(load_clips(data, "train"), mirrored=True)
    mixture = fit(train, components=COMPONENTS, seed=seed, report=report)
    seconds = time.monotonic() - started
    single = fit(train, components=1, seed=seed, report=report)
    likelihoods = {"train": (likelihood(mixture, train), likelihood(single, train))}
    for split in ("val", "test"):
        held_out = weighed_poses(load_clips(data, split), mirrored=False)
        likelihoods[split] = likelihood(mixture, held_out), likelihood(single, held_out)
    output.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"means": mixture.means, "covars": mixture.covars, "weights": mixture.weights}
    save_file({name: array.astype(np.float32) for name, array in arrays.items()}, output)
    card = _card(mixture, likelihoods, frames=len(train.numbers), seed=seed, seconds=seconds)
    cards.write(card, of=output)


def weighed_poses(clips: Clips, *, mirrored: bool) -> Poses:
    """Poses at 5 fps. A kind, and a clip within it, weighs as the square root of its length."""
    numbers, feet, weights = [], [], []
    for clip, share in zip(clips, shares(clips), strict=True):
        pose = clip.body_pose[::FRAME_STEP]
        pose = pose[(np.linalg.norm(pose, axis=-1) < LONGEST_TURN).all(axis=-1)]
        if len(pose) == 0:
            continue
        for each in [pose, mirror(pose)] if mirrored else [pose]:
            numbers.append(each.reshape(len(each), -1))
            feet.append(np.full(len(each), clip.feet_ok))
            weights.append(np.full(len(each), share / len(each)))
    weight = np.concatenate(weights)
    return Poses(np.concatenate(numbers), np.concatenate(feet), weight / weight.mean())


def mirror(body_pose: np.ndarray) -> np.ndarray:
    """(N, 23, 3) axis-angles of the same poses with left and right exchanged."""
    swapped = [_other_side(name) - 1 for name in JOINT_NAMES[1:]]
    return body_pose[:, swapped] * np.array(MIRRORED_SIGNS)


def fit(poses: Poses, *, components: int, seed: int, report: Report) -> Mixture:
    """The likeliest mixture of a few starts. The same seed gives the same mixture."""
    rng = np.random.default_rng(seed)
    best, best_likelihood = None, -np.inf
    for restart in range(RESTARTS if components > 1 else 1):
        mixture = _start(poses, components, rng)
        for iteration in range(ITERATIONS):
            mixture = _step(poses, mixture)
            report("pose prior", restart * ITERATIONS + iteration + 1, RESTARTS * ITERATIONS)
        if (reached := likelihood(mixture, poses)) > best_likelihood:
            best, best_likelihood = mixture, reached
    assert best is not None
    order = np.argsort(-best.weights)
    return Mixture(best.means[order], best.covars[order], best.weights[order])


def likelihood(mixture: Mixture, poses: Poses) -> float:
    """Mean log likelihood of poses whose feet are known, nats a frame, by their weights."""
    numbers, weights = poses.numbers[poses.feet], poses.weights[poses.feet]
    log = np.logaddexp.reduce(_log_joint(mixture, numbers, np.arange(numbers.shape[1])), axis=1)
    return float(np.average(log, weights=weights))


def spread_variance() -> np.ndarray:
    """(69,) rad^2 that every Gaussian has in addition to what the data show."""
    rows = []
    for name in JOINT_NAMES[1:]:
        part = name.removeprefix("left_").removeprefix("right_")
        rows.append(SPREAD.get(part, DEFAULT_SPREAD))
    return np.array(rows).reshape(-1) ** 2


def _known() -> np.ndarray:
    """Numbers that are known where feet are not: all but those of ankles and toes."""
    return np.flatnonzero(np.repeat([name not in FEET for name in JOINT_NAMES[1:]], 3))


def _start(poses: Poses, components: int, rng: np.random.Generator) -> Mixture:
    """k-means of poses with known feet, from means far apart (k-means++); one common spread."""
    numbers, weights = poses.numbers[poses.feet], poses.weights[poses.feet]
    chosen = [int(rng.choice(len(numbers), p=weights / weights.sum()))]
    nearest = np.full(len(numbers), np.inf)
    while len(chosen) < components:
        nearest = np.minimum(nearest, _squared_distances(numbers, numbers[chosen[-1:]])[:, 0])
        draw = nearest * weights
        chosen.append(int(rng.choice(len(numbers), p=draw / draw.sum())))
    means = numbers[chosen].copy()
    label = np.zeros(len(numbers), dtype=np.int64)
    for _ in range(KMEANS_ITERATIONS):
        label = _squared_distances(numbers, means).argmin(axis=1)
        for index in np.unique(label):
            mine = label == index
            means[index] = np.average(numbers[mine], axis=0, weights=weights[mine])
    within = numbers - means[label]
    spread = (within * weights[:, None]).T @ within / weights.sum() + np.diag(spread_variance())
    return Mixture(
        means=means,
        covars=np.repeat(spread[None], components, axis=0),
        weights=np.full(components, 1 / components),
    )


def _squared_distances(numbers: np.ndarray, means: np.ndarray) -> np.ndarray:
    """(N, M) between numbers (N, D) and means (M, D)."""
    return np.stack([((numbers - mean) ** 2).sum(axis=1) for mean in means], axis=1)


def _step(poses: Poses, mixture: Mixture) -> Mixture:
    """One step of expectation and maximisation, with ankles and toes filled in where unknown."""
    known, every, spread = _known(), np.arange(poses.numbers.shape[1]), spread_variance()
    unknown = np.setdiff1d(every, known)
    whole, part = poses.numbers[poses.feet], poses.numbers[~poses.feet][:, known]
    share_whole = _responsibilities(mixture, whole, every) * poses.weights[poses.feet, None]
    share_part = _responsibilities(mixture, part, known) * poses.weights[~poses.feet, None]
    means, covars = np.empty_like(mixture.means), np.empty_like(mixture.covars)
    for index, (mean, covar) in enumerate(zip(mixture.means, mixture.covars, strict=True)):
        gain = np.linalg.solve(covar[np.ix_(known, known)], covar[np.ix_(known, unknown)]).T
        filled = np.empty((len(part), len(every)))
        filled[:, known] = part
        filled[:, unknown] = mean[unknown] + (part - mean[known]) @ gain.T
        numbers = np.concatenate([whole, filled])
        share = np.concatenate([share_whole[:, index], share_part[:, index]])
        means[index] = share @ numbers / share.sum()
        centred = numbers - means[index]
        scatter = (centred * share[:, None]).T @ centred
        # What filling in leaves open; the spread is added below and must not be counted twice.
        left = covar[np.ix_(unknown, unknown)] - gain @ covar[np.ix_(known, unknown)]
        left[np.diag_indices(len(unknown))] -= spread[unknown]
        scatter[np.ix_(unknown, unknown)] += share_part[:, index].sum() * left
        covars[index] = scatter
    weights = share_whole.sum(axis=0) + share_part.sum(axis=0)
    # A small Gaussian has seen few people: it borrows what all have in common.
    borrowed = SHRINKAGE * covars.sum(axis=0)
    counts = weights + SHRINKAGE * weights.sum()
    covars = (covars + borrowed) / counts[:, None, None] + np.diag(spread)
    return Mixture(means, covars, weights / weights.sum())


def _responsibilities(mixture: Mixture, numbers: np.ndarray, columns: np.ndarray) -> np.ndarray:
    log = _log_joint(mixture, numbers, columns)
    return np.exp(log - np.logaddexp.reduce(log, axis=1, keepdims=True))


def _log_joint(mixture: Mixture, numbers: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(N, M) log of weight times density of numbers (N, D), given the columns that they are."""
    log = np.empty((len(numbers), len(mixture.weights)))
    for index, weight in enumerate(mixture.weights):
        factor = np.linalg.cholesky(mixture.covars[index][np.ix_(columns, columns)])
        centred = (numbers - mixture.means[index][columns]).T
        residual = scipy.linalg.solve_triangular(factor, centred, lower=True)
        constant = 2 * np.log(np.diag(factor)).sum() + len(columns) * np.log(2 * np.pi)
        log[:, index] = np.log(weight) - ((residual**2).sum(axis=0) + constant) / 2
    return log


def _other_side(name: str) -> int:
    swapped = name.replace("left", "?").replace("right", "left").replace("?", "right")
    return JOINT_NAMES.index(swapped)


def _card(
    mixture: Mixture,
    likelihoods: dict[str, tuple[float, float]],
    *,
    frames: int,
    seed: int,
    seconds: float,
) -> str:
    table = "\n".join(
        f"| {split} | {mixed:.1f} | {single:.1f} |"
        for split, (mixed, single) in likelihoods.items()
    )
    shares = ", ".join(f"{weight:.3f}" for weight in mixture.weights)
    return f"""# Pose prior

{COMPONENTS} Gaussians with full covariance over body poses: 69 axis-angle numbers (23 joints of
SMPL's tree, radians). Arrays: `means` (M, 69), `covars` (M, 69, 69), `weights` (M,).

- Data: CMU Graphics Lab Motion Capture Database, train clips, 5 frames a second, mirrored:
  {frames} poses. A kind of motion, and a clip within it, weighs as the square root of its length.
- The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with
  funding from NSF EIA-0196217.
- Ankles and toes are learnt only from clips whose feet are right, and filled in elsewhere.
- Each Gaussian borrows from the spread that all have in common ({SHRINKAGE} of all poses).
- Spread that the data do not have is added to hinges, spine, collars, forearms, wrists and hands
  (`SPREAD` in training/pose_prior.py).
- Command: `stripmocap train pose-prior --data DIR`; seed {seed}; {seconds:.0f} s on two CPU cores.
- Shares of the Gaussians: {shares}.

| clips | mean log likelihood, nats a frame | one Gaussian |
|---|---|---|
{table}

The likelihood is that of frames with known feet, in the weights above; val and test hold other
subjects than train. The mixture may be used and passed on under this repository's licence.
"""
