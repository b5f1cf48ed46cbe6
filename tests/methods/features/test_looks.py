from contextlib import closing
from fractions import Fraction

import movies
import numpy as np
import pytest
import torch
from stripmocap.contract.errors import Cancelled, VideoError
from stripmocap.contract.messages import Clip
from stripmocap.methods.features import looks as room
from stripmocap.methods.features.looks import Boxes, looks
from stripmocap.video.crops import crop

CPU, FPS = torch.device("cpu"), Fraction(25)
RED, BLUE = (80, 60), (240, 60)


@pytest.fixture
def clip(tmp_path):
    return Clip(str(movies.write_movie(tmp_path / "a.mp4", size=(320, 240), frames=6, fps=FPS)))


def boxes(middle, frames):
    frames = np.array(frames, dtype=np.int64)
    centers = np.tile(np.array(middle, dtype=float), (len(frames), 1))
    return Boxes(frames, frames / float(FPS), centers, np.full(len(frames), 40.0))


def redness(crops):
    """(B,) how much more red than blue there is."""
    return (crops[:, 0] - crops[:, 2]).mean(dim=(1, 2))


def silent(stage, done, of):
    pass


def looked(clip, asked, *, network=redness, report=silent, cut=crop):
    with closing(looks(clip, asked, network, device=CPU, report=report, cut=cut)) as found:
        return list(found)


def test_everybody_is_looked_at_in_the_order_of_time(clip, monkeypatch):
    monkeypatch.setitem(room.BATCH, "cpu", 4)

    found = looked(clip, [boxes(RED, [0, 2, 4]), boxes(BLUE, [1, 2, 3])])

    owners = np.concatenate([each.owners for each in found])
    frames = np.concatenate([each.frames for each in found])
    assert [len(each.owners) for each in found] == [4, 2]
    assert list(zip(owners, frames, strict=True)) == [
        (0, 0), (1, 1), (0, 2), (1, 2), (1, 3), (0, 4)
    ]  # fmt: skip
    assert ((torch.cat([each.said for each in found]) > 0).numpy() == (owners == 0)).all()


def test_frames_that_are_gone_from_the_footage_are_left_out(clip):
    (found,) = looked(clip, [boxes(RED, [4, 5, 6, 7])])

    assert found.frames.tolist() == [4, 5]


def test_nobody_asked_for_is_nothing_said(clip):
    told = []

    found = looked(clip, [boxes(RED, [])], report=lambda *said: told.append(said))

    assert found == []
    assert told == [("pixels", 0, 0)]


def test_crops_are_cut_as_the_caller_says(clip):
    def grey(image, center, *, side, size):
        return np.full((size, size, 3), 128, dtype=np.uint8)

    (found,) = looked(
        clip, [boxes(RED, [0])], network=lambda crops: crops.std(dim=(2, 3)), cut=grey
    )

    assert found.said.abs().max() < 1e-5


def test_looking_stops_when_the_person_asks(clip):
    def cancel(stage, done, of):
        if done:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        looked(clip, [boxes(RED, range(6))], report=cancel)


def test_footage_that_is_gone_is_named(tmp_path):
    with pytest.raises(VideoError, match="absent"):
        looked(Clip(str(tmp_path / "absent.mp4")), [boxes(RED, [0])])
