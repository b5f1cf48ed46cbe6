from __future__ import annotations

import numpy as np
import pytest
from movies import RED, write_movie
from stripmocap.contract.errors import VideoError
from stripmocap.contract.messages import Clip
from stripmocap.video.frames import probe, read_frames
from stripmocap.video.stills import sequence_of


def write_pictures(folder, numbers, *, pattern="shot.{:04d}.png", size=(32, 20)):
    for number in numbers:
        path = folder / pattern.format(number)
        write_movie(path, size=size, frames=1, codec="png", pix_fmt="rgb24")


def times_of(path, **span):
    return [frame.time_s for frame in read_frames(Clip(str(path), **span))]


def test_one_picture_of_a_sequence_stands_for_all(tmp_path):
    write_pictures(tmp_path, range(1001, 1006))

    assert times_of(tmp_path / "shot.1003.png") == pytest.approx(np.arange(5) / 24)


def test_a_missing_picture_leaves_a_gap(tmp_path):
    write_pictures(tmp_path, [1, 2, 5])

    times = times_of(tmp_path / "shot.0001.png")

    assert times == pytest.approx([0, 1 / 24, 4 / 24])
    assert probe(tmp_path / "shot.0001.png").duration_s == pytest.approx(5 / 24)


def test_a_span_of_a_sequence_is_in_seconds(tmp_path):
    write_pictures(tmp_path, range(1, 11))

    times = times_of(tmp_path / "shot.0001.png", start_s=2 / 24, stop_s=4 / 24)

    assert times == pytest.approx([2 / 24, 3 / 24])


def test_numbers_may_outgrow_their_zeros(tmp_path):
    write_pictures(tmp_path, [8, 9, 10, 11], pattern="f{}.png")

    assert sequence_of(tmp_path / "f8.png").numbers == (8, 9, 10, 11)


def test_another_sequence_beside_it_is_left_alone(tmp_path):
    write_pictures(tmp_path, [1, 2, 3])
    write_pictures(tmp_path, [1, 2, 3, 4], pattern="other.{:04d}.png")

    assert len(times_of(tmp_path / "shot.0002.png")) == 3


def test_a_picture_without_number_is_one_frame(tmp_path):
    write_pictures(tmp_path, [0], pattern="alone.png")

    frames = list(read_frames(Clip(str(tmp_path / "alone.png"))))

    assert len(frames) == 1
    assert (frames[0].image[2, 2] == RED).all()


def test_a_movie_is_no_sequence(tmp_path):
    assert sequence_of(tmp_path / "take0001.mp4") is None


def test_pictures_of_two_sizes_are_an_error(tmp_path):
    write_pictures(tmp_path, [1])
    write_pictures(tmp_path, [2], size=(20, 32))

    with pytest.raises(VideoError, match="20x32 pixels"):
        times_of(tmp_path / "shot.0001.png")


def test_a_broken_picture_is_named(tmp_path):
    write_pictures(tmp_path, [1, 2])
    (tmp_path / "shot.0003.png").write_bytes(b"not a picture")

    with pytest.raises(VideoError, match=r"shot\.0003\.png"):
        times_of(tmp_path / "shot.0001.png")
