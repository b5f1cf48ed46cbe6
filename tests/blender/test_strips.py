from fractions import Fraction

import barcode
import numpy as np
import pytest
import sequencer

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import errors  # noqa: E402
from stripmocap_extension.addon.scene import compat, readings, strips  # noqa: E402

pytestmark = pytest.mark.blender

FRAMES = 60
NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def movies(tmp_path_factory):
    pytest.importorskip("av", reason="makes the movies")
    folder = tmp_path_factory.mktemp("movies")
    paths = {}
    for name, fps in (("at30", Fraction(30)), ("at2997", NTSC), ("at60", Fraction(60))):
        paths[fps] = folder / f"{name}.mp4"
        barcode.write_movie(paths[fps], frames=FRAMES, fps=fps)
    return paths


def edited(scene):
    # Before any strip is added: the artist's menu scales a strip to the render.
    scene.render.resolution_x, scene.render.resolution_y = barcode.SIZE
    return sequencer.show(scene)


def added_by_script(scene, path, start=11):
    editor = edited(scene)
    strip = compat.strips(editor).new_movie("clip", str(path), 1, start)
    sequencer.select(editor, [strip])
    return strip


def added_by_hand(scene, path, start=11):
    return sequencer.add_by_hand(edited(scene), path, start=start)


def shown_number(scene, folder, frame):
    """The number of the movie's frame that Blender itself shows at a scene frame."""
    render = scene.render
    render.image_settings.file_format = "PNG"
    render.filepath = str(folder / "shown.png")
    scene.view_settings.view_transform = "Standard"
    scene.frame_set(frame)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(render.filepath)
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return barcode.read_number(pixels.reshape(barcode.SIZE[1], barcode.SIZE[0], 4)[:, :, 0])


def check_against_render(scene, strip, movie_fps, folder, frames):
    timing = strips.timing_of(strip)
    for frame in frames:
        number = float(timing.times_s(frame)) * float(movie_fps)
        assert abs(shown_number(scene, folder, frame) - number) <= 0.5 + 1e-6, frame


@pytest.mark.parametrize("add", [added_by_script, added_by_hand])
@pytest.mark.parametrize("movie_fps", [Fraction(30), NTSC, Fraction(60)])
@pytest.mark.parametrize("rate", [(24, 1.0), (30, 1.001), (60, 1.0)])
def test_timing_names_the_frame_that_blender_shows(scene, movies, tmp_path, add, movie_fps, rate):
    scene.render.fps, scene.render.fps_base = rate

    strip = add(scene, movies[movie_fps])

    check_against_render(scene, strip, movie_fps, tmp_path, frames=(11, 14, 21, 33))


def test_handles_hide_frames_and_move_none(scene, movies, tmp_path):
    scene.render.fps = 30
    strip = added_by_script(scene, movies[Fraction(30)])
    before = strips.timing_of(strip)

    sequencer.set_time(strip, "left_handle", 20)
    sequencer.set_time(strip, "right_handle", 40)

    assert strips.timing_of(strip) == before
    check_against_render(scene, strip, Fraction(30), tmp_path, frames=(20, 39))


@pytest.mark.parametrize("add", [added_by_script, added_by_hand])
def test_hard_trims_are_followed(scene, movies, tmp_path, add):
    scene.render.fps = 24
    strip = add(scene, movies[Fraction(30)])

    sequencer.set_time(strip, "content_trim_start", 10)
    sequencer.set_time(strip, "content_trim_end", 5)

    start = int(compat.strip_times(strip)["content_start"])
    check_against_render(scene, strip, Fraction(30), tmp_path, frames=(start, start + 20))


def test_reversed_strip_is_followed(scene, movies, tmp_path):
    scene.render.fps = 30
    strip = added_by_script(scene, movies[Fraction(30)])

    strip.use_reverse_frames = True

    check_against_render(scene, strip, Fraction(30), tmp_path, frames=(11, 30, 70))


def test_strip_in_a_meta_strip_keeps_its_times(scene, movies):
    strip = added_by_script(scene, movies[Fraction(30)])
    before = strips.timing_of(strip)

    sequencer.wrap(scene.sequence_editor, strip)

    assert strip.parent_meta()
    assert strips.timing_of(strip) == before


def test_retimed_strip_is_refused(scene, movies):
    strip = added_by_script(scene, movies[Fraction(30)])
    sequencer.call(bpy.ops.sequencer.retiming_key_add, timeline_frame=20)

    with pytest.raises(errors.RequestError, match="retimed"):
        strips.timing_of(strip)


def test_strip_without_its_movie_is_refused(scene, tmp_path):
    strip = added_by_script(scene, tmp_path / "gone.mp4")

    with pytest.raises(errors.RequestError, match=r"gone\.mp4"):
        strips.timing_of(strip)


def test_reading_a_strip_leaves_no_data_behind(scene, movies):
    strips.timing_of(added_by_script(scene, movies[Fraction(30)]))

    assert not bpy.data.movieclips


def test_selected_movie_is_chosen_and_others_are_not(scene, movies):
    strip = added_by_script(scene, movies[Fraction(30)])
    assert strips.chosen(bpy.context) == strip

    strip.select = False
    assert strips.chosen(bpy.context) is None


def test_scene_without_a_sequencer_has_no_chosen_strip(scene):
    assert strips.chosen(bpy.context) is None


@pytest.mark.parametrize(
    ("rate", "expected"),
    [((24, 1.001), Fraction(24000, 1001)), ((3, 0.1001), NTSC), ((25, 1.0), Fraction(25))],
)
def test_scene_rate_is_exact(scene, rate, expected):
    scene.render.fps, scene.render.fps_base = rate

    assert readings.scene_fps(scene) == expected


def test_strip_of_the_clip_is_followed(scene, movies):
    path = movies[Fraction(30)]
    strip = added_by_script(scene, path, start=42)

    placement = strips.place(bpy.context, clip_name=path.name, start_frame=1)

    assert placement.timing == strips.timing_of(strip)
    assert not placement.warning


def test_strip_of_another_movie_is_not_followed_and_that_is_said(scene, movies):
    added_by_script(scene, movies[Fraction(30)], start=42)

    placement = strips.place(bpy.context, clip_name="other.mp4", start_frame=7)

    assert float(placement.timing.scene_frames(0)) == 7
    assert "other.mp4" in placement.warning
