from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from stripmocap.contract import body_file
from stripmocap.contract.errors import NobodyFound
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import SpinOptions
from stripmocap.contract.motion import Camera, Capture, Motion, Take
from stripmocap.contract.skeleton import LIMB_JOINTS
from stripmocap.evaluation import plots, report, trials
from stripmocap.evaluation.comparison import TakeScores
from stripmocap.evaluation.metrics import Scores
from stripmocap.evaluation.series import Series
from stripmocap.evaluation.trials import Missed, Trial
from stripmocap.evaluation.truth import Truth
from toybody import toy_body

SMPLIFY = CaptureRequest(Clip("x"))
BOTH = CaptureRequest(Clip("x"), estimator="spin", options=SpinOptions(), refiner="smplify")
FRAMES = 4


@pytest.fixture(autouse=True)
def small_body(monkeypatch):
    monkeypatch.setattr(body_file, "load", lambda path, gender="neutral": toy_body())


def silent(stage: str, done: int, of: int) -> None:
    pass


def motion() -> Motion:
    return Motion(
        person=0,
        times_s=np.arange(FRAMES) / 25,
        global_orient=np.tile([np.pi, 0, 0], (FRAMES, 1)),
        body_pose=np.zeros((FRAMES, 23, 3)),
        betas=np.zeros(10),
        transl=np.tile([0, -0.9, 4.0], (FRAMES, 1)),
        confidence=np.ones(FRAMES),
    )


def truth(person: str = "man") -> Truth:
    rng = np.random.default_rng(0)
    return Truth(
        camera_name="front",
        person_name=person,
        fps=25.0,
        limbs_world=rng.normal(size=(FRAMES, 12, 3)) * 0.3 + [0, 0, 4],
        valid=np.ones((FRAMES, 12), dtype=bool),
        feet_world=np.full((FRAMES, 4, 3), np.nan),
        intrinsics=np.array([[80.0, 0, 32], [0, 80, 24], [0, 0, 1]]),
        distortion=np.zeros(4),
        rotation=np.eye(3),
        translation=np.zeros(3),
    )


def scores_of(error: float, *, frames: int = FRAMES) -> TakeScores:
    scores = Scores(error, 2 * error, 1.0, np.nan, 3.0, frames)
    series = Series(
        np.arange(frames) / 25, np.full(frames, error), np.full(frames, error), np.full(12, error)
    )
    return TakeScores("fitted", 0, scores, series)


@dataclass
class ToyCase:
    name: str = "walk"
    kind: str = "walking"
    persons: tuple[str, ...] = ("man",)
    lost: tuple[str, ...] = ()
    footage: Clip | None = None
    errors: tuple[float, ...] = (30.0, 20.0)

    @property
    def truths(self):
        return tuple(truth(each) for each in self.persons)

    def capture(self, method, *, report):
        if self.lost == self.persons:
            raise NobodyFound("nobody at all")
        takes = tuple(Take(each.take, (motion(),)) for each in method.methods)
        camera = Camera(80.0, np.array([32.0, 24.0]), (64, 48))
        return Capture(camera, takes, {"request": method.to_json()})

    def compare(self, capture, truth, body):
        if truth.person_name in self.lost:
            raise NobodyFound(f"no {truth.person_name}")
        labels = [each.label for each in capture.takes]
        return [
            replace(scores_of(error), label=label)
            for label, error in zip(labels, self.errors, strict=False)
        ]


def tried(*cases: ToyCase, methods=(BOTH, SMPLIFY)) -> list[Trial | Missed]:
    return list(trials.try_out(cases, methods, report=silent))


def test_each_take_is_named_after_the_methods_that_it_went_through():
    found = tried(ToyCase())

    assert [each.method for each in found] == ["spin", "spin+smplify", "smplify"]
    assert [each.found.scores.pa_mpjpe_mm for each in found] == [30, 20, 30]


def test_a_take_that_two_requests_make_is_given_once():
    spin = CaptureRequest(Clip("x"), estimator="spin", options=SpinOptions())

    found = tried(ToyCase(), methods=(BOTH, spin))

    assert [each.method for each in found] == ["spin", "spin+smplify"]


def test_whoever_is_not_found_is_told_and_the_others_are_scored():
    found = tried(ToyCase(persons=("man", "woman"), lost=("woman",)), methods=(SMPLIFY,))

    assert [type(each) for each in found] == [Trial, Missed]
    assert found[0].subject == "walk man"
    assert found[1].reason == "no woman"


def test_footage_of_nobody_misses_everybody():
    found = tried(ToyCase(persons=("a", "b"), lost=("a", "b")), ToyCase("run"), methods=(SMPLIFY,))

    assert [(each.case, type(each)) for each in found] == [
        ("walk", Missed),
        ("walk", Missed),
        ("run", Trial),
    ]


def test_means_count_every_frame_the_same_and_leave_out_what_is_not_known():
    (one,) = tried(ToyCase(), methods=(SMPLIFY,))
    few, many = (
        replace(one, found=scores_of(error, frames=frames))
        for error, frames in ((10.0, 10), (40.0, 30))
    )

    mean = trials.mean_scores([few, many])

    assert mean.pa_mpjpe_mm == pytest.approx(32.5)
    assert mean.frames == 40
    assert np.isnan(mean.foot_slide_cm_s)


def test_the_report_has_a_table_of_everything_and_pictures():
    pytest.importorskip("matplotlib")
    results = tried(ToyCase(), ToyCase("run", "running", persons=("a", "b"), lost=("b",)))

    sections = report.sections_of(results, footage={"walk": None, "run": None})

    titles = [each.title for each in sections]
    assert titles == [
        *("All together", "Case by case", "Not found", "By kind of motion", "By joint"),
        *("Over time", "Median and worst frames"),
    ]
    cases = sections[1].blocks[0]
    assert [row[:2] for row in cases.rows] == [
        *(("run a", "spin"), ("run a", "spin+smplify"), ("run a", "smplify")),
        *(("walk", "spin"), ("walk", "spin+smplify"), ("walk", "smplify")),
    ]
    pictures = [block for each in sections for block in each.blocks if hasattr(block, "data")]
    assert {each.kind for each in pictures} == {"png", "jpeg"}


def test_a_number_that_is_not_known_is_a_dash():
    (one,) = tried(ToyCase(), methods=(SMPLIFY,))

    (row,) = report.mean_table([one]).rows

    assert dict(zip(report.mean_table([one]).head, row, strict=True))["foot slide cm/s"] == "-"


def test_plots_are_png_whatever_is_missing():
    pytest.importorskip("matplotlib")
    values = {"spin": {"walking": 3.0, "running": np.nan}, "smplify": {"walking": 2.0}}

    for data in (
        plots.bars(values, title="bars"),
        plots.over_time({"spin": scores_of(np.nan).series}, title="nothing"),
    ):
        assert data.startswith(b"\x89PNG")


def test_limb_names_of_the_report_are_those_of_the_scores():
    (one,) = tried(ToyCase(), methods=(SMPLIFY,))

    table = report._by_joint([one])[0]

    assert [row[0] for row in table.rows] == [name.replace("_", " ") for name in LIMB_JOINTS]
