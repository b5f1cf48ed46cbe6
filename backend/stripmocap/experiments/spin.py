"""`stripmocap experiment spin`: what Kolotouros et al. (ICCV 2019) claim, tried on this machine.

Four claims: fits in the loop teach better than 2D keypoints alone or fits made once; as training
goes on, the network's starts make fits better and cheaper; fits from a regressor's start fail less
often than those from the mean pose; and a forward pass costs next to nothing beside a fit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import figures
from ..methods.hmr.keypoint_network import KeypointNetwork
from ..training.mocap import load_clips
from ..training.synthetic import Sampler
from . import spin_arms, spin_starts
from .spin_arms import IN_THE_LOOP, ONE_OFF, Arm, Plan, Report, Stage
from .spin_starts import FAILED_MM, GROUPS, Cost, Starts

STARTED = 600  # test people who are fitted from every start
STARTED_SEED = 11
MM = "PA-MPJPE mm"
PICTURES = ("spin-arms.png", "spin-loop.png", "spin-starts.png")


@dataclass(frozen=True, eq=False)
class Findings:
    """What the experiment came to."""

    plan: Plan
    arms: list[Arm]
    mean_pose: dict[str, float] = field(default_factory=dict)  # the loop's probe, from there
    starts: Starts | None = None
    costs: Sequence[Cost] = ()


def run(plan: Plan, network: KeypointNetwork, report: Report) -> Findings:
    """Trains all arms and fits from all starts; what was trained before is taken as it is."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    stage = Stage.build(plan)
    arms = spin_arms.run(stage, report)
    others = dataclasses.replace(
        stage,
        held_out=Sampler(load_clips(plan.data, "test"), stage.body, seed=STARTED_SEED).draw(
            STARTED
        ),
    )
    return Findings(
        plan,
        arms,
        mean_pose(stage),
        spin_starts.run(others, network, report),
        spin_starts.costs(others, network),
    )


def mean_pose(stage: Stage) -> dict[str, float]:
    """What the fits of the loop's probe come to from the mean pose: the better of two headings."""
    some = stage.held_out[: stage.plan.probed]
    batch = stage.plain(some)
    figures = [
        spin_arms.fit_figures(stage, some, batch=batch, start=start)
        for start in spin_arms.mean_starts(stage.school, batch)
    ]
    return min(figures, key=lambda each: each["fit PA-MPJPE mm"])


def page(findings: Findings) -> str:
    """The tables, as Markdown."""
    parts = [_arms_table(findings), _loop_table(findings)]
    if findings.starts is not None:
        parts += [_starts_table(findings.starts), _groups_table(findings.starts)]
    if findings.costs:
        rows = [[each.name, f"{each.ms:.3g}", str(each.together)] for each in findings.costs]
        parts.append(_table(["what", "ms a person", "together"], rows))
    return "\n\n".join(parts) + "\n"


def draw(findings: Findings, folder: Path) -> list[Path]:
    """Writes the pictures into `folder`; their paths.

    Raises:
        AssetMissing: matplotlib is not installed.
    """
    figures.require()
    tasks: list[Callable[[Findings, Path], None]] = [_draw_arms, _draw_loop, _draw_starts]
    paths = [folder / name for name in PICTURES]
    for task, path in zip(tasks, paths, strict=True):
        task(findings, path)
    return paths


def _arms_table(findings: Findings) -> str:
    rows = []
    for arm in findings.arms:
        stored = arm.scores.get("stored fits PA-MPJPE mm", [])
        said = f"{stored[0][1]:.1f} -> {stored[-1][1]:.1f}" if stored else ""
        cells = [f"{arm.errors[name]:.1f}" for name in (MM, "MPJPE mm")]
        rows.append([arm.name, *cells, said])
    heads = ["taught by", MM, "MPJPE mm", "its stored fits, PA-MPJPE mm"]
    return _table(heads, rows)


def _loop_table(findings: Findings) -> str:
    loop = next((arm for arm in findings.arms if arm.name == IN_THE_LOOP), None)
    if loop is None:
        return ""
    names = [name for name in findings.mean_pose if name in loop.scores]
    steps = [step for step, _ in loop.scores[names[0]]]
    rows = [["from the mean pose", *(f"{findings.mean_pose[name]:.1f}" for name in names)]]
    for place, step in enumerate(steps):
        rows.append([f"step {step}", *(f"{loop.scores[name][place][1]:.1f}" for name in names)])
    return _table(["start", *names], rows)


def _starts_table(starts: Starts) -> str:
    rows = [
        [
            name,
            f"{100 * each.failed.float().mean():.1f}",
            f"{each.start_error.mean():.0f}",
            f"{each.error.mean():.1f}",
            f"{each.objective.median():.0f}",
            f"{each.steps.float().mean():.1f}",
        ]
        for name, each in starts.tried.items()
    ]
    heads = ["started from", f"failed (> {FAILED_MM:.0f} mm) %", "start mm", "fit mm"]
    return _table([*heads, "objective, median", "steps"], rows)


def _groups_table(starts: Starts) -> str:
    rows = [[name, *(f"{each:.1f}" for each in _by_group(starts, name))] for name in starts.tried]
    return _table(["failed %, by distance from the mean pose", *GROUPS], rows)


def _by_group(starts: Starts, name: str) -> list[float]:
    failed = starts.tried[name].failed.float()
    return [100 * float(failed[starts.groups == group].mean()) for group in range(len(GROUPS))]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _draw_arms(findings: Findings, path: Path) -> None:
    with _Plot(path, panels=2) as (left, right):
        for arm in findings.arms:
            left.plot(*zip(*arm.scores[MM], strict=True), marker=".", label=arm.name)
            stored = arm.scores.get("stored fits PA-MPJPE mm")
            if stored and arm.name in {ONE_OFF, IN_THE_LOOP}:
                right.plot(*zip(*stored, strict=True), marker=".", label=arm.name)
        left.set(title="held-out people", xlabel="step", ylabel=MM)
        right.set(title="the dictionary", xlabel="step", ylabel=MM)
        left.legend()
        right.legend()


def _draw_loop(findings: Findings, path: Path) -> None:
    loop = next((arm for arm in findings.arms if arm.name == IN_THE_LOOP), None)
    names = [] if loop is None else [each for each in findings.mean_pose if each in loop.scores]
    with _Plot(path, panels=max(len(names), 1)) as panels:
        for name, axes in zip(names, panels, strict=False):
            assert loop is not None
            axes.plot(*zip(*loop.scores[name], strict=True), marker=".", label="the network")
            axes.axhline(findings.mean_pose[name], ls="--", c="gray", label="mean pose")
            axes.set(title=name, xlabel="step of the training")
            axes.legend()


def _draw_starts(findings: Findings, path: Path) -> None:
    if findings.starts is None:
        return
    with _Plot(path, panels=1) as (axes,):
        names = list(findings.starts.tried)
        for place, name in enumerate(names):
            values = _by_group(findings.starts, name)
            axes.bar([group + 0.2 * place for group in range(len(GROUPS))], values, 0.19,
                     label=name)  # fmt: skip
        axes.set(ylabel="failed fits, %", xlabel="distance of the pose from the mean pose")
        axes.set_xticks([group + 0.3 for group in range(len(GROUPS))], GROUPS)
        axes.legend()


class _Plot:
    """Panels side by side, written when all is drawn."""

    def __init__(self, path: Path, *, panels: int) -> None:
        self._path = path
        self._figure = figures.empty(4.2 * max(panels, 1.6), 3.4, dpi=100)
        self._panels = [self._figure.add_subplot(1, panels, each + 1) for each in range(panels)]

    def __enter__(self) -> list:
        return self._panels

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._figure.savefig(self._path)
