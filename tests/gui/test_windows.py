"""Real windows of two Blenders, driven with mouse and keyboard; `make test-gui` runs them.

Each Blender is Debian's, in a folder of its own with a virtual screen (tools/blender_gui.sh), so
this needs Linux, root, and some GB. Pictures and reports stay in demo-output/gui.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
DRIVER = ROOT / "tools" / "blender_gui.sh"
CLIP = ROOT / "demo" / "walk.mp4"
ROOMS = Path(os.environ.get("STRIPMOCAP_GUI_ROOMS", Path.home() / ".cache" / "stripmocap-gui"))
SUITES = {"trixie": "4.3", "sid": "5.2"}
BUSY_S, IMPORT_S = 0.05, 0.25  # that the panel may hold the main loop, on a machine that is idle
LONG = 3600  # frames: two minutes
DRAWING = 4.0  # times as long with what Blender itself does between two turns
PATIENCE = 4.0  # times as long where others work too

pytestmark = [
    pytest.mark.gui,
    pytest.mark.skipif(
        "STRIPMOCAP_GUI" not in os.environ, reason="opens real windows (make test-gui)"
    ),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="makes its Blenders as root of a Linux"
    ),
]


class Blender:
    """One Blender with the extension installed and a home and data folder of its own."""

    def __init__(self, suite: str, home: Path, out: Path) -> None:
        self.room, self.home, self.out = ROOMS / suite, home, out
        self.data = home / "data"

    def install(self, package: Path) -> None:
        words = ["blender", "--background", "--command", "extension", "install-file"]
        done = self._run([*words, "-r", "user_default", "-e", str(package)], limit_s=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def forget(self) -> None:
        """Begins with an empty data folder; kept steps would make every job end at once."""
        until = time.monotonic() + 30
        while (self.data / "server.json").exists() and time.monotonic() < until:
            time.sleep(0.2)  # the last Blender's service is on its way out
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        note = {"python": str(ROOT / ".venv" / "bin" / "python")}
        (self.data / "backend.json").write_text(json.dumps(note), encoding="utf-8")

    def play(self, scenario: str, *words: str, limit_s: float = 600, **settings: Path) -> dict:
        """What the scenario told; it must have come to its end."""
        report = self.out / "report.json"
        report.unlink(missing_ok=True)
        given = {"OUT": self.out, "CLIP": CLIP, **settings}
        environment = [f"STRIPMOCAP_GUI_{name.upper()}={value}" for name, value in given.items()]
        environment += [f"STRIPMOCAP_DATA={self.data}", f"STRIPMOCAP_CACHE={_cache()}"]
        environment += ["OMP_NUM_THREADS=1", "OMP_WAIT_POLICY=PASSIVE"]
        script = ["--python", str(HERE / scenario)]
        done = self._run(["env", *environment, "blender", *words, *script], limit_s=limit_s)
        assert report.is_file(), done.stdout[-3000:] + done.stderr[-3000:]
        told = json.loads(report.read_text(encoding="utf-8"))
        assert not told["fault"], told["fault"]
        return told

    def _run(self, command: list[str], *, limit_s: float) -> subprocess.CompletedProcess[str]:
        seen = [ROOT, Path(sys.base_prefix), self.home, self.out, _cache()]
        environment = os.environ | {
            "BLENDER_GUI_BIND": ":".join(map(str, seen)),
            "BLENDER_GUI_HOME": str(self.home),
        }
        return subprocess.run(
            ["timeout", str(limit_s), str(DRIVER), "run", str(self.room), "--", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module", params=SUITES, ids=SUITES.values())
def blender(request, tmp_path_factory):
    suite = request.param
    made = subprocess.run([DRIVER, "setup", suite, ROOMS / suite], check=False)
    if made.returncode:
        pytest.skip(f"Debian's {suite} could not be set up")
    packages = sorted((ROOT / "dist").glob("*.zip"), key=lambda each: each.stat().st_mtime)
    assert packages, "make zip builds it"
    out = ROOT / "demo-output" / "gui"
    out.mkdir(parents=True, exist_ok=True)
    found = Blender(suite, tmp_path_factory.mktemp(suite), out)
    found.install(packages[-1])
    return found


def test_from_a_selected_strip_to_a_moving_character_and_back(blender):
    blender.forget()

    told = blender.play("click_through.py")

    assert (told["after_cancel"], told["people_after_cancel"]) == (["cancelled"], [])
    assert told["imported"] == told["redone"] == told["after_waiting"] == ["walk_person0"]
    assert told["undone"] == []
    assert told["strips_after_undo"] == ["walk"]
    assert told["scene_fps"] == 24


def test_a_job_outlives_another_file_and_a_killed_blender_and_is_offered_once(blender):
    blender.forget()

    before = blender.play("killed.py")
    after = blender.play("restarted.py", str(blender.out / "edit.blend"))

    assert before["in_another_file"] == []
    assert before["job_lives_on"] == before["job_is_still_there"] == ["running"]
    assert (after["offered"], after["before"]) == (["done"], [])
    assert after["imported"] == after["after_opening_again"] == ["walk_person0"]


def test_the_main_loop_never_stands_still(blender):
    from stripmocap.contract import result_file
    from toyshot import toy_capture

    blender.forget()
    long = blender.home / "long.npz"
    capture = toy_capture(frames=3600)  # two minutes at 30 a second
    result_file.save(type(capture)(capture.camera, capture.takes[:1], capture.provenance), long)

    told = blender.play("stalls.py", long=long)

    print({name: value for name, value in told.items() if name.endswith("_s")})
    for doing, limit_s in (("running", BUSY_S), ("importing", IMPORT_S)):
        assert max(told[f"{doing}_s"].values()) < limit_s * PATIENCE
        # With all that Blender draws, here in software: one sidebar takes it as long as BUSY_S.
        assert told[f"{doing}_gap_s"] < limit_s * PATIENCE * DRAWING


def test_people_are_found_clicked_on_swapped_merged_and_ignored(blender):
    blender.forget()
    pair = write_pair(blender.home / "pair.mp4")

    told = blender.play("people.py", pair=pair)

    print({name: told[name] for name in ("spent", "drawn", "drawing_s")})
    assert (told["found"], told["bodies"]) == ([[0, True], [1, True]], [])
    assert (told["picked"], told["picked_too"]) == ([0], [0, 1])
    (before, after), (swapped_before, swapped_after) = told["before_swap"], told["after_swap"]
    assert told["kinds"] == ["swap"]
    assert swapped_before == before
    assert abs(swapped_after - after) > 200  # on the other side of the picture
    assert told["after_undo"] == told["before_swap"]
    assert len(told["merged"]) == 1
    assert told["taken_back"] == told["found"]
    assert told["ignored"] == [[0, True], [1, False]]
    assert told["drawing_s"] < BUSY_S / 10 * PATIENCE


def test_a_refinement_is_set_by_region_and_span_and_undone(blender):
    blender.forget()
    result = write_refined(blender.home / "refined.npz")

    told = blender.play("refine.py", refined=result)

    print({name: told[name] for name in ("spent", "slowest_s")})
    assert told["imported"] == "refined"
    assert 0 <= told["legs"] < 0.9
    assert told["playing"] == "mixed"
    assert (told["legs_undone"], told["playing_undone"]) == (1.0, "refined")
    assert told["legs_redone"] == told["legs"]
    assert told["spans"] == 1
    assert told["touching"] > 0
    assert told["pinned"] == "walk_person0_pinned"
    assert told["slowest_s"] < BUSY_S * PATIENCE


def test_a_slider_of_a_long_shot_holds_nothing_up(blender):
    blender.forget()
    result = write_refined(blender.home / "long.npz", frames=LONG)

    told = blender.play("long_refine.py", long=result)

    print({name: told[name] for name in ("dragged_s", "slices_s")})
    assert told["moved"]
    assert told["due"]
    assert max(told["dragged_s"]) < BUSY_S
    assert max(told["slices_s"]) < BUSY_S * PATIENCE
    written = told["written"]
    assert 0 <= written["legs"] < 0.9
    assert written["playing"] == "mixed"
    assert written["from_refined"] > 0
    assert told["undone"] == written
    assert (told["undone_too"]["playing"], told["undone_too"]["from_refined"]) == ("refined", 0)
    assert told["redone"] == written


def write_refined(path: Path, *, frames: int = 120) -> Path:
    """A result of one person, fitted and refined, whose feet touch the floor."""
    from dataclasses import replace

    import numpy as np
    from stripmocap.contract import result_file, skeleton
    from toyshot import toy_capture

    capture = toy_capture(frames=frames)
    touch = np.zeros((frames, skeleton.CONTACT_COUNT))
    touch[20:90, skeleton.CONTACT_NAMES.index("left_foot")] = 0.9
    takes = [replace(each, motions=each.motions[:1]) for each in capture.takes]
    refined = replace(takes[0], motions=(replace(takes[0].motions[0], contacts=touch),))
    made = type(capture)(capture.camera, (refined, *takes[1:]), capture.provenance)
    result_file.save(made, path)
    return path


def write_pair(path: Path) -> Path:
    """The demo clip beside its mirror image: two people, of nobody else's footage."""
    import av
    import numpy as np

    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        shown = source.streams.video[0]
        stream = target.add_stream("libx264", rate=shown.average_rate)
        stream.width, stream.height, stream.pix_fmt = 2 * shown.width, shown.height, "yuv420p"
        for frame in source.decode(shown):
            picture = frame.to_ndarray(format="rgb24")
            both = np.hstack([picture, picture[:, ::-1]])
            target.mux(stream.encode(av.VideoFrame.from_ndarray(both, format="rgb24")))
        target.mux(stream.encode())
    return path


def _cache() -> Path:
    from stripmocap import assets

    return assets.cache_folder()
