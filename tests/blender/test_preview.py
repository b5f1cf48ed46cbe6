"""Where a place of the picture is in the preview, against what Blender itself renders there."""

import numpy as np
import pytest
import sequencer

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.scene import preview  # noqa: E402

pytestmark = pytest.mark.blender

SIZE, CANVAS = (160, 96), (320, 240)
SPOT = (24, 16, 56, 32)  # px of the picture: x0, y0, x1, y1; white on black, edges between pixels


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    av = pytest.importorskip("av", reason="makes the movie")
    path = tmp_path_factory.mktemp("movies") / "spot.mp4"
    picture = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)
    picture[SPOT[1] : SPOT[3], SPOT[0] : SPOT[2]] = 255
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(12):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path


@pytest.fixture
def strip(scene, movie):
    editor = sequencer.show(scene)
    scene.render.resolution_x, scene.render.resolution_y = CANVAS
    made = sequencer.strips_of(editor).new_movie("spot", str(movie), 1, 1)
    sequencer.select(editor, [made])
    return made


def seen_spot(scene, folder):
    """Middle and corners of the spot that Blender renders, in pixels of the canvas."""
    render = scene.render
    render.image_settings.file_format = "PNG"
    render.filepath = str(folder / "seen.png")
    scene.view_settings.view_transform = "Standard"
    scene.frame_set(3)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(render.filepath)
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    rows, columns = np.nonzero(pixels.reshape(CANVAS[1], CANVAS[0], 4)[:, :, 0] > 0.5)
    low = np.array([columns.min() - CANVAS[0] / 2, rows.min() - CANVAS[1] / 2])
    high = np.array([columns.max() + 1 - CANVAS[0] / 2, rows.max() + 1 - CANVAS[1] / 2])
    return low, high


def told_spot(strip):
    framing = preview.framing_of(strip, size_px=SIZE)
    corners = framing.outline(np.array(SPOT) - 0.5, size_px=SIZE)
    return corners.min(axis=0), corners.max(axis=0)


def check(scene, strip, folder):
    for told, seen in zip(told_spot(strip), seen_spot(scene, folder), strict=True):
        np.testing.assert_allclose(told, seen, atol=1.5)  # edges are softened


def test_a_plain_strip_is_seen_where_it_is_told(scene, strip, tmp_path):
    check(scene, strip, tmp_path)


def test_transform_flips_and_crop_are_followed(scene, strip, tmp_path):
    moved = strip.transform
    moved.offset_x, moved.offset_y = 30, -12
    moved.scale_x, moved.scale_y = 1.5, 0.75
    moved.rotation = 0.4
    moved.origin = (0.25, 0.75)
    strip.use_flip_x = strip.use_flip_y = True
    strip.crop.min_x, strip.crop.max_y = 10, 4

    check(scene, strip, tmp_path)


def test_a_meta_moves_what_is_in_it(scene, strip, tmp_path):
    strip.transform.offset_x = 20
    meta = sequencer.wrap(scene.sequence_editor, strip)
    meta.transform.scale_x = meta.transform.scale_y = 0.8
    meta.transform.offset_y = 25
    meta.use_flip_x = True

    check(scene, strip, tmp_path)


def test_there_are_no_previews_without_a_sequencer(scene):
    assert list(preview.regions(bpy.context)) == []
