import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon import registration  # noqa: E402
from stripmocap_extension.addon.remote import errands  # noqa: E402
from stripmocap_extension.addon.scene import stamps  # noqa: E402
from stripmocap_extension.addon.ui import arrival, heartbeat, menus, notes  # noqa: E402
from toyjobs import PART  # noqa: E402
from toypanel import add_strip, captured, people, settled  # noqa: E402

pytestmark = pytest.mark.blender


def test_selected_strip_becomes_a_job_under_its_stamp(panel, strip):
    assert bpy.ops.stripmocap.capture() == {"FINISHED"}

    panel.beat_until(lambda: panel.states() == ["queued"], what="a queued job")
    (job,) = panel.service.jobs.values()
    assert job.key.rpartition(".")[0] == stamps.stamp_of(strip)
    assert job.request["clip"]["path"] == str(panel.folder / "walk.mp4")
    assert job.request["clip"]["start_s"] == 0
    assert job.request["clip"]["stop_s"] == pytest.approx(2.0)


def test_a_finished_capture_imports_itself_once(panel, strip):
    captured(panel)

    panel.beat_until(lambda: settled(panel), what="people")
    panel.finish()
    for _ in range(20):
        heartbeat.beat()

    assert people() == ["walk_person0", "walk_person1"]
    assert notes.imported() == {"1"}
    assert not notes.awaited(bpy.context.scene)


def test_what_is_finished_of_a_running_capture_comes_when_asked_for_and_the_whole_beside_it(
    panel, strip
):
    assert bpy.ops.stripmocap.capture() == {"FINISHED"}
    panel.beat_until(lambda: panel.service.jobs, what="a job")
    running = replace(panel.service.jobs["1"], state="running", partial=PART)
    panel.service._put(running)
    panel.beat_until(lambda: any(r.has_part for r in panel.live.ledger.rows()), what="a part")
    assert people() == []

    for _ in range(2):  # a second click changes nothing
        assert bpy.ops.stripmocap.import_so_far(job_id="1", key=running.key) == {"FINISHED"}
    panel.beat_until(lambda: settled(panel), what="people of the part")
    for _ in range(20):
        heartbeat.beat()
    assert people() == ["walk_person0", "walk_person1"]
    assert notes.imported() == set()
    assert notes.awaited(bpy.context.scene)
    panel.finish()
    panel.beat_until(lambda: notes.imported() and panel.live.importing is None, what="the whole")

    assert len(people()) == 4
    assert [each.name for each in bpy.context.scene.collection.children] == [
        "walk so far",
        "walk capture",
    ]
    assert panel.service.calls.count("partial") == 1


def test_the_animation_lies_under_the_strip(panel, strip):
    captured(panel)

    panel.beat_until(lambda: settled(panel), what="people")

    first, _ = bpy.data.actions["walk_person0_refined"].frame_range
    assert first == pytest.approx(11)


def test_a_result_does_not_land_in_another_file(panel, strip):
    captured(panel)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)

    panel.beat_until(lambda: panel.live.remarks, what="a remark")

    assert people() == []
    assert "not in this file" in panel.live.remarks["1"]
    assert panel.states() == ["done"]


def test_a_capture_that_was_under_way_is_offered_when_its_file_is_opened_again(panel, strip):
    captured(panel)
    file = str(panel.folder / "edit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=file)
    panel.restart()
    panel.started.clear()

    bpy.ops.wm.open_mainfile(filepath=file)
    panel.beat_until(lambda: panel.states() == ["done"], what="the offer")
    for _ in range(20):
        heartbeat.beat()

    assert panel.started  # it was started for the file's sake
    assert people() == []
    assert bpy.ops.stripmocap.import_job(job_id="1", key=panel.service.jobs["1"].key) == {
        "FINISHED"
    }
    panel.beat_until(lambda: settled(panel), what="people")
    assert bpy.data.actions["walk_person0_refined"].frame_range[0] == pytest.approx(11)


def test_a_file_that_waits_for_nothing_starts_no_service(panel, strip):
    for _ in range(20):
        heartbeat.beat()
        time.sleep(0.01)

    assert panel.started == []


def test_an_import_that_was_interrupted_is_offered_again(panel, strip):
    captured(panel)
    panel.beat_until(lambda: panel.live.importing, what="an import")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)

    assert panel.live.importing is None
    assert people() == []
    assert bpy.ops.stripmocap.import_job(job_id="1") == {"FINISHED"}
    panel.beat_until(lambda: settled(panel), what="people")


def test_a_bug_in_an_import_is_told_once_and_the_import_offered_again(panel, strip, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a bug")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(arrival, "bringing_in", broken)
        captured(panel)
        panel.beat_until(lambda: panel.live.remarks, what="a remark")

    assert panel.live.importing is None
    assert "ZeroDivisionError" in panel.live.remarks["1"]
    assert bpy.ops.stripmocap.import_job(job_id="1") == {"FINISHED"}
    panel.beat_until(lambda: settled(panel), what="people")


def test_an_import_can_be_left_to_the_user(panel, strip, monkeypatch):
    from stripmocap_extension.addon.ui import preferences

    monkeypatch.setattr(preferences, "of", lambda context: preferences.Defaults(auto_import=False))
    captured(panel)

    panel.beat_until(lambda: panel.states() == ["done"], what="the end")
    for _ in range(20):
        heartbeat.beat()

    assert people() == []


def test_a_result_waits_for_a_mode_that_can_undo_it(panel, strip):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="SCULPT")
    captured(panel)

    panel.beat_until(lambda: panel.live.remarks, what="a remark")

    assert people() == []
    assert "Object Mode" in panel.live.remarks["1"]
    assert not bpy.ops.stripmocap.import_job.poll()
    bpy.ops.object.mode_set(mode="OBJECT")
    panel.beat_until(lambda: settled(panel), what="people")
    assert panel.live.remarks == {}


def test_a_result_waits_for_a_drag_but_not_when_it_is_asked_for(panel, strip, monkeypatch):
    drag = SimpleNamespace(bl_options=bpy.ops.transform.translate.bl_options)
    monkeypatch.setattr(arrival, "_tools", lambda context: (drag,))
    captured(panel)
    panel.beat_until(lambda: panel.live.remarks, what="a remark")
    assert "tool" in panel.live.remarks["1"]
    assert people() == []

    assert bpy.ops.stripmocap.import_job(job_id="1") == {"FINISHED"}

    panel.beat_until(lambda: settled(panel), what="people")
    assert panel.service.calls.count("result") == 1


def test_a_tool_that_only_watches_keeps_no_result_waiting(panel, strip, monkeypatch):
    watching = SimpleNamespace(bl_options={"REGISTER"})
    monkeypatch.setattr(arrival, "_tools", lambda context: (watching,))
    captured(panel)

    panel.beat_until(lambda: settled(panel), what="people")


def test_cancelling_reaches_the_service(panel, strip):
    bpy.ops.stripmocap.capture()
    panel.beat_until(lambda: panel.states() == ["queued"], what="a job")

    bpy.ops.stripmocap.cancel(job_id="1", key=panel.service.jobs["1"].key)

    panel.beat_until(lambda: panel.states() == ["cancelled"], what="the end")
    assert not notes.awaited(bpy.context.scene)


def test_a_log_becomes_a_text(panel, strip):
    bpy.ops.stripmocap.capture()
    panel.beat_until(lambda: panel.states() == ["queued"], what="a job")

    bpy.ops.stripmocap.job_log(job_id="1")

    panel.beat_until(lambda: bpy.data.texts, what="a text")
    assert bpy.data.texts[0].as_string().strip() == "log of 1"
    assert bpy.data.texts[0].name in panel.live.notice
    assert panel.live.problem == ""


def test_what_could_not_be_done_is_told_until_the_service_is_found_anew(panel, strip):
    bpy.ops.stripmocap.capture()
    panel.beat_until(lambda: panel.states() == ["queued"], what="a job")
    told = panel.live.ledger.connection
    panel.live.problem = "It could not be done."

    panel.live.ask(errands.AskHealth())
    panel.beat_until(lambda: panel.live.ledger.connection is not told, what="an answer")
    assert panel.live.problem == "It could not be done."

    panel.service.down = True
    panel.beat_until(lambda: panel.live.ledger.connection.touch == "lost", what="the loss")
    panel.service.down = False
    panel.beat_until(lambda: panel.live.ledger.connection.touch == "on", what="the service")
    assert panel.live.problem == ""


def test_a_service_that_does_not_start_is_told_and_can_be_tried_again(panel, strip):
    panel.service.down = True
    bpy.ops.stripmocap.capture()
    panel.beat_until(lambda: panel.states() == ["refused"], what="a refusal")
    (row,) = panel.live.ledger.rows()
    assert "does not answer" in row.error.message
    panel.service.down = False

    bpy.ops.stripmocap.retry(key=row.key)

    panel.beat_until(lambda: panel.states() == ["queued"], what="a job")


def test_a_capture_that_is_tried_again_is_awaited_by_the_file(panel, strip):
    bpy.ops.stripmocap.capture()
    panel.beat_until(lambda: panel.states() == ["queued"], what="a job")
    key = panel.service.jobs["1"].key
    bpy.ops.stripmocap.cancel(job_id="1", key=key)
    panel.beat_until(lambda: panel.states() == ["cancelled"], what="the end")

    bpy.ops.stripmocap.retry(job_id="1", key=key)

    assert notes.awaited(bpy.context.scene)


def test_without_a_strip_the_button_says_what_to_select(panel):
    assert not bpy.ops.stripmocap.capture.poll()


def test_nothing_is_left_when_the_extension_goes(panel, strip):
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")

    registration.unregister()

    assert not [each for each in threading.enumerate() if each.name == "stripmocap"]
    assert not hasattr(bpy.types.Scene, "stripmocap")
    assert not [each for each in bpy.app.handlers.load_post if "stripmocap" in each.__module__]
    for menu in (bpy.types.SEQUENCER_MT_strip, bpy.types.SEQUENCER_MT_context_menu):
        assert not [
            each
            for each in menu._dyn_ui_initialize()
            if "stripmocap" in getattr(each, "__module__", "")
        ]
    assert not [each for each in dir(bpy.types) if each.startswith("STRIPMOCAP")]


def test_every_verb_on_strips_is_in_the_menus(panel):
    shown = []
    layout = SimpleNamespace(separator=lambda: None, operator=lambda name, icon: shown.append(name))

    menus._draw(SimpleNamespace(layout=layout), bpy.context)

    verbs = ("find_people", "capture", "update", "capture_new_part")
    assert shown == [f"stripmocap.{each}" for each in verbs]


def test_several_strips_make_several_jobs(panel, strip):
    second = add_strip(panel.folder / "walk.mp4", start=100)
    assert strip.select
    assert second.select

    bpy.ops.stripmocap.capture()

    panel.beat_until(lambda: len(panel.service.jobs) == 2, what="two jobs")
    stamped = {each.key.rpartition(".")[0] for each in panel.service.jobs.values()}
    assert stamped == {stamps.stamp_of(strip), stamps.stamp_of(second)}
