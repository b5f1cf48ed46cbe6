"""What the experiment about VIBE's claims came to: tables in Markdown, and plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import figures
from ..training.held_out_motion import Judged
from .vibe import Findings
from .vibe_shots import Means
from .vibe_speed import NETWORK, Speed
from .vibe_spells import WAYS, Spelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PA, MPJPE, ACCEL = "PA-MPJPE mm", "MPJPE mm", "accel. error m/s²"
WINDOWS, SPELLS, ARMS = "vibe-windows.png", "vibe-spells.png", "vibe-arms.png"
_PANEL_IN, _DPI = (4.2, 3.4), 100


def page(findings: Findings) -> str:
    """The tables of what was tried."""
    parts = []
    if findings.kinds:
        parts.append(_kinds_table(findings))
    if findings.windows:
        parts.append(_windows_table(findings))
    if findings.spells:
        parts.append(_spells_table(findings.spells))
    if findings.arms:
        parts.append(_arms_table(findings))
    if findings.speed is not None:
        parts.append(_speed_table(findings.speed))
    return "\n\n".join(parts) + "\n"


def draw(findings: Findings, folder: Path) -> list[Path]:
    """Writes the pictures of what was tried into `folder`; their paths.

    Raises:
        AssetMissing: matplotlib is not installed.
    """
    figures.require()
    tasks = {WINDOWS: _draw_windows, SPELLS: _draw_spells, ARMS: _draw_arms}
    there = {WINDOWS: findings.windows, SPELLS: findings.spells, ARMS: findings.arms}
    paths = [folder / name for name in tasks if there[name]]
    for path in paths:
        figure = figures.empty(2 * _PANEL_IN[0], _PANEL_IN[1], dpi=_DPI)
        left, right = figure.subplots(1, 2)
        tasks[path.name](findings, left, right)
        figure.savefig(path)
    return paths


def _kinds_table(findings: Findings) -> str:
    (one, single), (other, temporal) = findings.kinds.items()
    rows = [
        [
            kind,
            *_pair(each.pa_mm, temporal[kind].pa_mm),
            *_pair(each.mpjpe_mm, temporal[kind].mpjpe_mm),
            *_pair(each.accel, temporal[kind].accel),
            str(each.frames),
        ]
        for kind, each in single.items()
    ]
    heads = [f"{what}, {reader}" for what in (PA, MPJPE, ACCEL) for reader in (one, other)]
    heads = [cell for pair in zip(heads[::2], heads[1::2], strict=True) for cell in (*pair, "less")]
    return _table(["kind", *heads, "frames"], rows)


def _windows_table(findings: Findings) -> str:
    rows = [
        ["the whole shot" if each.frames is None else str(each.frames), *_cells(each.means)]
        for each in findings.windows
    ]
    return _table(["frames that it knows", PA, MPJPE, ACCEL, "frames judged"], rows)


def _spells_table(spells: Sequence[Spelled]) -> str:
    rows = [
        [
            each.way,
            f"{each.length_s:g}",
            each.reader,
            *_cells(each.inside),
            f"{each.free.pa_mm:.1f}",
        ]
        for each in spells
    ]
    heads = [f"{PA} inside", f"{MPJPE} inside", f"{ACCEL} inside", "frames", f"{PA}, not hidden"]
    return _table(["spell", "s", "read", *heads], rows)


def _arms_table(findings: Findings) -> str:
    rows = [
        [each.name, *(f"{figure:.1f}" for figure in each.figures), f"{each.seconds:.0f}"]
        for each in findings.arms
    ]
    return _table(["trained", *Judged.LABELS, "s"], rows)


def _speed_table(speed: Speed) -> str:
    clock_s, processor_s = (
        {**each, "all": sum(each.values())} for each in (speed.seconds, speed.processor_s)
    )
    rows = [
        [
            part,
            f"{1000 * clock_s[part] / speed.frames:.2f}",
            f"{1000 * each / speed.frames:.2f}",
            f"{100 * each / processor_s['all']:.1f}",
        ]
        for part, each in processor_s.items()
    ]
    width, height = speed.size_px
    said = (
        f"{speed.name}: {width} x {height}, {speed.film_fps:.4g} frames a second, {speed.frames} "
        f"frames, {speed.people} followed: **{speed.frames_a_second:.1f} frames a second** by the "
        f"clock, {speed.frames / processor_s['all']:.1f} a second of one processor's time, the "
        f"{NETWORK} alone {speed.frames / max(processor_s[NETWORK], 1e-9):.0f}."
    )
    heads = ["part", "ms a frame by the clock", "processor ms", "share of it %"]
    return said + "\n\n" + _table(heads, rows)


def _draw_windows(findings: Findings, left: Axes, right: Axes) -> None:
    known = [each for each in findings.windows if each.frames is not None]
    whole = [each for each in findings.windows if each.frames is None]
    for axes, name, title in ((left, "pa_mm", PA), (right, "accel", ACCEL)):
        values = [getattr(each.means, name) for each in known]
        axes.semilogx([each.frames for each in known], values, marker=".", base=2, label="window")
        for each in whole:
            axes.axhline(getattr(each.means, name), ls="--", c="gray", label="the whole shot")
        axes.set(title=title, xlabel="frames that it knows")
        axes.legend()


def _draw_spells(findings: Findings, left: Axes, right: Axes) -> None:
    for axes, way in zip((left, right), WAYS, strict=True):
        mine = [each for each in findings.spells if each.way == way]
        for reader in dict.fromkeys(each.reader for each in mine):
            rows = [each for each in mine if each.reader == reader]
            lengths = [each.length_s for each in rows]
            (line,) = axes.plot(lengths, [e.inside.pa_mm for e in rows], marker=".", label=reader)
            free = [each.free.pa_mm for each in rows]
            axes.plot(lengths, free, ls=":", c=line.get_color(), label=f"{reader}, not hidden")
        axes.set(title=way, xlabel="spell, s", ylabel=f"{PA} inside", ylim=(0, None))
    left.legend(fontsize="small")


def _draw_arms(findings: Findings, left: Axes, right: Axes) -> None:
    for axes, name in ((left, Judged.LABELS[0]), (right, Judged.LABELS[2])):
        for each in findings.arms:
            axes.plot(*zip(*each.scores[name], strict=True), marker=".", label=each.name)
        axes.set(title=name, xlabel="step")
        axes.legend()


def _pair(single: float, temporal: float) -> list[str]:
    """Both, and by how much of the first the second is less."""
    return [f"{single:.1f}", f"{temporal:.1f}", f"{100 * (1 - temporal / single):.0f} %"]


def _cells(row: Means) -> list[str]:
    return [f"{row.pa_mm:.1f}", f"{row.mpjpe_mm:.1f}", f"{row.accel:.1f}", str(row.frames)]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
