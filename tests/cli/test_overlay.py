from __future__ import annotations

import cv2
import numpy as np
import pytest
from stripmocap import cli
from stripmocap.contract.messages import Clip
from stripmocap.video.frames import read_frames


def test_a_movie_has_the_times_of_the_footage(footage, made_capture, tmp_path):
    movie = tmp_path / "over.mp4"

    status = cli.main(["overlay", str(footage), str(made_capture()), "-o", str(movie)])

    times_s = [frame.time_s for frame in read_frames(Clip(str(movie)))]
    assert status == cli.DONE
    assert times_s == pytest.approx(np.arange(8) / 25, abs=1e-4)


def test_a_picture_shows_the_body_over_its_frame(footage, made_capture, tmp_path):
    picture = tmp_path / "over.png"
    command = ["overlay", str(footage), str(made_capture()), "--picture", str(picture)]

    status = cli.main([*command, "--at", "0.12"])

    image = cv2.imread(str(picture)).astype(int)
    assert status == cli.DONE
    assert np.abs(image[2, 2] - 60).max() < 8  # the fourth frame is grey 60
    assert np.abs(image - image[2, 2]).max() > 40  # and somebody is in it


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "nothing to write"),
        (["-o", "over.avi"], "does not end in .mp4"),
        (["-o", "over.mp4", "--take", "refined"], "there is no take 'refined'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    footage, made_capture, tmp_path, monkeypatch, capsys, options, said
):
    monkeypatch.chdir(tmp_path)

    status = cli.main(["overlay", str(footage), str(made_capture()), *options])

    assert status == cli.REFUSED
    assert said in capsys.readouterr().err


def test_a_movie_that_fails_halfway_is_not_there(footage, made_capture, tmp_path, monkeypatch):
    made = made_capture()
    before = set(tmp_path.iterdir())

    def draw_body(*_: object, **__: object):
        raise KeyboardInterrupt

    monkeypatch.setattr("stripmocap.evaluation.overlay.draw_body", draw_body)
    status = cli.main(["overlay", str(footage), str(made), "-o", str(tmp_path / "over.mp4")])

    assert status == cli.STOPPED
    assert set(tmp_path.iterdir()) == before


def test_missing_footage_is_refused(made_capture, tmp_path, capsys):
    command = ["overlay", str(tmp_path / "no.mp4"), str(made_capture())]

    status = cli.main([*command, "-o", str(tmp_path / "over.mp4")])

    assert status == cli.REFUSED
    assert "no.mp4" in capsys.readouterr().err
