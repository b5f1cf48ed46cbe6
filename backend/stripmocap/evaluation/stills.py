"""One frame of a trial as a picture: the captured body over the footage, and the truth's limbs.

Where there is no footage the body stands on grey.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..contract.messages import Clip
from ..contract.motion import Take
from ..contract.skeleton import LIMB_JOINTS
from ..video.frames import Frame
from .bodies import body_of
from .overlay import Painter, frame_at
from .trials import Trial

BONES = (
    *(("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("left_hip", "left_knee")),
    *(("left_knee", "left_ankle"), ("right_shoulder", "right_elbow")),
    *(("right_elbow", "right_wrist"), ("right_hip", "right_knee"), ("right_knee", "right_ankle")),
    *(("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")),
    *(("left_shoulder", "left_hip"), ("right_shoulder", "right_hip")),
)
_GREY = 90
_MOST_PX = 640  # of a picture's longer side
_LINE_BITS = 3


def still(trial: Trial, *, frame: int, footage: Clip | None) -> bytes:
    """A .jpg of `frame`, an index of `trial.found.series`.

    Raises:
        VideoError: the footage cannot be read.
    """
    time_s = float(trial.found.series.times_s[frame])
    width, height = trial.capture.camera.size_px
    if footage is None:
        empty = np.full((height, width, 3), _GREY, dtype=np.uint8)
        shown = Frame(time_s=time_s, image=empty)
    else:
        shown = frame_at(footage, time_s + 1e-3)  # a frame begins when it is shown, or just after
    painted = _painter(trial).painted(shown)
    _draw_truth(painted, trial, time_s)
    ratio = min(1.0, _MOST_PX / max(painted.shape[:2]))
    size = (round(painted.shape[1] * ratio), round(painted.shape[0] * ratio))
    small = cv2.resize(painted, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


def _painter(trial: Trial) -> Painter:
    template, body = body_of(trial.capture)
    motions = trial.capture.take(trial.found.label).motions
    mine = tuple(each for each in motions if each.person == trial.found.person)
    return Painter(
        Take(trial.found.label, mine), trial.capture.camera, template=template, body=body
    )


def _draw_truth(image: np.ndarray, trial: Trial, time_s: float) -> None:
    """Draws the true limbs of the nearest frame as lines, where they are known."""
    truth = trial.truth
    nearest = int(np.abs(truth.times_s - time_s).argmin())
    ratio = image.shape[1] / trial.capture.camera.size_px[0]
    places = (truth.limbs_px()[nearest] + 0.5) * ratio - 0.5  # (12, 2)
    scale = 1 << _LINE_BITS
    thickness = max(1, round(max(image.shape[:2]) / 400))
    for first, second in BONES:
        ends = places[[LIMB_JOINTS.index(first), LIMB_JOINTS.index(second)]]
        if np.isfinite(ends).all() and np.abs(ends).max() < 1e5:
            a, b = np.rint(ends * scale).astype(int).tolist()
            white = (255, 255, 255)
            cv2.line(image, a, b, white, thickness, cv2.LINE_AA, _LINE_BITS)
