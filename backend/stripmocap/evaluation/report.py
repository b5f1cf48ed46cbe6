"""What many trials say together: tables, plots and pictures, in the order a reader wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..contract.messages import Clip
from ..contract.skeleton import LIMB_JOINTS
from . import plots
from .bodies import body_of
from .identities import identities
from .metrics import Scores
from .pages import Block, Picture, Section, Table, Words
from .published import PublishedScores
from .stills import still
from .strips import TRAIL_S, strip
from .trials import Missed, Trial, mean_scores

COLUMNS = (
    ("PA-MPJPE mm", "{:.1f}", "pa_mpjpe_mm"),
    ("MPJPE mm", "{:.1f}", "mpjpe_mm"),
    ("accel. error m/s²", "{:.2f}", "accel_error_m_s2"),
    ("foot slide cm/s", "{:.1f}", "foot_slide_cm_s"),
    ("penetration mm", "{:.1f}", "penetration_mm"),
    ("jitter m/s³", "{:.0f}", "jitter"),
    ("frames", "{}", "frames"),
)
_PUBLISHED = (
    ("PA-MPJPE mm", "{:.1f}", "pa_mpjpe_mm"),
    ("MPJPE mm", "{:.1f}", "mpjpe_mm"),
    ("PVE mm", "{:.1f}", "pve_mm"),
    ("accel. mm/frame²", "{:.2f}", "accel_mm"),
    ("accel. error mm/frame²", "{:.2f}", "accel_error_mm"),
    ("frames", "{}", "frames"),
)
MOST_CURVES = 12  # subjects whose errors are plotted over time
MOST_STILLS = 6  # subjects whose frames are shown
MOST_STRIPS = 6  # subjects whose methods are shown one below the other
_SHOWN = {"median": 0.5, "worst": 1.0}
HOW = (
    "Twelve limb joints in camera axes. PA-MPJPE moves, turns and scales each frame onto the "
    "truth; MPJPE puts the middle of the hips in one place; nothing is aligned for acceleration "
    "errors. Means over cases count every frame the same. White lines are the truth."
)

SWITCHES_SAY = (
    "In each frame true and captured people are paired by where they are in the picture; a switch "
    "is a change of pair. Frames are those in which somebody was there to be a pair."
)
TRAILS_SAY = f"Lines are the ways of wrists and ankles over the last {TRAIL_S} s."


def sections_of(
    results: Sequence[Trial | Missed], *, footage: Mapping[str, Clip | None]
) -> list[Section]:
    """The report about `results`.

    Args:
        results: at least one trial.
        footage: the pictures of each case, by its name.

    Raises:
        VideoError: footage cannot be read any more.
    """
    trials = [each for each in results if isinstance(each, Trial)]
    missed = [each for each in results if isinstance(each, Missed)]
    found = [
        Section("All together", (mean_table(trials), Words(HOW))),
        Section("Case by case", (case_table(trials),)),
    ]
    together = identity_table(trials)
    if together is not None:
        found.append(Section("Who is who", (together, Words(SWITCHES_SAY))))
    if missed:
        found.append(Section("Not found", (_missed_table(missed),)))
    if len({each.kind for each in trials}) > 1:
        found.append(Section("By kind of motion", _by_kind(trials)))
    found.append(Section("By joint", _by_joint(trials)))
    found.append(Section("Over time", _over_time(trials)))
    found.append(Section("One below the other", _strips(trials, footage)))
    found.append(Section("Median and worst frames", _stills(trials, footage)))
    return found


def mean_table(trials: Sequence[Trial]) -> Table:
    """A row for each method, over all its trials."""
    rows = [(method, *_cells(mean_scores(mine))) for method, mine in by_method(trials).items()]
    return Table(("method", *(title for title, _, _ in COLUMNS)), tuple(rows))


def case_table(trials: Sequence[Trial]) -> Table:
    """A row for each trial."""
    rows = sorted(trials, key=lambda each: each.subject)
    head = ("case", "method", *(title for title, _, _ in COLUMNS))
    return Table(
        head, tuple((each.subject, each.method, *_cells(each.found.scores)) for each in rows)
    )


def identity_table(trials: Sequence[Trial]) -> Table | None:
    """A row for each person of each case in which several are judged; None if there are none."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for each in trials:
        groups.setdefault((each.case, each.method), []).append(each)
    rows = []
    for (case, method), mine in groups.items():
        if len(mine) < 2:
            continue
        capture, truths = mine[0].capture, [each.truth for each in mine]
        take = capture.take(mine[0].found.label)
        for each in identities(take, capture.camera, truths, body=body_of(capture)[1]):
            known = "-" if each.captured is None else str(each.captured)
            followed = f"{each.followed} of {each.frames}"
            rows.append((f"{case} {each.person}", method, known, str(each.switches), followed))
    head = ("case", "method", "captured as", "switches", "frames")
    return Table(head, tuple(rows)) if rows else None


def published_table(scores: Mapping[str, PublishedScores]) -> Table:
    """A row for each way of taking the published numbers."""
    rows = [
        (name, *(_cell(pattern, getattr(each, key)) for _, pattern, key in _PUBLISHED))
        for name, each in scores.items()
    ]
    return Table(("", *(title for title, _, _ in _PUBLISHED)), tuple(rows))


def by_method(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    """Trials of each method, in the order of their first."""
    groups: dict[str, list[Trial]] = {}
    for each in trials:
        groups.setdefault(each.method, []).append(each)
    return groups


def _by_kind(trials: Sequence[Trial]) -> tuple[Block, ...]:
    kinds = sorted({each.kind for each in trials})
    blocks: list[Block] = []
    for unit, name in (("PA-MPJPE mm", "pa_mpjpe_mm"), ("accel. error m/s²", "accel_error_m_s2")):
        values = {
            method: {
                kind: getattr(mean_scores([each for each in mine if each.kind == kind]), name)
                for kind in kinds
            }
            for method, mine in by_method(trials).items()
        }
        plot = plots.bars(values, title="Error by kind of motion", unit=unit)
        blocks += [
            Words(unit),
            _grouped("kind", kinds, values),
            Picture(f"{unit} by kind of motion", plot),
        ]
    return tuple(blocks)


def _by_joint(trials: Sequence[Trial]) -> tuple[Block, ...]:
    values: dict[str, dict[str, float]] = {}
    for method, mine in by_method(trials).items():
        frames = np.array([each.found.scores.frames for each in mine], dtype=np.float64)
        limbs = np.array([each.found.series.limbs_pa_mm for each in mine])  # (N, 12)
        weights = np.where(np.isfinite(limbs), frames[:, None], 0.0)
        sums = (weights * np.nan_to_num(limbs)).sum(axis=0)
        means = sums / np.where(weights.sum(axis=0) > 0, weights.sum(axis=0), np.nan)
        values[method] = dict(zip(LIMB_JOINTS, means.tolist(), strict=True))
    plot = plots.bars(values, title="Error by joint")
    return _grouped("joint", LIMB_JOINTS, values), Picture("PA-MPJPE by joint", plot)


def _grouped(what: str, names: Sequence[str], values: Mapping[str, Mapping[str, float]]) -> Table:
    rows = [
        (name.replace("_", " "), *(_cell("{:.1f}", each[name]) for each in values.values()))
        for name in names
    ]
    return Table((what, *values), tuple(rows))


def _over_time(trials: Sequence[Trial]) -> tuple[Block, ...]:
    subjects = list(dict.fromkeys(each.subject for each in trials))
    blocks: list[Block] = [
        Picture(
            f"{subject}: errors over time",
            plots.over_time(
                {each.method: each.found.series for each in trials if each.subject == subject},
                title=subject,
            ),
        )
        for subject in subjects[:MOST_CURVES]
    ]
    return (*blocks, *_left_out(subjects[MOST_CURVES:]))


def _strips(trials: Sequence[Trial], footage: Mapping[str, Clip | None]) -> tuple[Block, ...]:
    subjects = list(dict.fromkeys(each.subject for each in trials))
    blocks: list[Block] = []
    for subject in subjects[:MOST_STRIPS]:
        mine = [each for each in trials if each.subject == subject]
        caption = f"{subject}: {', '.join(each.method for each in mine)}"
        blocks.append(Picture(caption, strip(mine, footage=footage[mine[0].case])))
    return (Words(TRAILS_SAY), *blocks, *_left_out(subjects[MOST_STRIPS:]))


def _stills(trials: Sequence[Trial], footage: Mapping[str, Clip | None]) -> tuple[Block, ...]:
    last = {each.subject: each for each in trials}  # the last method of each subject
    blocks: list[Block] = []
    for subject, trial in list(last.items())[:MOST_STILLS]:
        for name, share in _SHOWN.items():
            frame = trial.found.series.frame_at(share)
            if frame is None:
                continue
            series = trial.found.series
            caption = (
                f"{subject}, {trial.method}, {name} frame: {series.pa_mm[frame]:.0f} mm "
                f"at {series.times_s[frame]:.2f} s"
            )
            picture = still(trial, frame=frame, footage=footage[trial.case])
            blocks.append(Picture(caption, picture))
    return (*blocks, *_left_out(list(last)[MOST_STILLS:]))


def _left_out(subjects: Sequence[str]) -> tuple[Block, ...]:
    return (Words(f"{len(subjects)} more are not shown."),) if subjects else ()


def _missed_table(missed: Sequence[Missed]) -> Table:
    rows = [(f"{each.case} {each.person}".strip(), each.method, each.reason) for each in missed]
    return Table(("case", "method", "why"), tuple(rows))


def _cells(scores: Scores) -> tuple[str, ...]:
    return tuple(_cell(pattern, getattr(scores, name)) for _, pattern, name in COLUMNS)


def _cell(pattern: str, value: float) -> str:
    return pattern.format(value) if np.isfinite(value) else "-"
