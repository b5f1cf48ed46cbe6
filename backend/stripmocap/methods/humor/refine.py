"""`humor`: whole shots refined by how people move, from what another method found.

HuMoR's prior (Rempe et al., ICCV 2021) knows motion at thirty moments a second over a floor at
z = 0. So motions are brought into the world and onto such ticks, solved window by window together
with what was seen, and brought back: times, rates and gaps are the footage's again, the shape of a
person and the camera are as they were, the floor is levelled. What cannot be refined stays, and a
note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ...contract.messages import Clip
from ...contract.methods import HumorOptions
from ...contract.motion import Camera
from ...people.journal import Journal
from ...people.observations import Person
from ..smplify.notes import Notes
from ..smplify.pace import PUBLISHING_SHARE, Sparingly
from ..smplify.priors import SHIPPED_PRIOR
from ..smplify.priors import PosePrior as UsualPoses
from ..smplify.subject import Subject
from ..toolbox import Estimate, Estimator, Publish, Report, Tools
from . import fast
from .fast import Settings, Shot, Solved
from .figure import Figure
from .initial_state import InitialStatePrior
from .levelling import Moments
from .network import MotionPrior
from .objective import Priors
from .outcome import estimate_of, unrefined
from .own_weights import (
    load_own_initial_state_prior,
    load_own_motion_prior,
    load_own_pose_prior,
)
from .paper_shot import PaperSolver
from .pose_prior import PosePrior
from .weights import load_initial_state_prior, load_motion_prior, load_pose_prior
from .whole import Whole
from .windows import Found, Solve, solve_in_windows
from .windows import Report as Step

STAGE = "refine"
_SHIPPED = Path(__file__).parents[2] / "weights"
SHIPPED_HUMOR = _SHIPPED / "humor.safetensors"
SHIPPED_POSE = _SHIPPED / "humor_pose.safetensors"
SHIPPED_FIRST = _SHIPPED / "humor_start.safetensors"


def load(tools: Tools, options: HumorOptions) -> Estimator:
    """The refiner on our prior and `tools.body`, one of ours.

    Raises:
        AssetMissing, AssetCorrupt: the weights cannot be read.
    """
    motion = load_own_motion_prior(tools.network or SHIPPED_HUMOR)
    first = _own_first(tools)
    moments = Moments.of(first)
    if options.solver == "fast":
        return estimator_of(_fast(motion, tools, options), tools, moments=moments)
    pose = load_own_pose_prior(tools.networks.get("humor_pose_embedded", SHIPPED_POSE))
    solve = _paper(motion, pose, first, tools=tools, options=options)
    return estimator_of(solve, tools, moments=moments)


def load_official(tools: Tools, options: HumorOptions) -> Estimator:
    """The refiner on HuMoR's prior as it was published, and SMPL's body.

    Raises:
        AssetMissing, AssetCorrupt: the weights cannot be read.
    """
    assert tools.network is not None, "official weights are never shipped"
    motion = load_motion_prior(tools.network)
    # Ours also here: joints are at the same places, and this solver asks for no other mixture.
    moments = Moments.of(_own_first(tools))
    if options.solver == "fast":
        return estimator_of(_fast(motion, tools, options), tools, moments=moments)
    pose = load_pose_prior(tools.networks["vposer_official"])
    first = load_initial_state_prior(tools.networks["humor_initial"])
    solve = _paper(motion, pose, first, tools=tools, options=options)
    return estimator_of(solve, tools, moments=moments)


def estimator_of(solve: Solve, tools: Tools, *, moments: Moments | None = None) -> Estimator:
    """The refiner whose solver of one window is `solve`; `moments` level the ground."""
    poses = UsualPoses.load(tools.pose_prior or SHIPPED_PRIOR, device=tools.device)
    subject = Subject.from_template(tools.body, poses)
    window = tools.frames_at_once

    def estimate(
        people: Sequence[Person],
        camera: Camera,
        report: Report,
        *,
        start: Estimate | None = None,
        clip: Clip | None = None,
        publish: Publish | None = None,
        journal: Journal | None = None,
    ) -> Estimate:
        assert start is not None, "a refiner has something to refine"
        frames, sparingly = sum(len(each.times_s) for each in people), Sparingly(PUBLISHING_SHARE)
        report(STAGE, 0, frames)
        whole = Whole.of(people, start, subject=subject, window=window, moments=moments)
        if not whole.spells:
            report(STAGE, frames, frames)
            return unrefined(whole)
        task, notes = whole.task(), Notes(journal)

        def told(done: int, of: int) -> None:
            report(STAGE, frames * done // of, frames)

        def hand_out(found: Found, finished: int) -> None:
            sparingly(
                lambda: publish and publish(estimate_of(whole, task, found, finished=finished))
            )

        try:
            found = solve_in_windows(
                task.shot, solve, window=window, notes=notes, report=told, hand_out=hand_out
            )
        finally:
            notes.flush()
        return estimate_of(whole, task, found, finished=int(task.ends[-1]))

    return estimate


def _own_first(tools: Tools) -> InitialStatePrior:
    return load_own_initial_state_prior(tools.networks.get("humor_start_embedded", SHIPPED_FIRST))


def _fast(motion: MotionPrior, tools: Tools, options: HumorOptions) -> Solve:
    prior, settings = motion.to(tools.device).eval(), _settings(options)

    def solve(shot: Shot, report: Step) -> Solved:
        return fast.solve(shot, prior, settings=settings, report=report)

    return solve


def _paper(
    motion: MotionPrior,
    pose: PosePrior,
    first: InitialStatePrior,
    *,
    tools: Tools,
    options: HumorOptions,
) -> Solve:
    figure = Figure.of_blazepose(tools.body, device=tools.device, dtype=torch.float32)
    motion, pose = (each.to(tools.device).eval().requires_grad_(False) for each in (motion, pose))
    first = InitialStatePrior(
        *(each.to(tools.device) for each in (first.means, first.factors, first.constants))
    )
    return PaperSolver(figure, Priors(motion, pose, first), _settings(options))


def _settings(options: HumorOptions) -> Settings:
    return Settings(prior=options.prior, contacts=options.contacts)
