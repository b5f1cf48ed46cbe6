import pytest
import sequencer

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.scene import stamps, strips  # noqa: E402

pytestmark = pytest.mark.blender


@pytest.fixture
def editor(scene):
    return sequencer.show(scene)


def add(editor, name="clip"):
    return sequencer.strips_of(editor).new_movie(
        name, "//gone.mp4", sequencer.next_channel(editor), 1
    )


def duplicate(editor, strip):
    known = {each.name for each in sequencer.strips_of(editor)}
    sequencer.select(editor, [strip])
    sequencer.call(bpy.ops.sequencer.duplicate)
    (made,) = (each for each in sequencer.strips_of(editor) if each.name not in known)
    return made


def test_stamp_is_made_once_and_found(editor):
    strip = add(editor)
    assert stamps.stamp_of(strip) == ""

    strip_id = stamps.stamp(strip)

    assert len(strip_id) == 32
    assert stamps.stamp(strip) == stamps.stamp_of(strip) == strip_id
    assert stamps.find(strip_id) == strip


def test_unknown_id_finds_nothing(editor):
    add(editor)

    assert stamps.find("0" * 32) is None
    assert stamps.find("") is None


def test_duplicate_has_no_id_until_it_gets_its_own(editor):
    strip = add(editor)
    strip_id = stamps.stamp(strip)

    copy = duplicate(editor, strip)

    assert stamps.stamp_of(copy) == ""
    assert stamps.find(strip_id) == strip
    assert stamps.stamp(copy) != strip_id
    assert stamps.find(stamps.stamp(copy)) == copy
    assert stamps.find(strip_id) == strip


def test_part_that_was_split_off_gets_its_own(editor):
    strip = add(editor)
    sequencer.set_time(strip, "right_handle", 50)
    strip_id = stamps.stamp(strip)

    rest = strip.split(frame=20, split_method="SOFT")

    assert stamps.find(strip_id) == strip
    assert stamps.stamp(rest) != strip_id


def test_renamed_strip_keeps_its_id(editor):
    strip = add(editor)
    strip_id = stamps.stamp(strip)

    strip.name = "another"

    assert stamps.find(strip_id) == strip
    assert stamps.stamp(strip) == strip_id


def test_copy_takes_over_when_the_stamped_strip_is_gone(editor):
    strip = add(editor)
    strip_id = stamps.stamp(strip)
    copy = duplicate(editor, strip)

    sequencer.strips_of(editor).remove(strip)

    assert stamps.find(strip_id) == copy
    assert stamps.stamp_of(copy) == strip_id


def test_strip_in_a_meta_of_another_scene_is_found(editor):
    other = sequencer.show(bpy.data.scenes.new("Edit"))
    strip = add(other)
    strip_id = stamps.stamp(strip)

    sequencer.wrap(other, strip)

    assert stamps.find(strip_id) == strip


def test_copied_scene_keeps_the_id_of_the_first(editor, scene):
    strip = add(editor)
    strip_id = stamps.stamp(strip)

    copy = scene.copy()

    twin = sequencer.strips_of(copy.sequence_editor)[0]
    assert stamps.find(strip_id) == strip
    assert stamps.stamp_of(twin) == ""
    assert stamps.stamp(twin) != strip_id


def test_id_is_saved_with_the_file(editor, tmp_path):
    strip_id = stamps.stamp(add(editor, name="kept"))
    path = str(tmp_path / "edit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert stamps.find(strip_id) is None
    bpy.ops.wm.open_mainfile(filepath=path)

    assert stamps.find(strip_id).name == "kept"


def test_shot_bears_the_id_of_its_strip(editor):
    strip = add(editor)
    stamps.stamp(strip)
    copy = duplicate(editor, strip)

    assert strips.shot_of(strip).id == stamps.stamp_of(strip)
    assert strips.shot_of(copy).id == ""
