"""Empty figures to plot on, where matplotlib is installed.

They are figures of their own, not pyplot's: those are global, and want a screen.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from .contract.errors import AssetMissing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def is_possible() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def require(*, hint: str = 'Run `pip install "stripmocap[research]"`.') -> None:
    """Makes sure that pictures can be drawn, before the long work starts.

    Raises:
        AssetMissing: matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise AssetMissing(
            "matplotlib, which draws the plots, is not installed", hint=hint
        ) from error


def empty(width_in: float, height_in: float, *, dpi: int) -> Figure:
    """A figure of a size in inches, that can be saved.

    Raises:
        AssetMissing: matplotlib is not installed.
    """
    require()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
