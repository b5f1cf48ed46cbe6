"""BlazePose through LiteRT: a person detector, and a network for one person's 33 landmarks.

Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020; the detector is a
single-shot one (Liu et al., "SSD", ECCV 2016) after BlazeFace, with blended non-maximum suppression
(Bazarevsky et al., "BlazeFace", 2019). Pixel (0, 0) is the centre of the picture's top-left pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from .. import assets
from .observations import KEYPOINT_COUNT
from .regions import Region, cut_out, region_of, to_picture

DETECTOR_SIDE = 224
DETECTOR_STRIDES = (8, 16, 32, 32, 32)  # pixels; two anchors a cell on each
SCORE_LIMIT = 100.0  # logits are clipped: the exponential must not overflow
DETECTOR_MIN_SCORE = 0.5
DETECTOR_MIN_OVERLAP = 0.3  # boxes that overlap more than this are one person
HIPS, CIRCLE = 0, 1  # of the detector's four keypoints

LANDMARK_SIDE = 256
LANDMARK_COUNT = 39  # 33, the two points of the next region, and four that are not used
NEXT_HIPS, NEXT_CIRCLE = 33, 34
PEAK_RADIUS = 3  # heatmap cells about the regressed place
PEAK_MIN = 0.5  # a flatter heatmap says nothing


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

        Raises:
            AssetMissing, AssetCorrupt: a network's file cannot be had; see `assets.locate`.
        """
        self._detector = _Network(assets.locate("blazepose_detector"), threads)
        self._landmarker = _Network(assets.locate("blazepose_landmarks"), threads)
        self._anchors = anchors()

    def detect(self, image: np.ndarray) -> list[Sighting]:
        """People in `image` (H, W, 3) uint8 RGB, best first."""
        height, width = image.shape[:2]
        side = max(height, width)
        scale = DETECTOR_SIDE / side
        small = cv2.resize(
            image,
            (max(1, round(width * scale)), max(1, round(height * scale))),
            interpolation=cv2.INTER_AREA,
        )
        left, top = (DETECTOR_SIDE - small.shape[1]) // 2, (DETECTOR_SIDE - small.shape[0]) // 2
        padded = np.zeros((DETECTOR_SIDE, DETECTOR_SIDE, 3), dtype=np.float32)
        padded[top : top + small.shape[0], left : left + small.shape[1]] = small / 127.5 - 1.0
        raw = self._detector.run(padded)
        boxes, keypoints, scores = decode(raw[12], raw[1][:, 0], self._anchors)
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
                    (box.reshape(2, 2) * DETECTOR_SIDE - origin) * stretch - 0.5,
                    (points * DETECTOR_SIDE - origin) * stretch - 0.5,
                    score,
                )
                for box, points, score in blended(boxes, keypoints, scores)
            )
        ]

    def landmarks(self, image: np.ndarray, region: Region) -> Landmarks:
        """The landmarks of whoever is in `region` of `image` (H, W, 3) uint8 RGB."""
        picture = cut_out(image, region, LANDMARK_SIDE) / np.float32(255)
        raw = self._landmarker.run(picture)
        screen = raw[LANDMARK_COUNT * 5].reshape(LANDMARK_COUNT, 5)
        metric = raw[LANDMARK_COUNT * 3].reshape(LANDMARK_COUNT, 3)[:KEYPOINT_COUNT]
        places = refined(screen[:, :2] / LANDMARK_SIDE, raw[LANDMARK_COUNT])
        points = to_picture(places, region)
        confidence = _sigmoid(screen[:, 3]) * _sigmoid(screen[:, 4])
        turned = np.column_stack([metric[:, :2] @ region.axes.T, metric[:, 2]])
        return Landmarks(
            keypoints=np.column_stack([points, confidence])[:KEYPOINT_COUNT],
            landmarks3d=turned,
            presence=float(raw[1].item()),
            next_region=region_of(points[NEXT_HIPS], points[NEXT_CIRCLE]),
        )


class _Network:
    """A .tflite file with one input, whose outputs are told apart by their last dimension."""

    def __init__(self, file: Path, threads: int) -> None:
        self._interpreter = Interpreter(str(file), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = self._interpreter.get_output_details()

    def run(self, picture: np.ndarray) -> dict[int, np.ndarray]:
        """Outputs without their batch dimension, under their last dimension's length."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return {
            int(each["shape"][-1]): self._interpreter.get_tensor(each["index"])[0]
            for each in self._outputs
            if list(each["shape"][1:]) != [LANDMARK_SIDE, LANDMARK_SIDE, 1]  # the segmentation
        }


def anchors() -> np.ndarray:
    """(2254, 2) centres of the detector's anchors, as fractions of its picture."""
    layers = []
    for stride in DETECTOR_STRIDES:
        cells = DETECTOR_SIDE // stride
        middles = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(middles, middles), axis=-1)  # (rows, columns, 2)
        layers.append((stride, grid.reshape(-1, 2).repeat(2, axis=0)))
    return np.concatenate([centres for _, centres in layers]).astype(np.float32)


def decode(
    raw: np.ndarray, logits: np.ndarray, anchors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (D, 4), keypoints (D, 4, 2) and scores (D,) of the anchors that see a person.

    Args:
        raw: (A, 12) offsets in pixels of the detector's picture: box centre, box size, keypoints.
        logits: (A,) scores before the sigmoid.
        anchors: (A, 2) as from `anchors`.

    Returns:
        Places as fractions of the detector's picture; boxes are x0, y0, x1, y1.
    """
    scores = _sigmoid(np.clip(logits, -SCORE_LIMIT, SCORE_LIMIT))
    seen = scores >= DETECTOR_MIN_SCORE
    offsets = raw[seen].reshape(-1, 6, 2) / DETECTOR_SIDE
    centres = offsets[:, 0] + anchors[seen]
    half = offsets[:, 1] / 2
    boxes = np.concatenate([centres - half, centres + half], axis=1)
    return boxes, offsets[:, 2:] + anchors[seen][:, None], scores[seen]


def blended(
    boxes: np.ndarray, keypoints: np.ndarray, scores: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """One (box (4,), keypoints (4, 2), score) a person: weighted means of those that overlap."""
    order = np.argsort(-scores, kind="stable")
    people = []
    while len(order):
        best = order[0]
        same = overlaps(boxes[best], boxes[order]) > DETECTOR_MIN_OVERLAP
        same[0] = True
        members = order[same]
        weights = scores[members] / scores[members].sum()
        people.append(
            (
                np.einsum("d,dc->c", weights, boxes[members]),
                np.einsum("d,dkc->kc", weights, keypoints[members]),
                float(scores[best]),
            )
        )
        order = order[~same]
    return people


def overlaps(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(D,) intersection over union of `box` (4,) with each of `boxes` (D, 4)."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    area = np.prod(box[2:] - box[:2])
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(area + areas - shared, 1e-12)


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


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64)))
