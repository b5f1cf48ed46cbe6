import numpy as np
import pytest
import torch
from stripmocap.experiments import keypoint_scenes
from stripmocap.experiments.keypoint_scenes import FRAMES, STEP, scenes, stage
from stripmocap.training.cameras import seen_by
from stripmocap.training.occlusion import OUTSIDE
from toyclips import toy_clip


@pytest.fixture(scope="module")
def made():
    clips = (toy_clip(), toy_clip(name="short", frames=FRAMES * STEP - 1))
    return list(scenes(clips, stage(), count=1, seed=3))


def test_clips_that_are_too_short_are_left_out(made):
    assert [truth.clip for truth, _ in made] == ["walk"]


def test_a_scene_has_a_picture_for_each_frame_at_its_time(made):
    truth, frames = made[0]

    assert len(frames) == len(truth.landmarks) == FRAMES
    np.testing.assert_allclose(np.diff([frame.time_s for frame in frames]), 1 / truth.fps)
    assert max(frames[0].image.shape) == keypoint_scenes.LONGEST_PX


def test_states_say_what_is_outside_the_picture(made):
    for truth, _ in made:
        inside = seen_by(truth.landmarks, truth.cameras)[1]

        assert torch.equal(truth.state == OUTSIDE, ~inside)


def test_somebody_moves_in_the_pictures(made):
    _, frames = made[0]

    change = np.abs(frames[0].image.astype(int) - frames[-1].image)
    assert (change > 40).any()
