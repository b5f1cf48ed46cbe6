"""`stripmocap benchmark`: how fast this machine is, as a table and as JSON."""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch

from .. import pipeline
from ..contract import body_file
from ..contract.messages import CaptureRequest, Clip
from ..contract.motion import Motion
from ..evaluation import benchmarks, regressor_speed, temporal_fit_speed, temporal_speed
from ..methods.hmr.estimate import SHIPPED_SPIN
from ..methods.hmr.weights import load_keypoint_network
from ..methods.smplify import newton
from ..methods.smplify.priors import PosePrior
from ..methods.vibe.estimate import SHIPPED_VIBE
from ..methods.vibe.keypoint_weights import load_temporal_network
from ..progress import Progress
from . import benchmark_humor
from .outputs import check, write_json

FRAMES_AT_ONCE = 512  # that a capture hands to the regressor of keypoints
SMPLIFY_BATCH = 64  # people that fits are timed with, beside regressors


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; the exit status."""
    if arguments.json:
        check(arguments.json, suffixes=(".json",))
    torch.set_num_threads(arguments.threads)
    measure = _MEASURES[arguments.what]
    values = {**measure(arguments), **benchmarks.machine()}
    for name, value in values.items():
        print(f"{name:<20}  {_shown(value)}")
    if arguments.json:
        write_json(arguments.json, values)
    return 0


def _smplify(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.against == "vibe":
        return _smplify_over_time(arguments)
    with Progress() as progress:
        return _compared(arguments.repeats, progress, batch=arguments.batch).to_json()


def _smplify_over_time(arguments: argparse.Namespace) -> dict[str, Any]:
    """VIBE's solver on the full mesh and on our body; one person, `--batch` frames."""
    with Progress() as progress:
        compared = temporal_fit_speed.compare(
            body_file.load(body_file.EMBEDDED_BODY),
            PosePrior.load(),
            frames=arguments.batch,
            repeats=arguments.repeats,
            report=progress,
        )
    return compared.to_json()


def _spin(arguments: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds of one look, beside a plain ResNet-50 and beside the fit that it replaces."""
    device = torch.device(arguments.device)
    with Progress() as progress:
        crops = regressor_speed.pixels(
            batch=arguments.batch, repeats=arguments.repeats, device=device, report=progress
        )
        frames = regressor_speed.keypoints(
            load_keypoint_network(SHIPPED_SPIN),
            batch=FRAMES_AT_ONCE,
            repeats=arguments.repeats,
            device=device,
            report=progress,
        )
        fit = _compared(1, progress, batch=SMPLIFY_BATCH)
    return {
        "pixels": crops.to_json(),
        "keypoints_ms": frames.to_json(),
        "smplify_ms": 1000 * fit.ours_s,
        "paper_smplify_ms": 1000 * fit.baseline_s,
        "looks_a_fit": 1000 * fit.ours_s / frames.ours_ms,
        "looks_a_paper_fit": 1000 * fit.baseline_s / frames.ours_ms,
    }


def _vibe(arguments: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds a frame of the networks over time, each beside the published way."""
    template = body_file.load(body_file.EMBEDDED_BODY)
    with Progress() as progress:
        official = temporal_speed.official(
            template,
            people=arguments.people,
            frames=arguments.frames,
            repeats=arguments.repeats,
            device=torch.device(arguments.device),
            report=progress,
        )
        embedded = temporal_speed.embedded(
            load_temporal_network(SHIPPED_VIBE),
            template,
            people=arguments.people,
            frames=arguments.frames,
            repeats=arguments.repeats,
            device=torch.device(arguments.device),
            report=progress,
        )
    return {"official": official.to_json(), "embedded": embedded.to_json()}


def _compared(repeats: int, progress: Progress, *, batch: int) -> benchmarks.Comparison:
    return benchmarks.smplify(
        body_file.load(body_file.EMBEDDED_BODY),
        PosePrior.load(),
        ours=newton.solve,
        batch=batch,
        repeats=repeats,
        report=progress,
    )


def _capture(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds a frame of a whole capture; the baseline has the paper's solver in place of ours.

    Processor time is of all threads together: it tells what a busy machine would show when idle.
    """
    estimator, *refiners = arguments.method.split("+")
    request = CaptureRequest(Clip(str(arguments.video)), estimator, refiners=tuple(refiners))
    with Progress() as progress:
        runs = [_timed(request, progress) for _ in range(arguments.repeats)]
        memory = benchmarks.peak_memory_mb()
        paper_s = _compared(1, progress, batch=arguments.batch).baseline_s
    total_s, processor_s, stages_s, motions = min(runs, key=lambda each: each[0])
    frames = len({float(each) for motion in motions for each in motion.times_s})
    bodies = sum(len(motion.times_s) for motion in motions)
    methods_s = sum(stages_s.get(stage, 0.0) for stage in request.stages[1:])
    baseline_s = total_s - methods_s + paper_s * bodies
    return {
        "baseline_s": baseline_s / frames,
        "ours_s": total_s / frames,
        "ratio": baseline_s / total_s,
        "objective_baseline": None,
        "objective_ours": None,
        "frames": frames,
        "people": len(motions),
        "frames_a_second": frames / total_s,
        "processor_s": processor_s / frames,
        "stages_s": stages_s,
        "peak_memory_mb": memory,
    }


def _timed(
    request: CaptureRequest, progress: Progress
) -> tuple[float, float, dict[str, float], tuple[Motion, ...]]:
    """Seconds of a capture: by the clock, of processors, by stage; and what was captured."""
    watch = benchmarks.Stopwatch(progress)
    began, worked = time.perf_counter(), time.process_time()
    capture = pipeline.capture(request, report=watch)
    total_s, processor_s = time.perf_counter() - began, time.process_time() - worked
    return total_s, processor_s, watch.seconds, capture.takes[-1].motions


def _shown(value: object) -> str:
    match value:
        case float():
            return f"{value:.4g}"
        case dict():
            return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
        case list():
            return f"of {len(value)} points, the last {value[-1]}"
        case None:
            return "-"
        case _:
            return str(value)


_MEASURES = {
    "smplify": _smplify,
    "spin": _spin,
    "vibe": _vibe,
    "capture": _capture,
    "humor": benchmark_humor.measure,
}
