"""Errors as pictures: over time, by joint, by kind of motion. PNG files, in memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import figures
from .series import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_IN, _DPI = 9.0, 100
_AXIS = "PA-MPJPE mm"


def require() -> None:
    """Makes sure that pictures can be drawn, before the long work starts.

    Raises:
        AssetMissing: matplotlib is not installed.
    """
    figures.require(hint='Run `pip install "stripmocap[research]"`, or leave --report out.')


def over_time(series: Mapping[str, Series], *, title: str) -> bytes:
    """PA and acceleration errors of one person, a line for each method."""

    def draw_pose(axes: Axes) -> None:
        for name, each in series.items():
            axes.plot(each.times_s, each.pa_mm, label=name, linewidth=1.2)
        axes.set(ylabel=_AXIS, title=title, ylim=(0, None))

    def draw_acceleration(axes: Axes) -> None:
        for each in series.values():
            axes.plot(each.times_s, each.accel_m_s2, linewidth=1.0)
        # Whoever trembles is off by a hundred times as much as who does not.
        if any((each.accel_m_s2 > 0).any() for each in series.values()):
            axes.set_yscale("log")
        axes.set(xlabel="s", ylabel="accel. m/s²")

    return _drawn(draw_pose, draw_acceleration, height_in=4.2)


def bars(values: Mapping[str, Mapping[str, float]], *, title: str, unit: str = _AXIS) -> bytes:
    """A group of bars for each name, in it one for each method: `values[method][name]` in `unit`.

    A value that is NaN has no bar.
    """
    names = list(dict.fromkeys(name for each in values.values() for name in each))
    width = 0.8 / max(len(values), 1)

    def draw(axes: Axes) -> None:
        for number, (method, each) in enumerate(values.items()):
            places = np.arange(len(names)) + (number - (len(values) - 1) / 2) * width
            heights = np.nan_to_num([each.get(name, 0.0) for name in names])
            axes.bar(places, heights, width, label=method)
        axes.set_xticks(range(len(names)), _short(names), rotation=40, ha="right", fontsize=8)
        axes.set(ylabel=unit, title=title)

    return _drawn(draw, height_in=3.8)


def _short(names: Sequence[str]) -> list[str]:
    return [name.replace("_", " ") for name in names]


def _drawn(*draws: Callable[[Axes], None], height_in: float) -> bytes:
    """A panel for each of `draws`, one below the other; labels are those of the first."""
    figure = figures.empty(_WIDTH_IN, height_in, dpi=_DPI)
    axes = None
    for number, draw in enumerate(draws, start=1):
        axes = figure.add_subplot(len(draws), 1, number, sharex=axes)
        axes.grid(visible=True, alpha=0.3)
        axes.set_axisbelow(True)
        draw(axes)
    figure.legend(loc="outside lower center", fontsize="small", ncols=4)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
