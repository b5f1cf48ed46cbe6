"""`stripmocap experiment vibe`: what Kocabas et al. (CVPR 2020) claim, tried on this machine.

Five claims: reading frames together beats reading each alone, in pose and most of all in how
steadily it moves; a discriminator of motions makes it better; more frames around are better; what
hides a person for a while is bridged; and all of it keeps up with the film.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ..methods.hmr.inference import prepared
from ..methods.hmr.weights import load_keypoint_network
from ..methods.vibe.keypoint_weights import load_temporal_network
from ..training.held_out import SEED
from ..training.mocap import Clips, load_clips
from ..training.shots import Shot, shots
from ..training.synthetic import LandmarkBody, embedded_body
from . import vibe_arms, vibe_shots, vibe_speed, vibe_spells, vibe_windows
from .vibe_arms import Arm, Ground, Size
from .vibe_shots import PER_FRAME, TEMPORAL, Means
from .vibe_speed import Speed
from .vibe_spells import Spelled
from .vibe_windows import Windowed

Report = Callable[[str, int, int], None]

CLAIMS = ("kinds", "windows", "spells", "speed", "discriminator")
WATCHED = 6  # shots by which an arm is watched as it learns
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Plan:
    """What is tried, and with what."""

    data: Path  # clips
    folder: Path  # where arms keep their checkpoints
    single: Path  # weights of the network of single frames
    temporal: Path  # weights of the network over time
    video: Path | None = None  # a film for the speed; None: that claim is left out
    claims: tuple[str, ...] = CLAIMS
    at_most: int | None = None  # test shots; None: all
    size: Size = field(default_factory=Size)
    threads: int = 2


@dataclass(frozen=True, eq=False)
class Findings:
    """What the experiment came to; what was not tried is empty."""

    kinds: dict[str, dict[str, Means]] = field(default_factory=dict)  # by reader, by kind
    windows: Sequence[Windowed] = ()
    spells: Sequence[Spelled] = ()
    arms: Sequence[Arm] = ()
    speed: Speed | None = None


def run(plan: Plan, report: Report) -> Findings:
    """Tries the claims of `plan`; arms that were trained before are taken as they are.

    Raises:
        AssetMissing, AssetCorrupt: clips or weights are not there, or not what they should be.
        Cancelled: Ctrl-C while an arm learns; the same command goes on from there.
    """
    torch.set_num_threads(plan.threads)
    body = embedded_body()
    clips = spread(load_clips(plan.data, "test"), plan.at_most)
    single = prepared(load_keypoint_network(plan.single), device=_CPU)
    temporal = prepared(load_temporal_network(plan.temporal), device=_CPU)
    readers = {PER_FRAME: vibe_shots.per_frame(single), TEMPORAL: vibe_shots.over_time(temporal)}
    test = list(shots(clips, body, seed=SEED))
    wanted = set(plan.claims)
    kinds, windows, spells, arms, speed = {}, [], [], [], None
    if "kinds" in wanted:
        kinds = {name: vibe_shots.judged(read, test, body=body) for name, read in readers.items()}
    if "windows" in wanted:
        windows = vibe_windows.run(temporal, test, body=body)
    if "spells" in wanted:
        spells = vibe_spells.run(clips, readers, body=body, seed=SEED, report=report)
    if "speed" in wanted and plan.video is not None:
        speed = vibe_speed.run(
            plan.video, weights=plan.temporal, threads=plan.threads, report=report
        )
    if "discriminator" in wanted:
        arms = vibe_arms.run(_ground(plan, test, body), report)
    return Findings(kinds, windows, spells, arms, speed)


def spread(clips: Clips, at_most: int | None) -> Clips:
    """At most so many of `clips`, spread evenly over them."""
    if at_most is None or at_most >= len(clips):
        return clips
    return tuple(clips[round((each + 0.5) * len(clips) / at_most - 0.5)] for each in range(at_most))


def _ground(plan: Plan, test: Sequence[Shot], body: LandmarkBody) -> Ground:
    plan.folder.mkdir(parents=True, exist_ok=True)
    watched = spread(load_clips(plan.data, "val"), WATCHED)
    return Ground(
        size=plan.size,
        start=plan.single,
        folder=plan.folder,
        body=body,
        learnt=load_clips(plan.data, "train"),
        watched=list(shots(watched, body, seed=SEED)),
        judged=test,
    )
