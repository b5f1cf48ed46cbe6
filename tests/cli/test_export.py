from __future__ import annotations

import numpy as np
import pytest
from stripmocap import cli
from stripmocap.contract import amass, npz_file, result_file
from stripmocap.contract.errors import ResultFileError
from toybody import toy_joints


def test_a_folder_gets_a_file_for_each_person(made_capture, tmp_path):
    status = cli.main(["export", str(made_capture(-1.0, 1.0)), "-o", str(tmp_path)])

    names = {each.name for each in tmp_path.glob("made_*")}
    assert status == cli.DONE
    assert names == {"made_fitted_person0.npz", "made_fitted_person1.npz"}


def test_the_file_holds_the_motion_of_the_capture(made_capture, tmp_path):
    made, path = made_capture(0.5), tmp_path / "walk.npz"

    cli.main(["export", str(made), "-o", str(path), "--format", "amass"])

    arrays = npz_file.read(path, error=ResultFileError)
    capture = result_file.load(made)
    back, _ = amass.from_amass(arrays, toy_joints()[0], camera=capture.camera)
    motion = capture.takes[0].motions[0]
    assert float(arrays["mocap_framerate"]) == pytest.approx(25)
    np.testing.assert_allclose(back.transl, motion.transl, atol=1e-5)


def test_another_rate_gives_other_frames(made_capture, tmp_path):
    path = tmp_path / "walk.npz"

    cli.main(["export", str(made_capture(0.0)), "-o", str(path), "--fps", "50"])

    assert len(npz_file.read(path, error=ResultFileError)["poses"]) == 15


def test_one_of_two_people_fits_into_a_file(made_capture, tmp_path):
    path = tmp_path / "walk.npz"

    status = cli.main(["export", str(made_capture(-1.0, 1.0)), "-o", str(path), "--person", "1"])

    assert status == cli.DONE
    assert path.is_file()


@pytest.mark.parametrize(
    ("output", "options", "said"),
    [
        ("walk.npz", [], "2 people do not fit into one file"),
        ("walk.npz", ["--person", "7"], "there is no person 7"),
        ("walk.npz", ["--person", "0", "--fps", "0"], "--fps is 0.0"),
        ("nowhere", [], "neither a folder nor an .npz file"),
        ("made.npz", ["--person", "0"], "would overwrite"),
        ("no/walk.npz", ["--person", "0"], "is not a folder"),
    ],
)
def test_what_cannot_be_written_is_refused(made_capture, tmp_path, capsys, output, options, said):
    made = made_capture(-1.0, 1.0)
    before = made.read_bytes()

    status = cli.main(["export", str(made), "-o", str(tmp_path / output), *options])

    assert status == cli.REFUSED
    assert said in capsys.readouterr().err
    assert made.read_bytes() == before


def test_a_damaged_capture_is_refused(tmp_path, capsys):
    path = tmp_path / "made.npz"
    path.write_bytes(b"PK\x03\x04 cut short")

    status = cli.main(["export", str(path), "-o", str(tmp_path)])

    assert status == cli.REFUSED
    assert "cannot be read as an .npz file" in capsys.readouterr().err
