from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from humorscenes import drifting, exact_problem, toy_figure, toy_priors
from stripmocap.methods.humor import paper
from stripmocap.methods.humor.objective import Piece
from stripmocap.methods.humor.paper import Schedule
from stripmocap.methods.humor.pieces import Motion, motions_of, solve_in_pieces, split, stitched

BRIEF = Schedule(placing=1, posing=1, short=1, held=1, free=1, iterations=3)


@pytest.fixture(scope="module")
def priors():
    return toy_priors()


@pytest.fixture(scope="module")
def truth(priors):
    return drifting(priors, frames=26)


@pytest.fixture(scope="module")
def problem(truth, priors):
    return exact_problem(truth, figure=toy_figure(), priors=priors)


def solved(problem, truth, **how):
    parts = []

    def solve(part, frames):
        parts.append(part)
        return paper.solve(part, frames, schedule=BRIEF)

    motion = solve_in_pieces(problem, truth, solve=solve, length=10, overlap=3, **how)
    return motion, parts


@pytest.mark.parametrize("frames", [61, 90, 111, 299, 300, 301, 1234])
def test_pieces_cover_every_frame_and_share_enough(frames):
    pieces = split(frames, length=60, overlap=10)

    assert pieces[0][0] == 0
    assert pieces[-1][1] == frames
    assert {stop - start for start, stop in pieces} == {60}
    shared = [before[1] - after[0] for before, after in pairwise(pieces)]
    assert min(shared) >= 10
    assert max(shared) - min(shared) <= 1


@pytest.mark.parametrize("frames", [1, 2, 60])
def test_a_short_motion_is_one_piece(frames):
    assert split(frames) == [(0, frames)]


def test_a_long_motion_keeps_its_frames(problem, truth):
    motion, parts = solved(problem, truth, at_once=2)

    assert motion.transl.shape == (26, 3)
    assert motion.body_pose.shape == (26, 21, 3, 3)
    assert motion.contacts.shape == (26, 9)
    assert all(each.isfinite().all() for each in (motion.transl, motion.body_pose))
    assert [len(part.observed.keypoints) for part in parts] == [2, 2]
    expected = torch.cat([part.observed.keypoints for part in parts])
    starts = [start for start, _ in split(26, length=10, overlap=3)]
    for piece, start in zip(expected, starts, strict=True):
        assert torch.equal(piece, problem.observed.keypoints[0, start : start + 10])


def test_each_batch_goes_on_from_the_one_before(problem, truth):
    _, parts = solved(problem, truth, at_once=2)
    shared = [a[1] - b[0] for a, b in pairwise(split(26, length=10, overlap=3))]

    assert parts[0].overlaps.before is None
    assert parts[0].overlaps.frames == shared[:1]
    assert parts[1].overlaps.before is not None
    assert parts[1].overlaps.frames == shared[1:]


def test_the_first_batch_goes_on_from_what_is_given(problem, truth):
    points = truth.points(problem.figure, problem.priors.pose)[0, :4]
    shared = points.index_select(-2, problem.figure.shared)
    before = Piece(shared, truth.betas[0], problem.observed.floor[0])

    _, parts = solved(problem, truth, at_once=9, before=(4, before))

    assert parts[0].overlaps.before is before
    assert parts[0].overlaps.frames[0] == 4
    assert len(parts[0].overlaps.frames) == len(parts[0].observed.keypoints)


def test_a_motion_of_one_piece_overlaps_with_nothing(problem, truth):
    short = replace(problem, observed=problem.observed.at(slice(None), slice(8)))

    motion, parts = solved(short, truth.at(slice(None), slice(8)))

    assert parts[0].overlaps is None
    fitted = paper.solve(parts[0], truth.at(slice(None), slice(8)), schedule=BRIEF)
    (alone,) = motions_of(parts[0], fitted)
    torch.testing.assert_close(motion.transl, alone.transl)


def test_a_motion_before_the_camera_puts_bodies_where_the_fit_does(problem, truth):
    fitted = paper.solve(problem, truth, schedule=BRIEF)

    (motion,) = motions_of(problem, fitted)
    points = problem.figure.points(
        motion.global_orient, motion.body_pose, betas=motion.betas, transl=motion.transl
    )

    torch.testing.assert_close(points, fitted.led.in_camera[0])


def test_shared_frames_are_those_of_the_earlier_piece():
    def piece(value):
        return Motion(
            transl=torch.full((5, 3), value),
            global_orient=torch.full((5, 3, 3), value),
            body_pose=torch.full((5, 21, 3, 3), value),
            contacts=torch.full((5, 9), value),
            betas=torch.full((10,), value),
            floor=torch.full((3,), value),
        )

    motion = stitched([piece(0.0), piece(1.0), piece(2.0)], [2, 3])

    assert motion.transl[:, 0].tolist() == [0] * 5 + [1] * 3 + [2] * 2
    assert len(motion.contacts) == len(motion.body_pose) == 10
    assert motion.betas.tolist() == [1.0] * 10
    assert motion.floor.tolist() == [0.0] * 3
