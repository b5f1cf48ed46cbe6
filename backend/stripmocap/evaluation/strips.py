"""A picture strip: the footage, and below it what each method makes of the same moments.

Coloured lines are the ways of wrists and ankles over the last moments, one colour each: where a
motion trembles, they do. Where there is no footage bodies stand on grey.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from ..contract.messages import Clip
from ..contract.motion import Take
from ..contract.skeleton import JOINT_NAMES
from ..video.frames import Frame, read_frames
from .bodies import body_of
from .comparison import joints_of
from .overlay import Painter
from .trials import Trial

COUNT = 6  # moments
TRAIL_S = 0.7
TRAILS = {  # RGB
    "left_wrist": (255, 210, 60),
    "right_wrist": (255, 90, 90),
    "left_ankle": (90, 230, 255),
    "right_ankle": (170, 255, 110),
}
_TRAILED = [JOINT_NAMES.index(name) for name in TRAILS]
_MARGIN = 0.12  # of the size of all the person's ways, around them
_TILE_PX = (340, 300)  # width and height, at most
_GREY = 90
_LINE_BITS = 3
_FAR_PX = 1e5


def strip(trials: Sequence[Trial], *, footage: Clip | None, count: int = COUNT) -> bytes:
    """A .jpg of one person, a row for the footage and one for each of `trials`.

    Args:
        trials: of the same person of the same case, one or more.
        footage: the case's.
        count: moments, spread evenly over those that all trials have.

    Raises:
        VideoError: the footage cannot be read.
    """
    rows = [_Row(each) for each in trials]
    times_s = _moments(trials, count)
    size = trials[0].capture.camera.size_px
    box = _box([row.joints for row in rows], size)
    plain, painted = [], [[] for _ in rows]
    for frame in _frames(footage, times_s, size):
        plain.append(_tile(frame.image, box, size))
        for row, tiles in zip(rows, painted, strict=True):
            tiles.append(_tile(row.painted(frame), box, size))
    names = [trial.method for trial in trials]
    lines = [_named(tiles, name) for tiles, name in zip(painted, names, strict=True)]
    if footage is not None:
        lines.insert(0, _named(plain, ""))
    picture = np.concatenate(lines)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


class _Row:
    """What one method makes of a person."""

    def __init__(self, trial: Trial) -> None:
        capture = trial.capture
        template, body = body_of(capture)
        motions = capture.take(trial.found.label).motions
        (self._motion,) = [each for each in motions if each.person == trial.found.person]
        self._painter = Painter(
            Take(trial.found.label, (self._motion,)), capture.camera, template=template, body=body
        )
        joints, camera = joints_of(self._motion, body), capture.camera
        flat = joints[..., :2] / np.maximum(joints[..., 2:], 1e-3)
        self.joints = flat * camera.focal_px + camera.center_px  # (T, 24, 2) pixels
        self._width = camera.size_px[0]

    def painted(self, frame: Frame) -> np.ndarray:
        """The picture with the body and its trails."""
        image = self._painter.painted(frame)
        times_s = self._motion.times_s
        some = (times_s <= frame.time_s + 1e-6) & (times_s >= frame.time_s - TRAIL_S)
        ratio = image.shape[1] / self._width
        trails = (self.joints[some][:, _TRAILED] + 0.5) * ratio - 0.5
        if np.abs(trails).max(initial=0.0) < _FAR_PX:
            thickness = max(1, round(max(image.shape[:2]) / 350))
            for trail, colour in zip(trails.swapaxes(0, 1), TRAILS.values(), strict=True):
                points = np.rint(trail * (1 << _LINE_BITS)).astype(np.int32)
                cv2.polylines(image, [points], False, colour, thickness, cv2.LINE_AA, _LINE_BITS)
        return image


def _moments(trials: Sequence[Trial], count: int) -> np.ndarray:
    """(count,) seconds, spread over the span in which all trials have frames."""
    spans = [each.found.series.times_s[[0, -1]] for each in trials]
    first_s, last_s = max(s[0] for s in spans), min(s[1] for s in spans)
    return first_s + (np.arange(count) + 0.5) / count * max(last_s - first_s, 0.0)


def _box(joints: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """(4,) whole pixels x0, y0, x1, y1 of the picture, around joints (T, 24, 2) of each row."""
    points = np.concatenate([each.reshape(-1, 2) for each in joints])
    low, high = np.percentile(points, 0.5, axis=0), np.percentile(points, 99.5, axis=0)
    low, high = low - _MARGIN * (high - low).max(), high + _MARGIN * (high - low).max()
    low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    if ((high - low) < 2).any():
        low, high = np.zeros(2), np.array(size, dtype=np.float64)
    return np.rint(np.concatenate([low, high])).astype(int)


def _frames(footage: Clip | None, times_s: np.ndarray, size: tuple[int, int]) -> Iterator[Frame]:
    """The frame that is shown at each of `times_s`, which rise."""
    if footage is None:
        width, height = size
        for time_s in times_s:
            yield Frame(float(time_s), np.full((height, width, 3), _GREY, dtype=np.uint8))
        return
    wanted, shown = list(times_s), None
    for frame in read_frames(footage):
        while wanted and shown is not None and frame.time_s > wanted[0] + 1e-3:
            yield shown
            wanted.pop(0)
        if not wanted:
            return
        shown = frame
    assert shown is not None  # read_frames gives a frame or raises
    yield from [shown] * len(wanted)


def _tile(image: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The part of a picture in `box`, given in pixels of a picture of `size`, to be looked at."""
    x0, y0, x1, y1 = np.rint(box * (image.shape[1] / size[0])).astype(int)
    part = image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    width, height = box[2] - box[0], box[3] - box[1]
    ratio = min(_TILE_PX[0] / width, _TILE_PX[1] / height)
    shape = max(1, round(width * ratio)), max(1, round(height * ratio))
    shrinks = shape[0] < part.shape[1]
    return cv2.resize(part, shape, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _named(tiles: Sequence[np.ndarray], name: str) -> np.ndarray:
    """Tiles side by side, with a name in the corner."""
    row = np.ascontiguousarray(np.concatenate(tiles, axis=1))
    for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(
            row, name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, thickness, cv2.LINE_AA
        )
    return row
