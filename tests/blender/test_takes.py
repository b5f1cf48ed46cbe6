from fractions import Fraction

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import result_file  # noqa: E402
from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import character, takes  # noqa: E402
from stripmocap_extension.addon.ui import takes as ui  # noqa: E402
from toybody import toy_body  # noqa: E402
from toyshot import toy_capture  # noqa: E402

pytestmark = pytest.mark.blender


def imported(clip="walk.mp4", *, strip_id=""):
    capture = toy_capture(frames=5, fps=Fraction(30), clip=clip)
    timing = StripTiming(offset=1.0, rate=24.0)
    shot = character.import_capture(
        capture, body=toy_body(), scene=bpy.context.scene, timing=timing
    )
    character.mark(shot, capture, job_id="", strip_id=strip_id)
    return shot


def playing(shot):
    return {takes.playing(each) for each in shot.rigs}


def test_a_rig_knows_its_takes_and_plays_the_best(addon):
    rig = imported().rigs[0]

    assert list(takes.of(rig)) == ["fitted", "refined"]
    assert takes.playing(rig) == "refined"
    assert rig.animation_data.action == takes.of(rig)["refined"]


def test_everybody_in_a_shot_plays_the_take_that_is_chosen(addon):
    shot = imported()

    assert bpy.ops.stripmocap.show_take(take="fitted") == {"FINISHED"}

    assert playing(shot) == {"fitted"}
    assert all(each.use_fake_user for rig in shot.rigs for each in takes.of(rig).values())


def test_a_take_survives_another_name_and_a_rig_without_it(addon):
    shot = imported()
    takes.of(shot.rigs[0])["fitted"].name = "mine"
    bpy.data.actions.remove(takes.of(shot.rigs[1])["fitted"])

    bpy.ops.stripmocap.show_take(take="fitted")

    assert shot.rigs[0].animation_data.action.name == "mine"
    assert takes.playing(shot.rigs[1]) == "refined"


def test_a_take_that_nobody_has_changes_nothing(addon):
    shot = imported()

    assert bpy.ops.stripmocap.show_take(take="temporal") == {"CANCELLED"}

    assert playing(shot) == {"refined"}


def test_no_take_is_shown_while_an_action_is_edited_in_the_nla(addon, tweak):
    shot = imported()
    tweak(shot.rigs[1], takes.of(shot.rigs[1])["refined"])

    assert not bpy.ops.stripmocap.show_take.poll()

    shot.rigs[1].animation_data.use_tweak_mode = False
    assert bpy.ops.stripmocap.show_take(take="fitted") == {"FINISHED"}


def test_an_action_of_the_users_own_is_no_take(addon):
    rig = imported().rigs[0]
    rig.animation_data.action = bpy.data.actions.new("own")

    assert takes.playing(rig) == ""


def test_the_shot_of_what_is_active_is_meant_else_the_last(addon):
    first, last = imported("a.mp4"), imported("b.mp4")
    bpy.context.view_layer.objects.active = None
    assert set(ui.rigs_of(bpy.context)) == set(last.rigs)

    bpy.context.view_layer.objects.active = first.rigs[1].children[0]

    assert set(ui.rigs_of(bpy.context)) == set(first.rigs)


def test_without_captured_people_no_take_can_be_shown(addon):
    assert not bpy.ops.stripmocap.show_take.poll()


def test_only_the_best_take_comes_in_when_that_is_wished(addon, tmp_path, monkeypatch):
    from stripmocap_extension.addon.ui import opening

    path = tmp_path / "walk.npz"
    result_file.save(toy_capture(frames=5), path)
    monkeypatch.setattr(
        opening,
        "open_file",
        lambda path, **_: opening.Opened(result_file.load(path), toy_body(), is_ours=True),
    )

    bpy.ops.stripmocap.import_capture(filepath=str(path), only_best=True, show_footage=False)

    (label,) = {label for each in ui.rigs_of(bpy.context) for label in takes.of(each)}
    assert label == "refined"
