"""What the experiment about HuMoR's claims came to: tables in Markdown, and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .. import figures
from ..evaluation.grounded import Means
from .humor import Findings, averaged, by_kind
from .humor_bounds import Bounds
from .humor_solvers import APART, FILM, Lowered
from .humor_takes import Tried
from .humor_video import Filmed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = {
    "visible_mm": "PA-MPJPE of visible joints mm",
    "hidden_mm": "of hidden joints mm",
    "accel_m_s2": "accel. error m/s²",
    "slide_cm_s": "foot slide cm/s",
    "sunk_mm": "penetration mm",
    "deep_percent": "deeper than 3 cm %",
    "off_mm": "standing feet off the floor mm",
    "contacts_percent": "contacts right %",
}
TARGETS = {  # against the first take: at most so much of it
    "visible_mm": 1.02,
    "hidden_mm": 0.75,
    "accel_m_s2": 0.6,
    "slide_cm_s": 0.4,
    "sunk_mm": 0.2,
}
_SEEN = ("visible_mm", "hidden_mm")
_OF_KINDS = ("hidden_mm", "accel_m_s2", "slide_cm_s", "sunk_mm")
TAKES, FILMS = "humor-takes.png", "humor-films.png"
_PANEL_IN, _DPI = (3.4, 3.2), 100


def page(findings: Findings) -> str:
    """The tables of what was tried."""
    parts = []
    if findings.takes:
        found = averaged(findings.takes)
        parts += [_takes_table(found), _targets_table(found), _kinds_table(findings.takes)]
    if findings.bounds.hidden:
        parts += _bounds_tables(findings.bounds)
    if findings.ablations:
        parts.append(_takes_table(averaged(findings.ablations)))
    if findings.solvers:
        parts.append(_solvers_table(findings.solvers))
    if findings.films:
        parts.append(_films_table(findings.films))
    return "\n\n".join(parts) + "\n"


def draw(findings: Findings, folder: Path) -> list[Path]:
    """Writes the pictures of what was tried into `folder`; their paths.

    Raises:
        AssetMissing: matplotlib is not installed.
    """
    figures.require()
    paths = []
    if findings.takes:
        paths.append(folder / TAKES)
        _draw_takes(averaged(findings.takes), paths[-1])
    if findings.films:
        paths.append(folder / FILMS)
        _draw_films(findings.films, paths[-1])
    for name, picture in findings.strips.items():
        paths.append(folder / name)
        paths[-1].write_bytes(as_jpg(picture))
    return paths


def as_jpg(picture: np.ndarray) -> bytes:
    """A picture (H, W, 3) uint8 RGB as a .jpg file has it."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


def _takes_table(found: Mapping[str, Means]) -> str:
    rows = [[name, *(_cell(each, column) for column in COLUMNS)] for name, each in found.items()]
    return _table(["take", *COLUMNS.values()], rows)


def _targets_table(found: Mapping[str, Means]) -> str:
    """How much of the first take's errors is left in the others."""
    (first, base), *others = found.items()
    rows = []
    for column, share in TARGETS.items():
        was = getattr(base, column)
        left = [f"{100 * (getattr(each, column) / was - 1):+.0f} %" for _, each in others]
        rows.append([COLUMNS[column], f"{100 * (share - 1):+.0f} %", *left])
    return _table([f"against {first}", "wanted", *(name for name, _ in others)], rows)


def _kinds_table(found: Sequence[Tried]) -> str:
    kinds = by_kind(found)
    names = list(dict.fromkeys(each.chain for each in found))
    rows = [
        [kind, COLUMNS[column], *(_cell(row[name], column) for name in names)]
        for kind, row in kinds.items()
        for column in _OF_KINDS
    ]
    return _table(["kind", "", *names], rows)


def _bounds_tables(found: Bounds) -> list[str]:
    """Hidden joints while nothing hides them, and accelerations."""
    hidden, seen = averaged(found.hidden), averaged(found.seen)
    rows = [
        [name, *(_cell(each, column) for each in (hidden[name], seen[name]) for column in _SEEN)]
        for name in hidden
    ]
    heads = [f"{COLUMNS[each]}{when}" for when in ("", ", nothing hidden") for each in _SEEN]
    accelerated = [
        [each.name, *(f"{value:.2f}" for value in (each.whole, each.in_plane, each.in_depth))]
        for each in found.accelerated
    ]
    axes = ["accel. error m/s²", "in the picture's plane", "in depth"]
    return [_table(["take", *heads], rows), _table(["", *axes], accelerated)]


def _solvers_table(found: Sequence[Lowered]) -> str:
    """Shots together, those of them that all was tried on, and each film for itself."""
    columns = [each for each in COLUMNS if each != "deep_percent"]
    rows = []
    for place, some in _places(found).items():
        for name, means in averaged([each.tried for each in some]).items():
            mine = [each for each in some if each.tried.chain == name]
            seconds = np.mean([each.tried.seconds for each in mine])
            value = np.mean([each.objective for each in mine])
            cells = [_cell(means, column) for column in columns]
            rows.append([place, name, *cells, f"{seconds:.0f}", f"{value:.0f}", str(len(mine))])
    heads = [COLUMNS[column] for column in columns]
    return _table(["", "solver", *heads, "processor s", "the paper's objective", "tried on"], rows)


def _places(found: Sequence[Lowered]) -> dict[str, list[Lowered]]:
    all_tried = {each.tried.shot for each in found if each.tried.chain == APART}
    places: dict[str, list[Lowered]] = {"shots": [], "of these": []}
    for each in found:
        if each.tried.kind == FILM:
            places.setdefault(each.tried.shot, []).append(each)
            continue
        if each.tried.chain != APART:
            places["shots"].append(each)
        if each.tried.shot in all_tried:
            places["of these"].append(each)
    return places


def _films_table(found: Sequence[Filmed]) -> str:
    columns = ("accel_m_s2", "slide_cm_s", "sunk_mm")
    rows = []
    for each in found:
        means = ["-"] * len(columns)
        if each.means is not None:
            means = [_cell(each.means, column) for column in columns]
        rows.append([each.film, each.chain, _number(each.pa_mm), _number(each.legs_mm), *means])
    heads = ["PA-MPJPE mm", "legs while hidden mm", *(COLUMNS[column] for column in columns)]
    return _table(["film", "take", *heads], rows)


def _draw_takes(found: Mapping[str, Means], path: Path) -> None:
    figure = figures.empty(_PANEL_IN[0] * len(TARGETS), _PANEL_IN[1], dpi=_DPI)
    base, places = next(iter(found.values())), np.arange(len(found))
    panels = figure.subplots(1, len(TARGETS))
    for axes, (column, share) in zip(panels, TARGETS.items(), strict=True):
        values = [getattr(each, column) for each in found.values()]
        axes.bar(places, values, color=[f"C{place}" for place in places])
        axes.axhline(share * getattr(base, column), ls="--", c="gray", label="wanted")
        axes.set_xticks(places, list(found), rotation=30, ha="right", fontsize="small")
        axes.set_title(COLUMNS[column], fontsize="medium")
    panels[-1].legend()
    figure.savefig(path)


def _draw_films(found: Sequence[Filmed], path: Path) -> None:
    films = list(dict.fromkeys(each.film for each in found))
    figure = figures.empty(1.6 * _PANEL_IN[0] * len(films), _PANEL_IN[1], dpi=_DPI)
    panels: np.ndarray = np.atleast_1d(figure.subplots(1, len(films), sharey=True))
    for axes, film in zip(panels, films, strict=True):
        _draw_film(axes, [each for each in found if each.film == film], film)
    panels[0].set_ylabel("PA error of knees and ankles, mm")
    panels[-1].legend(fontsize="small")
    figure.savefig(path)


def _draw_film(axes: Axes, rows: Sequence[Filmed], film: str) -> None:
    for each in rows:
        axes.plot(each.curve, label=each.chain, lw=1)
    axes.set(title=film, xlabel="frame", ylim=(0, None))


def _cell(row: Means, column: str) -> str:
    return _number(getattr(row, column))


def _number(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "-"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
