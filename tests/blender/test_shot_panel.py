"""What the sidebar says of what a person plays."""

from fractions import Fraction

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import character, compat, takes  # noqa: E402
from stripmocap_extension.addon.ui import shot_panel  # noqa: E402
from toybody import toy_body  # noqa: E402
from toyshot import toy_capture  # noqa: E402

pytestmark = pytest.mark.blender


@pytest.fixture
def rig(addon):
    capture = toy_capture(frames=20, fps=Fraction(30))
    shot = character.import_capture(
        capture, body=toy_body(), scene=bpy.context.scene, timing=StripTiming(1.0, 30.0)
    )
    character.mark(shot, capture, job_id="", strip_id="")
    bpy.context.view_layer.objects.active = shot.rigs[0]
    return shot.rigs[0]


def play_own(rig):
    own = rig.animation_data.action.copy()
    own.name = "walk_pinned"
    compat.assign(rig, own)


def test_nothing_is_said_of_a_take_or_of_the_mix(rig):
    assert not shot_panel.remark_of(rig)

    rig.stripmocap_refine.everywhere.legs = 0.5

    assert takes.playing(rig) == takes.MIXED
    assert not shot_panel.remark_of(rig)


def test_a_pinned_or_own_action_is_named_with_a_button_that_is_there(rig):
    play_own(rig)

    said = shot_panel.remark_of(rig)

    assert said.startswith("walk_pinned plays")
    assert "Refined above" in said
    assert takes.MIXED not in takes.playable(rig)


def test_beside_a_mix_an_own_action_points_to_the_mix(rig):
    rig.stripmocap_refine.everywhere.legs = 0.5
    play_own(rig)

    assert "Mixed above" in shot_panel.remark_of(rig)


def test_a_take_that_plays_in_place_of_the_mix_is_said_to(rig):
    rig.stripmocap_refine.everywhere.legs = 0.5
    takes.show([rig], "refined")

    assert shot_panel.remark_of(rig) == "Refined plays. What is set here is in Mixed, above."


def test_somebody_who_plays_nothing_is_said_to(rig):
    rig.animation_data.action = None

    assert shot_panel.remark_of(rig) == "Nothing plays: choose a take above."
