import copy
from dataclasses import replace

import pytest
import torch
from fastscenes import shot_of
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.methods.humor.fast import Settings, Shot, solve
from stripmocap.methods.humor.network import MotionPrior, Sizes

FRAMES = 10
LEFT_HIP, RIGHT_HIP = (JOINT_NAMES.index(f"{side}_hip") - 1 for side in ("left", "right"))


@pytest.fixture(scope="module")
def prior() -> MotionPrior:
    torch.manual_seed(0)
    return MotionPrior(Sizes(latent=6, hidden=64, layers=2)).eval().requires_grad_(False)


def solved(shot: Shot, network: MotionPrior, **settings: float):
    return solve(shot, network, settings=Settings(**settings))


def test_every_frame_has_a_body_and_chances_of_contact(prior):
    shot = shot_of(frames=FRAMES, people=2)

    found = solved(shot, prior)

    assert found.contacts.shape == (2 * FRAMES, 9)
    assert (found.contacts >= 0).all()
    assert (found.contacts <= 1).all()
    assert found.states.transl.shape == (2 * FRAMES, 3)
    assert not found.diverged.any()
    assert [each.seconds for each in found.trace] == sorted(each.seconds for each in found.trace)


def test_what_is_seen_draws_a_shaking_start_back(prior):
    shot = shot_of(frames=FRAMES, noise=0.02)
    truth = shot_of(frames=FRAMES).start

    found = solved(shot, prior, prior=0.0, contacts=0.0).states

    def shaking(states):  # across the view: how far away somebody is shows less
        return (states.transl - truth.transl)[:, [0, 2]].diff(dim=0).norm(dim=-1).mean()

    assert shaking(found) < 0.5 * shaking(shot.start)


def test_contacts_are_told_also_without_the_prior(prior):
    found = solved(shot_of(frames=FRAMES), prior, prior=0.0)

    assert (found.contacts > 0).all()


def test_where_the_floor_says_nothing_nothing_touches_it(prior):
    shot = shot_of(frames=FRAMES)
    votes = torch.ones(FRAMES)
    votes[: FRAMES // 2] = 0

    found = solved(replace(shot, floor_votes=votes), prior).contacts

    assert found[: FRAMES // 2].max() == 0
    assert found[FRAMES // 2 :].max() > 0


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_too_few_frames_for_a_transition_are_no_harm(prior, frames):
    found = solved(shot_of(frames=frames), prior)

    assert torch.isfinite(found.states.transl).all()
    assert not found.contacts.any()


def test_held_frames_stay(prior):
    shot = replace(shot_of(frames=FRAMES, noise=0.02), held=4)

    found = solved(shot, prior).states

    assert torch.equal(found.transl[:4], shot.start.transl[:4])
    assert torch.equal(found.body_pose[:4], shot.start.body_pose[:4])
    assert not torch.equal(found.transl[4:], shot.start.transl[4:])


def test_another_person_changes_nothing(prior):
    # In single precision sums over two people are grouped otherwise, depending on the threads, and
    # what is rounded grows to 1e-3 where a step is refused by a hair.
    exact, network = torch.float64, copy.deepcopy(prior).double()
    both = shot_of(frames=FRAMES, people=2, dtype=exact)
    alone = shot_of(frames=FRAMES, dtype=exact)
    both = replace(both, camera_from_world=alone.camera_from_world[:1].expand(2 * FRAMES, 4, 4))
    assert torch.equal(both.start.transl[:FRAMES], alone.start.transl)

    together, single = solved(both, network), solved(alone, network)

    torch.testing.assert_close(
        together.states.transl[:FRAMES], single.states.transl, atol=1e-8, rtol=0
    )
    torch.testing.assert_close(together.contacts[:FRAMES], single.contacts, atol=1e-8, rtol=0)


def test_a_start_that_is_no_number_comes_back_and_harms_nobody(prior):
    shot = shot_of(frames=FRAMES, people=2)
    transl = shot.start.transl.clone()
    transl[FRAMES + 2] = torch.nan
    shot = replace(shot, start=replace(shot.start, transl=transl))

    found = solved(shot, prior)

    assert found.diverged.tolist() == [False, True]
    assert torch.isfinite(found.states.transl[:FRAMES]).all()
    assert torch.isfinite(found.contacts).all()


def test_the_last_of_three_may_begin_with_no_number(prior):
    shot = shot_of(frames=4, people=3)
    transl = shot.start.transl.clone()
    transl[-1] = torch.nan
    shot = replace(shot, start=replace(shot.start, transl=transl))

    found = solved(shot, prior)

    assert found.diverged.tolist() == [False, False, True]


def test_strides_are_not_shortened_where_the_floor_is_doubted(prior):
    frames = 40
    shot = shot_of(frames=frames)
    steps = 0.5 * torch.sin(2 * torch.pi * torch.arange(frames) / 20)
    pose = shot.start.body_pose.clone()
    pose[:, LEFT_HIP, 0], pose[:, RIGHT_HIP, 0] = steps, -steps
    unseen = replace(shot.evidence, weights=0 * shot.evidence.weights)
    unseen = replace(unseen, cue_weights=0 * unseen.cue_weights)
    shot = replace(shot, evidence=unseen, start=replace(shot.start, body_pose=pose))

    found = solved(
        replace(shot, floor_votes=torch.full((frames,), 0.7)), prior, prior=0.0, contacts=0.0
    )

    ahead = found.states.body_pose[:, LEFT_HIP, 0] - found.states.body_pose[:, RIGHT_HIP, 0]
    assert ahead.std() > 0.65 * (2 * steps).std()


def test_hidden_frames_are_filled(prior):
    shot = shot_of(frames=FRAMES, noise=0.02)
    weights, cue = shot.evidence.weights.clone(), shot.evidence.cue_weights.clone()
    weights[3:7], cue[3:7] = 0.0, 0.0
    shot = replace(shot, evidence=replace(shot.evidence, weights=weights, cue_weights=cue))

    found = solved(shot, prior).states

    assert torch.isfinite(found.body_pose).all()
    assert (found.transl.diff(dim=0).norm(dim=-1) < 0.1).all()


def test_a_report_may_stop_the_work(prior):
    def stop(done: int, of: int) -> None:
        assert done <= of
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve(shot_of(frames=FRAMES), prior, settings=Settings(), report=stop)
