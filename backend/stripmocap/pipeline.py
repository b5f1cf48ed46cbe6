"""From a request to a capture: the whole story, top to bottom. Nobody else knows the order.

Its steps may be kept between captures, each under a key of exactly what it depends on: who is seen
where (`PEOPLE`), bodies posed frame by frame (`FRAME`) or over time (`TIME`), bodies fitted
(`FIT`), and motion refined (`REFINE`); the latter two start from those before them. An artist's
corrections of who is who come behind the first: they change only what others are made from. What a
step is computed on is not part of its key: devices differ in the last bits only.
"""

from __future__ import annotations

import functools
import gc
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from . import assets, shortage
from .beat import Beat, Report
from .bodies import embedded, official
from .contract import bodies, result_file
from .contract.body_file import BodyTemplate
from .contract.errors import DeviceOutOfMemory, NobodyFound, VideoError
from .contract.messages import CaptureRequest, Clip
from .contract.methods import POSE_PRIORS, Method
from .contract.motion import Camera, Capture, Take
from .contract.tracks import PersonTrack
from .lookout import PEOPLE, Lookout, tracks_of
from .methods.catalogue import ESTIMATORS
from .methods.toolbox import FRAMES_AT_ONCE, Estimate, Estimator, Tools
from .people.corrections import corrected
from .people.journal import Journal
from .people.observations import Cast, Person
from .people.tracking import Watch
from .preview import Preview, shown_meanwhile
from .provenance import (
    networks_of,
    provenance,
    what_a_method_depends_on,
    what_sight_depends_on,
)
from .steps import Memory, StepStore, key_of
from .video.frames import VideoInfo, files_of, probe

Publish = Callable[[Capture], None]  # handed what is finished of a long shot, ever more of it

CHECK, LOAD = "check", "load"
FRAME, PIXELS, TIME, FIT, REFINE = "frame", "pixels", "time", "fit", "refine"
# That a report is told of, in order; some are left out.
STAGES = (LOAD, CHECK, PEOPLE, FRAME, PIXELS, TIME, FIT, REFINE)
STEPS = {
    "frame": FRAME,
    "temporal": TIME,
    "fitted": FIT,
    "refined": REFINE,
}  # under which a take is kept
# Of the diagonal, where nobody says better: phones have 0.65 to 0.8, cinema lenses 0.8 to 1.2.
USUAL_FOCAL = 0.85
SMALL_FRAMES_AT_ONCE = 100
MOST_LOADED = 4  # estimators that stay loaded

log = logging.getLogger(__name__)


def capture(request: CaptureRequest, *, report: Report, steps: StepStore | None = None) -> Capture:
    """What `request` asks for; see `Workshop.capture`."""
    return Workshop().capture(request, report=report, steps=steps)


class Workshop:
    """Networks and bodies that stay loaded between captures, on one device; for one thread."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        """An empty workshop: things are loaded when they are first needed.

        Args:
            device: where bodies are fitted. A fit is a chain of small solves, the processor's own
                work, so "cpu" is usually best; "mps" lacks double precision and means "cpu".
        """
        chosen = torch.device(device)
        self.device = torch.device("cpu") if chosen.type == "mps" else chosen
        self._lookout = Lookout()
        self._estimators: dict[str, Estimator] = {}

    def capture(
        self,
        request: CaptureRequest,
        *,
        report: Report,
        steps: StepStore | None = None,
        publish: Publish | None = None,
        small: bool = False,
    ) -> Capture:
        """What `request` asks for.

        Args:
            request: everything that the result depends on.
            report: told of every stage, of slow ones many times a second; what it raises stops
                the work.
            steps: where the outputs of steps are kept; None: everything is computed.
            publish: handed what is finished of a long shot: bodies of a fast method while people
                are still followed, and then of the fit, window by window.
            small: with less memory: slower, and as good.

        Raises:
            StripMocapError: the video cannot be read, nobody is in it, a file is missing, or the
                memory is too small.
        """
        try:
            return self._capture(request, report, steps, publish, small=small)
        except Exception as error:
            if not shortage.is_of_memory(error):
                raise
            log.warning("Out of memory: %s", error)
        # Out here the traceback has let go of what filled the memory.
        self._lookout = Lookout()
        self._estimators.clear()
        self.release()
        raise DeviceOutOfMemory(
            f"the memory is too small for this job ({shortage.memory_left(self.device)})",
            hint="Capture a shorter span, or close other programs that use much memory.",
        )

    def release(self) -> None:
        """Gives back the device's memory that nothing loaded holds."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _capture(
        self,
        request: CaptureRequest,
        report: Report,
        steps: StepStore | None,
        publish: Publish | None,
        *,
        small: bool,
    ) -> Capture:
        clip, beat = request.clip, Beat(report, stage=LOAD)
        beat(LOAD, 0, 1)
        info = probe(clip.path, pulse=beat.again)
        camera = _camera(info, request)
        template = beat.while_waiting(lambda: _body(request)) if request.methods else None
        # Networks may have to be fetched first.
        origin = beat.while_waiting(lambda: provenance(request, info, template))
        sums = {name: each["sha256"] for name, each in origin["files"].items()}
        window = SMALL_FRAMES_AT_ONCE if small else FRAMES_AT_ONCE
        ways = [
            self._way(request, method, template, sums=sums, window=window)
            for method in request.methods
            if template is not None
        ]
        beat(LOAD, 1, 1)
        memory, sees_on = _memory(clip, steps, beat), what_sight_depends_on(clip, sums)
        watch = self._watch(request, info, template, beat, publish=publish, window=window)
        cast = self._lookout.cast(clip, info, beat, memory=memory, depends_on=sees_on, watch=watch)
        tracks = tracks_of(cast, size_px=info.size_px)
        if template is None:
            return Capture(camera, (), origin, tracks)
        people, makeup = corrected(cast, request.corrections, size_px=info.size_px)
        if not people:
            raise _nobody_kept(cast)
        looks_at = {"people": sees_on, "focal_px": camera.focal_px}
        if makeup:
            looks_at["makeup"] = makeup
        if request.camera_path is not None:
            looks_at["camera_path"] = key_of(**request.camera_path.to_json())
        shot = _Shot(clip, camera, people, tracks, template, depends_on=looks_at)
        return _captured(ways, shot, memory, beat, origin=origin, publish=publish)

    def _watch(
        self,
        request: CaptureRequest,
        info: VideoInfo,
        template: BodyTemplate | None,
        beat: Beat,
        *,
        publish: Publish | None,
        window: int,
    ) -> Watch | None:
        """Publishes what a fast method makes of those who were followed so far."""
        asked = shown_meanwhile(request)
        if asked is None or template is None or publish is None:
            return None
        camera, clip = _camera(info, asked), asked.clip

        @functools.cache
        def ready() -> tuple[dict[str, Any], _Way]:
            origin = {**provenance(asked, info, template), "partial": True}
            sums = {name: each["sha256"] for name, each in origin["files"].items()}
            return origin, self._way(asked, asked.methods[0], template, sums=sums, window=window)

        def show(cast: Cast) -> None:
            people, _ = corrected(cast, asked.corrections, size_px=info.size_px)
            if not people:
                return
            origin, way = ready()
            estimate = way.estimator(people, camera, lambda *_: beat.again(), clip=clip)
            tracks = tracks_of(cast, size_px=info.size_px)
            shot = _Shot(clip, camera, people, tracks, template, depends_on={})
            takes = (Take(way.take, estimate.motions),)
            publish(_capture_of(shot, estimate, takes, origin=origin))

        return Preview(show)

    def _way(
        self,
        request: CaptureRequest,
        method: Method,
        template: BodyTemplate,
        *,
        sums: Mapping[str, str],
        window: int,
    ) -> _Way:
        """A method of the request, loaded once for everything that it depends on."""
        depends_on = what_a_method_depends_on(request, method, sums, window=window)
        key = key_of(**depends_on)
        estimator = self._estimators.pop(key, None)
        if estimator is None:
            networks = {each: assets.locate(each) for each in networks_of(request, method)}
            own, backbone, *_ = (*networks.values(), None, None)
            tools = Tools(
                template,
                self.device,
                height_m=request.height_m,
                pose_prior=assets.locate(POSE_PRIORS[request.pose_prior]),
                network=own,
                backbone=backbone,
                networks=networks,
                frames_at_once=window,
            )
            load = ESTIMATORS[method.key][request.weights]
            estimator = load(tools, request.options_of(method))
        self._estimators[key] = estimator  # the last used stands last
        for oldest in list(self._estimators)[:-MOST_LOADED]:
            del self._estimators[oldest]
        return _Way(method.take, estimator, depends_on)


@dataclass(frozen=True, eq=False)
class _Way:
    """One of the methods that a request runs, ready."""

    take: str  # what it makes
    estimator: Estimator
    depends_on: dict[str, Any]  # but for what it is called with


@dataclass(frozen=True, eq=False)
class _Shot:
    """What methods are called with."""

    clip: Clip
    camera: Camera
    people: Sequence[Person]  # of whom bodies are made
    tracks: tuple[PersonTrack, ...]  # of everybody
    template: BodyTemplate
    depends_on: dict[str, Any]


def _captured(
    ways: Sequence[_Way],
    shot: _Shot,
    memory: Memory,
    beat: Beat,
    *,
    origin: dict[str, Any],
    publish: Publish | None,
) -> Capture:
    """What `ways` make one after the other, each of what the one before it made."""
    takes: list[Take] = []
    notes: list[str] = []
    start: Estimate | None = None
    depends_on: dict[str, Any] | None = None
    for way in ways:
        depends_on = {**way.depends_on, **shot.depends_on, "start": depends_on}

        def make(
            journal: Journal | None, way: _Way = way, start: Estimate | None = start
        ) -> Estimate:
            return way.estimator(
                shot.people,
                shot.camera,
                beat,
                start=start,
                clip=shot.clip,
                publish=_partly(publish, shot, origin, takes=takes, label=way.take),
                journal=journal,
            )

        start = memory.once_with_journal(
            STEPS[way.take],
            depends_on,
            make=make,
            pack=functools.partial(_packed, label=way.take),
            unpack=functools.partial(_unpacked, label=way.take),
        )
        takes.append(Take(way.take, start.motions))
        notes += start.notes
    assert start is not None, "there is an estimator"
    last = replace(start, notes=tuple(dict.fromkeys(notes)))
    return _capture_of(shot, last, tuple(takes), origin=origin)


def _capture_of(
    shot: _Shot, last: Estimate, takes: tuple[Take, ...], *, origin: dict[str, Any]
) -> Capture:
    body = bodies.described(shot.template, takes)
    return Capture(last.camera, takes, {**origin, "body": body}, shot.tracks, last.notes)


def _memory(clip: Clip, steps: StepStore | None, beat: Beat) -> Memory:
    """What `steps` holds of the footage, which is read for its checksum if it is new."""
    files, _ = files_of(clip.path)
    try:
        megabytes = sum(file.stat().st_size for file in files) >> 20
        if steps is not None:
            beat(CHECK, 0, megabytes)
        return Memory(
            steps, files, pulse=lambda done: beat.now_and_then(CHECK, done >> 20, megabytes)
        )
    except OSError as error:
        raise VideoError(
            f"{clip.path} cannot be read ({error})", hint="Check the disk and the file's rights."
        ) from error


def _nobody_kept(cast: Cast) -> NobodyFound:
    return NobodyFound(
        f"of {len(cast.people)} people who were found nobody is kept",
        hint="Keep somebody, or take back a correction that ignores them.",
    )


def _camera(info: VideoInfo, request: CaptureRequest) -> Camera:
    """The camera of the video; by default about as wide as most are, and standing still."""
    width, height = info.size_px
    return Camera(
        focal_px=request.focal_px or USUAL_FOCAL * math.hypot(width, height),
        center_px=np.array([(width - 1) / 2, (height - 1) / 2]),
        size_px=info.size_px,
        path=request.camera_path,
    )


def _body(request: CaptureRequest) -> BodyTemplate:
    """The body that is captured: ours, or SMPL's where the weights are the authors'."""
    if request.weights == "embedded":
        return embedded(request.body)
    return official(request.body)


def _partly(
    publish: Publish | None,
    shot: _Shot,
    origin: dict[str, Any],
    *,
    takes: Sequence[Take],
    label: str,
) -> Callable[[Estimate], None] | None:
    """`publish` for what is finished so far, behind whole `takes`; its provenance says so."""
    if publish is None:
        return None
    partial = {**origin, "partial": True}
    return lambda estimate: publish(
        _capture_of(shot, estimate, (*takes, Take(label, estimate.motions)), origin=partial)
    )


def _packed(estimate: Estimate, *, label: str) -> dict[str, Any]:
    takes = (Take(label, estimate.motions),)
    return result_file.packed(Capture(estimate.camera, takes, {}, notes=estimate.notes))


def _unpacked(arrays: Mapping[str, np.ndarray], *, label: str) -> Estimate:
    kept = result_file.unpacked(dict(arrays), name="what was kept")
    return Estimate(kept.camera, kept.take(label).motions, kept.notes)
