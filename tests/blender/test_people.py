"""From a selected strip to its people, and what an artist's corrections make of them."""

from dataclasses import replace

import numpy as np
import pytest
import sequencer

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import errors, result_file  # noqa: E402
from stripmocap_extension.addon.remote import errands  # noqa: E402
from stripmocap_extension.addon.scene import compat, corrections, selection  # noqa: E402
from stripmocap_extension.addon.ui import (  # noqa: E402
    focus,
    heartbeat,
    notes,
    overlay,
    people_panel,
    rows,
)
from toypanel import people, settled  # noqa: E402

pytestmark = pytest.mark.blender

FRAMES = 60  # of the strip's movie, all of which the scene shows from frame 11 on


@pytest.fixture
def found(panel, strip, monkeypatch):
    """The panel with the people of the selected strip."""
    # Without a window drawn, nobody sees the sequencer.
    monkeypatch.setattr(heartbeat, "_is_shown", lambda _: True)
    panel.service.frames = FRAMES
    assert bpy.ops.stripmocap.find_people() == {"FINISHED"}
    panel.beat_until(lambda: panel.service.jobs, what="a job")
    panel.finish()
    panel.beat_until(lambda: panel.live.view, what="people")
    return panel


def listed():
    return [(row.person, row.kept) for row in rows.of(bpy.context).people]


def chosen(*numbers):
    rows.select(bpy.context, list(numbers), active=numbers[0])


def last_request(panel, count):
    panel.beat_until(lambda: len(panel.service.jobs) == count, what="another job")
    return panel.service.jobs[str(count)].request


def test_finding_people_asks_for_no_bodies_and_brings_none(found):
    (job,) = found.service.jobs.values()

    assert job.request["estimator"] is None
    assert job.request["clip"]["stop_s"] == pytest.approx(2.0)
    assert listed() == [(0, True), (1, True)]
    for _ in range(20):
        heartbeat.beat()
    assert people() == []


def test_the_list_says_how_long_everybody_is_seen(found):
    first = rows.of(bpy.context).people[0]

    assert first.says == "2.0 s from 0.0 s, seen in 98%"


def test_a_search_is_listed_as_what_it_is_and_offers_no_import(found):
    (row,) = found.live.ledger.rows()

    assert row.state == "done"
    assert not row.makes_bodies


def test_a_search_that_is_tried_again_leaves_the_file_waiting_for_no_capture(found):
    found.service._put(replace(found.service.jobs["1"], state="failed"))
    found.beat_until(lambda: found.states() == ["failed"], what="the failure")

    assert bpy.ops.stripmocap.retry(job_id="1", key=found.service.jobs["1"].key) == {"FINISHED"}

    found.beat_until(lambda: found.states() == ["queued"], what="the job")
    assert not notes.awaited(bpy.context.scene)


def test_a_search_that_never_reached_the_service_leaves_the_file_waiting_for_no_capture(
    panel, strip
):
    panel.service.down = True
    bpy.ops.stripmocap.find_people()
    panel.beat_until(lambda: panel.states() == ["refused"], what="a refusal")
    (row,) = panel.live.ledger.rows()
    panel.service.down = False

    bpy.ops.stripmocap.retry(key=row.key)

    panel.beat_until(lambda: panel.states() == ["queued"], what="a job")
    assert not notes.awaited(bpy.context.scene)


def test_who_is_ignored_is_sent_along_with_the_capture(found, strip):
    assert bpy.ops.stripmocap.ignore_people(person=1) == {"FINISHED"}

    assert listed() == [(0, True), (1, False)]
    assert bpy.ops.stripmocap.capture() == {"FINISHED"}
    (correction,) = last_request(found, 2)["corrections"]
    assert correction["kind"] == "ignore"


def test_a_trimmed_strip_is_corrected_as_the_whole_with_marks_in_what_is_left(found, strip):
    bpy.ops.stripmocap.ignore_people(person=1)
    (before,) = corrections.read(strip)
    sequencer.set_time(strip, "left_handle", 11 + 30)

    assert bpy.ops.stripmocap.capture() == {"FINISHED"}

    (correction,) = last_request(found, 2)["corrections"]
    assert before.who.time_s < 1.0 <= correction["who"]["time_s"]
    assert corrections.read(strip) == (before,)


def test_a_copy_of_the_strip_bears_its_corrections(found, strip):
    bpy.ops.stripmocap.ignore_people(person=1)
    sequencer.call(bpy.ops.sequencer.duplicate)
    copy = bpy.context.scene.sequence_editor.active_strip

    heartbeat.beat()

    assert copy != strip
    assert found.live.view.strip == copy.name
    assert listed() == [(0, True), (1, False)]


def test_a_strip_played_backwards_is_cut_behind_the_picture_on_show(found, strip):
    strip.use_reverse_frames = True
    found.live.selection = None
    heartbeat.beat()
    bpy.context.scene.frame_set(11 + 20)  # picture 39 of 60
    chosen(0)

    bpy.ops.stripmocap.split_person()

    assert found.live.view.person(2).times_s[0] == pytest.approx(40 / 30)


def test_a_capture_without_corrections_asks_for_the_same_footage_as_the_search(found):
    assert bpy.ops.stripmocap.capture() == {"FINISHED"}

    request = last_request(found, 2)
    assert request["clip"] == found.service.jobs["1"].request["clip"]
    assert request["corrections"] == []


def test_nobody_kept_is_told_before_anything_is_sent(found):
    chosen(0, 1)
    bpy.ops.stripmocap.ignore_people()

    with pytest.raises(RuntimeError, match="Nobody is kept"):
        bpy.ops.stripmocap.capture()

    assert len(found.service.jobs) == 1


def test_two_people_become_one_who_keeps_the_number_that_was_clicked_last(found):
    chosen(1, 0)

    assert bpy.ops.stripmocap.merge_people() == {"FINISHED"}

    assert listed() == [(1, True)]
    assert rows.selected(bpy.context) == [1]


def test_a_person_is_split_at_the_picture_under_the_playhead(found):
    bpy.context.scene.frame_set(11 + 20)  # one picture a scene frame, as scripted strips play
    chosen(0)

    assert bpy.ops.stripmocap.split_person() == {"FINISHED"}

    assert [number for number, _ in listed()] == [0, 1, 2]
    assert found.live.view.person(2).times_s[0] == pytest.approx(20 / 30)


def test_the_playhead_must_be_on_the_strip(found):
    bpy.context.scene.frame_set(500)
    chosen(0)

    with pytest.raises(RuntimeError, match="playhead is not on walk"):
        bpy.ops.stripmocap.split_person()


def test_the_playhead_of_another_scene_is_on_no_strip_of_this_one(found, monkeypatch):
    other = bpy.data.scenes.new("other")
    other.frame_set(11 + 20)
    chosen(0)
    monkeypatch.setattr(compat, "sequencer_scene", lambda _: other)

    assert overlay.moment(bpy.context) is None
    with pytest.raises(RuntimeError, match="playhead is not on walk"):
        bpy.ops.stripmocap.split_person()


def test_two_people_are_swapped_from_the_playhead_on(found):
    before = found.live.view.person(0)
    bpy.context.scene.frame_set(11 + 40)
    chosen(0, 1)

    assert bpy.ops.stripmocap.swap_people() == {"FINISHED"}

    after = found.live.view.person(0)
    np.testing.assert_array_equal(after.boxes[:40], before.boxes[:40])
    assert (after.boxes[40:, 0] > before.boxes[40:, 0] + 200).all()


@pytest.mark.parametrize(
    ("operator", "picked"),
    [("merge_people", (0,)), ("swap_people", ()), ("split_person", (0, 1))],
)
def test_buttons_are_grey_until_as_many_are_selected_as_it_takes(found, operator, picked):
    rows.select(bpy.context, list(picked))

    assert not getattr(bpy.ops.stripmocap, operator).poll()


@pytest.mark.parametrize("picked", [(), (0,), (0, 1)])
def test_keep_and_ignore_are_grey_in_the_panel_until_somebody_is_selected(found, picked):
    rows.select(bpy.context, list(picked))
    layout = _Layout()

    people_panel._draw_buttons(layout, bpy.context)

    for name in ("keep_people", "keep_only", "ignore_people"):
        assert layout.drawn[f"stripmocap.{name}"].enabled == bool(picked)
    assert layout.drawn["stripmocap.undo_correction"].enabled


def test_the_last_correction_is_taken_back_then_all(found, strip):
    for person in (0, 1):
        bpy.ops.stripmocap.ignore_people(person=person)

    bpy.ops.stripmocap.undo_correction()
    assert listed() == [(0, False), (1, True)]

    bpy.ops.stripmocap.clear_corrections()
    assert listed() == [(0, True), (1, True)]
    assert corrections.PROPERTY not in strip
    assert not bpy.ops.stripmocap.undo_correction.poll()


def test_corrections_that_come_by_undo_or_script_are_shown_at_the_next_look(found, strip):
    bpy.ops.stripmocap.ignore_people(person=1)
    text = strip[corrections.PROPERTY]

    del strip[corrections.PROPERTY]
    heartbeat.beat()
    assert listed() == [(0, True), (1, True)]

    strip[corrections.PROPERTY] = text
    heartbeat.beat()
    assert listed() == [(0, True), (1, False)]


@pytest.mark.parametrize("text", ["", "what?", "[1]", '[{"kind": "marry", "who": {}}]', 7])
def test_what_somebody_typed_into_the_property_corrects_nothing(found, strip, text):
    strip[corrections.PROPERTY] = text

    assert corrections.read(strip) == ()


def test_corrections_come_back_with_the_file_and_people_are_asked_for_again(found):
    bpy.ops.stripmocap.ignore_people(person=1)
    file = str(found.folder / "edit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=file)
    found.restart()

    bpy.ops.wm.open_mainfile(filepath=file)
    found.live.connect(_backend(), start=True)
    found.beat_until(lambda: found.live.view, what="people")

    assert listed() == [(0, True), (1, False)]
    assert people() == []


def test_people_that_could_not_be_looked_up_are_asked_for_again_after_a_pause(found, monkeypatch):
    found.restart()
    found.live.connect(_backend(), start=True)
    bring = found.service.result
    monkeypatch.setattr(found.service, "result", _gone)
    found.beat_until(lambda: "1" in found.live.remarks, what="a remark")
    monkeypatch.setattr(found.service, "result", bring)

    for _ in range(20):
        found.live.look_again_s = 0.0
        heartbeat.beat()
    assert found.live.view is None

    monkeypatch.setattr(overlay.casts.Casts, "may_look_up", lambda *_, **__: True)
    found.live.look_again_s = 0.0
    found.beat_until(lambda: found.live.view, what="people")
    assert found.live.remarks == {}


def test_a_look_up_that_fails_leaves_an_import_that_was_asked_for_alone(found):
    found.live.by_hand.add("1")
    refused = errands.Refused(errands.FetchPeople("1"), errors.NotThere("gone"))

    found.live._hear(refused, auto_import=False)

    assert found.live.by_hand == {"1"}


def test_a_capture_brings_its_people_too_and_says_when_it_is_overtaken(found):
    bpy.ops.stripmocap.capture()
    last_request(found, 2)
    found.finish("2")
    found.beat_until(lambda: settled(found), what="people")
    found.beat_until(lambda: found.live.view.cast.captured is not None, what="their list")

    assert not found.live.is_overtaken
    bpy.ops.stripmocap.ignore_people(person=1)
    assert found.live.is_overtaken


def test_with_another_strip_in_focus_its_own_people_are_shown(found, strip):
    strip.select = False
    found.live.look_again_s = 0.0
    heartbeat.beat()

    assert found.live.view is None
    assert listed() == []
    assert not bpy.ops.stripmocap.keep_only.poll()


def test_people_are_found_again_by_their_place_in_the_preview(found):
    bpy.context.scene.frame_set(11 + 10)
    now = overlay.moment(bpy.context)
    box = found.live.view.lines[1].box_at(10 / 30)
    middle = (box[:2] + box[2:]) / 2 / (1280, 720)

    place = now.framing.shares(now.framing.points(middle))

    assert now.time_s == pytest.approx(10 / 30)
    assert overlay.casts.picked(now.view, now.time_s, place.tolist()) == 1


def test_off_the_strip_there_is_nothing_to_draw(found, strip):
    bpy.context.scene.frame_set(500)
    assert overlay.moment(bpy.context) is None

    bpy.context.scene.frame_set(20)
    strip.mute = True
    assert overlay.moment(bpy.context) is None


def test_strips_without_footage_have_nobody(panel):
    assert not bpy.ops.stripmocap.find_people.poll()
    assert focus.shot_in_focus(panel.live) is None
    assert selection.active(bpy.context) is None


def test_a_result_without_bodies_cannot_be_imported_and_says_so(addon, tmp_path):
    from toyshot import toy_capture

    result_file.save(replace(toy_capture(), takes=()), tmp_path / "people.npz")

    with pytest.raises(RuntimeError, match="only looked for people"):
        bpy.ops.stripmocap.import_capture("EXEC_DEFAULT", filepath=str(tmp_path / "people.npz"))

    assert not bpy.data.objects


class _Layout:
    """Notes which layout each button is drawn in, by the operator's name."""

    def __init__(self, drawn=None):
        self.enabled, self.drawn = True, {} if drawn is None else drawn

    def column(self, **_):
        return _Layout(self.drawn)

    row = column

    def operator(self, name, **_):
        self.drawn[name] = self


def _gone(*_, **__):
    raise errors.NotThere("gone")


def _backend():
    from stripmocap_extension.addon.ui import preferences

    return preferences.backend_of(bpy.context)
