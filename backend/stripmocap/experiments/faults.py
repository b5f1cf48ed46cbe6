"""The fault campaign: every fault with how often it is done, and the table of what came of it."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from . import disk_faults, hostile_videos, kills, list_faults, load, powercut_jobs
from .clips import real_clips, toy_clips
from .outcome import Outcome, markdown
from .served import REAL, TOY, Served

HOSTILE_FILES = 6000
CLIENTS = 3
JOBS = 1000
Report = Callable[[str, int, int], None]  # what, done, of
_KILLS_HOLD = (
    "no job lost, none twice, one result a job, every fetched file whole, progress never back, "
    "the service back, no orphan"
)


@dataclass(frozen=True)
class Plan:
    """What the whole campaign is done with."""

    folder: Path  # scratch
    kills: int = 110
    seed: int = 0
    video: Path | None = None  # None: toy workers
    report: Report = lambda what, done, of: None


def killed(plan: Plan) -> list[Outcome]:
    """Kill -9 of service and worker, with the real pipeline if there is a video."""
    footage = plan.folder / "footage"
    footage.mkdir(exist_ok=True)
    served = Served(TOY if plan.video is None else REAL, plan.folder / "killed")
    if plan.video is None:
        asks = [toy_clips(footage, seed=n, uploads=n == 1) for n in range(CLIENTS)]
    else:
        video = plan.video.resolve()
        asks = [real_clips(video, footage, seed=n, uploads=n == 1) for n in range(CLIENTS)]
    campaign = kills.run(
        served,
        asks=asks,
        kills=plan.kills,
        seed=plan.seed,
        report=lambda done, of: plan.report("kills", done, of),
    )
    counts, back_s = campaign.ledger.counts, sorted(campaign.back_s) or [0.0]
    what = "toy worker" if plan.video is None else "real pipeline"
    figures = (
        f"{what}: {campaign.jobs} jobs of {CLIENTS} clients in {campaign.seconds / 60:.0f} min, "
        f"{counts['results fetched']} results and {counts['partial results fetched']} partial ones "
        f"fetched, {counts['retried by the client']} retries; back after "
        f"{back_s[len(back_s) // 2]:.1f} s, at most {back_s[-1]:.1f} s; "
        + ", ".join(f"{who} {stage} {n}" for (who, stage), n in sorted(campaign.kills.items()))
    )
    both = campaign.killed("service"), campaign.killed("worker")
    fault = f"kill -9 of the service ({both[0]}) and of its worker ({both[1]})"
    return [Outcome(fault, sum(both), _KILLS_HOLD, tuple(campaign.ledger.violations), figures)]


def power_cut(plan: Plan) -> list[Outcome]:
    """Every cut of the power, with anything of what was not synced left on the disk."""
    fault, holds = "Power cut", "what was acknowledged is there, nothing is half there"
    scratch = plan.folder / "power"
    scratch.mkdir()
    figures = powercut_jobs.run(scratch, seed=plan.seed)
    if figures is None:
        return [Outcome(fault, 0, holds, skipped="needs Linux and a C compiler")]
    said = f"{figures.acknowledged} acknowledged changes, {figures.events} events of the disk"
    return [Outcome(fault, figures.cuts, holds, figures.violations, said)]


def hostile(plan: Plan) -> list[Outcome]:
    """Mutated and crafted videos through the reader."""
    found = hostile_videos.read_corpus(
        HOSTILE_FILES,
        seed=plan.seed,
        report=lambda done, of: plan.report("videos", done, of),
    )
    figures = (
        f"{found.outcomes['frames']} gave pictures, {found.outcomes['refused']} were refused with "
        f"a sentence, {len(found.crashes)} crashed the reader; at most {found.slowest_s:.1f} s and "
        f"{found.peak / 2**20:.0f} MiB a file"
    )
    holds = (
        f"pictures or an error to be read, within {hostile_videos.TIME_LIMIT_S:.0f} s and "
        f"{hostile_videos.MEMORY_BOUND / 2**30:.1f} GiB"
    )
    return [Outcome("Hostile video", found.files, holds, tuple(found.violations), figures)]


def loaded(plan: Plan) -> list[Outcome]:
    """Many clients and many jobs at once."""
    return [load.run(plan.folder, jobs=JOBS, seed=plan.seed)]


def _rounds(work: Callable[..., Outcome], times: int) -> Callable[[Plan], list[Outcome]]:
    return lambda plan: [work(plan.folder, times=times, seed=plan.seed)]


FAULTS: Mapping[str, Callable[[Plan], list[Outcome]]] = {
    "kills": killed,
    "power-cut": power_cut,
    "disk-full": _rounds(disk_faults.full, 40),
    "read-only": _rounds(disk_faults.read_only, 6),
    "locked": _rounds(list_faults.locked, 8),
    "damaged-stopped": _rounds(list_faults.damaged_while_stopped, 40),
    "damaged-running": _rounds(list_faults.damaged_while_running, 40),
    "clock": _rounds(list_faults.clock, 40),
    "videos": hostile,
    "load": loaded,
}


def run(plan: Plan, *, only: tuple[str, ...] = ()) -> list[Outcome]:
    """What came of the faults named in `only`, or of all."""
    found = []
    for number, name in enumerate(FAULTS):
        if not only or name in only:
            plan.report(name, number, len(FAULTS))
            found += FAULTS[name](plan)
    return found


def page(outcomes: list[Outcome]) -> str:
    """The table, with when and where it was made."""
    memory = psutil.virtual_memory().total / 2**30
    where = (
        f"{time.strftime('%Y-%m-%d')}, version {metadata.version('stripmocap')}, "
        f"{platform.system()}, Python {platform.python_version()}, {psutil.cpu_count()} processors "
        f"({platform.machine()}), {memory:.0f} GiB"
    )
    return f"{where}\n\n{markdown(outcomes)}"
