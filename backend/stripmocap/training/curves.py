"""How a training went, as a picture: losses above, scores below, over the steps."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from .. import figures

if TYPE_CHECKING:
    from .loop import History

WIDTH_IN, PANEL_IN = 9.0, 2.6
DPI = 110
_LOG_RANGE = 20.0  # a curve that spans more is drawn over a logarithmic axis
# Of the largest curve's median: one spoilt batch, or a term that is all but zero, shall not press
# the others flat.
_SHOWN = (1e-3, 20.0)


def draw_if_possible(history: History, path: Path) -> None:
    """Draws `history`, or does nothing where matplotlib is not installed."""
    if figures.is_possible() and history.losses:
        draw(history, path)


def draw(history: History, path: Path) -> None:
    """Writes the picture of `history` to `path`, a .png file.

    Raises:
        AssetMissing: matplotlib is not installed.
    """
    panels = {"losses": history.losses, **{name: {name: each} for name, each in
              history.scores.items()}}  # fmt: skip
    figure = figures.empty(WIDTH_IN, PANEL_IN * len(panels), dpi=DPI)
    for place, (title, lines) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(len(panels), 1, place)
        for name, points in lines.items():
            axes.plot(*zip(*points, strict=True), label=name)
        values = [value for points in lines.values() for _, value in points if value > 0]
        if values and max(values) / min(values) > _LOG_RANGE:
            axes.set_yscale("log")
            usual = max(median(value for _, value in points) for points in lines.values())
            axes.set_ylim(*(share * usual for share in _SHOWN))
        axes.set_title(title)
        axes.grid(visible=True, alpha=0.3)
        if len(lines) > 1:
            axes.legend(fontsize="small", ncols=4)
    figure.axes[-1].set_xlabel("steps")
    figure.savefig(path)
