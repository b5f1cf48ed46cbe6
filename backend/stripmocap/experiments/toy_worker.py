"""A worker without networks, for experiments that are about the service and not about captures.

Footage called `<anything>-<milliseconds>ms.mp4` takes so long, in two stages of ten steps; half way
it publishes what is finished. The result depends on the request alone.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import PurePath

import numpy as np

from ..contract.messages import CaptureRequest
from ..contract.motion import Camera, Capture, Motion, Take
from ..server.workers import worker

STAGES = ("people", "fit")
STEPS = 10
_TIME = re.compile(r"-(\d+)ms$")


class ToyBench:
    """Counts to twenty."""

    name, label = "cpu", "nothing but time"

    def capture(
        self,
        request: CaptureRequest,
        *,
        report: Callable[[str, int, int], None],
        publish: Callable[[Capture], None],
        small: bool,
    ) -> Capture:
        """Two frames of one person, after as long as the footage's name says."""
        found = _TIME.search(PurePath(request.clip.path).stem)
        pause_s = (int(found[1]) if found else 0) / 1000 / (len(STAGES) * STEPS)
        for stage in STAGES:
            for step in range(STEPS):
                report(stage, step, STEPS)
                time.sleep(pause_s)
            report(stage, STEPS, STEPS)
            if stage == STAGES[0]:
                publish(_capture(request, frames=1))
        return _capture(request, frames=2)

    def release(self) -> None:
        """Nothing is held."""

    def memory(self) -> tuple[int | None, int | None]:
        """Nobody knows."""
        return None, None


def _capture(request: CaptureRequest, *, frames: int) -> Capture:
    motion = Motion(
        person=0,
        times_s=np.arange(frames) / 25,
        global_orient=np.full((frames, 3), request.clip.start_s),
        body_pose=np.zeros((frames, 23, 3)),
        betas=np.zeros(10),
        transl=np.zeros((frames, 3)),
        confidence=np.ones(frames),
    )
    camera = Camera(focal_px=500.0, center_px=np.array([50.0, 50.0]), size_px=(100, 100))
    return Capture(camera, (Take("fitted", (motion,)),), {"request": request.to_json()})


if __name__ == "__main__":
    sys.exit(worker.serve(ToyBench))
