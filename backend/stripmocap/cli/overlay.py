"""`stripmocap overlay`: the captured bodies over the footage, to see whether they fit."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from ..contract import result_file
from ..contract.errors import RequestError, ResultFileError
from ..contract.messages import CaptureRequest, Clip
from ..contract.motion import Capture, Take
from ..evaluation import overlay
from ..evaluation.bodies import body_of
from ..progress import Progress
from ..video import frames
from .outputs import check, whole

MOVIES = (".mp4",)
PICTURES = (".png", ".jpg", ".jpeg")


def run(arguments: argparse.Namespace) -> int:
    """Draws a movie, a picture, or both; the exit status."""
    if not (arguments.output or arguments.picture):
        raise RequestError(
            "there is nothing to write", hint="Give -o FILE, --picture FILE or both."
        )
    sources = (arguments.video, arguments.result)
    if arguments.output:
        check(arguments.output, suffixes=MOVIES, sources=sources)
    if arguments.picture:
        check(arguments.picture, suffixes=PICTURES, sources=sources)
    capture = result_file.load(arguments.result)
    clip = span_of(capture, arguments.video)
    if arguments.picture:
        write_picture(capture, clip, arguments.picture, label=arguments.take, at_s=arguments.at)
    if arguments.output:
        write_movie(capture, clip, arguments.output, label=arguments.take)
    return 0


def write_movie(capture: Capture, clip: Clip, path: Path, *, label: str | None = None) -> None:
    """Writes the movie to `path`, whole or not at all, with a progress bar.

    Raises:
        VideoError: the clip cannot be read.
        ResultFileError: the movie cannot be written.
    """
    painter = _painter(capture, label)
    total = max(len(each.times_s) for take in capture.takes for each in take.motions)
    with Progress() as progress, whole(path) as partial:
        for done in overlay.write_movie(clip, painter, path=partial):
            progress("overlay", done, max(total, done))
    print(f"Saved {path}")


def write_picture(
    capture: Capture, clip: Clip, path: Path, *, label: str | None, at_s: float | None
) -> None:
    """Writes the picture at `at_s`, or in the middle of the take, to `path`.

    Raises:
        VideoError: the clip cannot be read.
        ResultFileError: the picture cannot be written.
    """
    if at_s is None:
        times_s = chosen_take(capture, label).motions[0].times_s
        at_s = float(times_s[len(times_s) // 2])
    painted = _painter(capture, label).painted(overlay.frame_at(clip, at_s))
    encoded, data = cv2.imencode(path.suffix, cv2.cvtColor(painted, cv2.COLOR_RGB2BGR))
    if not encoded:
        raise ResultFileError(f"{path} cannot be written as a picture", hint="Call it .png.")
    with whole(path) as partial:
        partial.write_bytes(data.tobytes())
    print(f"Saved {path}")


def chosen_take(capture: Capture, label: str | None) -> Take:
    """The take called `label`, or the last one, which is the best.

    Raises:
        ResultFileError: there is no such take, or nobody is in it.
    """
    if label is None and not capture.takes:
        raise ResultFileError("the capture has no take", hint="Capture the clip again.")
    take = capture.takes[-1] if label is None else capture.take(label)
    if not take.motions:
        raise ResultFileError(f"nobody is in the take {take.label!r}")
    return take


def span_of(capture: Capture, video: Path) -> Clip:
    """The span of `video` that was captured; all of it where the capture does not say."""
    frames.probe(video)
    try:
        clip = CaptureRequest.from_json(capture.provenance["request"]).clip
    except (KeyError, RequestError):
        return Clip(str(video))
    return Clip(str(video), start_s=clip.start_s, stop_s=clip.stop_s)


def _painter(capture: Capture, label: str | None) -> overlay.Painter:
    template, body = body_of(capture)
    return overlay.Painter(
        chosen_take(capture, label), capture.camera, template=template, body=body
    )
