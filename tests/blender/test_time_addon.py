"""The table of times is made; how long things take is not for tests to say."""

import subprocess
import sys
from pathlib import Path

import pytest
from stripmocap.contract import body_file

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

pytestmark = pytest.mark.blender

PROGRAM = Path(__file__).parents[2] / "tools" / "time_addon.py"
VERBS = ("import", "a mix written at once", "a slider of the legs, dragged", "Pin Feet")


def test_every_verb_has_its_time():
    if not body_file.EMBEDDED_BODY.is_file():
        pytest.skip("the embedded body is not built")

    # A process of its own, as the program ends with the one that it is in.
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--minutes", "0.02"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "36 frames" in done.stdout
    for verb in VERBS:
        (row,) = [each for each in done.stdout.splitlines() if each.startswith(verb)]
        assert all(float(each) >= 0 for each in row[len(verb) :].split())
