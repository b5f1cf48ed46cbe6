"""`stripmocap people`: who is in a video, before any body is made."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from .. import pipeline
from ..contract import marking
from ..contract.tracks import PersonTrack
from ..progress import Progress
from . import outputs
from .cache import store_in
from .capture import save
from .request_arguments import people_request_of
from .typed_corrections import said


def run(arguments: argparse.Namespace) -> int:
    """Looks for people, lists them, and writes what was asked for; the exit status."""
    request = people_request_of(arguments)
    if arguments.output:
        outputs.check(arguments.output, suffixes=(".npz",), sources=(arguments.video,))
    if arguments.pictures:
        outputs.check_folder(arguments.pictures)
    steps = None if arguments.fresh else store_in(None)
    with Progress() as progress:
        capture = pipeline.capture(request, report=progress, steps=steps)
    tracks = marking.corrected(capture.tracks, request.corrections, size_px=capture.camera.size_px)
    print("\n".join(_line(each) for each in tracks))
    if arguments.pictures:
        _draw(tracks, arguments.pictures)
    if arguments.output:
        save(capture, arguments.output)
        print(f"Saved {arguments.output}")
    return 0


def _line(track: PersonTrack) -> str:
    times_s, share = track.times_s, float((track.presence > 0).mean())
    left_out = "" if track.kept else ", left out"
    return (
        f"Person {track.person}: {times_s[0]:.2f} s to {times_s[-1]:.2f} s, seen in {share:.0%} of"
        f" {len(times_s)} frames, mark {said(track.mark)}{left_out}"
    )


def _draw(tracks: Sequence[PersonTrack], folder: Path) -> None:
    """Writes a strip of each person's pictures, in order of time."""
    for track in tracks:
        if not len(track.pictures):
            continue
        path = folder / f"person-{track.person}.png"
        strip = np.concatenate(list(track.pictures), axis=1)  # (S, P * S, 3)
        encoded, data = cv2.imencode(path.suffix, cv2.cvtColor(strip, cv2.COLOR_RGB2BGR))
        assert encoded
        with outputs.whole(path) as partial:
            partial.write_bytes(data.tobytes())
        print(f"Saved {path}")
