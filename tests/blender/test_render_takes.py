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

TOOLS = Path(__file__).parents[2] / "tools"


def run(program, *arguments, folder):
    # A process of its own, as the program ends with the one that it is in.
    command = [sys.executable, str(TOOLS / program), *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    if not body_file.EMBEDDED_BODY.is_file():
        pytest.skip("the embedded body is not built")
    pytest.importorskip("av", reason="makes the movie")
    folder = tmp_path_factory.mktemp("built")
    barcode.write_movie(folder / "walk.mp4", frames=40, fps=Fraction(30))
    result_file.save(toy_capture(clip="walk.mp4"), folder / "capture.npz")
    done = run("build_blend.py", "capture.npz", "-o", "capture.blend", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def read(path):
    image = bpy.data.images.load(str(path))
    width, height = image.size
    return np.array(image.pixels[:]).reshape(height, width, 4)


def test_takes_are_seen_at_each_moment_from_one_place(built):
    words = ("--takes", "fitted", "refined", "--at", 0.2, 0.8)

    done = run("render_takes.py", "capture.blend", "-o", "side", *words, folder=built)

    assert done.returncode == 0, done.stderr
    pictures = {each.stem: read(each) for each in (built / "side").glob("*.png")}
    assert set(pictures) == {"fitted-0", "fitted-1", "refined-0", "refined-1"}
    assert {each.shape for each in pictures.values()} == {(280, 160, 4)}
    orange, blue = (pictures[f"{name}-1"][..., :3] for name in ("fitted", "refined"))
    assert (orange[..., 0] > 1.2 * orange[..., 2]).sum() > 300
    assert (blue[..., 2] > 1.2 * blue[..., 0]).sum() > 300
    assert np.abs(orange - blue)[-20:, :20].mean() < 0.02  # a corner of the floor


def test_over_the_footage_nothing_is_drawn_but_the_person(built):
    words = ("--view", "footage", "--takes", "refined", "--at", 0.5)

    done = run("render_takes.py", "capture.blend", "-o", "over", *words, folder=built)

    assert done.returncode == 0, done.stderr
    alpha = read(built / "over" / "refined-0.png")[..., 3]
    assert alpha.shape == (720, 1280)
    assert 0.005 < (alpha > 0.9).mean() < 0.3
    assert alpha[:, 0].max() == alpha[0].max() == 0


def test_a_take_that_is_not_there_is_named_with_those_that_are(built):
    words = ("--takes", "temporal", "--at", 0.5)

    done = run("render_takes.py", "capture.blend", "-o", "none", *words, folder=built)

    assert done.returncode == 1
    assert "There is no take temporal; there are fitted, refined" in done.stderr
