"""Solver `paper` on walks before a camera: an embedded body, small random priors."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import loose_prior, walk
from humorscenes import toy_priors
from refinescenes import estimate
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.methods.humor.fast import Settings
from stripmocap.methods.humor.figure import Figure
from stripmocap.methods.humor.objective import DEMO, Frames
from stripmocap.methods.humor.own_weights import load_own_priors
from stripmocap.methods.humor.paper import Diverged, Schedule
from stripmocap.methods.humor.paper_shot import PaperSolver
from stripmocap.methods.humor.refine import SHIPPED_FIRST, SHIPPED_HUMOR, SHIPPED_POSE
from stripmocap.methods.humor.whole import Whole
from stripmocap.methods.smplify.subject import Subject

TEMPLATE = body_file.load(EMBEDDED_BODY)
SUBJECT = Subject.from_template(TEMPLATE, loose_prior())
BRIEF = Schedule(placing=0, posing=2, short=0, held=0, free=1, iterations=4)
NOTHING = Schedule(placing=0, posing=0, short=0, held=0, free=0)


@pytest.fixture(scope="module")
def solver():
    figure = Figure.of_blazepose(TEMPLATE)
    return PaperSolver(figure, toy_priors(torch.float32), Settings(), BRIEF)


@pytest.fixture(scope="module")
def shot():
    """Two people, 14 frames and 3."""
    scenes = [walk(TEMPLATE, frames=14), walk(TEMPLATE, frames=8, person=1, side_m=-1.0)]
    people = [each.person for each in scenes]
    whole = Whole.of(people, estimate(TEMPLATE, *scenes), subject=SUBJECT, window=300)
    shot, kept = whole.task().shot, slice(17)
    return replace(
        shot,
        evidence=shot.evidence.at(kept),
        start=shot.start.at(kept),
        camera_from_world=shot.camera_from_world[kept],
        floor_votes=shot.floor_votes[kept],
        rests=shot.rests[kept],
    )


def quiet(done, of):
    """Tells nobody."""


@pytest.fixture(scope="module")
def solved(solver, shot):
    told = []
    return solver(shot, lambda done, of: told.append((done, of))), told


def test_every_frame_has_an_answer(solved, shot):
    found, _ = solved

    assert found.states.transl.shape == shot.start.transl.shape
    assert found.contacts.shape == (len(shot.evidence), 9)
    assert found.contacts.min() >= 0
    assert found.contacts.max() <= 1
    assert not found.diverged.any()
    for each in (found.states.transl, found.states.global_rotmat, found.states.body_pose):
        assert each.isfinite().all()


def test_people_stay_about_where_they_were_seen(solved, shot):
    found, _ = solved

    moved = (found.states.transl - shot.start.transl).norm(dim=1)

    assert 0 < float(moved[:14].mean()) < 0.5


def test_too_short_a_sequence_stays_as_it_began(solved, shot):
    found, _ = solved
    brief = shot.evidence.sequence == 1

    assert int(brief.sum()) == 3
    assert torch.equal(found.states.transl[brief], shot.start.transl[brief])
    assert torch.equal(found.states.body_pose[brief], shot.start.body_pose[brief])
    assert not found.contacts[brief].any()


def test_hands_and_shape_stay_as_they_began(solved, shot):
    found, _ = solved

    assert torch.equal(found.states.body_pose[:, 21:], shot.start.body_pose[:, 21:])
    assert found.states.betas is shot.start.betas


def test_it_tells_how_far_it_is(solved):
    _, told = solved

    done = [each for each, _ in told]
    assert done == sorted(done)
    assert told[-1] == (BRIEF.steps, BRIEF.steps)
    assert len(set(done)) > 1


def test_nothing_solved_is_the_start_told_by_the_pose_prior(solver, shot):
    found = replace(solver, schedule=NOTHING)(shot, quiet)

    torch.testing.assert_close(found.states.transl[0], shot.start.transl[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(
        found.states.global_rotmat[0], shot.start.global_rotmat[0], atol=1e-5, rtol=0
    )


@pytest.fixture(scope="module")
def known():
    """The solver with the shipped priors, and a walk of two seconds."""
    scene, figure = walk(TEMPLATE, frames=60), Figure.of_blazepose(TEMPLATE)
    whole = Whole.of([scene.person], estimate(TEMPLATE, scene), subject=SUBJECT, window=300)
    priors = load_own_priors(SHIPPED_HUMOR, SHIPPED_POSE, first=SHIPPED_FIRST)
    return PaperSolver(figure, priors, Settings(), NOTHING), whole.task().shot


def test_what_it_begins_with_hardly_strays_from_the_start(known):
    solver, shot = known

    found = solver(shot, quiet)

    # By latents that are read at once it strays by 0.13 m.
    apart = (found.states.transl - shot.start.transl).norm(dim=1)
    assert float(apart.max()) < 0.1


def test_a_start_that_suits_what_is_seen_has_the_lower_value(known):
    solver, shot = known
    aside = replace(shot.start, transl=shot.start.transl + torch.tensor([0.3, 0.0, 0.0]))

    assert solver.value(shot) < solver.value(replace(shot, start=aside))


def test_steps_lower_the_value(known):
    solver, shot = known
    brief = replace(solver, schedule=replace(NOTHING, held=1, iterations=3))

    assert brief.value(shot) < solver.value(shot)


def test_a_part_that_does_not_count_is_not_in_the_value(solver, shot):
    solver = replace(solver, schedule=NOTHING)
    without = replace(solver, weights=replace(DEMO, initial=0.0, keypoints=0.0))

    assert without.value(shot) != pytest.approx(solver.value(shot))


def test_finished_frames_at_the_front_stay(solver, shot):
    found = solver(replace(shot, held=4), quiet)

    assert torch.equal(found.states.transl[:4], shot.start.transl[:4])
    assert torch.equal(found.states.body_pose[:4], shot.start.body_pose[:4])
    assert not torch.equal(found.states.transl[4:14], shot.start.transl[4:14])


def test_a_motion_that_diverges_stays_as_it_began(solver, shot, monkeypatch):
    def lost(*_, **__):
        raise Diverged("step 0 of free")

    monkeypatch.setattr("stripmocap.methods.humor.paper.solve", lost)

    found = solver(shot, quiet)

    assert found.diverged.tolist() == [True, False]
    assert torch.equal(found.states.transl, shot.start.transl)
    assert not found.contacts.any()


def test_a_start_without_numbers_stays_as_it_began(solver, shot):
    transl = shot.start.transl.clone()
    transl[3] = torch.nan

    found = solver(replace(shot, start=replace(shot.start, transl=transl)), quiet)

    assert found.diverged.tolist() == [True, False]
    assert not found.contacts.any()


def test_who_is_told_can_stop_it(solver, shot):
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solver(shot, stop)


def test_floors_that_say_nothing_pull_nobody_down(solver, shot, monkeypatch):
    weights = []

    def keep(problem, start, **_):
        assert isinstance(start, Frames)
        weights.append(problem.weights)
        raise Diverged("enough")

    monkeypatch.setattr("stripmocap.methods.humor.paper.solve", keep)
    solver(replace(shot, floor_votes=torch.zeros_like(shot.floor_votes)), quiet)
    solver(shot, quiet)

    assert weights[0].hovering == 0
    assert weights[1].hovering > 0
    assert weights[0].skating == weights[1].skating > 0
    np.testing.assert_allclose(weights[0].motion, weights[1].motion)
