from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from stage import landmarks_at
from stripmocap.people.tracks import Seen, Track, box_of, finished


def seen(frame: int, *, x: float = 100.0, fps: float = 30.0) -> Seen:
    landmarks = landmarks_at(np.array([x, 128.0]), presence=0.9)
    return Seen(frame, frame / fps, landmarks, box_of(landmarks.keypoints), np.ones(432))


def track_of(frames: list[int]) -> Track:
    track = Track()
    for frame in frames:
        track.add(seen(frame, x=100.0 + frame))
    return track


@pytest.mark.parametrize("count", [1, 2, 16, 17, 3000])
def test_every_sighting_is_in_the_record(count):
    track = track_of(list(range(count)))

    person = finished(track, 3, np.arange(count) / 30)

    assert person.person == 3
    assert track.count == track.frame_count == count
    np.testing.assert_array_equal(person.keypoints[:, 23, 0], 106 + np.arange(count))
    np.testing.assert_array_equal(person.presence, np.full(count, 0.9, dtype=np.float32))


def test_frames_between_sightings_are_put_between_them_without_confidence():
    times_s = np.array([0.0, 0.1, 0.2, 0.5, 0.6, 0.7])

    person = finished(track_of([1, 2, 4]), 0, times_s)

    np.testing.assert_array_equal(person.times_s, times_s[1:5])
    np.testing.assert_array_equal(person.presence > 0, [True, True, False, True])
    assert (person.keypoints[2, :, 2] == 0).all()
    share = (0.5 - 0.2) / (0.6 - 0.2)  # by time, not by frame
    np.testing.assert_allclose(person.keypoints[2, 23, 0], 108 + 2 * share, rtol=1e-6)
    np.testing.assert_allclose(
        person.boxes[2], (1 - share) * person.boxes[1] + share * person.boxes[3], rtol=1e-5
    )


def test_a_record_may_be_made_while_the_person_is_followed():
    track = track_of(list(range(40)))
    early = finished(track, 0, np.arange(40) / 30)
    for frame in range(40, 60):
        track.add(seen(frame, x=100.0 + frame))

    late = finished(track, 0, np.arange(60) / 30)

    np.testing.assert_array_equal(early.keypoints, late.keypoints[:40])
    np.testing.assert_array_equal(early.boxes, late.boxes[:40])


def test_a_followed_person_takes_less_than_a_kilobyte_a_frame():
    sightings = [seen(frame) for frame in range(3000)]
    track = Track()

    tracemalloc.start()
    for each in sightings:
        track.add(each)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # Ten minutes are 18,000 frames: 15 MB a person, where objects took 188.
    assert used / len(sightings) < 1000
