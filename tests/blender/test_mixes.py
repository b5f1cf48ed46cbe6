"""Mixes of two takes while they are written in steps, and what may happen in between."""

from fractions import Fraction

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.rigging.timing import StripTiming  # noqa: E402
from stripmocap_extension.addon.scene import character, compat, mixes, steps, takes  # noqa: E402
from toybody import toy_body  # noqa: E402
from toyshot import toy_capture  # noqa: E402

pytestmark = pytest.mark.blender

HALF, LESS = mixes.Amounts(whole=0.5), mixes.Amounts(whole=0.2)
AT = 20.0  # the frame that is looked at


@pytest.fixture
def rig(scene):
    """Somebody who plays the mix of two takes."""
    capture = toy_capture(frames=40, fps=Fraction(30))
    timing = StripTiming(offset=1.0, rate=30.0)
    shot = character.import_capture(capture, body=toy_body(), scene=scene, timing=timing)
    mixes.make(shot.rigs[0], HALF, [])
    return shot.rigs[0]


def under_way(rig):
    """Another mix, some of whose curves are written."""
    mixes.announce(rig)
    making = mixes.making(rig, LESS, [], shown=AT)
    while takes.mix_of(rig)["stripmocap_seal"] != "open":
        next(making)
    for _ in range(20):
        next(making)
    return making


def some_key(action):
    """One of a curve that is written late."""
    posing = [each for each in compat.curves(action) if each.data_path.startswith("pose")]
    return posing[-1].keyframe_points[3]


def test_keys_that_are_set_before_a_mix_is_broken_off_stay(rig):
    making, edited = under_way(rig), takes.mix_of(rig)
    some_key(edited).co[1] = 0.77
    making.close()

    made = mixes.make(rig, HALF, [])

    assert made.kept == edited.name
    assert some_key(edited).co[1] == pytest.approx(0.77)
    assert takes.mix_of(rig) == made.action != edited


def test_a_mix_that_is_broken_off_is_written_over(rig):
    mix = takes.mix_of(rig)
    under_way(rig).close()

    made = mixes.make(rig, LESS, [])

    assert made.kept == ""
    assert made.action == mix


def test_a_mix_that_is_deleted_is_due_no_more(rig):
    making = under_way(rig)

    bpy.data.actions.remove(takes.mix_of(rig))

    assert steps.run(making) is None
    assert not mixes.is_due(rig)


def test_a_mix_is_due_no_more_for_copies_of_its_rig_either(rig):
    mixes.announce(rig)
    copy = rig.copy()

    mixes.make(rig, LESS, [])

    assert not mixes.is_due(rig)
    assert not mixes.is_due(copy)


def test_an_action_that_is_edited_in_the_nla_goes_on_playing(rig, tweak):
    tweak(rig, takes.of(rig)["refined"])

    assert mixes.make(rig, LESS, []) is not None

    assert takes.playing(rig) == "refined"
