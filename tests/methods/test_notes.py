"""A fit that was stopped and goes on finds what a fit in one piece finds, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, walk
from notebook import Notebook
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.contract.methods import SmplifyOptions
from stripmocap.methods.smplify import fit
from stripmocap.methods.smplify.notes import Notes
from stripmocap.methods.smplify.states import States
from stripmocap.methods.toolbox import Tools
from stripmocap.people.journal import CHUNK_S


def states(frames: int, fill: float) -> States:
    fill = float(fill)
    return States(
        transl=torch.full((frames, 3), fill),
        global_rotmat=torch.full((frames, 3, 3), fill),
        body_pose=torch.full((frames, 23, 3), fill),
        betas=torch.full((2, 10), fill),
    )


def silent(*_: object) -> None:
    """A report that tells nobody."""


def never() -> States:
    raise AssertionError("this was solved before")


@pytest.fixture
def solves(monkeypatch) -> list[int]:
    """The frames of every problem that had to be solved."""
    sizes = []
    minimise = fit.minimise

    def counted(problem, state, **options):
        found = minimise(problem, state, **options)
        sizes.append(len(state.transl))
        return found

    monkeypatch.setattr(fit, "minimise", counted)
    return sizes


@pytest.mark.parametrize("told", [False, True], ids=["from usual poses", "from an estimate"])
def test_a_stopped_fit_goes_on_and_finds_the_same(solves, told):
    template = body_file.load(EMBEDDED_BODY)
    people = [
        walk(template, noise_px=1.0, frames=45, person=number, side_m=-number).person
        for number in (0, 1)
    ]
    estimator = fit.load(Tools(template, torch.device("cpu"), frames_at_once=50), SmplifyOptions())
    start = estimator(people, CAMERA, silent) if told else None
    solves.clear()
    whole = estimator(people, CAMERA, silent, start=start)
    needed, notebook = len(solves), Notebook()
    solves.clear()

    for most in (1, 4, needed - 1):

        def stop(*_: object, most: int = most) -> None:
            if len(solves) == most:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            estimator(people, CAMERA, stop, start=start, journal=notebook)
    resumed = estimator(people, CAMERA, silent, start=start, journal=notebook)

    assert len(solves) == needed  # nothing was solved twice
    np.testing.assert_array_equal(resumed.camera.world_from_camera, whole.camera.world_from_camera)
    for one, other in zip(resumed.motions, whole.motions, strict=True):
        for name, value in vars(one).items():
            np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


def test_answers_come_back_in_order_to_the_last_bit():
    notebook = Notebook()
    first = Notes(notebook)
    for number in (0.1, 0.2, 0.3):
        first.once(lambda number=number: states(4, number), like=states(4, 0))
    first.flush()

    second = Notes(notebook)
    found = [second.once(never, like=states(4, 0)) for _ in range(3)]

    for answer, number in zip(found, (0.1, 0.2, 0.3), strict=True):
        for name, value in vars(states(4, number)).items():
            torch.testing.assert_close(getattr(answer, name), value, rtol=0, atol=0)


def test_answers_of_another_shape_are_not_used():
    notebook = Notebook()
    first = Notes(notebook)
    first.once(lambda: states(4, 0.1), like=states(4, 0))
    first.once(lambda: states(5, 0.2), like=states(5, 0))
    first.flush()

    second = Notes(notebook)

    assert second.once(lambda: states(3, 0.7), like=states(3, 0)).transl[0, 0] == pytest.approx(0.7)
    assert second.once(lambda: states(5, 0.8), like=states(5, 0)).transl[0, 0] == pytest.approx(0.8)


def test_answers_are_noted_every_few_seconds_of_work():
    now, notebook = [0.0], Notebook()
    notes = Notes(notebook, clock=lambda: now[0])

    for _ in range(9):
        now[0] += 0.4 * CHUNK_S
        notes.once(lambda: states(1, 0), like=states(1, 0))

    assert [len(chunk) // 4 for chunk in notebook.chunks] == [3, 3, 3]


def test_without_a_journal_everything_is_solved():
    notes = Notes(None)

    assert notes.once(lambda: states(1, 0.5), like=states(1, 0)).transl[0, 0] == 0.5
    notes.flush()
