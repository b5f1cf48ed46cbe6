"""`stripmocap train humor`: the embedded motion prior, its pose prior, and how motions begin.

Three files beside one another, each with its card: a network over transitions, a network over
poses, a mixture over first moments. Both trainings go on from where they were stopped.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from ..methods.humor.initial_state import numbers_of
from ..methods.humor.own_weights import (
    load_own_motion_prior,
    load_own_pose_prior,
    save_initial_state_prior,
    save_motion_prior,
    save_pose_prior,
)
from ..methods.humor.pose_prior import PosePrior
from ..methods.humor.state import State
from . import cards, initial_state
from .held_out_humor import JudgedPrior, held_out_stretches, judged_prior
from .hmr_run import DATA_SAID
from .humor import HumorLesson, Plan, Stretcher, begun, led_further
from .humor_data import SPEEDS, StretchBank
from .humor_pages import draw_samples_if_possible, scores_page
from .humor_scales import Scaled
from .humor_windows import page_of
from .latent_poses import PoseLesson, PosePlan, drawn_poses, pose_errors
from .loop import Report, Schedule, Trained, train
from .mocap import Clips, load_clips
from .poses import PoseBank
from .synthetic import LandmarkBody, embedded_body

SCORE_TIMES = 10  # in a training
POSE_SUFFIX, START_SUFFIX = "_pose", "_start"  # of the names of the files beside the first
FURTHER = "further"  # folder of the second part of the training
SAMPLES_PICTURE = "samples.png"
_SPLITS = ("train", "val", "test")
_SCORED, _JUDGED = (120, 31), 200  # people and moments for curves; people for the card
_POSES_HELD_OUT = 2000
_FIRST_MOMENTS = (12000, 4000)  # to learn how motions begin from, and held out
_SAID = {"trained by": "stripmocap train humor"}


@dataclass(frozen=True)
class Order:
    """One training of all that the embedded HuMoR is made of."""

    data: Path  # folder of clips
    output: Path  # .safetensors of the motion prior; the others and the cards are put beside it
    folder: Path  # of the checkpoints, the curves, and a picture of imagined motions
    steps: int = 9000
    learning_rate: float = 2e-3
    averaging: float = 0.998
    further_steps: int = 3600  # after those, by `humor.led_further`
    pose_steps: int = 4000
    seed: int = 0
    plan: Plan = field(default_factory=Plan)
    pose_plan: PosePlan = field(default_factory=PosePlan)

    @property
    def pose_output(self) -> Path:
        """The pose prior's file."""
        return self.output.with_stem(self.output.stem + POSE_SUFFIX)

    @property
    def start_output(self) -> Path:
        """The mixture's file."""
        return self.output.with_stem(self.output.stem + START_SUFFIX)


def main(order: Order, *, report: Report) -> JudgedPrior:
    """Trains as ordered and writes the weights and their cards; the scores on the test people.

    Raises:
        AssetMissing, AssetCorrupt: the data are not there, or not what they should be.
        Cancelled, RequestError, DiskFull, TrainingFailed: see `loop.train`.
    """
    body = embedded_body()
    splits = {split: load_clips(order.data, split) for split in _SPLITS}
    banks = {split: StretchBank.of(clips, body) for split, clips in splits.items()}
    order.output.parent.mkdir(parents=True, exist_ok=True)
    _begin(order, splits, body=body, report=report)
    _pose(order, splits, body=body, report=report)
    return _motion(order, banks, body=body, report=report)


def _motion(
    order: Order, banks: dict[str, StretchBank], *, body: LandmarkBody, report: Report
) -> JudgedPrior:
    trained = _taught(order, banks, body=body, report=report)
    assert isinstance(trained.network, Scaled)
    save_motion_prior(trained.network.plain(), order.output, metadata=_said(order))
    # What is shipped is judged, not what was trained: half precision lies between them.
    shipped = load_own_motion_prior(order.output)
    people = {
        split: held_out_stretches(banks[split], people=_JUDGED, seed=order.seed)
        for split in ("val", "test")
    }
    found = {split: judged_prior(shipped, each, body=body) for split, each in people.items()}
    picture = order.folder / SAMPLES_PICTURE
    draw_samples_if_possible(shipped, people["test"], picture, seed=order.seed)
    count = sum(each.numel() for each in shipped.parameters())
    cards.write(_motion_card(order, trained, found=found, count=count), of=order.output)
    return found["test"]


def _taught(
    order: Order, banks: dict[str, StretchBank], *, body: LandmarkBody, report: Report
) -> Trained:
    """The motion prior after both parts of its training, with the seconds of both."""
    held_out = banks["val"].draw(*_SCORED, torch.Generator().manual_seed(order.seed))
    torch.manual_seed(order.seed)  # before the network is made, so that it begins alike
    source = Stretcher(banks["train"], seed=order.seed)
    first = HumorLesson(
        begun(order.plan.sizes, source),
        source,
        body,
        plan=order.plan,
        steps=order.steps,
        held_out=held_out,
    )
    schedule = _schedule(order, steps=order.steps, rate=order.learning_rate)
    plan = {"plan": order.plan, "clips": len(banks["train"].first)}
    begun_with = train(
        first, schedule, folder=order.folder, seed=order.seed, plan=plan, report=report
    )
    network = copy.deepcopy(begun_with.network).requires_grad_(True)
    assert isinstance(network, Scaled)
    second = HumorLesson(
        network,
        Stretcher(banks["train"], seed=order.seed + 1),
        body,
        plan=led_further(order.plan),
        steps=order.further_steps,
        held_out=held_out,
    )
    schedule = _schedule(order, steps=order.further_steps, rate=order.learning_rate / 2)
    folder = order.folder / FURTHER
    plan = {**plan, "plan": second.plan}
    trained = train(second, schedule, folder=folder, seed=order.seed, plan=plan, report=report)
    seconds = begun_with.history.seconds + trained.history.seconds
    return replace(trained, history=replace(trained.history, seconds=seconds))


def _pose(order: Order, splits: dict[str, Clips], *, body: LandmarkBody, report: Report) -> None:
    generator = torch.Generator().manual_seed(order.seed)
    held_out = {
        split: drawn_poses(PoseBank.of(splits[split]), _POSES_HELD_OUT, generator=generator)
        for split in ("val", "test")
    }
    torch.manual_seed(order.seed)
    lesson = PoseLesson(
        PosePrior(order.pose_plan.sizes),
        PoseBank.of(splits["train"]),
        body,
        plan=order.pose_plan,
        held_out=held_out["val"],
        seed=order.seed,
    )
    schedule = Schedule(
        steps=order.pose_steps,
        learning_rate=order.learning_rate,
        score_every=max(1, order.pose_steps // SCORE_TIMES),
    )
    folder = order.folder / "pose"
    plan = {"plan": order.pose_plan, "clips": len(splits["train"])}
    trained = train(lesson, schedule, folder=folder, seed=order.seed, plan=plan, report=report)
    network = trained.network
    assert isinstance(network, PosePrior)
    save_pose_prior(network, order.pose_output, metadata=_said(order))
    shipped = load_own_pose_prior(order.pose_output)
    with torch.no_grad():
        found = {split: pose_errors(shipped, each, body=body) for split, each in held_out.items()}
    cards.write(_pose_card(order, trained, found=found), of=order.pose_output)


def _begin(order: Order, splits: dict[str, Clips], *, body: LandmarkBody, report: Report) -> None:
    """How motions begin: from clips whose feet are right."""
    many, few = _FIRST_MOMENTS
    numbers = {
        split: _first_moments(clips, body, count=few if split != "train" else many, order=order)
        for split, clips in splits.items()
    }
    count = initial_state.COMPONENTS
    found = initial_state.fit(numbers["train"], components=count, seed=order.seed, report=report)
    single = initial_state.fit(numbers["train"], components=1, seed=order.seed, report=report)
    save_initial_state_prior(
        found.means,
        found.covariances,
        weights=found.weights,
        path=order.start_output,
        metadata=_said(order),
    )
    likelihoods = {
        split: (initial_state.likelihood(found, each), initial_state.likelihood(single, each))
        for split, each in numbers.items()
    }
    cards.write(_start_card(order, likelihoods), of=order.start_output)


def _first_moments(clips: Clips, body: LandmarkBody, *, count: int, order: Order) -> np.ndarray:
    """(count, 138) canonical first moments of people of a split."""
    known = tuple(clip for clip in clips if clip.feet_ok) or clips
    drawn = StretchBank.of(known, body).draw(count, 2, torch.Generator().manual_seed(order.seed))
    first = State(page_of(drawn).past.numbers[:, 0])
    return numbers_of(first).double().numpy()


def _schedule(order: Order, *, steps: int, rate: float) -> Schedule:
    return Schedule(
        steps=steps,
        learning_rate=rate,
        averaging=order.averaging,
        score_every=max(1, steps // SCORE_TIMES),
    )


def _said(order: Order) -> dict[str, str]:
    return {**_SAID, "seed": str(order.seed)}


def _command(order: Order) -> str:
    return (
        f"stripmocap train humor --data DIR --steps {order.steps} --batch {order.plan.people} "
        f"--hidden {order.plan.sizes.hidden}\n  --rate {order.learning_rate:g} "
        f"--averaging {order.averaging:g} --further-steps {order.further_steps} "
        f"--pose-steps {order.pose_steps} --seed {order.seed}"
    )


def _motion_card(
    order: Order, trained: Trained, *, found: dict[str, JudgedPrior], count: int
) -> str:
    plan, weights, after = order.plan, order.plan.weights, led_further(order.plan)
    slowest, fastest = SPEEDS
    return f"""# HuMoR's motion prior for the embedded body

A conditional variational autoencoder over transitions of 1/30 s: prior, posterior and decoder as in
`methods/humor/network.py`, states as in `methods/humor/state.py`. {count / 1e6:.1f} million weights
({plan.sizes.latent} latents, {plan.sizes.hidden} hidden units), half precision on disk.

- Data: CMU Graphics Lab Motion Capture Database, train clips, on the embedded body, as
  `training/humor_data.py` says: mirrored, {slowest:g} to {fastest:g} times as fast, some with
  others' arms, people of all shapes; a kind of motion, and a clip within it, weighs as the square
  root of its length. Ankles and toes count only where the data have them; wrists' rotations a
  tenth.
- {DATA_SAID}
- Body: the embedded one (CC0). No footage, no licensed model and no licensed weights took part.
- Command: `{_command(order)}`;
  PyTorch {torch.__version__.partition("+")[0]}, cpu;
  {trained.history.seconds / 60:.0f} minutes on one core.
- {order.steps} steps of {plan.people} windows of {plan.moments} transitions, towards the end of
  {plan.late_moments}: the first {100 * plan.free_from:.0f} % from true moments, from
  {100 * plan.free_at:.0f} % on {100 * plan.free_share:.0f} % of the windows from the network's own.
  Then {order.further_steps} steps of {after.people} windows of {after.moments},
  {100 * after.free_share:.0f} % of them its own, further from the truth (`humor.led_further`).
  AdamW, cosine to zero in both parts; the moving average of the weights is what is shipped.
- Losses: HuMoR's; of velocities {weights.regression:g}, of places and rotations {weights.places:g},
  of posed joints {weights.body_joints:g}, of 33 landmarks instead of the mesh {weights.mesh:g},
  consistency {weights.consistency:g}, contacts {weights.contacts:g}, their velocity
  {weights.contact_velocity:g}, divergence {weights.divergence:g}.

Scores on stretches of two seconds of subjects who were not learnt from, whose feet are known
(`training/held_out_humor.py`). Sinking is told by heels and toe tips.

{scores_page(found)}

The weights may be used and passed on under this repository's licence.
"""


def _pose_card(order: Order, trained: Trained, *, found: dict[str, dict[str, float]]) -> str:
    rows = "\n".join(
        f"| {split} | {each['joints mm']:.1f} | {each['squared length']:.1f} |"
        for split, each in found.items()
    )
    sizes = order.pose_plan.sizes
    return f"""# HuMoR's pose prior for the embedded body

A variational autoencoder of VPoser's form over poses of 21 joints (`methods/humor/pose_prior.py`):
{sizes.latent} latents, {sizes.hidden} hidden units, half precision on disk.

- Data: CMU Graphics Lab Motion Capture Database, train clips, combined and stirred as
  `training/poses.py` says.
- {DATA_SAID}
- Command: `{_command(order)}`;
  {order.pose_steps} steps of {order.pose_plan.people} poses;
  {trained.history.seconds / 60:.0f} minutes on one core.
- What is minimised is the evidence bound: `training/latent_poses.py`.

Moments of subjects who were not learnt from, as they were:

| subjects | joints off after the latents, mm | squared length of latents |
|---|---|---|
{rows}

The weights may be used and passed on under this repository's licence.
"""


def _start_card(order: Order, likelihoods: dict[str, tuple[float, float]]) -> str:
    rows = "\n".join(
        f"| {split} | {mixed:.1f} | {single:.1f} |"
        for split, (mixed, single) in likelihoods.items()
    )
    return f"""# How motions begin: HuMoR's mixture for the embedded body

{initial_state.COMPONENTS} Gaussians with full covariance over 138 numbers of a canonical first
moment (`methods/humor/initial_state.py`). Arrays `means`, `covariances`, `weights`, float32.

- Data: CMU Graphics Lab Motion Capture Database, train clips whose feet are right, as
  `training/humor_data.py` says; {_FIRST_MOMENTS[0]} moments.
- {DATA_SAID}
- Command: `{_command(order)}`.
- Each Gaussian borrows from the spread that all have in common ({initial_state.SHRINKAGE:g} of all
  moments).

| subjects | mean log likelihood, nats a moment | one Gaussian |
|---|---|---|
{rows}

The mixture may be used and passed on under this repository's licence.
"""
