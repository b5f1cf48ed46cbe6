from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from stripmocap.contract.messages import Clip
from stripmocap.evaluation.stills import still
from stripmocap.evaluation.trials import Trial
from toytrials import FRAMES, SMPLIFY, ToyCase, tried

pytestmark = pytest.mark.usefixtures("small_body")
SIZE = (64, 48)


@pytest.fixture
def trial() -> Trial:
    (one,) = tried(ToyCase(), methods=(SMPLIFY,))
    assert isinstance(one, Trial)
    return one


def read(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)


def nowhere(trial: Trial) -> Trial:
    """The same trial, of whose truth nothing is known."""
    blind = replace(trial.truth, valid=np.zeros_like(trial.truth.valid))
    return replace(trial, truth=blind)


def movie(path: Path) -> Clip:
    """Frames of rising brightness: 0, 40, 80, 120."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for number in range(FRAMES):
            image = np.full((SIZE[1], SIZE[0], 3), 40 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return Clip(str(path))


def test_without_footage_the_body_stands_on_grey(trial):
    image = read(still(nowhere(trial), frame=0, footage=None))

    assert image.shape == (SIZE[1], SIZE[0], 3)
    assert np.abs(image[2, 2] - 90).max() < 8
    middle = image[20:30, 28:36]
    assert (np.abs(middle - 90).max(axis=-1) > 30).any()


def test_the_frame_is_the_one_that_was_asked_for(trial, tmp_path):
    clip = movie(tmp_path / "clip.mp4")

    corners = [read(still(nowhere(trial), frame=n, footage=clip))[2, 2].mean() for n in (1, 3)]

    assert corners == pytest.approx([40, 120], abs=12)


def test_the_truth_is_drawn_in_white_where_it_is_known(trial):
    without = read(still(nowhere(trial), frame=0, footage=None))
    drawn = read(still(trial, frame=0, footage=None))

    changed = np.abs(drawn - without).max(axis=-1) > 60
    assert changed.sum() > 20
    assert drawn[changed].mean() > without[changed].mean()
