import threading
import time
from dataclasses import replace
from fractions import Fraction

import barcode
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon import registration  # noqa: E402
from stripmocap_extension.addon.contract import errors  # noqa: E402
from stripmocap_extension.addon.remote import host  # noqa: E402
from stripmocap_extension.addon.remote.watcher import Watcher  # noqa: E402
from stripmocap_extension.addon.scene import compat, stamps  # noqa: E402
from stripmocap_extension.addon.ui import heartbeat, notes, session  # noqa: E402
from toyjobs import FakeService  # noqa: E402

pytestmark = pytest.mark.blender

DEADLINE_S = 30.0


class Panel:
    """The extension with a service in memory, and a hand on its timer."""

    def __init__(self, folder):
        self.service = FakeService()
        self.started = []
        self.folder = folder
        self.live = session.current()

    def link(self, backend, *, start, stopping):
        if not start:
            raise errors.BackendUnavailable("it does not run")
        self.started.append(backend)
        return host.Link(self.service)

    def restart(self):
        """As if Blender had been started again."""
        session.begin(
            session.Session(make_watcher=lambda folder: Watcher(folder, linker=self.link))
        )
        self.live = session.current()

    def beat_until(self, done, *, what):
        deadline = time.monotonic() + DEADLINE_S
        while not done():
            assert time.monotonic() < deadline, (what, self.live.problem, self.live.remarks)
            heartbeat.beat()
            time.sleep(0.01)

    def states(self):
        return [row.state for row in self.live.ledger.rows()]

    def finish(self, job_id="1"):
        self.service._put(replace(self.service.jobs[job_id], state="done"))


@pytest.fixture
def panel(addon, tmp_path, monkeypatch):
    monkeypatch.setenv("STRIPMOCAP_DATA", str(tmp_path / "data"))
    made = Panel(tmp_path)
    made.restart()
    return made


@pytest.fixture
def strip(panel):
    pytest.importorskip("av", reason="makes the movie")
    movie = panel.folder / "walk.mp4"
    barcode.write_movie(movie, frames=60, fps=Fraction(30))
    return add_strip(movie)


def add_strip(movie, *, start=11):
    scene = bpy.context.scene
    workspace = bpy.context.workspace
    if hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = scene
    editor = scene.sequence_editor_create()
    made = compat.strips(editor).new_movie("walk", str(movie), 1, start)
    made.select, editor.active_strip = True, made
    return made


def set_time(strip, name, value):
    """Sets what 5.1 and later call `name`."""
    old = {"content_start": "frame_start", "duration": "frame_final_duration"}
    setattr(strip, name if hasattr(strip, name) else old[name], value)


def people():
    return sorted(each.name for each in bpy.data.objects if each.type == "ARMATURE")


def settled(panel):
    """Whether all that arrived is imported."""
    return people() and panel.live.importing is None


def captured(panel):
    """A job of the selected strip, done on the service."""
    assert bpy.ops.stripmocap.capture() == {"FINISHED"}
    panel.beat_until(lambda: panel.service.jobs, what="a job")
    panel.finish()


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
    assert not bpy.ops.stripmocap.import_job.poll()


def test_a_result_goes_into_the_scene_it_was_asked_for_in(panel, strip):
    asked_in = bpy.context.scene
    captured(panel)
    other = bpy.data.scenes.new("Other")
    bpy.context.window.scene = other

    panel.beat_until(lambda: settled(panel), what="people")

    assert [each.name for each in asked_in.collection.children] == ["walk capture"]
    assert not other.collection.children


def test_a_duplicate_of_a_captured_strip_is_captured_as_itself(panel, strip):
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")
    bpy.context.scene.sequence_editor.active_strip = strip
    copy = add_strip(panel.folder / "walk.mp4", start=100)
    copy["stripmocap_id"], copy["stripmocap_strip"] = (
        strip["stripmocap_id"],
        strip["stripmocap_strip"],
    )
    strip.select = False

    assert bpy.ops.stripmocap.capture() == {"FINISHED"}

    assert stamps.stamp_of(copy) != stamps.stamp_of(strip)


def test_a_moved_strip_takes_its_animation_along(panel, strip):
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")
    rig = bpy.data.objects["walk_person0"]
    set_time(strip, "content_start", 31)

    assert bpy.ops.stripmocap.update() == {"FINISHED"}

    assert rig.animation_data.action.frame_range[0] == pytest.approx(31)
    assert bpy.ops.stripmocap.update() == {"CANCELLED"}


def test_the_footage_behind_the_camera_moves_too(panel, strip):
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")
    background = bpy.data.objects["walk_camera"].data.background_images[0]
    assert background.image_user.frame_start == 11
    set_time(strip, "content_start", 31)

    bpy.ops.stripmocap.update()

    assert background.image_user.frame_start == 31
    assert len(bpy.data.objects["walk_camera"].data.animation_data.drivers) == 1


def test_what_was_cut_off_and_came_back_is_captured_alone(panel, strip):
    set_time(strip, "duration", 30)
    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")
    set_time(strip, "duration", 60)

    assert bpy.ops.stripmocap.capture_new_part() == {"FINISHED"}

    panel.beat_until(lambda: len(panel.service.jobs) == 2, what="another job")
    span = panel.service.jobs["2"].request["clip"]
    assert span["start_s"] == pytest.approx(1.0)
    assert span["stop_s"] == pytest.approx(2.0)
    assert bpy.ops.stripmocap.update() == {"CANCELLED"}


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


def test_a_service_that_does_not_start_is_told_and_can_be_tried_again(panel, strip):
    panel.service.down = True
    bpy.ops.stripmocap.capture()
    panel.beat_until(lambda: panel.states() == ["refused"], what="a refusal")
    (row,) = panel.live.ledger.rows()
    assert "does not answer" in row.error.message
    panel.service.down = False

    bpy.ops.stripmocap.retry(key=row.key)

    panel.beat_until(lambda: panel.states() == ["queued"], what="a job")


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


needs_two_scenes = pytest.mark.skipif(
    bpy.app.version < (5, 0, 0), reason="before 5.0 the sequencer shows the window's scene"
)


@needs_two_scenes
def test_a_sequencer_without_a_scene_says_so(panel):
    bpy.context.workspace.sequencer_scene = None

    assert not bpy.ops.stripmocap.capture.poll()
    heartbeat.beat()
    assert panel.live.problem == ""


@needs_two_scenes
def test_strips_of_an_edit_land_in_the_scene_of_the_window(panel, strip):
    edit = bpy.context.scene
    set_scene = bpy.data.scenes.new("Set")
    bpy.context.window.scene = set_scene
    bpy.context.workspace.sequencer_scene = edit

    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")

    assert [each.name for each in set_scene.collection.children] == ["walk capture"]
    assert not edit.collection.children
    assert bpy.data.actions["walk_person0_refined"].frame_range[0] == pytest.approx(11)
    assert (set_scene.render.fps, edit.render.fps) == (24, 24)


@needs_two_scenes
def test_a_scene_of_another_rate_is_told_and_left_alone(panel, strip):
    edit = bpy.context.scene
    set_scene = bpy.data.scenes.new("Set")
    set_scene.render.fps = 30
    bpy.context.window.scene = set_scene
    bpy.context.workspace.sequencer_scene = edit

    captured(panel)
    panel.beat_until(lambda: panel.live.remarks, what="a remark")

    assert people() == []
    assert "frame rate" in panel.live.remarks["1"]
    assert set_scene.render.fps == 30


def test_mode_selection_frame_and_rate_stay_as_they_were(panel, strip):
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    bpy.context.scene.frame_set(7)

    captured(panel)
    panel.beat_until(lambda: settled(panel), what="people")

    assert bpy.context.mode == "OBJECT"
    assert bpy.context.object == cube
    assert bpy.context.selected_objects == [cube]
    assert (bpy.context.scene.frame_current, bpy.context.scene.render.fps) == (7, 24)
    assert strip.select


def test_several_strips_make_several_jobs(panel, strip):
    second = add_strip(panel.folder / "walk.mp4", start=100)
    assert strip.select
    assert second.select

    bpy.ops.stripmocap.capture()

    panel.beat_until(lambda: len(panel.service.jobs) == 2, what="two jobs")
    stamped = {each.key.rpartition(".")[0] for each in panel.service.jobs.values()}
    assert stamped == {stamps.stamp_of(strip), stamps.stamp_of(second)}
