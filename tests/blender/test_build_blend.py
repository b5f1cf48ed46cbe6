import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import barcode
import numpy as np
import pytest
from stripmocap.contract import body_file, result_file
from toyshot import toy_capture

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

pytestmark = pytest.mark.blender

PROGRAM = Path(__file__).parents[2] / "tools" / "build_blend.py"


def run(*arguments, folder):
    # A process of its own, as the program ends with the one that it is in.
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def captured(tmp_path):
    if not body_file.EMBEDDED_BODY.is_file():
        pytest.skip("the embedded body is not built")
    pytest.importorskip("av", reason="makes the movie")
    barcode.write_movie(tmp_path / "walk.mp4", frames=40, fps=Fraction(30000, 1001))
    result_file.save(toy_capture(clip="walk.mp4"), tmp_path / "capture.npz")
    return tmp_path


def test_file_has_the_people_the_rate_and_the_size_of_the_clip(captured):
    done = run("capture.npz", "-o", "capture.blend", folder=captured)

    assert done.returncode == 0, done.stderr
    bpy.ops.wm.open_mainfile(filepath=str(captured / "capture.blend"))
    scene = bpy.context.scene
    assert {"walk_person0", "walk_person1"} <= set(bpy.data.objects.keys())
    assert scene.render.fps / scene.render.fps_base == pytest.approx(30000 / 1001)
    assert (scene.render.resolution_x, scene.render.resolution_y) == (1280, 720)
    assert scene.camera.name == "walk_camera"
    image = scene.camera.data.background_images[0].image
    assert image.filepath == "//walk.mp4"
    assert not list(captured.glob("*.part"))


def test_picture_is_of_the_frame_that_was_asked_for(captured):
    options = ("--picture", "over.png", "--frame", 30, "--percentage", 10)

    done = run("capture.npz", "-o", "capture.blend", *options, folder=captured)

    assert done.returncode == 0, done.stderr
    image = bpy.data.images.load(str(captured / "over.png"))
    assert tuple(image.size) == (128, 72)
    # Frame 30 shows picture 29, 0b11101; the people are in the middle, its lowest bars are not.
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    top = pixels.reshape(72, 128, 4)[70, :, 0]
    assert [top[16 * bar + 8] > 0.5 for bar in range(8)] == [
        *(True, False, True, True, True),
        *(False, False, False),
    ]


def test_missing_capture_is_said_without_a_traceback(tmp_path):
    done = run("gone.npz", "-o", "capture.blend", folder=tmp_path)

    assert done.returncode == 1
    assert "gone.npz" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "capture.blend").exists()
