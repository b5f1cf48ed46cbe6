"""`stripmocap train vibe`: the shipped temporal network, from free mocap to file and card."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..methods.hmr.keypoint_network import Sizes as SingleSizes
from ..methods.hmr.regressor import folded
from ..methods.hmr.weights import load_keypoint_network
from ..methods.vibe.keypoint_network import Sizes, TemporalNetwork
from ..methods.vibe.keypoint_weights import load_temporal_network, save_temporal_network
from . import cards, resuming
from .held_out import SEED
from .held_out_motion import Judged, judged_motion, judged_shots
from .hmr_run import DATA_SAID
from .loop import Report, Schedule, Trained, train
from .mocap import Clips, load_clips
from .sequences import MotionSampler
from .shots import Shot, shots
from .synthetic import LandmarkBody, embedded_body
from .vibe import Plan, VibeLesson

SCORE_TIMES = 10  # in a training
_HEAD = (
    "| subjects | what they do | frames | PA-MPJPE mm | MPJPE mm | accel. error m/s² | hidden |\n"
    "|---|---|---|---|---|---|---|"
)
_BEGUN = ("encoder.", "states.")  # parts of the network that single frames have taught
_LEAST_SPREAD = 0.05  # of a number of the pose: some hardly change
_USUAL = (64, 32)  # people and frames that tell what is usual
START_SHARE = 0.1  # of the usual first weights, of what the temporal encoders add


@dataclass(frozen=True)
class Order:
    """One training of the shipped temporal network, whole."""

    data: Path  # folder of clips
    output: Path  # .safetensors; the card is put beside it
    folder: Path  # of the checkpoint and the curves
    start: Path | None = None  # a keypoint network, of single frames; None: random weights
    steps: int = 2000
    learning_rate: float = 2e-3
    averaging: float = 0.998
    seed: int = 0
    memory: int = Sizes().memory
    gentle_share: float = 0.0  # of the rate, at which the parts that are begun with learn on
    plan: Plan = field(default_factory=Plan)
    device: str = "cpu"

    @property
    def schedule(self) -> Schedule:
        """How long and how fast it learns."""
        return Schedule(
            steps=self.steps,
            learning_rate=self.learning_rate,
            averaging=self.averaging,
            gentle=_BEGUN if self.start else (),
            gentle_share=self.gentle_share if self.start else 1.0,
            score_every=max(1, self.steps // SCORE_TIMES),
        )

    def told(self, clips: Clips) -> dict[str, Any]:
        """What else than schedule and seed tells this training from others, for `loop.train`."""
        start = resuming.digest_of(self.start)
        return {"plan": self.plan, "start": start, "clips": len(clips)}


def main(order: Order, *, report: Report) -> Judged:
    """Trains as ordered and writes the weights and their card; the errors on the test people.

    Raises:
        AssetMissing, AssetCorrupt: the data or the weights to begin with are not there, or not
            what they should be.
        Cancelled, RequestError, DiskFull, TrainingFailed: see `loop.train`.
    """
    body = embedded_body()
    splits = {split: load_clips(order.data, split) for split in ("train", "val", "test")}
    torch.manual_seed(order.seed)  # before the network is made, so that it begins alike
    network = begun(order.start, memory=order.memory)
    usual = MotionSampler(splits["train"], body, seed=order.seed + 1).draw(*_USUAL)
    standardise(network, usual.over_time(usual.view().numbers))
    if order.start and not order.gentle_share:
        for name, each in network.named_parameters():
            each.requires_grad_(not name.startswith(_BEGUN))
    lesson = VibeLesson(
        network.to(order.device),
        MotionSampler(splits["train"], body, seed=order.seed, device=order.device),
        embedded_body(device=order.device),
        plan=order.plan,
        held_out=held_out_shots(splits["val"], body),
        device=order.device,
    )
    trained = train(
        lesson,
        order.schedule,
        folder=order.folder,
        seed=order.seed,
        plan=order.told(splits["train"]),
        report=report,
    )
    network = trained.network.cpu()
    assert isinstance(network, TemporalNetwork)
    order.output.parent.mkdir(parents=True, exist_ok=True)
    said = {"trained by": "stripmocap train vibe", "seed": str(order.seed)}
    save_temporal_network(network, order.output, metadata=said)
    # What is shipped is judged, not what was trained: half precision lies between them.
    shipped = load_temporal_network(order.output)
    found = _tables(order, shipped, splits, body=body)
    cards.write(card_of(order, trained, found=found, network=shipped), of=order.output)
    return found["test"][0]


def held_out_shots(clips: Clips, body: LandmarkBody) -> tuple[Shot, ...]:
    """One shot of each clip, always the same: those that single frames are judged on."""
    return tuple(shots(clips, body, seed=SEED))


def begun(start: Path | None, *, memory: int) -> TemporalNetwork:
    """The network that learns, as it is before the first step: single frames, averaged.

    Raises:
        AssetMissing, AssetCorrupt: there is no keypoint network in the file `start`.
    """
    single = None if start is None else load_keypoint_network(start)
    found = Sizes(memory=memory) if single is None else sizes_of(single.sizes, memory=memory)
    network = TemporalNetwork(found, dropout=0.0)  # no sequence comes twice
    for encoder in (network.onward, network.back):
        for each in encoder.linear.parameters():
            each.data *= START_SHARE
    if single is not None:
        network.encoder.load_state_dict(single.encoder.state_dict())
        network.states.load_state_dict(folded(single.regressor.eval()).affine.state_dict())
    return network


@torch.no_grad()
def standardise(network: TemporalNetwork, numbers: Tensor) -> None:
    """Brings the poses that are averaged to one scale; the bodies stay what they are.

    Args:
        network: as it is begun; its temporal encoders add nearly nothing.
        numbers: (N, T, NUMBERS) of usual views.
    """
    reading = network.regressor
    reading.middle.zero_()
    reading.spread.fill_(1.0)
    states = network.poses(numbers)[0].flatten(0, 1)
    reading.middle.copy_(states.mean(dim=0))
    reading.spread.copy_(states.std(dim=0).clamp(min=_LEAST_SPREAD))


def sizes_of(single: SingleSizes, *, memory: int) -> Sizes:
    """Of a temporal network that begins with a network of single frames."""
    return Sizes(single.features, single.blocks, memory=memory, numbers=single.numbers)


def _tables(
    order: Order, network: TemporalNetwork, splits: dict[str, Clips], *, body: LandmarkBody
) -> dict[str, list[Judged]]:
    """By a table's name, the errors of the network and of the one that it began with."""
    found: dict[str, list[Judged]] = {}
    for split in ("val", "test"):
        people = held_out_shots(splits[split], body)
        found[split] = judged_motion(network, people, body=body)
        if order.start is not None:
            single = load_keypoint_network(order.start)
            found[f"{split}, single frames"] = judged_shots(single, people, body=body)[:1]
    return found


def card_of(
    order: Order,
    trained: Trained,
    *,
    found: dict[str, list[Judged]],
    network: TemporalNetwork,
) -> str:
    """What the weights are, from what, how, and how good, as Markdown."""
    count = sum(each.numel() for each in network.parameters())
    plan = order.plan
    return f"""# VIBE's temporal network for keypoints

BlazePose's 33 keypoints over time, 30 frames a second, and its guesses at their depth, to bodies:
rotations, shape, weak camera, as in `methods/vibe/keypoint_network.py`. {count / 1e6:.1f} million
weights, half precision on disk; those that look at single frames are among them.

- Data: CMU Graphics Lab Motion Capture Database, train clips, pieces of {plan.frames} frames,
  varied and photographed as `training/sequences.py` says; BlazePose's noise over time as measured
  in `training/noise.py`; things in the way, frames in which nobody is found, footage of 12 to 120
  frames a second.
- {DATA_SAID}
- Body: the embedded one (CC0). No footage, no licensed model and no licensed weights took part.
- Command: `{_command(order)}`;
  PyTorch {torch.__version__.partition("+")[0]}, {order.device};
  {trained.history.seconds / 60:.0f} minutes.{_begun_with(order)}
- {order.steps} steps of {plan.people} people, none of them twice; AdamW, cosine to zero; the moving
  average of the weights is what is shipped.
- Losses: {_losses(plan)}.

Errors over shots of subjects who were not learnt from (`training/shots.py`: one camera a clip,
BlazePose's noise, things in the way), twelve limb joints, each clip read whole. The last column is
of the frames in which a thing covers four landmarks or more. "Single frames" is the network that
this one began with, on the same shots.

{_HEAD}
{_rows(found)}

The weights may be used and passed on under this repository's licence.
"""


def _losses(plan: Plan) -> str:
    each, motion = plan.weights, plan.motion
    critic = f"weight {motion.critic:g}" if motion.critic else "not used"
    return (
        f"keypoints {each.keypoints:g}, joints {each.joints:g}, rotations {each.rotmat:g}, shape "
        f"{each.betas:g} as in `training/losses.py`;\n  velocity {motion.velocity:g}, acceleration "
        f"{motion.acceleration:g}, turning {motion.turning:g}, one shape {motion.shape:g}, limbs "
        f"after each frame's best\n  similarity {plan.aligned:g} as in `training/vibe.py`;\n"
        "  the motion discriminator of `training/motion_discriminator.py`: "
        f"{critic}"
    )


def _rows(found: dict[str, list[Judged]]) -> str:
    lines = []
    for split, rows in found.items():
        for row in rows:
            figures = " | ".join(f"{each:.1f}" if each else "-" for each in row.figures)
            lines.append(f"| {split} | {row.kind} | {row.frames} | {figures} |")
    return "\n".join(lines)


def _command(order: Order) -> str:
    plan, motion = order.plan, order.plan.motion
    start = "" if order.start is None else f" --start {order.start.name}"
    return (
        f"stripmocap train vibe --data DIR{start} --steps {order.steps}\n"
        f"  --batch {plan.people} --frames {plan.frames} --rate {order.learning_rate:g} "
        f"--gentle {order.gentle_share:g} --averaging {order.averaging:g}\n"
        f"  --memory {order.memory} --critic {motion.critic:g} --seed {order.seed}"
    )


def _begun_with(order: Order) -> str:
    if order.start is None:
        return ""
    digest = resuming.digest_of(order.start)
    return f"\n  {order.start.name} was the file with the checksum\n  sha256 {digest}"
