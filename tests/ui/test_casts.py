from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from stripmocap_extension.addon.contract import casting, errors, motion
from stripmocap_extension.addon.ui import casts
from toyshot import toy_camera, toy_capture, toy_track

PATH = Path("/footage/walk.mp4")
FRAMES, FPS = 60, Fraction(30)
CLIP = {"path": str(PATH), "start_s": 0.0, "stop_s": 2.0}
SEARCH = {"clip": CLIP, "estimator": None}


def cast(job_id="1", *, people=3, span_s=(0.0, 2.0), captured=None, created_s=0.0):
    tracks = tuple(toy_track(each, frames=FRAMES, fps=FPS) for each in range(people))
    return casts.Cast(job_id, PATH, span_s, (1280, 720), 0, tracks, captured, created_s)


def view(made=(), **options):
    return casts.view_of("walk", cast(**options), tuple(made))


def after(seen, made):
    return casts.view_of(seen.strip, seen.cast, made)


def kept(seen, made):
    return set(after(seen, made).kept)


def test_who_was_found_for_a_capture_is_known_with_its_corrections():
    capture = toy_capture()
    request = {"clip": CLIP, "estimator": "smplify", "corrections": []}

    found = casts.cast_of(
        replace(capture, provenance={"request": request}), job_id="7", path=str(PATH), created_s=5.0
    )

    assert found is not None
    assert (found.path, found.span_s, found.captured) == (PATH, (0.0, 2.0), ())
    assert found.created_s == 5.0
    assert [each.person for each in found.tracks] == [0, 1]


def test_a_search_made_no_bodies():
    capture = motion.Capture(toy_camera(), (), {"request": SEARCH}, toy_capture().tracks)

    found = casts.cast_of(capture, job_id="7", path=str(PATH))

    assert found is not None
    assert found.captured is None


@pytest.mark.parametrize("request_", [{}, {"clip": 3}, {"clip": CLIP, "estimator": "telepathy"}])
def test_a_result_that_does_not_tell_what_it_is_of_names_nobody(request_):
    capture = motion.Capture(toy_camera(), (), {"request": request_}, toy_capture().tracks)

    assert casts.cast_of(capture, job_id="7", path=str(PATH)) is None


def test_of_what_was_found_the_widest_counts_and_of_equals_the_newest():
    known = casts.Casts()
    for each in (
        cast("first", span_s=(0, 10)), cast("second", span_s=(0, 10)), cast("cut", span_s=(4, 6)),
    ):  # fmt: skip
        known.add(each)

    assert [each.job_id for each in known.of(PATH, (0, 10))] == ["second", "first", "cut"]
    assert [each.job_id for each in known.of(PATH, (5, 6))] == ["cut", "second", "first"]
    assert known.of(PATH, (20, 30)) == []
    assert known.of(Path("/footage/other.mp4"), (0, 10)) == []


def test_a_job_that_is_heard_of_again_takes_its_own_place():
    known = casts.Casts()
    known.add(cast("1", people=1))
    known.add(cast("1", people=2))

    (only,) = known.of(PATH, (0, 2))
    assert len(only.tracks) == 2


def test_the_newest_is_the_job_that_was_made_last_and_not_what_arrived_last():
    known = casts.Casts()
    for job_id, created_s in (("young", 20.0), ("old", 10.0)):
        known.add(cast(job_id, created_s=created_s))

    assert [each.job_id for each in known.of(PATH, (0, 2))] == ["young", "old"]


def test_people_that_are_let_go_of_may_be_asked_for_again():
    known = casts.Casts()
    for each in range(casts.MOST + 1):
        known.add(cast(str(each)))

    assert len(known.of(PATH, (0, 2))) == casts.MOST
    assert "0" not in known.looked_up
    assert "1" in known.looked_up


def test_people_that_could_not_be_brought_are_asked_for_again_after_ever_longer_pauses():
    known = casts.Casts()
    known.looked_up.add("7")
    assert not known.may_look_up("7", now_s=0.0)

    known.miss("7", now_s=100.0)
    assert not known.may_look_up("7", now_s=100.0 + 0.9 * casts.AGAIN_S)
    assert known.may_look_up("7", now_s=100.0 + casts.AGAIN_S)

    known.miss("7", now_s=200.0)
    assert not known.may_look_up("7", now_s=200.0 + 1.9 * casts.AGAIN_S)
    for _ in range(100):
        known.miss("7", now_s=300.0)
    assert known.may_look_up("7", now_s=300.0 + casts.AGAIN_AT_MOST_S)


def test_corrections_that_cannot_be_made_leave_people_as_found_and_say_why():
    seen = view(casts.split(view(), 0, from_s=1.0))
    elsewhere = replace(seen.corrections[0], who=replace(seen.corrections[0].who, x=0.99))

    broken = after(seen, (elsewhere,))

    assert len(broken.people) == 3
    assert "nobody is at 99%" in broken.problem.lower()


def test_who_is_ignored_is_kept_again_and_nothing_else_has_changed():
    seen = view()
    ignored = after(seen, casts.ignored(seen, [1]))

    assert ignored.kept == {0, 2}
    assert casts.kept(ignored, [1]) == ()


def test_ignoring_the_only_one_who_was_chosen_brings_nobody_else_back():
    seen = view()
    only = after(seen, casts.kept_only(seen, [1]))

    assert only.kept == {1}
    assert kept(only, casts.ignored(only, [1])) == set()


def test_who_was_not_chosen_can_be_kept_too():
    seen = view()
    only = after(seen, casts.kept_only(seen, [1]))

    assert kept(only, casts.kept(only, [2])) == {1, 2}


def test_who_was_split_off_somebody_ignored_can_be_kept_alone():
    seen = view()
    ignored = after(seen, casts.ignored(seen, [0]))
    cut = after(ignored, casts.split(ignored, 0, from_s=0.5))

    assert cut.kept == {1, 2}
    assert kept(cut, casts.kept(cut, [3])) == {1, 2, 3}


def test_choosing_anew_forgets_who_was_ignored_or_chosen_before_and_keeps_the_rest():
    seen = view()
    split = after(seen, casts.split(seen, 2, from_s=1.0))
    ignored = after(split, casts.ignored(split, [0]))

    made = casts.kept_only(ignored, [0])

    assert kept(ignored, made) == {0}
    assert [each.kind for each in made] == ["split", "choose"]


def test_merging_and_swapping_name_both_people():
    seen = view()

    assert [each.person for each in after(seen, casts.merged(seen, 2, 0)).people] == [1, 2]
    (swap,) = casts.swapped(seen, 0, 1, from_s=1.0)
    assert swap.time_s == 1.0


def test_splitting_where_nobody_goes_on_is_refused_with_words():
    seen = view()

    with pytest.raises(errors.RequestError, match="both before and after"):
        casts.split(seen, 0, from_s=0.0)


def test_nobody_can_be_corrected_who_is_not_there_any_more():
    with pytest.raises(errors.RequestError, match="no person 9"):
        casts.ignored(view(), [9])


def test_a_cut_is_before_the_picture_on_show_or_behind_it_when_played_backwards():
    seen = view()

    assert casts.first_after_cut(seen, 0.51, is_reversed=False) == pytest.approx(15 / 30)
    assert casts.first_after_cut(seen, 0.51, is_reversed=True) == pytest.approx(16 / 30)
    assert casts.first_after_cut(seen, 59 / 30, is_reversed=True) == pytest.approx(59 / 30)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_cut_where_nobody_is_seen_stays_where_it_is(is_reversed):
    seen = view()
    gone = replace(seen, people=tuple(_late(each) for each in seen.people))

    for time_s, people in ((99.0, seen), (0.5, gone)):
        assert casts.first_after_cut(people, time_s, is_reversed=is_reversed) == time_s


def test_whoever_is_at_a_place_is_picked():
    seen = view()
    box = seen.lines[1].box_at(0.5)
    middle = ((box[0] + box[2]) / 2 / 1280, (box[1] + box[3]) / 2 / 720)

    assert casts.picked(seen, 0.5, middle) == 1
    assert casts.picked(seen, 0.5, (0.99, 0.01)) is None


def test_bodies_are_overtaken_once_people_are_corrected_after_the_capture():
    seen = view(captured=())
    made = casts.swapped(seen, 0, 1, from_s=1.0)

    assert not casts.is_overtaken(seen, [seen.cast])
    assert casts.is_overtaken(after(seen, made), [seen.cast])
    assert not casts.is_overtaken(after(seen, made), [cast(captured=made)])
    assert not casts.is_overtaken(after(seen, made), [cast(captured=None)])


def test_a_capture_of_a_trimmed_strip_does_not_hide_what_its_marks_mean():
    whole = view()
    made = casts.ignored(whole, [1])
    trimmed = after(whole, made)
    part = replace(
        cast("2", span_s=(1.0, 2.0), captured=casts.wanted(trimmed, (1.0, 2.0))),
        tracks=tuple(_late(each) for each in whole.cast.tracks),
    )
    known = [part, whole.cast]

    seen = casts.best_view("walk", known, made)

    assert casts.view_of("walk", part, made).problem
    assert not seen.problem
    assert seen.cast is whole.cast
    assert not casts.is_overtaken(seen, known)
    assert casts.is_overtaken(casts.best_view("walk", known, ()), known)


def test_a_capture_of_a_part_is_sent_only_what_concerns_it():
    seen = view()
    made = casts.swapped(seen, 0, 1, from_s=0.5) + casts.ignored(seen, [2])
    corrected = after(seen, made)

    (wanted,) = casts.wanted(corrected, (1.0, 2.0))

    assert wanted.kind == "ignore"
    assert 1.0 <= wanted.who.time_s < 2.0
    assert casts.wanted(corrected, (0.0, 2.0)) == made


def test_where_nobody_knows_who_was_found_only_marks_within_the_part_are_sent():
    made = casts.swapped(view(), 0, 1, from_s=0.5)

    assert casts.unseen(made, (0.0, 2.0)) == made
    assert casts.unseen(made, (1.9, 2.0)) == ()


def test_a_line_of_each_person_is_where_their_boxes_are():
    seen = view()

    for track, line in zip(seen.people, seen.lines, strict=True):
        assert isinstance(line, casting.Line)
        assert line.box_at(float(track.times_s[7])) == pytest.approx(track.boxes[7])


def _late(track):
    return replace(
        track,
        times_s=track.times_s[30:],
        boxes=track.boxes[30:],
        presence=track.presence[30:],
        pictured_s=track.pictured_s[:0],
        pictures=track.pictures[:0],
    )
