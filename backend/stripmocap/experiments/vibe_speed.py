"""Where the time of a capture over time goes: VIBE's real-time claim, tried from film to motion.

The stages of a capture run one after the other in one process, the networks loaded before. By the
clock, what runs ahead in a thread of its own costs only what is waited for. The processor's time,
which a busy machine does not change, counts all threads, wherever they happen to be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from ..bodies import embedded
from ..contract.errors import NobodyFound
from ..contract.messages import Clip
from ..contract.methods import VibeOptions
from ..contract.motion import Camera
from ..methods.hmr.inference import prepared
from ..methods.toolbox import Tools
from ..methods.vibe import estimate
from ..methods.vibe.keypoint_weights import load_temporal_network
from ..people.blazepose import BlazePose, Landmarks, Sighting
from ..people.regions import Region
from ..people.tracking import Detector, follow
from ..pipeline import USUAL_FOCAL
from ..video.frames import Frame, VideoInfo, probe, read_frames

READING, DETECTOR, LANDMARKS, FOLLOWING = "reading", "detector", "landmarks", "following"
NETWORK, BODIES = "temporal network", "bodies and places"
_EYES = (READING, DETECTOR, LANDMARKS)
PARTS = (READING, DETECTOR, LANDMARKS, FOLLOWING, NETWORK, BODIES)

Report = Callable[[str, int, int], None]
_CPU = torch.device("cpu")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Speed:
    """One capture, timed."""

    name: str  # of the film
    size_px: tuple[int, int]
    film_fps: float
    frames: int
    people: int
    seconds: dict[str, float]  # of the clock, by part of PARTS
    processor_s: dict[str, float]  # of all threads together, likewise

    @property
    def frames_a_second(self) -> float:
        """All parts together."""
        return self.frames / sum(self.seconds.values())


@dataclass
class _Watch:
    """Seconds by what they went into."""

    clock: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)

    def during(self, part: str, work: Callable[[], _T]) -> _T:
        """The result of `work`, its time added to `part`."""
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        try:
            return work()
        finally:
            spent_s, spent_cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
            self.clock[part] = self.clock.get(part, 0.0) + spent_s
            self.processor[part] = self.processor.get(part, 0.0) + spent_cpu_s


class _TimedEyes:
    """A detector whose time is taken."""

    def __init__(self, eyes: Detector, watch: _Watch) -> None:
        self._eyes, self._watch = eyes, watch

    def detect(self, image: np.ndarray) -> list[Sighting]:
        return self._watch.during(DETECTOR, lambda: self._eyes.detect(image))

    def landmarks(self, image: np.ndarray, region: Region) -> Landmarks:
        return self._watch.during(LANDMARKS, lambda: self._eyes.landmarks(image, region))


def run(video: Path, *, weights: Path | None, threads: int, report: Report) -> Speed:
    """Times a capture of `video` on the processor, from its file to everybody's motion.

    Args:
        video: the film; somebody should be in it.
        weights: of the temporal network; None: the shipped ones.
        threads: of the networks.
        report: told as captures tell.

    Raises:
        VideoError: the film cannot be read.
        NobodyFound: nobody is in it.
        AssetMissing, AssetCorrupt: a network cannot be read.
    """
    torch.set_num_threads(threads)
    info, watch = probe(str(video)), _Watch()
    eyes = _TimedEyes(BlazePose(threads=threads), watch)
    tools = Tools(embedded("neutral"), _CPU, network=weights)
    estimator = estimate.load(tools, VibeOptions())
    network = load_temporal_network(weights or estimate.SHIPPED_VIBE)
    network = prepared(network, device=_CPU)
    camera = _camera(info)

    frames = _timed(read_frames(Clip(str(video))), watch)
    cast = watch.during(
        FOLLOWING,
        lambda: follow(frames, detector=eyes, report=report, expected_frames=info.frame_count),
    )
    if not cast.people:
        raise NobodyFound(f"nobody was found in {video.name}", hint="Choose another film.")
    watch.during(BODIES, lambda: estimator(cast.people, camera, report))
    for each in cast.people:  # once more, for the network's share of the whole
        watch.during(
            NETWORK, lambda each=each: estimate.looked_at(each, camera, network, device=_CPU)
        )
    return Speed(
        name=video.stem,
        size_px=info.size_px,
        film_fps=float(info.fps or 0.0),
        frames=len(cast.times_s),
        people=len(cast.people),
        seconds=_apart(watch.clock),
        processor_s=_apart(watch.processor),
    )


def _apart(seconds: dict[str, float]) -> dict[str, float]:
    """By part, of times in which following has its eyes' in it, and bodies the network's."""
    found = {part: seconds.get(part, 0.0) for part in PARTS}
    found[FOLLOWING] -= sum(found[part] for part in _EYES)
    found[BODIES] = max(found[BODIES] - found[NETWORK], 0.0)
    return found


def _timed(frames: Iterator[Frame], watch: _Watch) -> Iterator[Frame]:
    """The same frames; the time until each is there counts as reading."""
    while (frame := watch.during(READING, lambda: next(frames, None))) is not None:
        yield frame


def _camera(info: VideoInfo) -> Camera:
    width, height = info.size_px
    focal_px = USUAL_FOCAL * float(np.hypot(width, height))
    return Camera(focal_px, np.array([(width - 1) / 2, (height - 1) / 2]), info.size_px)
