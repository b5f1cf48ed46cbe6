"""What BlazePose's errors are like, from what it said of scenes whose truth is known.

Gives the numbers of `training.noise`: biases in body axes, tables of errors and scores by state and
kind of landmark, how errors hang together in a person and over time, and how often left is taken
for right. Lengths are metres at the person's distance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from ..people.sides import OTHER_SIDE
from ..training.noise import KINDS, LIMBS, SWAPS, Row, kind_of, limb_of, parts_of
from ..training.occlusion import SEEN, STATES

LOST_M = 0.15  # median error of a scene: more is somebody else
CARRIERS = {
    "face": "head",
    "shoulder": "spine3",
    "elbow": "shoulder",
    "wrist": "elbow",
    "hand": "wrist",
    "hip": "pelvis",
    "knee": "hip",
    "ankle": "knee",
    "foot": "ankle",
}
SWAPPED_RATIO, SWAPPED_LEAST_M = 0.6, 0.06  # by the other names: nearer by this, and worth a name
TRIMMED = 0.9  # share of residuals that biases are taken of
LEAST_M = 0.002  # smaller residuals are taken for this
# Of the logarithm of a two-dimensional standard normal's length: mean and variance.
_LOG_MEAN, _LOG_VARIANCE = (np.log(2) - np.euler_gamma) / 2, np.pi**2 / 24
_LOGITS = (-9.0, 9.0)
_MOST_LAG = 9  # frames
_FROM_MEDIAN = 1.4826  # a Gaussian's spread over the median of its size
_LEAST_COUNT = 60  # observations; with fewer, a row is that of its state


@dataclass(frozen=True, eq=False)
class Seen:
    """One scene's person, where BlazePose found it."""

    scene: int
    frame: np.ndarray  # (T,) int, which frames
    step_s: float  # seconds between frames
    residual: np.ndarray  # (T, 33, 2) m, found less true, in the picture's plane
    score: np.ndarray  # (T, 33)
    state: np.ndarray  # (T, 33) of `STATES`
    rotations: np.ndarray  # (T, 24, 3, 3) to the camera
    away: np.ndarray  # (T,) 0 the chest faces the camera, 1 the back
    apart: np.ndarray  # (T, 33, 2) m, the same landmark of the other side less this one
    guess: np.ndarray  # (T, 33, 3) m about the hips, seen straight at the person, as found
    about: np.ndarray  # (T, 33, 3) m about the hips, in the same axes, the truth


class Metric(NamedTuple):
    """How the three-dimensional guess comes out, seen straight at the person."""

    shrinkage: tuple[float, ...]  # (3,)
    error_mm: tuple[tuple[float, ...], ...]  # (9, 3) by kind, one axis' standard deviation
    limb_share: float  # of a squared error
    slow: tuple[float, float]
    lean: tuple[float, ...]  # (2,) spread of the depth a metre to the right and downwards


@dataclass(frozen=True, eq=False)
class Measured:
    """The numbers of `training.noise`, with how much they rest on."""

    bias_mm: dict[str, tuple[str, tuple[float, float, float]]]
    table: tuple[tuple[Row, ...], ...]
    counts: np.ndarray  # (4, 9) observations
    person_share: float
    limb_share: float
    person_spread: float
    swaps: dict[str, tuple[float, float]]  # facing the camera, showing the back
    swapped_logit: float
    slow: dict[str, tuple[float, float]]
    lags: dict[str, np.ndarray]  # autocorrelation by frames
    metric: Metric


def measure(scenes: list[Seen]) -> Measured:
    """All numbers of `scenes`."""
    swaps, swapped_logit, righted = _swaps(scenes)
    bias = _biases(righted)
    clean = [_less_bias(each, bias) for each in righted]
    table, counts = _table(clean)
    units = [_units(each, table) for each in clean]
    spread = _person_spread(units)
    table = _less_spread(table, spread)
    person, limb = _shares(units)
    lags = _lags(units, clean)
    step_s = scenes[0].step_s
    slow = {name: _slow(values, step_s) for name, values in lags.items()}
    metric = _metric(scenes)
    return Measured(
        bias, table, counts, person, limb, spread, swaps, swapped_logit, slow, lags, metric
    )


def by_chance(scenes: list[Seen], measured: Measured) -> list[Seen]:
    """`scenes` with names set right and biases taken off: what `measured.table` tells of."""
    return [_less_bias(each, measured.bias_mm) for each in _swaps(scenes)[2]]


def _swaps(scenes: list[Seen]) -> tuple[dict[str, tuple[float, float]], float, list[Seen]]:
    """Rates of each exchange from the front and from behind, its logit, and scenes set right."""
    rates, righted, logits = {}, list(scenes), []
    for part in SWAPS:
        mine = np.array([part in parts_of(name) for name in BLAZEPOSE_NAMES])
        happened = []
        for index, scene in enumerate(righted):
            size = np.linalg.norm(scene.apart[:, mine], axis=-1).mean(axis=1)
            kept = np.linalg.norm(scene.residual[:, mine], axis=-1)
            # What is called left lies at the right one's place: its residual is `apart` plus noise.
            other = np.linalg.norm((scene.residual - scene.apart)[:, mine], axis=-1)
            now = (other.mean(axis=1) < SWAPPED_RATIO * kept.mean(axis=1)) & (
                size > SWAPPED_LEAST_M
            )
            happened.append(np.stack([now, size > SWAPPED_LEAST_M, scene.away]))
            if now.any():
                logits.append(_logit(scene.score[now][:, mine]).mean())
                righted[index] = _exchanged(scene, now, mine)
        both = np.concatenate(happened, axis=1)
        rates[part] = tuple(
            float(both[0, side & (both[1] > 0)].mean()) if side.any() else 0.0
            for side in (both[2] < 0.4, both[2] > 0.6)
        )
    usual = np.mean([_logit(scene.score).mean() for scene in scenes])
    return rates, float(np.mean(logits) - usual) if logits else 0.0, righted


def _exchanged(scene: Seen, now: np.ndarray, mine: np.ndarray) -> Seen:
    """`scene` with the names of `mine` changed in the frames `now`."""
    where = now[:, None] & mine
    # The place called left is the right one's: less `apart` it is an error of the right one.
    residual = np.where(
        where[..., None], (scene.residual - scene.apart)[:, OTHER_SIDE], scene.residual
    )
    score = np.where(where, scene.score[:, OTHER_SIDE], scene.score)
    return replace(scene, residual=residual, score=score)


def _biases(scenes: list[Seen]) -> dict[str, tuple[str, tuple[float, float, float]]]:
    """Of left and middle landmarks, in the axes of the bone that carries them, millimetres."""
    biases = {}
    for index, name in enumerate(BLAZEPOSE_NAMES):
        if "right" in name:
            continue
        carrier = _carrier(name)
        rows, goals = [], []
        for sign, at, joint in _both_sides(index, carrier):
            for scene in scenes:
                used = scene.state[:, at] == SEEN
                turn = scene.rotations[used, JOINT_NAMES.index(joint), :2] * [sign, 1, 1]
                rows.append(turn)
                goals.append(scene.residual[used, at])
        turns, offsets = np.concatenate(rows), np.concatenate(goals)
        solution = np.zeros(3)
        for _ in range(5 if len(offsets) >= _LEAST_COUNT else 0):
            left = np.linalg.norm(offsets - turns @ solution, axis=1)
            kept = left <= np.quantile(left, TRIMMED)
            solution = np.linalg.lstsq(
                turns[kept].reshape(-1, 3), offsets[kept].ravel(), rcond=None
            )[0]
        if name == "nose":
            solution[0] = 0.0
        biases[name] = carrier, tuple(float(each) for each in np.round(1000 * solution))
    return biases


def _both_sides(index: int, carrier: str) -> list[tuple[float, int, str]]:
    """Sign of x, landmark and joint, on the left and on the right."""
    other = OTHER_SIDE[index]
    if other == index:
        return [(1.0, index, carrier)]
    return [(1.0, index, carrier), (-1.0, other, carrier.replace("left", "right"))]


def _carrier(name: str) -> str:
    carrier = CARRIERS[kind_of(name)]
    return carrier if carrier in JOINT_NAMES else f"left_{carrier}"


def _less_bias(scene: Seen, biases: dict) -> Seen:
    residual = scene.residual.copy()
    for name, (carrier, offset) in biases.items():
        index = BLAZEPOSE_NAMES.index(name)
        for sign, at, joint in _both_sides(index, carrier):
            turn = scene.rotations[:, JOINT_NAMES.index(joint), :2]
            residual[:, at] -= turn @ (np.array(offset) * [sign, 1, 1] / 1000)
    return replace(scene, residual=residual)


def _table(scenes: list[Seen]) -> tuple[tuple[tuple[Row, ...], ...], np.ndarray]:
    lengths = np.concatenate([_lengths(scene).reshape(-1) for scene in scenes])
    logits = np.concatenate([_logit(scene.score).reshape(-1) for scene in scenes])
    states = np.concatenate([scene.state.reshape(-1) for scene in scenes])
    kinds = np.concatenate([np.tile(_kinds(), len(scene.frame)) for scene in scenes])
    counts = np.zeros((len(STATES), len(KINDS)), dtype=int)
    table = []
    for state in range(len(STATES)):
        rows = []
        for kind in range(len(KINDS)):
            mine = (states == state) & (kinds == kind)
            counts[state, kind] = mine.sum()
            if mine.sum() < _LEAST_COUNT:
                mine = states == state
            if not mine.any():
                mine = kinds == kind
            rows.append(_row(lengths[mine], logits[mine]))
        table.append(tuple(rows))
    return tuple(table), counts


def _row(lengths: np.ndarray, logits: np.ndarray) -> Row:
    logs = np.log(np.maximum(lengths, LEAST_M))
    mean, spread = logits.mean(), max(logits.std(), 0.1)
    z = (logits - mean) / spread
    told = -float(np.clip((z * (logs - logs.mean())).mean(), -1.5, 0))
    rest = max(logs.var() - _LOG_VARIANCE - told**2, 0.0)
    error = 1000 * np.exp(logs.mean() - _LOG_MEAN)
    return Row(float(error), float(rest**0.5), told, float(mean), float(spread))


def _units(scene: Seen, table: tuple) -> np.ndarray:
    """(T, 33, 2) residuals over what the table expects with their scores."""
    rows = np.array(table)[scene.state, _kinds()]  # (T, 33, 5)
    z = (_logit(scene.score) - rows[..., 3]) / rows[..., 4]
    expected = rows[..., 0] / 1000 * np.exp(-rows[..., 2] * z)
    return scene.residual / expected[..., None]


def _person_spread(units: list[np.ndarray]) -> float:
    """Of the logarithm of all errors of one person: what is more than chance between scenes."""
    means, within = [], []
    for unit in units:
        logs = np.log(np.maximum(np.linalg.norm(unit, axis=-1), 0.05))
        means.append(logs.mean())
        within.append(logs.mean(axis=0).var() / logs.shape[1])
    return float(max(np.var(means) - np.mean(within), 0.0) ** 0.5)


def _less_spread(table: tuple, spread: float) -> tuple:
    return tuple(
        tuple(row._replace(tail=max(row.tail**2 - spread**2, 0.01) ** 0.5) for row in rows)
        for rows in table
    )


def _shares(units: list[np.ndarray]) -> tuple[float, float]:
    """What all landmarks of a person, and those of a limb, share of a squared error."""
    same, own = _same_limb()
    everything = np.concatenate([_directions(unit) for unit in units])  # (N, 33, 2)
    alike = np.einsum("nkc,nlc->kl", everything, everything) / len(everything)
    person = float(np.clip(alike[~same].mean(), 0, 0.5))
    limb = float(np.clip(alike[same & ~own].mean() - person, 0, 0.8))
    return round(person, 2), round(limb, 2)


def _same_limb() -> tuple[np.ndarray, np.ndarray]:
    """(33, 33) bool, of which pairs of landmarks both are of one limb, and which are one."""
    limbs = np.array([LIMBS.index(limb_of(name)) for name in BLAZEPOSE_NAMES])
    return limbs[:, None] == limbs, np.eye(len(limbs), dtype=bool)


def _directions(unit: np.ndarray) -> np.ndarray:
    return unit / np.maximum(np.linalg.norm(unit, axis=-1, keepdims=True), 1e-9)


def _lags(units: list[np.ndarray], scenes: list[Seen]) -> dict[str, np.ndarray]:
    """Autocorrelations by frames, up to half a second."""
    logs = [np.log(np.maximum(np.linalg.norm(unit, axis=-1), 0.05)) for unit in units]
    return {
        "own": _lagged([_directions(unit) for unit in units]),
        "tail": _lagged(_centred([each[..., None] for each in logs])),
        "score": _lagged(_centred([_logit(scene.score)[..., None] for scene in scenes])),
    }


def _centred(series: list[np.ndarray]) -> list[np.ndarray]:
    middle = np.concatenate(series).mean(axis=0)
    return [each - middle for each in series]


def _lagged(series: list[np.ndarray]) -> np.ndarray:
    """(9,) mean products of vectors (T, 33, C) and those some frames later, over those of none."""
    long = [each for each in series if len(each) > _MOST_LAG] or series
    found = [
        np.concatenate([(each[lag:] * each[: len(each) - lag]).sum(axis=-1) for each in long])
        for lag in range(min(_MOST_LAG, min(len(each) for each in long)))
    ]
    means = np.array([each.mean() for each in found])
    return means / means[0]


def _metric(scenes: list[Seen]) -> Metric:
    truth = np.concatenate([scene.about for scene in scenes])
    guess = np.concatenate([scene.guess for scene in scenes])
    shrinkage = (truth * guess).sum(axis=(0, 1)) / np.square(truth).sum(axis=(0, 1))
    every = guess - truth * shrinkage
    lean = _lean(truth[..., :2], every[..., 2])  # (N, 2)
    every[..., 2] -= np.einsum("nkc,nc->nk", truth[..., :2], lean)
    errors = np.split(every, np.cumsum([len(scene.guess) for scene in scenes])[:-1])
    spread = np.stack([
        _FROM_MEDIAN * np.median(np.abs(every[:, _kinds() == kind]), axis=(0, 1))
        for kind in range(len(KINDS))
    ])  # fmt: skip
    unit = every / spread[_kinds()]
    unit = np.clip(unit, -3, 3) / np.clip(unit, -3, 3).std(axis=0)
    alike = np.einsum("nkc,nlc->kl", unit, unit) / (3 * len(unit))
    same, own = _same_limb()
    calm = _slow(_lagged([np.clip(each, -0.4, 0.4) for each in errors]), scenes[0].step_s)
    return Metric(
        tuple(float(each) for each in shrinkage),
        tuple(tuple(float(1000 * each) for each in row) for row in spread),
        float(alike[same & ~own].mean()),
        calm,
        tuple(float(each) for each in _FROM_MEDIAN * np.median(np.abs(lean), axis=0)),
    )


def _lean(places: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """(N, 2) how depths (N, 33) grow with places (N, 33, 2), by squares."""
    normal = np.einsum("nkc,nkd->ncd", places, places) + 1e-6 * np.eye(2)
    return np.linalg.solve(normal, np.einsum("nkc,nk->nc", places, depths)[..., None])[..., 0]


def _slow(lags: np.ndarray, step_s: float) -> tuple[float, float]:
    """Share and seconds of the slow part: the best of a grid, by squares."""
    steps = step_s * np.arange(1, len(lags))
    grid = [
        (float(np.square(share * np.exp(-steps / seconds) - lags[1:]).sum()), share, seconds)
        for share in np.arange(0.3, 1.0, 0.02)
        for seconds in np.geomspace(0.05, 5.0, 60)
    ]
    _, share, seconds = min(grid)
    return round(float(share), 2), round(float(seconds), 2)


def _lengths(scene: Seen) -> np.ndarray:
    return np.linalg.norm(scene.residual, axis=-1)


def _logit(score: np.ndarray) -> np.ndarray:
    safe = np.clip(score, 1e-4, 1 - 1e-4)
    return np.clip(np.log(safe / (1 - safe)), *_LOGITS)


def _kinds() -> np.ndarray:
    return np.array([KINDS.index(kind_of(name)) for name in BLAZEPOSE_NAMES])
