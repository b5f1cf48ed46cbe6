import numpy as np
import pytest
import torch
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES
from stripmocap.experiments import vibe_spells
from stripmocap.experiments.vibe_spells import LEGS, NOBODY
from stripmocap.methods.hmr.frames import PerFrame
from stripmocap.training.shots import shot_of
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip

KNEE, NOSE = (BLAZEPOSE_NAMES.index(name) for name in ("left_knee", "nose"))


def quiet(_stage, _done, _of):
    pass


@pytest.fixture(scope="module")
def body():
    return embedded_body()


def test_spells_last_as_long_as_they_are_said_to_and_come_at_the_same_moments():
    short, long = (vibe_spells.inside(200, length_s=each) for each in (0.1, 1.0))

    assert [last - first for first, last in vibe_spells.runs(short)] == [3, 3]
    assert [last - first for first, last in vibe_spells.runs(long)] == [30, 30]
    assert long[short].all()
    assert not long[[0, -1]].any()


def test_a_shot_without_room_has_no_spell():
    assert not vibe_spells.inside(30, length_s=1.0).any()


def test_hidden_legs_are_hidden_and_the_rest_is_as_it_was(body):
    clip, spell = toy_clip(frames=90), vibe_spells.inside(90, length_s=0.5)

    free = shot_of(clip, body, seed=0, hide=vibe_spells.nothing).samples
    hidden = shot_of(clip, body, seed=0, hide=vibe_spells.legs_hidden(spell)).samples

    assert spell.sum() == 15
    assert not hidden.visible[spell][:, KNEE].any()
    assert torch.equal(hidden.keypoints[~spell], free.keypoints[~spell])
    assert torch.equal(hidden.keypoints[:, NOSE], free.keypoints[:, NOSE])


def test_whom_the_tracker_lost_is_handed_on_as_it_hands_on_gaps(body):
    person = shot_of(toy_clip(frames=90), body, seed=0).person()
    spell = vibe_spells.inside(90, length_s=0.5)

    gone = vibe_spells.lost(person, spell)

    there = ~spell.numpy()
    np.testing.assert_array_equal(gone.keypoints[there], person.keypoints[there])
    assert gone.presence[~there].max() == gone.keypoints[~there, :, 2].max() == 0
    bends = np.diff(gone.keypoints[~there, :, :2], n=2, axis=0)
    assert np.abs(bends).max() < 1e-2


def test_every_reader_is_judged_in_every_spell(body):
    clips = (toy_clip(frames=100), toy_clip(name="run", kind="run", frames=70))

    def standing(person, camera):
        frames = len(person.times_s)
        rotmat = torch.eye(3).repeat(frames, 24, 1, 1)
        return PerFrame(rotmat, torch.zeros(frames, 10), torch.ones(frames, dtype=torch.bool))

    rows = vibe_spells.run(clips, {"standing": standing}, body=body, seed=0, report=quiet)

    assert [(row.way, row.length_s) for row in rows] == [
        (way, length_s) for way in (LEGS, NOBODY) for length_s in vibe_spells.LENGTHS_S
    ]
    # Whoever looks at nothing is no worse for what is hidden.
    assert all(row.inside == row.free for row in rows)
    assert [row.inside.frames for row in rows[:4]] == [6, 12, 30, 60]
