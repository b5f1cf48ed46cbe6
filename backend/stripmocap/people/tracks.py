"""One person's sightings while a video is read, and the record that they become.

Sizes are in units of the body's circle (`radius_px`), so that near and far people are alike.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from ..contract.skeleton import BLAZEPOSE_NAMES
from . import appearance
from .blazepose import Landmarks
from .observations import KEYPOINT_COUNT, Person
from .pictures import Album
from .regions import radius_px
from .sides import mistaken, other_way_round

BOX_MARGIN = 0.08  # of the box's longer side: landmarks end at the eyes and inside the feet
CLEAR = 0.3  # confidence from which a keypoint counts as seen
MEMORY = 0.1  # weight of a new frame in the remembered clothes
VELOCITY_FRAMES = 5
SAME_POSE = 0.12  # radii: median distance of trunk and limbs
SAME_HEAD, SAME_SHOULDERS = 0.2, 0.3  # radii
HEAD = slice(0, BLAZEPOSE_NAMES.index("left_shoulder"))
SHOULDERS = [BLAZEPOSE_NAMES.index(f"{side}_shoulder") for side in ("left", "right")]
_NO_CLOTHES = np.zeros(0)
# What the record of a person is made of. As objects, ten minutes would be 188 MB; so they are 15.
_ROW = np.dtype(
    [
        ("frame", np.int32),
        ("presence", np.float32),
        ("box", np.float32, 4),
        ("keypoints", np.float32, (KEYPOINT_COUNT, 3)),
        ("landmarks3d", np.float32, (KEYPOINT_COUNT, 3)),
    ]
)
_LEAST_ROWS, _MOST_ROWS = 16, 1024  # of a block: most tracks are ghosts that end at once
CORE = [
    BLAZEPOSE_NAMES.index(f"{side}_{part}")
    for part in ("shoulder", "elbow", "hip", "knee", "ankle")
    for side in ("left", "right")
]


@dataclass(frozen=True, eq=False)
class Seen:
    """A person in one frame."""

    frame: int  # index among the decoded frames
    time_s: float
    landmarks: Landmarks
    box: np.ndarray  # (4,) px
    clothes: np.ndarray  # see `appearance.clothes`

    @property
    def center_px(self) -> np.ndarray:
        """(2,) middle of the hips."""
        return np.asarray(self.landmarks.next_region.center_px)

    @property
    def confidence(self) -> float:
        """Mean over the keypoints, in [0, 1]."""
        return float(self.landmarks.keypoints[:, 2].mean())

    @property
    def radius_px(self) -> float:
        """Radius of the circle about the body."""
        return radius_px(self.landmarks.next_region)


def seen(frame: int, time_s: float, image: np.ndarray, landmarks: Landmarks) -> Seen:
    """`landmarks` with the box and clothes that follow from them."""
    return Seen(
        frame=frame,
        time_s=time_s,
        landmarks=landmarks,
        box=box_of(landmarks.keypoints),
        clothes=appearance.clothes(image, landmarks.keypoints),
    )


def box_of(keypoints: np.ndarray) -> np.ndarray:
    """(4,) px box round the clear ones of `keypoints` (33, 3), round all if few are clear."""
    clear = keypoints[:, 2] >= CLEAR
    points = keypoints[clear if clear.sum() >= 4 else slice(None), :2]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = BOX_MARGIN * (high - low).max()
    return np.concatenate([low - margin, high + margin])


def share_inside(box: np.ndarray, other: np.ndarray) -> float:
    """The share of `box` (4,) that lies inside `other` (4,)."""
    shared = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    return float(np.prod(np.maximum(shared, 0)) / max(np.prod(box[2:] - box[:2]), 1e-9))


class Track:
    """One person so far; at least one sighting, from when it is first read."""

    def __init__(self) -> None:
        self.album = Album()
        self.prominence = 0.0  # how large and how surely seen, added up
        self.count = 0  # of sightings
        self.first_s = 0.0
        self.clothes: np.ndarray | None = None
        self._first_frame = 0
        self._recent: deque[Seen] = deque(maxlen=VELOCITY_FRAMES)
        self._blocks: list[np.ndarray] = []  # of _ROW; full but for the last one
        self._room = 0  # rows of the last block that are free

    @property
    def last(self) -> Seen:
        """The newest sighting, without its clothes."""
        return self._recent[-1]

    @property
    def frame_count(self) -> int:
        """From the first sighting to the last, gaps included."""
        return self.last.frame - self._first_frame + 1

    @property
    def rows(self) -> np.ndarray:
        """(S,) the sightings in order, with the fields of `_ROW`."""
        return np.concatenate(self._blocks)[: self.count]

    def add(self, sighting: Seen) -> None:
        """Takes in the newest sighting and slowly learns the clothes."""
        if self.count == 0:
            self.first_s, self._first_frame = sighting.time_s, sighting.frame
        self._note(sighting)
        self._recent.append(replace(sighting, clothes=_NO_CLOTHES))
        self.prominence += sighting.radius_px * sighting.landmarks.presence
        known = sighting.clothes if self.clothes is None else self.clothes
        self.clothes = known + MEMORY * (sighting.clothes - known)

    def _note(self, sighting: Seen) -> None:
        if self._room == 0:
            self._room = min(max(self.count, _LEAST_ROWS), _MOST_ROWS)
            self._blocks.append(np.zeros(self._room, _ROW))
        found = sighting.landmarks
        self._blocks[-1][-self._room] = (
            sighting.frame, found.presence, sighting.box, found.keypoints, found.landmarks3d
        )  # fmt: skip
        self._room -= 1
        self.count += 1

    def predicted_center_px(self, time_s: float) -> np.ndarray:
        """(2,) where the hips would be at `time_s` if they went on as in the last few frames."""
        past = self._recent
        span = past[-1].time_s - past[0].time_s
        if span <= 0:
            return self.last.center_px
        velocity = (past[-1].center_px - past[0].center_px) / span
        # Who passes behind something slows down as often as not: half a second of the way at most.
        return self.last.center_px + velocity * min(time_s - self.last.time_s, 0.5)

    def strangeness(self, sighting: Seen) -> float:
        """How unlike this person `sighting` is: place in radii, size, and clothes, added up."""
        place = np.linalg.norm(self.predicted_center_px(sighting.time_s) - sighting.center_px)
        size = abs(np.log(sighting.radius_px / self.last.radius_px))
        assert self.clothes is not None
        look = appearance.difference(self.clothes, sighting.clothes)
        return float(place / self.last.radius_px + size + 2 * look)


def same_body(a: Landmarks, b: Landmarks) -> bool:
    """Whether both are on one body: the same pose, or two guesses about one head and shoulders."""
    larger = max(radius_px(a.next_region), radius_px(b.next_region))
    apart = np.linalg.norm(a.keypoints[:, :2] - b.keypoints[:, :2], axis=1) / larger
    heads, shoulders = (
        np.linalg.norm((a.keypoints[part, :2] - b.keypoints[part, :2]).mean(axis=0)) / larger
        for part in (HEAD, SHOULDERS)
    )
    one_trunk = heads < SAME_HEAD and shoulders < SAME_SHOULDERS
    return bool(np.median(apart[CORE]) < SAME_POSE or one_trunk)


def finished(track: Track, number: int, times_s: np.ndarray) -> Person:
    """The record of `track` as person `number`; frames between its sightings are interpolated.

    `times_s` (N,) are the seconds of every decoded frame.
    """
    rows = track.rows
    frames = rows["frame"]
    times_s = times_s[frames[0] : frames[-1] + 1]
    here = np.zeros(len(times_s), dtype=bool)
    here[frames - frames[0]] = True
    keypoints, landmarks3d = rows["keypoints"], rows["landmarks3d"]
    wrong = mistaken(times_s[here], keypoints)
    keypoints[wrong], landmarks3d[wrong] = other_way_round(keypoints[wrong], landmarks3d[wrong])
    keypoints = _filled(keypoints, times_s, here)
    keypoints[:, :, 2] = np.clip(keypoints[:, :, 2], 0, 1) * here[:, None]
    presence = np.zeros(len(times_s), dtype=np.float32)
    presence[here] = np.clip(rows["presence"], 0, 1)
    return Person(
        person=number,
        times_s=times_s,
        boxes=_filled(rows["box"], times_s, here),
        keypoints=keypoints,
        landmarks3d=_filled(landmarks3d, times_s, here),
        presence=presence,
    )


def _filled(values: np.ndarray, times_s: np.ndarray, here: np.ndarray) -> np.ndarray:
    """(T, ...) `values` (S, ...) where they are `here` (T,), linear in time between."""
    filled = np.empty((len(times_s), *values.shape[1:]), dtype=values.dtype)
    filled[here] = values
    if here.all():
        return filled
    flat, known_s = values.reshape(len(values), -1), times_s[here]
    columns = [np.interp(times_s[~here], known_s, column) for column in flat.T]
    filled[~here] = np.stack(columns, axis=1).reshape(-1, *values.shape[1:])
    return filled
