"""BlazePose's measured errors as a picture, beside those that `training.noise` makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .. import figures
from ..contract.skeleton import BLAZEPOSE_NAMES
from ..training.noise import KINDS, SLOW, Chances, kind_of, observed
from ..training.occlusion import STATES
from .keypoint_noise import Measured, Seen, by_chance

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)  # quantiles that are compared
_SIZE_IN, _DPI = (12.0, 7.5), 90
_FAR_APART_PX = 1000.0  # of a made landmark's neighbours, at one pixel a metre: nobody's error
_COLOURS = ("tab:green", "tab:blue", "tab:orange", "tab:red")


def draw(measured: Measured, scenes: list[Seen], path: Path, *, seed: int = 0) -> None:
    """Writes the picture to `path`, a .png file.

    Raises:
        AssetMissing: matplotlib is not installed.
    """
    figure = figures.empty(*_SIZE_IN, dpi=_DPI)
    plain = by_chance(scenes, measured)
    axes = figure.subplots(2, 3)
    state = np.concatenate([scene.state for scene in plain])
    found = _lengths_mm(plain), np.concatenate([scene.score for scene in plain])
    made = _made(state, seed=seed)
    for index, (name, panel) in enumerate(zip(STATES, axes.flat, strict=False)):
        _quantiles(panel, found[0], made[0], state=state, index=index)
        panel.set_title(name)
    _calibration(axes[1, 1], found, made, state=state)
    _over_time(axes[1, 2], measured, scenes[0].step_s)
    figure.savefig(path)


def _quantiles(
    panel, found: np.ndarray, made: np.ndarray, *, state: np.ndarray, index: int
) -> None:
    kinds = np.array([KINDS.index(kind_of(name)) for name in BLAZEPOSE_NAMES])
    for values, colour, aside, label in (
        (found, "black", -0.15, "found"),
        (made, _COLOURS[index], 0.15, "made"),
    ):
        rows = [values[(state == index) & (kinds == kind)] for kind in range(len(KINDS))]
        places = [kind for kind, row in enumerate(rows) if len(row)]
        if not places:
            return
        low, lower, middle, higher, high = np.array(
            [np.quantile(rows[kind], SHARES) for kind in places]
        ).T
        x = np.array(places) + aside
        panel.vlines(x, low, high, color=colour, linewidth=1)
        panel.vlines(x, lower, higher, color=colour, linewidth=4)
        panel.plot(x, middle, "o", color=colour, markersize=4, label=label)
    panel.set_yscale("log")
    panel.set_xticks(range(len(KINDS)), KINDS, rotation=45)
    panel.set_ylabel("error, mm")
    panel.legend()


def _calibration(panel, found: tuple, made: tuple, *, state: np.ndarray) -> None:
    """Median error by what the network says of itself."""
    edges = np.array([0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 1.0])
    for index, name in enumerate(STATES):
        for (error, score), style in ((found, "-"), (made, "--")):
            mine = state == index
            bins = np.digitize(score[mine], edges) - 1
            points = [(edges[each : each + 2].mean(), np.median(error[mine][bins == each]))
                      for each in range(len(edges) - 1) if (bins == each).sum() > 20]  # fmt: skip
            if points:
                label = name if style == "-" else None
                panel.plot(*np.array(points).T, style, color=_COLOURS[index], label=label)
    panel.set_yscale("log")
    panel.set_xlabel("score")
    panel.set_ylabel("median error, mm")
    panel.set_title("by score (dashed: made)")
    panel.legend()


def _over_time(panel, measured: Measured, step_s: float) -> None:
    """How alike errors are that lie apart in time."""
    for (name, lags), colour in zip(measured.lags.items(), _COLOURS, strict=False):
        times = step_s * np.arange(len(lags))
        share, seconds = SLOW[name]
        panel.plot(times, lags, "o", color=colour, label=name)
        panel.plot(times[1:], share * np.exp(-times[1:] / seconds), "--", color=colour)
    panel.set_xlabel("seconds apart")
    panel.set_ylim(0, 1.05)
    panel.set_title("correlation over time (dashed: made)")
    panel.legend()


def _lengths_mm(scenes: list[Seen]) -> np.ndarray:
    """(N, 33) errors."""
    return 1000 * np.concatenate([np.linalg.norm(scene.residual, axis=-1) for scene in scenes])


def _made(state: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Errors (N, 33) in millimetres and scores (N, 33) that the noise model gives."""
    count = len(state)
    places = torch.arange(2 * state.shape[1]).view(-1, 2).float() * _FAR_APART_PX
    places = places.expand(count, -1, -1)
    found = observed(
        places,
        state=torch.tensor(state),
        size=torch.full((count, 2), 1e9),
        px_per_m=torch.ones(count),
        away=torch.zeros(count),
        chances=Chances.draw(count, torch.Generator().manual_seed(seed)),
    )
    error = (found[..., :2] - places).norm(dim=-1)
    # Who is taken for the other side is far off: their error is the other one's, drawn alike.
    error = torch.where(error > _FAR_APART_PX / 2, torch.nan, error)
    usual = error.nanmedian()
    return 1000 * error.nan_to_num(float(usual)).numpy(), found[..., 2].numpy()
