"""Window after window gives what the whole gives, and what a solver lost stays as it began."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from fitscenes import loose_prior, walk
from notebook import Notebook
from refinescenes import FURTHER_M, estimate, further, same, solver
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.methods.humor.whole import Whole
from stripmocap.methods.humor.windows import HELD, OVERLAP, before_camera, solve_in_windows
from stripmocap.methods.smplify.notes import Notes
from stripmocap.methods.smplify.subject import Subject

TEMPLATE = body_file.load(EMBEDDED_BODY)
SUBJECT = Subject.from_template(TEMPLATE, loose_prior())


@pytest.fixture(scope="module")
def shot():
    """Two people, 120 and 50 ticks."""
    scenes = [walk(TEMPLATE, frames=120), walk(TEMPLATE, frames=50, person=1, side_m=-1.0)]
    people = [each.person for each in scenes]
    whole = Whole.of(people, estimate(TEMPLATE, *scenes), subject=SUBJECT, window=300)
    return whole.task().shot


def nobody(*_: object) -> None:
    """Tells nobody."""


def solved(shot, solve, *, window=60, journal=None, report=nobody, hand_out=nobody):
    notes = Notes(journal)
    try:
        return solve_in_windows(
            shot, solve, window=window, notes=notes, report=report, hand_out=hand_out
        )
    finally:
        notes.flush()


@pytest.mark.parametrize("window", [40, 60, 300])
def test_windows_give_what_the_whole_gives(shot, window):
    found = solved(shot, solver(further), window=window)

    whole = solved(shot, solver(further), window=1000)
    torch.testing.assert_close(found.transl, whole.transl)
    torch.testing.assert_close(found.body_pose, whole.body_pose)
    assert not found.is_left.any()
    assert (found.contacts == 0.75).all()


def test_each_window_starts_from_finished_ticks_of_the_same_person_and_overlaps_the_last(shot):
    seen = []

    def solve(part, report):
        seen.append(part)
        return solver(further)(part, report)

    solved(shot, solve, window=60)

    assert all(len(part.evidence) <= 60 + HELD for part in seen)
    assert [part.held for part in seen] == [0, HELD, HELD, 0]
    assert (seen[1].start.transl[:HELD, 1] == FURTHER_M).all()
    assert (seen[1].start.transl[HELD:, 1] != FURTHER_M).all()
    first_s, second_s = seen[0].evidence.times_s, seen[1].evidence.times_s
    assert (second_s < first_s[-1] + 1e-6).sum() == OVERLAP + HELD
    assert seen[-1].evidence.sequence.tolist() == [1] * 50


@pytest.mark.parametrize("what", ["says so", "no numbers", "far away", "no valley", "misses"])
def test_what_a_solver_lost_stays_as_it_began(shot, what):
    def change(part):
        mine = part.evidence.sequence == 1
        transl = part.start.transl.clone()
        if what == "no numbers":
            transl[mine, 1] = torch.nan
        elif what == "far away":
            transl[mine, 1] += 4.0
        elif what == "misses":
            transl[mine, 2] += 0.3
        return replace(part.start, transl=transl)

    def solve(part, report):
        if what == "no valley" and (part.evidence.sequence == 1).any():
            raise torch.linalg.LinAlgError
        answer = solver(change)(part, report)
        answer.diverged[1] = what == "says so"
        return answer

    found = solved(shot, solve, window=300 if what != "no valley" else 120)

    mine = shot.evidence.sequence == 1
    assert found.is_left[mine].all()
    assert not found.is_left[~mine].any()
    torch.testing.assert_close(found.transl, shot.start.transl)
    assert (found.contacts[mine] == 0).all()


def test_a_stopped_run_goes_on_and_finds_the_same(shot):
    journal, calls = Notebook(), []

    def solve(part, report):
        calls.append(len(part.evidence))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return solver(further)(part, report)

    with pytest.raises(KeyboardInterrupt):
        solved(shot, solve, journal=journal)
    found = solved(shot, solve, journal=Notebook(journal.chunks))

    assert len(calls) == 3 + 2  # two windows were known
    torch.testing.assert_close(found.transl, solved(shot, solver(further)).transl)


def test_progress_rises_to_the_end_and_finished_ticks_are_handed_out(shot):
    told, finished = [], []

    solved(
        shot,
        solver(same),
        report=lambda done, of: told.append(done / of),
        hand_out=lambda _, stop: finished.append(stop),
    )

    assert told[-1] == 1
    assert finished == [60 - OVERLAP, 90 - OVERLAP, 120]


def test_bodies_before_a_camera_are_where_they_were_seen(shot):
    states = before_camera(shot.start, shot)

    scene = walk(TEMPLATE, frames=120)
    mine = shot.evidence.sequence == 0
    torch.testing.assert_close(states.transl[mine], scene.states.transl, atol=1e-4, rtol=0)
    torch.testing.assert_close(
        states.global_rotmat[mine], scene.states.global_rotmat, atol=1e-5, rtol=0
    )
