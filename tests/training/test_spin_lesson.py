"""SPIN's lesson: the order of its pages, its memory, and its figures."""

import pytest
import torch
from paperscenes import exact_problem, usual_start
from stripmocap.methods.hmr.regressor import Regressor
from stripmocap.methods.smplify import paper
from stripmocap.training import loop, spin
from stripmocap.training.augmentation import Augmentation
from stripmocap.training.fits import Fits
from stripmocap.training.spin_lesson import InTurns, SpinLesson

COUNT = 12


class ToyPages:
    """Twelve people, three of whom differ; the network is shown a row of numbers."""

    def __init__(self, problem):
        self.problem, self.opened = problem, []

    def __len__(self):
        return COUNT

    def open(self, index, augmentation):
        self.opened += index.tolist()
        some = index % 3
        nobody = torch.zeros(len(index), dtype=torch.bool)
        batch = spin.Batch(
            keypoints=self.problem.keypoints[some],
            focal=torch.full((len(index),), paper.FOCAL_PX),
            center=self.problem.center[some],
            joints=torch.zeros(len(index), 24, 4),
            has_joints=nobody,
            pose=torch.zeros(len(index), 72),
            betas=torch.zeros(len(index), 10),
            has_body=nobody,
            known=torch.ones(len(index), 24),
            index=index,
            augmentation=Augmentation.none(len(index)),
        )
        return torch.eye(3)[some], batch


@pytest.fixture(scope="module")
def problem():
    return exact_problem()


@pytest.fixture
def school(problem):
    return spin.School(problem.points, problem.prior, spin.DETECTED)


@pytest.fixture
def make(problem, school):
    def lesson(solver=lambda _, start: start):
        torch.manual_seed(0)
        fits = Fits.unknown(COUNT)
        teacher = spin.FitsInTheLoop(school, fits, solver=solver)
        network = Regressor(3, hidden=16, dropout=0.0)
        return SpinLesson(
            network, ToyPages(problem), teacher, school=school, fits=fits, batch=4, seed=2
        )

    return lesson


def test_everybody_is_seen_once_before_anybody_is_seen_twice(make):
    lesson = make()

    for step in range(6):
        lesson.losses(step)

    first, second = lesson.pages.opened[:COUNT], lesson.pages.opened[COUNT:]
    assert sorted(first) == sorted(second) == list(range(COUNT))
    assert first != second


def test_a_lesson_goes_on_where_another_stopped(make):
    stopped, other = make(), make()
    stopped.losses(0)

    other.load_state_dict(stopped.state_dict())
    stopped.pages.opened.clear()
    for lesson in (stopped, other):
        lesson.losses(1)

    assert stopped.pages.opened == other.pages.opened
    torch.testing.assert_close(stopped.fits.numbers, other.fits.numbers, equal_nan=True)


def test_the_loop_fills_the_dictionary_and_tells_of_it(make):
    lesson = make()

    for step in range(3):
        lesson.losses(step)
    scores = lesson.scores(lesson.network)

    assert lesson.fits.known.all()
    assert scores["better %"] == 100
    assert not any("%" in name for name in lesson.scores(lesson.network))


def test_training_with_fits_in_the_loop_lowers_the_loss_and_resumes(make, tmp_path):
    schedule = loop.Schedule(80, learning_rate=3e-3, warmup=10, score_every=100)

    trained = loop.train(make(), schedule, folder=tmp_path, seed=0, plan={}, report=lambda *_: None)
    again = loop.train(make(), schedule, folder=tmp_path, seed=0, plan={}, report=lambda *_: None)

    totals = [value for _, value in trained.history.losses["total"]]
    assert totals[-1] < totals[0]
    assert again.steps == trained.steps  # nothing was left to do


def test_painstaking_teachers_have_their_turns(problem, school, make):
    batch = make().pages.open(torch.arange(4), None)[1]
    asked = {"slow": 0, "quick": 0}

    def teacher(name):
        def teach(batch, regressed):
            asked[name] += 1
            return name

        return teach

    in_turns = InTurns(teacher("slow"), teacher("quick"), every=4)
    torch.manual_seed(0)
    for _ in range(400):
        in_turns(batch, usual_start(problem))

    assert 70 < asked["slow"] < 130
    assert asked["slow"] + asked["quick"] == 400
