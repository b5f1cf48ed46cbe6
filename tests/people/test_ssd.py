from __future__ import annotations

import numpy as np
import pytest
from stripmocap.people.ssd import SIDE, anchors, blended, decode, overlaps


def test_anchors_are_cell_centres_two_a_cell():
    found = anchors()

    assert found.shape == (2254, 2)
    np.testing.assert_allclose(found[:4] * SIDE, [[4, 4], [4, 4], [12, 4], [12, 4]], atol=1e-4)
    assert found.min() > 0
    assert found.max() < 1


def test_only_confident_anchors_are_decoded():
    raw = np.zeros((2254, 12), dtype=np.float32)
    raw[7, :4] = [22.4, 0, 44.8, 44.8]
    logits = np.full(2254, -1e9, dtype=np.float32)
    logits[7] = 1e9

    boxes, keypoints, scores = decode(raw, logits, anchors())

    centre = anchors()[7] + [0.1, 0]
    np.testing.assert_allclose(boxes, [[*(centre - 0.1), *(centre + 0.1)]], atol=1e-6)
    np.testing.assert_allclose(keypoints, np.tile(anchors()[7], (1, 4, 1)))
    assert scores == pytest.approx([1.0])


def test_overlapping_answers_are_blended_by_score():
    boxes = np.array([[0, 0, 1, 1], [0.1, 0, 1.1, 1], [5, 5, 6, 6]], dtype=float)
    keypoints = np.zeros((3, 4, 2))
    scores = np.array([0.6, 0.9, 0.7])

    people = blended(boxes, keypoints, scores)

    assert [score for _, _, score in people] == [0.9, 0.7]
    np.testing.assert_allclose(people[0][0], [0.06, 0, 1.06, 1])
    np.testing.assert_allclose(people[1][0], boxes[2])


def test_nothing_seen_is_nobody():
    assert blended(np.zeros((0, 4)), np.zeros((0, 4, 2)), np.zeros(0)) == []


def test_overlap_is_intersection_over_union():
    box = np.array([0.0, 0, 2, 2])

    found = overlaps(box, np.array([[0, 0, 2, 2], [1, 0, 3, 2], [2, 2, 3, 3]], dtype=float))

    np.testing.assert_allclose(found, [1, 1 / 3, 0])
