"""Toy cases for what tries methods on cases and tells of it: scores that are chosen, not found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from stripmocap.contract.errors import NobodyFound
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import SpinOptions
from stripmocap.contract.motion import Camera, Capture, Motion, Take
from stripmocap.contract.skeleton import LIMB_JOINTS
from stripmocap.evaluation import trials
from stripmocap.evaluation.comparison import TakeScores
from stripmocap.evaluation.metrics import Scores
from stripmocap.evaluation.series import Series
from stripmocap.evaluation.trials import Missed, Trial
from stripmocap.evaluation.truth import Truth

SMPLIFY = CaptureRequest(Clip("x"))
BOTH = CaptureRequest(Clip("x"), estimator="spin", options=SpinOptions(), refiners=("smplify",))
FRAMES = 4


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
        np.arange(frames) / 25,
        *(np.full(frames, error), np.full(frames, error), np.full(12, error)),
        np.full(frames, error),
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


def write_truth(
    path: Path, *, cameras: tuple[str, ...], persons: tuple[str, ...] = ("man",)
) -> None:
    """A truth file about people who stand at the origin for four frames."""
    count = len(cameras)
    np.savez(
        path,
        joints3d=np.zeros((len(persons), 4, 12, 3)),
        joint_names=np.array(LIMB_JOINTS),
        person_names=np.array(persons),
        camera_names=np.array(cameras),
        fps=np.array(25.0),
        K=np.tile(np.eye(3), (count, 1, 1)),
        R=np.tile(np.eye(3), (count, 1, 1)),
        t=np.tile([0.0, 0, 3], (count, 1)),
    )
