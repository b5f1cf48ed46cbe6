"""BlazePose through LiteRT: a person detector, and a network for one person's 33 landmarks.

Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020. The landmark network
looks at each person twice, as is and mirrored. The mean of the two is better than either, and
where they differ the network is guessing: its own confidence says little about hidden limbs, the
difference tells them. Pixel (0, 0) is the centre of the picture's top-left pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .. import assets
from . import ssd
from .networks import Network, Pair, content_of
from .observations import KEYPOINT_COUNT
from .regions import Region, cut_out, region_of, to_picture
from .sides import OTHER_SIDE, other_way_round

HIPS, CIRCLE = 0, 1  # of the detector's four keypoints
LANDMARK_SIDE = 256  # pixels of the landmark network's picture
LANDMARK_COUNT = 39  # 33, the two points of the next region, and four that are not used
NEXT_HIPS, NEXT_CIRCLE = 33, 34
PEAK_RADIUS = 3  # heatmap cells about the regressed place
PEAK_MIN = 0.5  # a flatter heatmap says nothing
AGREEMENT = 0.04  # of the region's side: two looks this far apart leave 1/e of the confidence
OTHER_WAY_RATIO = 0.6  # nearer than this by the other names: the mirrored look saw the back


@dataclass(frozen=True, eq=False)
class Sighting:
    """A person that the detector found: where to look for landmarks."""

    region: Region
    box: np.ndarray  # (4,) px: x0, y0, x1, y1 of head and shoulders
    score: float


@dataclass(frozen=True, eq=False)
class Landmarks:
    """What the landmark network says of one region."""

    keypoints: np.ndarray  # (33, 3) px and confidence in [0, 1]
    landmarks3d: np.ndarray  # (33, 3) metres about the hips, camera axes
    presence: float  # in [0, 1]: how sure it is that a person is in the region
    next_region: Region  # where the person is, to be looked at in the next frame


class BlazePose:
    """The two networks. Not safe for use from two threads at once."""

    def __init__(self, *, threads: int = 2) -> None:
        """Loads both networks.

        Args:
            threads: that they keep busy; the answers do not depend on it.

        Raises:
            AssetMissing, AssetCorrupt: a network's file cannot be had; see `assets.locate`.
        """
        detector, landmarker = (
            content_of(assets.locate(name))
            for name in ("blazepose_detector", "blazepose_landmarks")
        )
        self._detector = Network(detector, threads=threads)
        self._landmarker = Pair(landmarker, threads=threads)
        self._anchors = ssd.anchors()

    def detect(self, image: np.ndarray) -> list[Sighting]:
        """People in `image` (H, W, 3) uint8 RGB, best first."""
        height, width = image.shape[:2]
        side = max(height, width)
        scale = ssd.SIDE / side
        small = cv2.resize(
            image,
            (max(1, round(width * scale)), max(1, round(height * scale))),
            interpolation=cv2.INTER_AREA,
        )
        left, top = (ssd.SIDE - small.shape[1]) // 2, (ssd.SIDE - small.shape[0]) // 2
        padded = np.zeros((ssd.SIDE, ssd.SIDE, 3), dtype=np.float32)
        padded[top : top + small.shape[0], left : left + small.shape[1]] = small / 127.5 - 1.0
        raw = self._detector.run(padded)
        boxes, keypoints, scores = ssd.decode(raw[12], raw[1][:, 0], self._anchors)
        origin = np.array([left, top])
        stretch = np.array([width / small.shape[1], height / small.shape[0]])
        return [
            Sighting(
                region=region_of(points[HIPS], points[CIRCLE]),
                box=box.ravel(),
                score=float(score),
            )
            for box, points, score in (
                (
                    (box.reshape(2, 2) * ssd.SIDE - origin) * stretch - 0.5,
                    (points * ssd.SIDE - origin) * stretch - 0.5,
                    score,
                )
                for box, points, score in ssd.blended(boxes, keypoints, scores)
            )
        ]

    def landmarks(self, image: np.ndarray, region: Region) -> Landmarks:
        """The landmarks of whoever is in `region` of `image` (H, W, 3) uint8 RGB."""
        picture = cut_out(image, region, LANDMARK_SIDE) / np.float32(255)
        plain, mirror = self._landmarker.run(picture, np.ascontiguousarray(picture[:, ::-1]))
        look = _agreed(_look(plain), _unmirrored(_look(mirror)))
        points = to_picture(look.places[:, :2], region)
        next_points = to_picture(look.next_places, region)
        metric = look.landmarks3d
        return Landmarks(
            keypoints=_float32(points, look.places[:, 2]),
            landmarks3d=_float32(metric[:, :2] @ region.axes.T, metric[:, 2]),
            presence=look.presence,
            next_region=region_of(*next_points),
        )


@dataclass(frozen=True, eq=False)
class _Look:
    """What the landmark network says of one upright picture."""

    places: np.ndarray  # (33, 3) fractions of the picture, and confidence
    next_places: np.ndarray  # (2, 2) hips and a point of the body's circle
    landmarks3d: np.ndarray  # (33, 3) metres, axes of the upright picture
    presence: float


def _look(raw: dict[int, np.ndarray]) -> _Look:
    screen = raw[LANDMARK_COUNT * 5].reshape(LANDMARK_COUNT, 5)
    places = refined(screen[:, :2] / LANDMARK_SIDE, raw[LANDMARK_COUNT])
    confidence = _sigmoid(screen[:, 3]) * _sigmoid(screen[:, 4])
    return _Look(
        places=np.column_stack([places, confidence])[:KEYPOINT_COUNT],
        next_places=places[[NEXT_HIPS, NEXT_CIRCLE]],
        landmarks3d=raw[LANDMARK_COUNT * 3].reshape(LANDMARK_COUNT, 3)[:KEYPOINT_COUNT],
        presence=float(raw[1].item()),
    )


def _unmirrored(look: _Look) -> _Look:
    """`look`, taken in the mirror, as if taken without."""
    return _Look(
        places=(look.places * [-1, 1, 1] + [1, 0, 0])[OTHER_SIDE],
        next_places=look.next_places * [-1, 1] + [1, 0],
        landmarks3d=(look.landmarks3d * [-1, 1, 1])[OTHER_SIDE],
        presence=look.presence,
    )


def _agreed(plain: _Look, mirror: _Look) -> _Look:
    """The mean of two looks, confident where they agree.

    If the second took front for back, it is turned first: `sides` decides later which is right.
    """
    places, landmarks3d = mirror.places, mirror.landmarks3d
    turned = other_way_round(places, landmarks3d)
    if _apart(plain.places, turned[0]) < OTHER_WAY_RATIO * _apart(plain.places, places):
        places, landmarks3d = turned
    difference = np.linalg.norm(plain.places[:, :2] - places[:, :2], axis=1)
    mean = (plain.places + places) / 2
    mean[:, 2] *= np.exp(-((difference / AGREEMENT) ** 2))
    return _Look(
        places=mean,
        next_places=(plain.next_places + mirror.next_places) / 2,
        landmarks3d=(plain.landmarks3d + landmarks3d) / 2,
        presence=(plain.presence + mirror.presence) / 2,
    )


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(a[:, :2] - b[:, :2], axis=1)))


def refined(places: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """`places` (K, 2), fractions of the cut-out, moved to the middle of their heatmap peaks.

    Args:
        places: (K, 2) as regressed.
        heatmaps: (S, S, K) logits; a peak that stays under `PEAK_MIN` leaves its place alone.
    """
    side = heatmaps.shape[0]
    reach = np.arange(-PEAK_RADIUS, PEAK_RADIUS + 1)
    cells = np.floor(places * side).astype(int)
    columns = cells[:, 0, None, None] + reach[None, None, :]  # (K, 1, 7)
    rows = cells[:, 1, None, None] + reach[None, :, None]  # (K, 7, 1)
    inside = (columns >= 0) & (columns < side) & (rows >= 0) & (rows < side)
    which = np.arange(len(places))[:, None, None]
    values = heatmaps[np.clip(rows, 0, side - 1), np.clip(columns, 0, side - 1), which]
    weights = np.where(inside, _sigmoid(values), 0)  # (K, 7, 7)
    total = weights.sum(axis=(1, 2))
    centre_x = (weights * columns).sum(axis=(1, 2)) / np.maximum(total, 1e-9)
    centre_y = (weights * rows).sum(axis=(1, 2)) / np.maximum(total, 1e-9)
    moved = np.column_stack([centre_x, centre_y]) / side
    middle = (cells >= 0).all(axis=1) & (cells < side).all(axis=1)
    clear = middle & (weights.max(axis=(1, 2)) >= PEAK_MIN)
    return np.where(clear[:, None], moved, places)


def _float32(*columns: np.ndarray) -> np.ndarray:
    return np.column_stack(columns).astype(np.float32)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64)))
