"""Work that waits until nobody asks for more of it, and is done a little at a time."""

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.ui import slices  # noqa: E402

pytestmark = pytest.mark.blender


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def rig(scene):
    return bpy.data.objects.new("rig", None)


def begin(done, *, word="done", steps=3):
    """What begins work that notes when it has come to its end."""

    def work(rig):
        for _ in range(steps):
            yield
        done.append((word, rig.name))

    return work


def test_work_begins_once_nobody_has_asked_for_a_moment(rig):
    clock, done = Clock(), []
    works = slices.Slices(clock=clock)
    works.put(rig, begin(done))

    clock.now_s = 0.9 * slices.RESTS_S
    assert works.turn() == pytest.approx(0.1 * slices.RESTS_S)
    works.put(rig, begin(done, word="again"))
    clock.now_s = 1.5 * slices.RESTS_S
    assert works.turn() > 0
    assert done == []

    clock.now_s = 2 * slices.RESTS_S
    assert works.turn() is None
    assert done == [("again", "rig")]


def test_every_rig_has_its_turn(rig):
    clock, done = Clock(), []
    works = slices.Slices(clock=clock)
    other = bpy.data.objects.new("other", None)
    for each in (rig, other):
        works.put(each, begin(done))

    clock.now_s = 1.0
    while works.turn() is not None:
        pass

    assert done == [("done", "rig"), ("done", "other")]


def test_what_is_left_is_done_at_once_when_it_must_be(rig):
    done = []
    works = slices.Slices(clock=Clock())
    works.put(rig, begin(done))

    works.finish()

    assert done == [("done", "rig")]


def test_work_that_fails_is_not_tried_again(rig):
    def failing(rig):
        yield
        raise ValueError(rig.name)

    works = slices.Slices(clock=Clock())
    works.put(rig, failing)

    with pytest.raises(ValueError, match="rig"):
        works.finish()
    assert works.turn() is None


def test_work_on_what_was_deleted_is_dropped(rig):
    done = []
    works = slices.Slices(clock=Clock())
    works.put(rig, begin(done))
    bpy.data.objects.remove(rig)

    works.finish()

    assert done == []
