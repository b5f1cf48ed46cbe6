"""A stage with actors of known places, and a detector that sees them without any network.

The picture's red and green hold each pixel's own x and y, so the detector knows which part of the
picture it was given; blue holds the actors' clothes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES
from stripmocap.people.blazepose import Landmarks, Sighting
from stripmocap.people.regions import Region, region_of
from stripmocap.people.sides import other_way_round
from stripmocap.video.frames import Frame

SIDE = 256
RADIUS_PX = 30.0
_HEIGHTS = {"shoulder": -0.5, "elbow": -0.3, "wrist": -0.1, "hip": 0.0, "knee": 0.5, "ankle": 0.9}


@dataclass(frozen=True)
class Actor:
    """Somebody who is at `place(time_s)` px, or nowhere (None)."""

    place: Callable[[float], tuple[float, float] | None]
    clothes: int = 128
    faces_away: Callable[[float], bool] = lambda time_s: False
    depth: int = 0  # the lower is in front


class Stage:
    """Pictures of the actors, and what a detector sees in the newest."""

    def __init__(self, *actors: Actor) -> None:
        self.actors = actors
        self.detections = 0
        self._time_s = 0.0

    def frames(self, times_s: np.ndarray) -> Iterator[Frame]:
        for time_s in times_s:
            self._time_s = float(time_s)
            yield Frame(self._time_s, self._picture())

    def detect(self, image: np.ndarray) -> list[Sighting]:
        self.detections += 1
        left, top = (int(each) for each in image[0, 0, :2])
        height, width = image.shape[:2]
        sightings = []
        for place in self._seen().values():
            x, y = place[0] - left, place[1] - top
            if 0 <= x < width and 0 <= y < height:
                region = region_of(np.array([x, y]), np.array([x, y - RADIUS_PX]))
                sightings.append(Sighting(region, np.array([x - 9, y - 9, x + 9, y + 9]), 0.9))
        return sightings

    def landmarks(self, image: np.ndarray, region: Region) -> Landmarks:
        """The landmarks of the actor nearest to the region's centre."""
        seen = self._seen()
        distances = {
            actor: np.linalg.norm(np.subtract(place, region.center_px))
            for actor, place in seen.items()
        }
        actor = min(distances, key=distances.__getitem__, default=None)
        if actor is None or distances[actor] > RADIUS_PX:
            return landmarks_at(np.array(region.center_px), presence=0.1)
        place = np.array(seen[actor])
        return landmarks_at(place, away=actor.faces_away(self._time_s))

    def _seen(self) -> dict[Actor, tuple[float, float]]:
        """Actors and their places; who is behind somebody is not seen."""
        seen = {}
        for actor in sorted(self.actors, key=lambda each: each.depth):
            place = actor.place(self._time_s)
            hidden = place is not None and any(
                abs(place[0] - other[0]) < RADIUS_PX * 0.5 for other in seen.values()
            )
            if place is not None and not hidden:
                seen[actor] = place
        return seen

    def _picture(self) -> np.ndarray:
        y, x = np.mgrid[:SIDE, :SIDE].astype(np.uint8)
        picture = np.stack([x, y, np.zeros_like(x)], axis=-1)
        for actor, place in self._seen().items():
            column, row, reach = int(place[0]), int(place[1]), int(RADIUS_PX)
            rows = slice(max(row - reach, 1), row + reach)
            picture[rows, max(column - 10, 1) : column + 10, 2] = actor.clothes
        return picture


def landmarks_at(place: np.ndarray, *, presence: float = 1.0, away: bool = False) -> Landmarks:
    """Somebody who stands upright, hips at `place` (2,) px, and faces the camera or away."""
    keypoints = np.ones((len(BLAZEPOSE_NAMES), 3))
    keypoints[:, :2] = place - np.array([0, 0.85 * RADIUS_PX])
    for index, name in enumerate(BLAZEPOSE_NAMES):
        side = 1 if "left" in name else -1
        for part, height in _HEIGHTS.items():
            if part in name:
                keypoints[index, :2] = place + RADIUS_PX * np.array([0.2 * side, height])
    landmarks3d = np.column_stack([(keypoints[:, :2] - place) / RADIUS_PX, np.zeros(33)])
    if away:
        keypoints, landmarks3d = other_way_round(keypoints, landmarks3d)
    region = region_of(place, place - np.array([0, RADIUS_PX]))
    return Landmarks(keypoints, landmarks3d, presence, region)
