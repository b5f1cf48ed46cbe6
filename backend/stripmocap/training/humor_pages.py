"""The cards of the embedded motion prior's files, as Markdown, and its motions as a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .. import figures
from ..contract.skeleton import CONTACT_NAMES, JOINT_NAMES, PARENTS
from ..methods.humor.canonical import Placement
from ..methods.humor.network import Gaussian, MotionPrior
from ..methods.humor.rollout import imagine
from ..methods.humor.state import FPS, JOINTS, State
from .held_out_humor import HORIZONS_S, MOMENTS, SAMPLES, JudgedPrior, Plausible
from .humor_data import Stretches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS, POSES = 4, 9  # of the picture: motions, and moments of each
_WIDTH_IN, _ROW_IN, _DPI = 11.0, 1.9, 110
_STEP_M = 0.75  # between moments that are drawn side by side
_BONES = [(joint, PARENTS[joint]) for joint in range(1, JOINTS)]
_SIDES = {"left": "#c23b22", "right": "#2b5c9e"}
_MIDDLE = "#333333"


def scores_page(found: dict[str, JudgedPrior]) -> str:
    """The tables of a card, of scores by split."""
    horizons = " | ".join(f"{horizon:g} s" for horizon in HORIZONS_S)
    lines = [f"| subjects | joints off, mm | {horizons} |", "|---|---|" + "---|" * len(HORIZONS_S)]
    names = {
        "explained, led on by itself": "explained_mm",
        "likeliest, from one moment alone": "likeliest_mm",
        "imagined, on average": "imagined_mm",
        f"imagined, best of {SAMPLES} up to then": "best_mm",
        "first moment held": "standing_mm",
        "imagined ones from one another": "diversity_mm",
    }
    for split, judged in found.items():
        for name, field in names.items():
            values = " | ".join(f"{value:.0f}" for value in getattr(judged, field))
            lines.append(f"| {split} | {name} | {values} |")
    lines += [
        "",
        "| subjects | one moment explained, mm | contacts right | of touching | of free |",
        "|---|---|---|---|---|",
    ]
    for split, judged in found.items():
        shares = " | ".join(_share(share) for share in judged.contacts)
        lines.append(f"| {split} | {judged.step_mm:.1f} | {shares} |")
    lines += [
        "",
        "| subjects | motions | slide of what touches, cm/s | touching | feet below the floor, "
        "mm | deeper than 3 cm | pelvis, m/s |",
        "|---|---|---|---|---|---|---|",
    ]
    for split, judged in found.items():
        lines += [
            f"| {split} | {name} | {_figures(each)} |"
            for name, each in (("imagined", judged.imagined), ("captured", judged.data))
        ]
    return "\n".join(lines)


def draw_samples_if_possible(
    network: MotionPrior, people: Stretches, path: Path, *, seed: int
) -> None:
    """Draws motions that the prior makes up, as .png, or nothing where matplotlib is missing."""
    if not figures.is_possible():
        return
    dreams, touching = _dreams(network, people, seed=seed)
    figure = figures.empty(_WIDTH_IN, _ROW_IN * len(dreams), dpi=_DPI)
    for row, (joints, contacts) in enumerate(zip(dreams, touching, strict=True)):
        axes = figure.add_subplot(len(dreams), 1, row + 1)
        _draw_row(axes, joints, contacts)
    figure.savefig(path)


@torch.no_grad()
def _dreams(network: MotionPrior, people: Stretches, *, seed: int) -> tuple[Tensor, Tensor]:
    """(ROWS, T, 22, 3) metres and (ROWS, T, 9) chances, T moments after ends of stretches."""
    generator = torch.Generator().manual_seed(seed)
    first = State(people.states.numbers[:ROWS, 0])

    def choose(likely: Gaussian) -> Tensor:
        return likely.sample(generator)

    start = Placement.of(first).enter(first)
    found = imagine(network, start, steps=MOMENTS, choose=choose)
    return found.states.joints, found.contacts.sigmoid()


def _draw_row(axes: Axes, joints: Tensor, contacts: Tensor) -> None:
    """Moments of one motion from the side, each further to the right; red and blue: its sides."""
    moments = torch.linspace(0, len(joints) - 1, POSES).long().tolist()
    for place, moment in enumerate(moments):
        points = joints[moment] - joints[moment, :1] * torch.tensor([1.0, 1.0, 0.0])
        across = points[:, 1] * 0.8 - points[:, 0] * 0.6 + place * _STEP_M  # seen from the side
        for joint, parent in _BONES:
            side = JOINT_NAMES[joint].split("_")[0]
            ends = [joint, parent]
            axes.plot(
                across[ends].tolist(),
                points[ends, 2].tolist(),
                color=_SIDES.get(side, _MIDDLE),
                linewidth=2,
            )
        for name, chance in zip(CONTACT_NAMES, contacts[moment].tolist(), strict=True):
            if chance > 0.5:
                joint = JOINT_NAMES.index(name)
                axes.plot([float(across[joint])], [float(points[joint, 2])], "o", color="#3a9b35")
        axes.text(place * _STEP_M, -0.22, f"{(moment + 1) / FPS:.1f} s", ha="center", fontsize=7)
    axes.axhline(0.0, color="#999999", linewidth=1)
    axes.set_aspect("equal")
    axes.set_ylim(-0.3, 2.0)
    axes.set_axis_off()


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def _figures(each: Plausible) -> str:
    return (
        f"{each.slide_cm_s:.1f} | {100 * each.touching:.0f} % | {each.depth_mm:.1f} | "
        f"{100 * each.deep:.1f} % | {each.speed_m_s:.2f}"
    )
