"""From a request to a capture: the whole story, top to bottom. Nobody else knows the order.

Two steps may be kept between captures, each under a key of exactly what it depends on: who is seen
where (`PEOPLE`), and the bodies that are fitted to that (`FIT`). What a fit is computed on is not
part of its key: devices differ in the last bits only.
"""

from __future__ import annotations

import gc
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import torch

from . import assets
from .contract import body_file, result_file
from .contract.body_file import EMBEDDED_BODY, BodyTemplate
from .contract.errors import DeviceOutOfMemory, NobodyFound, StripMocapError, VideoError
from .contract.messages import CaptureRequest, Clip
from .contract.methods import POSE_PRIORS
from .contract.motion import Camera, Capture, Take
from .methods.catalogue import ESTIMATORS
from .methods.toolbox import FRAMES_AT_ONCE, Estimate, Estimator, Tools
from .people import observations
from .people.blazepose import BlazePose
from .people.journal import Journal
from .people.observations import Person
from .people.recorded import Diverged, Recorded
from .people.tracking import Detector, follow
from .provenance import provenance, what_a_fit_depends_on, what_sight_depends_on
from .steps import Memory, StepStore, key_of
from .video.frames import VideoInfo, files_of, probe, read_frames

Report = Callable[[str, int, int], None]  # stage, done, of (0: not known); may raise Cancelled
Publish = Callable[[Capture], None]  # handed what is finished of a long shot, ever more of it

CHECK, LOAD, PEOPLE, FIT = "check", "load", "people", "fit"
STAGES = (LOAD, CHECK, PEOPLE, FIT)  # that a report is told of, in order; some may be left out
# Of the diagonal, where nobody says better: phones have 0.65 to 0.8, cinema lenses 0.8 to 1.2.
USUAL_FOCAL = 0.85
TAKE = "fitted"  # what an estimator that fits to keypoints makes
SMALL_FRAMES_AT_ONCE = 100
PULSE_S = 0.1  # between reports of one and the same state
MOST_LOADED = 4  # estimators that stay loaded
_Made = TypeVar("_Made")

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
        self._eyes: Detector | None = None
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
            publish: handed what is finished of a shot that is longer than the fit's window.
            small: with less memory: slower, and as good.

        Raises:
            StripMocapError: the video cannot be read, nobody is in it, a file is missing, or the
                memory is too small.
        """
        try:
            return self._capture(request, report, steps, publish, small=small)
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            log.warning("Out of memory: %s", error)
        # Out here the traceback has let go of what filled the memory.
        self._eyes = None
        self._estimators.clear()
        self.release()
        raise DeviceOutOfMemory(
            f"the memory is too small for this job ({_memory_left(self.device)})",
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
        clip, beat = request.clip, _Beat(report)
        beat(LOAD, 0, 1)
        info = probe(clip.path, pulse=beat.again)
        camera = _camera(info, request.focal_px)
        template = body_file.load(EMBEDDED_BODY, request.body)
        # Networks may have to be fetched first.
        origin = beat.while_waiting(lambda: provenance(request, info, template))
        sums = {name: each["sha256"] for name, each in origin["files"].items()}
        window = SMALL_FRAMES_AT_ONCE if small else FRAMES_AT_ONCE
        fits_on = what_a_fit_depends_on(request, sums, window=window)
        estimator = self._estimator(request, template, fits_on=fits_on)
        beat(LOAD, 1, 1)
        memory, sees_on = _memory(clip, steps, beat), what_sight_depends_on(clip, sums)

        def fit(journal: Journal | None) -> Estimate:
            people = memory.once_with_journal(
                PEOPLE,
                sees_on,
                make=lambda journal: self._people(clip, info, beat, journal=journal),
                pack=observations.packed,
                unpack=observations.unpacked,
            )
            if not people:
                raise _nobody(clip)
            hand_out = _partly(publish, origin)
            return estimator(people, camera, beat, publish=hand_out, journal=journal)

        depends_on = {**fits_on, "people": sees_on, "focal_px": camera.focal_px}
        estimate = memory.once_with_journal(
            FIT, depends_on, make=fit, pack=_packed, unpack=_unpacked
        )
        return _captured(estimate, origin)

    def _estimator(
        self, request: CaptureRequest, template: BodyTemplate, *, fits_on: Mapping[str, Any]
    ) -> Estimator:
        """The method that was asked for, loaded once for everything that it depends on."""
        key = key_of(**fits_on)
        estimator = self._estimators.pop(key, None)
        if estimator is None:
            tools = Tools(
                template,
                self.device,
                height_m=request.height_m,
                pose_prior=assets.locate(POSE_PRIORS[request.pose_prior]),
                frames_at_once=fits_on["frames_at_once"],
            )
            estimator = ESTIMATORS[request.estimator](tools, request.options)
        self._estimators[key] = estimator  # the last used stands last
        for oldest in list(self._estimators)[:-MOST_LOADED]:
            del self._estimators[oldest]
        return estimator

    def _people(
        self, clip: Clip, info: VideoInfo, beat: _Beat, *, journal: Journal | None
    ) -> list[Person]:
        """Everybody who is in `clip` for long enough, the most prominent first; perhaps nobody."""
        self._eyes = self._eyes or BlazePose()
        if journal is None:
            return _followed(clip, info, beat, self._eyes)
        try:
            return _noted(clip, info, beat, Recorded(self._eyes, journal))
        except Diverged as error:
            log.warning("The work in progress of %s is not used (%s)", clip.path, error)
            journal.drop()
            return _noted(clip, info, beat, Recorded(self._eyes, journal))


class _Beat:
    """A report that can be told again where it stands, so that a cancel is heard at once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last = (LOAD, 0, 0)
        self._said_s = -math.inf

    def __call__(self, stage: str, done: int, of: int) -> None:
        self._last, self._said_s = (stage, done, of), time.monotonic()
        self._report(stage, done, of)

    def again(self) -> None:
        """Tells once more what was told last, if that was a while ago."""
        self.now_and_then(*self._last)

    def now_and_then(self, stage: str, done: int, of: int) -> None:
        """Tells it, if the last time was a while ago."""
        if time.monotonic() - self._said_s >= PULSE_S:
            self(stage, done, of)

    def while_waiting(self, work: Callable[[], _Made]) -> _Made:
        """What `work` gives, done beside a beat that goes on and may end the waiting."""
        answer: Future[_Made] = Future()

        def run() -> None:
            try:
                answer.set_result(work())
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        while True:
            try:
                return answer.result(timeout=PULSE_S)
            except FutureTimeout:
                if answer.done():
                    raise
                self.again()


def _memory(clip: Clip, steps: StepStore | None, beat: _Beat) -> Memory:
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


def _followed(clip: Clip, info: VideoInfo, beat: _Beat, detector: Detector) -> list[Person]:
    expected = _expected_frames(clip, info)
    beat(PEOPLE, 0, expected or 0)
    return follow(
        read_frames(clip, pulse=beat.again),
        detector=detector,
        report=beat,
        expected_frames=expected,
    )


def _noted(clip: Clip, info: VideoInfo, beat: _Beat, detector: Recorded) -> list[Person]:
    """The same; what was found so far is kept, whatever stops the work."""
    try:
        return _followed(clip, info, beat, detector)
    finally:
        detector.flush()


def _expected_frames(clip: Clip, info: VideoInfo) -> int | None:
    if info.duration_s is None or info.fps is None:
        return info.frame_count
    span = min(clip.stop_s, info.duration_s) - clip.start_s
    return max(1, math.ceil(span * info.fps)) if span > 0 else None


def _nobody(clip: Clip) -> NobodyFound:
    return NobodyFound(
        f"nobody was found in {Path(clip.path).name}",
        hint="A person should be at least a tenth of the picture's height, mostly in view, "
        "for half a second or more.",
    )


def _camera(info: VideoInfo, focal_px: float | None) -> Camera:
    """The camera of the video; by default about as wide as most are."""
    width, height = info.size_px
    return Camera(
        focal_px=focal_px or USUAL_FOCAL * math.hypot(width, height),
        center_px=np.array([(width - 1) / 2, (height - 1) / 2]),
        size_px=info.size_px,
    )


def _captured(estimate: Estimate, origin: dict[str, Any]) -> Capture:
    return Capture(camera=estimate.camera, takes=(Take(TAKE, estimate.motions),), provenance=origin)


def _partly(publish: Publish | None, origin: dict[str, Any]) -> Callable[[Estimate], None] | None:
    """`publish` for what is finished so far, whose provenance says so."""
    if publish is None:
        return None
    return lambda estimate: publish(_captured(estimate, {**origin, "partial": True}))


def _packed(estimate: Estimate) -> dict[str, Any]:
    return result_file.packed(_captured(estimate, {}))


def _unpacked(arrays: Mapping[str, np.ndarray]) -> Estimate:
    kept = result_file.unpacked(dict(arrays), name="what was kept")
    return Estimate(kept.camera, kept.take(TAKE).motions)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether `error` says so; PyTorch and OpenCV say it in words for the processor's memory."""
    words = ("can't allocate memory", "not enough memory", "Insufficient memory", "ALLOC_FAILED")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        not isinstance(error, StripMocapError) and any(each in str(error) for each in words)
    )


def _memory_left(device: torch.device) -> str:
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return f"{torch.cuda.get_device_name(device)}, {free >> 20} of {total >> 20} MB free"
    memory = psutil.virtual_memory()
    return f"{memory.available >> 20} of {memory.total >> 20} MB free"
