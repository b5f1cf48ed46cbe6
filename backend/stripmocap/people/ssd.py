"""What the person detector's numbers mean: anchors, boxes, and one answer a person.

A single-shot detector (Liu et al., "SSD", ECCV 2016) whose overlapping answers are blended rather
than thrown away (Bazarevsky et al., "BlazeFace", 2019, 3.4). Places are fractions of its picture.
"""

from __future__ import annotations

import numpy as np

SIDE = 224  # pixels of the detector's picture
STRIDES = (8, 16, 32, 32, 32)  # pixels; two anchors a cell on each
SCORE_LIMIT = 100.0  # logits are clipped: the exponential must not overflow
MIN_SCORE = 0.5
MIN_OVERLAP = 0.3  # boxes that overlap more than this are one person


def anchors() -> np.ndarray:
    """(2254, 2) centres of the detector's anchors, as fractions of its picture."""
    layers = []
    for stride in STRIDES:
        cells = SIDE // stride
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
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -SCORE_LIMIT, SCORE_LIMIT)))
    seen = scores >= MIN_SCORE
    offsets = raw[seen].reshape(-1, 6, 2) / SIDE
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
        same = overlaps(boxes[best], boxes[order]) > MIN_OVERLAP
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
