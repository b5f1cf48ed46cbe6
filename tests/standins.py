"""Stand-ins for what sees people and for what fits bodies, for tests of the story between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stripmocap import assets, lookout, pipeline
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.methods.toolbox import Estimate
from stripmocap.people.observations import Cast, Person
from toyshot import toy_motion

SIZE = (64, 48)


def silent(stage: str, done: int, of: int) -> None:
    """A report that tells nobody."""


def request(path: Path, **changes: Any) -> CaptureRequest:
    return CaptureRequest(Clip(str(path)), **changes)


def person(times_s: list[float]) -> Person:
    frames = len(times_s)
    return Person(
        person=0,
        times_s=np.array(times_s),
        boxes=np.zeros((frames, 4)),
        keypoints=np.zeros((frames, 33, 3)),
        landmarks3d=np.zeros((frames, 33, 3)),
        presence=np.ones(frames),
    )


def cast(*people: Person) -> Cast:
    """The people, and nobody's picture."""
    times_s = people[0].times_s if people else np.zeros(0)
    return Cast(times_s, people, pictures=((),) * len(people))


def stand_in(monkeypatch: pytest.MonkeyPatch, network: Path) -> dict[str, Any]:
    """Puts the stand-ins into the pipeline; what they are asked: `camera`, `tools` and others."""
    said: dict[str, Any] = {}
    network.write_bytes(b"weights")

    def follow(frames, *, detector, report, expected_frames, watch=None):
        said["expected_frames"] = expected_frames
        return cast(person([frame.time_s for frame in frames]))

    def load(tools, options):
        said["tools"], said["options"] = tools, options

        def estimate(people, camera, report, *, start, clip, publish, journal):
            said["camera"] = camera
            motion = toy_motion(0, frames=2, fps=30, seed=0)
            return Estimate(camera=replace(camera, focal_px=77.0), motions=(motion,))

        return estimate

    monkeypatch.setattr(lookout, "BlazePose", lambda: None)
    monkeypatch.setattr(lookout, "follow", follow)
    monkeypatch.setattr(pipeline, "ESTIMATORS", {"smplify": {"embedded": load}})
    monkeypatch.setattr(assets, "locate", lambda name: network)
    return said
