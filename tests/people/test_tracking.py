from __future__ import annotations

import numpy as np
import pytest
from stage import Actor, Stage
from stripmocap.contract.errors import Cancelled
from stripmocap.people.observations import Person
from stripmocap.people.tracking import STAGE, follow

FPS = 30
LEFT_SHOULDER, RIGHT_SHOULDER = 11, 12


def seconds(length_s: float) -> np.ndarray:
    return np.arange(round(length_s * FPS)) / FPS


def followed(stage: Stage, times_s: np.ndarray) -> list[Person]:
    cast = follow(
        stage.frames(times_s), detector=stage, report=lambda *_: None, expected_frames=None
    )
    np.testing.assert_array_equal(cast.times_s, times_s)
    return list(cast.people)


def hips(person) -> np.ndarray:
    return person.keypoints[:, [23, 24], :2].mean(axis=1)


def test_two_people_who_stand_apart_are_two_tracks_of_every_frame():
    stage = Stage(Actor(lambda t: (60, 128)), Actor(lambda t: (190, 128)))

    people = followed(stage, seconds(2))

    assert [person.person for person in people] == [0, 1]
    assert all(len(person.times_s) == 60 for person in people)
    assert sorted(hips(person)[0, 0] for person in people) == pytest.approx([60, 190])


def test_keypoints_follow_the_person():
    stage = Stage(Actor(lambda t: (50 + 60 * t, 128)))

    (person,) = followed(stage, seconds(2))

    np.testing.assert_allclose(hips(person)[:, 0], 50 + 60 * person.times_s, atol=1e-3)
    assert (person.boxes[:, 0] < hips(person)[:, 0]).all()
    assert (person.boxes[:, 2] > hips(person)[:, 0]).all()


def test_a_newcomer_is_found_within_a_second():
    stage = Stage(Actor(lambda t: (60, 128)), Actor(lambda t: (190, 128) if t >= 1 else None))

    people = followed(stage, seconds(4))

    assert people[1].times_s[0] == pytest.approx(1.0, abs=1.0)


def test_a_short_absence_is_bridged_without_confidence():
    stage = Stage(Actor(lambda t: None if 1 <= t < 1.5 else (60 + 20 * t, 128)))

    (person,) = followed(stage, seconds(3))

    gone = (person.times_s >= 1) & (person.times_s < 1.5)
    assert len(person.times_s) == 90
    assert (person.presence[gone] == 0).all()
    assert (person.keypoints[gone, :, 2] == 0).all()
    assert (person.presence[~gone] > 0).all()
    np.testing.assert_allclose(hips(person)[gone, 0], 60 + 20 * person.times_s[gone], atol=0.5)


def test_who_is_away_for_longer_than_a_second_comes_back_as_somebody_new():
    stage = Stage(Actor(lambda t: None if 1 <= t < 2.5 else (128, 128)))

    people = followed(stage, seconds(4))

    first, second = sorted(people, key=lambda person: person.times_s[0])
    assert first.times_s[-1] < 1
    assert 2.5 <= second.times_s[0] < 2.7


def test_a_glimpse_is_dropped():
    stage = Stage(Actor(lambda t: (60, 128)), Actor(lambda t: (190, 128) if t < 0.2 else None))

    assert len(followed(stage, seconds(3))) == 1


def test_a_clip_of_one_frame_may_have_people():
    stage = Stage(Actor(lambda t: (60, 128)))

    (person,) = followed(stage, np.zeros(1))

    assert person.times_s.tolist() == [0.0]


def test_an_empty_stage_has_nobody():
    assert followed(Stage(), seconds(1)) == []


def test_no_frames_have_nobody():
    assert followed(Stage(Actor(lambda t: (60, 128))), np.zeros(0)) == []


def test_people_who_cross_keep_their_names():
    stage = Stage(
        Actor(lambda t: (40 + 60 * t, 128), clothes=250, depth=0),
        Actor(lambda t: (220 - 60 * t, 132), clothes=20, depth=1),
    )

    people = followed(stage, seconds(3))

    assert len(people) == 2
    slopes = sorted(np.polyfit(person.times_s, hips(person)[:, 0], 1)[0] for person in people)
    assert slopes == pytest.approx([-60, 60], abs=3)


def test_the_detector_rests_while_nobody_is_lost():
    stage = Stage(Actor(lambda t: (128, 128)))

    followed(stage, np.arange(240) / 120)

    assert stage.detections < 100


def test_left_and_right_are_kept_when_the_detector_takes_front_for_back():
    stage = Stage(Actor(lambda t: (128, 128), faces_away=lambda t: 1 <= t < 1.5))

    (person,) = followed(stage, seconds(3))

    left, right = person.keypoints[:, LEFT_SHOULDER, 0], person.keypoints[:, RIGHT_SHOULDER, 0]
    assert (left > right).all()
    assert (person.landmarks3d[:, LEFT_SHOULDER, 0] > 0).all()
    assert (person.landmarks3d[:, RIGHT_SHOULDER, 0] < 0).all()


def test_the_larger_person_comes_first():
    stage = Stage(Actor(lambda t: (60, 128) if t > 1 else None), Actor(lambda t: (190, 128)))

    people = followed(stage, seconds(3))

    assert hips(people[0])[0, 0] == pytest.approx(190)


def test_every_frame_is_reported_and_a_report_may_cancel():
    told = []

    def report(stage, done, of):
        told.append((stage, done, of))
        if done == 5:
            raise Cancelled("stopped")

    stage = Stage(Actor(lambda t: (60, 128)))
    with pytest.raises(Cancelled):
        follow(stage.frames(seconds(1)), detector=stage, report=report, expected_frames=30)

    # Within a frame it is told again where the work stands, so that a crowd does not silence it.
    assert list(dict.fromkeys(told)) == [(STAGE, done, 30) for done in range(6)]


def test_uneven_times_are_kept():
    times_s = np.array([0, 0.04, 0.2, 0.21, 0.5, 1.0])

    (person,) = followed(Stage(Actor(lambda t: (60, 128))), times_s)

    np.testing.assert_array_equal(person.times_s, times_s)


def test_who_is_followed_so_far_can_be_looked_at_on_the_way():
    stage = Stage(
        Actor(lambda t: (60, 128)),
        Actor(lambda t: None if t < 1 or 1.5 < t < 1.8 else (190 - 10 * t, 128)),
    )
    seen = {}

    def watch(time_s, so_far):
        if round(time_s * FPS) in (0, 45, 80):
            seen[time_s] = so_far()

    whole = follow(
        stage.frames(seconds(4)),
        detector=stage,
        report=lambda *_: None,
        expected_frames=None,
        watch=watch,
    )

    for time_s, early in seen.items():
        assert early.times_s[-1] == time_s
        assert len(early.people) == (1 if time_s < 1 else 2)
        for person, final in zip(early.people, whole.people, strict=False):
            count = len(person.times_s)
            np.testing.assert_array_equal(person.times_s, final.times_s[:count])
            np.testing.assert_array_equal(person.keypoints, final.keypoints[:count])
            np.testing.assert_array_equal(person.presence, final.presence[:count])
