"""Mixes of long shots: the pose on screen at once, the keys in slices, whole when it matters."""

import threading
from fractions import Fraction

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon import registration  # noqa: E402
from stripmocap_extension.addon.contract import skeleton  # noqa: E402
from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import (  # noqa: E402
    character,
    compat,
    contacts,
    mixes,
    seals,
    takes,
)
from stripmocap_extension.addon.ui import remix, session, slices  # noqa: E402
from toybody import toy_body  # noqa: E402
from toyshot import toy_capture  # noqa: E402

pytestmark = pytest.mark.blender

FRAMES = 40
AT = 20  # the frame that is looked at


@pytest.fixture
def rig(addon, monkeypatch):
    """Somebody in a shot that counts as long, in a Blender that comes back to what is left."""
    monkeypatch.setattr(remix, "AT_ONCE", FRAMES - 1)
    monkeypatch.setattr(remix, "may_wait", lambda: True)
    monkeypatch.setattr(slices, "RESTS_S", 0.0)
    capture = toy_capture(frames=FRAMES, fps=Fraction(30))
    timing = StripTiming(offset=1.0, rate=30.0)
    shot = character.import_capture(
        capture, body=toy_body(), scene=bpy.context.scene, timing=timing
    )
    character.mark(shot, capture, job_id="", strip_id="")
    bpy.context.view_layer.objects.active = shot.rigs[0]
    bpy.context.scene.frame_set(AT)
    yield shot.rigs[0]
    session.current().mixing.forget()
    if bpy.app.timers.is_registered(remix.turn):
        bpy.app.timers.unregister(remix.turn)


@pytest.fixture
def in_slices(monkeypatch):
    """Turns that do one step each."""
    clock = iter(range(1_000_000))
    monkeypatch.setattr(slices.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(slices, "SLICE_S", 1.5)


def everywhere(rig):
    return rig.stripmocap_refine.everywhere


def rest():
    """Lets Blender come back until nothing is left; how many turns that took."""
    turns = 1
    while remix.turn() is not None:
        turns += 1
        assert turns < 10_000
    bpy.context.view_layer.update()
    return turns


def rest_until_written(rig):
    """Lets Blender come back until the keys of the mix are being written."""
    mix = takes.mix_of(rig)
    while not (mix is not None and mix.get("stripmocap_seal") == "open"):
        assert remix.turn() is not None
        mix = takes.mix_of(rig)
    for _ in range(20):  # some curves of a hundred
        assert remix.turn() is not None


def values(action):
    return {
        (each.data_path, each.array_index): [point.co[1] for point in each.keyframe_points]
        for each in compat.curves(action)
    }


def assert_mixed(rig, **amounts):
    """The mix is what it would have been if it had been written at once."""
    found = values(takes.mix_of(rig))
    wanted = mixes.make(rig, mixes.Amounts(**amounts), [])
    assert wanted is not None
    assert wanted.kept == ""
    for name, track in values(wanted.action).items():
        np.testing.assert_allclose(found[name], track, atol=1e-6)


def elbow(rig):
    return np.array(rig.pose.bones["left_elbow"].matrix_basis)


def test_the_pose_on_screen_follows_a_slider_before_any_key_is_written(rig):
    everywhere(rig).arms = 0.0
    bpy.context.view_layer.update()
    at_once = elbow(rig)

    assert takes.mix_of(rig) is None
    rest()
    bpy.context.scene.frame_set(AT)
    np.testing.assert_allclose(elbow(rig), at_once, atol=1e-5)


def test_a_mix_in_slices_is_the_mix_at_once(rig, in_slices):
    everywhere(rig).arms = 0.3

    assert rest() > 100
    assert takes.playing(rig) == takes.MIXED
    assert_mixed(rig, arms=0.3)


def test_what_a_slider_passes_on_its_way_is_not_written(rig, in_slices):
    everywhere(rig).whole = 0.5
    rest()
    everywhere(rig).whole = 0.2
    rest_until_written(rig)

    everywhere(rig).whole = 0.8
    rest()

    assert_mixed(rig, whole=0.8)
    assert rig.stripmocap_refine.kept == ""


def test_the_pose_on_screen_stays_while_keys_are_written(rig, in_slices):
    everywhere(rig).whole = 0.9
    rest()
    everywhere(rig).arms = 0.0
    bpy.context.view_layer.update()
    at_once = elbow(rig)

    rest_until_written(rig)
    bpy.context.scene.frame_set(AT)

    assert mixes.is_due(rig)
    np.testing.assert_allclose(elbow(rig), at_once, atol=1e-5)


def test_a_saved_file_has_the_whole_mix(rig, in_slices, tmp_path):
    everywhere(rig).legs = 0.25
    name = rig.name

    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))

    assert not mixes.is_due(rig)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert takes.playing(bpy.data.objects[name]) == takes.MIXED
    assert_mixed(bpy.data.objects[name], legs=0.25)


def render():
    """As Blender does, be it in a thread of the render's own or not."""
    for each in bpy.app.handlers.render_init:
        each(bpy.context.scene, None)


def test_a_render_has_the_whole_mix(rig, in_slices):
    everywhere(rig).legs = 0.25

    render()

    assert takes.playing(rig) == takes.MIXED
    assert_mixed(rig, legs=0.25)


def test_a_render_in_a_thread_leaves_the_writing_to_the_main_thread(rig, in_slices, monkeypatch):
    making, threads = mixes.making, set()

    def watched(*words, **settings):
        threads.add(threading.current_thread())
        return making(*words, **settings)

    monkeypatch.setattr(mixes, "making", watched)
    everywhere(rig).legs = 0.25
    thread = threading.Thread(target=render)

    thread.start()
    rest()
    thread.join()

    assert threads == {threading.main_thread()}
    assert takes.playing(rig) == takes.MIXED


def test_a_render_in_a_thread_does_not_wait_for_turns_that_never_come(rig, monkeypatch):
    monkeypatch.setattr(remix, "STUCK_S", 0.05)
    everywhere(rig).legs = 0.25
    thread = threading.Thread(target=render)

    thread.start()
    thread.join(30)

    assert not thread.is_alive()
    assert mixes.is_due(rig)


def test_pinned_feet_are_those_of_the_whole_mix(rig, in_slices):
    contacts.note(takes.of(rig)["refined"])
    contacts.declare(rig)
    everywhere(rig).legs = 0.25

    assert bpy.ops.stripmocap.pin_feet() == {"FINISHED"}

    assert not mixes.is_due(rig)
    assert rig.animation_data.action.name.endswith("_pinned")


@pytest.mark.parametrize("when", ["before", "amid", "after"])
def test_undo_and_redo_bring_mixes_that_fit_their_sliders(rig, in_slices, when):
    name = rig.name
    everywhere(rig).whole = 0.5
    rest()
    bpy.ops.ed.undo_push(message="first")
    everywhere(rig).whole = 0.2
    bpy.ops.ed.undo_push(message="second")
    if when == "amid":
        rest_until_written(rig)
    if when == "after":
        rest()

    bpy.ops.ed.undo()
    rest()
    rig = bpy.data.objects[name]
    assert everywhere(rig).whole == 0.5
    assert_mixed(rig, whole=0.5)

    bpy.ops.ed.redo()
    rest()
    rig = bpy.data.objects[name]
    assert everywhere(rig).whole == pytest.approx(0.2)
    assert takes.playing(rig) == takes.MIXED
    assert_mixed(rig, whole=0.2)


def test_undo_of_the_first_change_plays_the_refined_take_again(rig, in_slices):
    name = rig.name
    bpy.ops.ed.undo_push(message="first")
    everywhere(rig).whole = 0.2
    bpy.ops.ed.undo_push(message="second")
    rest()

    bpy.ops.ed.undo()
    rest()

    rig = bpy.data.objects[name]
    assert takes.mix_of(rig) is None
    assert takes.playing(rig) == "refined"
    bpy.ops.ed.redo()
    rest()
    assert_mixed(bpy.data.objects[name], whole=0.2)


def test_a_mix_that_an_artist_edited_is_kept(rig, in_slices):
    everywhere(rig).whole = 0.5
    rest()
    edited = takes.mix_of(rig)
    compat.curves(edited)[9].keyframe_points[7].co[1] = 0.5
    theirs = values(edited)

    everywhere(rig).whole = 0.2
    rest()

    assert values(edited) == theirs
    assert rig.stripmocap_refine.kept == edited.name
    assert takes.playing(rig) == takes.MIXED
    assert_mixed(rig, whole=0.2)


def test_keys_that_an_artist_sets_amid_slices_stay(rig, in_slices):
    everywhere(rig).whole = 0.5
    rest()
    everywhere(rig).whole = 0.2
    rest_until_written(rig)
    mix = takes.mix_of(rig)
    for place in (10, -1):  # one curve that is written already, one that is not
        curve = [each for each in compat.curves(mix) if each.data_path.startswith("pose")][place]
        curve.keyframe_points[3].co[1] = 0.77
    rest()

    found = [each for each in compat.curves(mix) if each.data_path.startswith("pose")]
    assert [found[place].keyframe_points[3].co[1] for place in (10, -1)] == pytest.approx(
        [0.77] * 2
    )
    assert not seals.holds(mix, seals.read(mix))


def test_another_take_that_is_shown_meanwhile_goes_on_playing(rig, in_slices):
    everywhere(rig).whole = 0.5
    bpy.ops.stripmocap.show_take(take="fitted")
    rest()

    assert takes.playing(rig) == "fitted"
    assert_mixed(rig, whole=0.5)


def test_people_and_takes_may_be_deleted_meanwhile(rig, in_slices):
    everywhere(rig).whole = 0.5
    remix.turn()
    bpy.data.objects.remove(rig)

    rest()

    assert not [each for each in bpy.data.actions if takes.MIXED in each.name]


def test_a_file_that_is_loaded_meanwhile_ends_the_work(rig, in_slices, tmp_path):
    everywhere(rig).whole = 0.5
    remix.turn()

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)

    assert rest() == 1


def test_every_joint_is_written(rig, in_slices):
    everywhere(rig).whole = 0.0
    rest()

    for bone in skeleton.JOINT_NAMES:
        path = f'pose.bones["{bone}"].rotation_quaternion'
        one, two = (
            np.array([values(each)[path, k] for k in range(4)])
            for each in (takes.mix_of(rig), takes.of(rig)["fitted"])
        )
        np.testing.assert_allclose(np.abs(np.sum(one * two, axis=0)), 1, atol=1e-5)


def test_a_file_that_cannot_be_loaded_leaves_the_work_to_be_done(rig, in_slices, tmp_path):
    everywhere(rig).whole = 0.5
    remix.turn()

    with pytest.raises(RuntimeError):
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "missing.blend"))
    rest()

    assert_mixed(rig, whole=0.5)


def test_a_copy_that_is_made_meanwhile_has_its_own_mix_written(rig, in_slices):
    everywhere(rig).whole = 0.5
    rest()
    everywhere(rig).whole = 0.2
    rig.select_set(True)
    bpy.ops.object.duplicate()
    copy = bpy.context.object

    rest()

    assert takes.mix_of(copy) != takes.mix_of(rig)
    assert_mixed(copy, whole=0.2)
    assert_mixed(rig, whole=0.2)


def test_a_mix_that_fails_keeps_no_other_from_being_written(rig, monkeypatch):
    other, making = rig.copy(), mixes.making

    def failing(each, *words, **settings):
        assert each != other
        return (yield from making(each, *words, **settings))

    monkeypatch.setattr(mixes, "making", failing)
    everywhere(other).whole = 0.5
    everywhere(rig).whole = 0.2

    remix.finish()

    assert session.current().problem
    assert not mixes.is_due(other)
    assert_mixed(rig, whole=0.2)


def test_the_extension_can_be_switched_off_where_a_mix_fails(rig, monkeypatch):
    everywhere(rig).whole = 0.5
    monkeypatch.setattr(mixes, "making", lambda *_, **__: 1 / 0)

    registration.unregister()

    assert not [each for each in bpy.app.handlers.save_pre if each.__module__ == remix.__name__]
