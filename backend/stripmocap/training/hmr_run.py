"""`stripmocap train hmr`: the shipped keypoint network, from free mocap to file and card."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from ..contract.errors import RequestError
from ..methods.features.keypoints import NUMBERS
from ..methods.hmr.keypoint_network import KeypointNetwork, Sizes
from ..methods.hmr.weights import load_keypoint_network, save_keypoint_network
from . import cards, resuming
from .held_out import HeldOut, KindErrors, judged
from .hmr import KeypointLesson, Plan
from .loop import Report, Schedule, Trained, train
from .mocap import Clips, load_clips
from .synthetic import Sampler, embedded_body

SIZES = Sizes(features=512, blocks=4, hidden=256, numbers=NUMBERS)
_FIRST = "encoder.first.0.weight"
SCORE_TIMES = 12  # in a training
DATA_SAID = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. The database was created\n"
    "  with funding from NSF EIA-0196217."
)


@dataclass(frozen=True)
class Order:
    """One training of the shipped network, whole."""

    data: Path  # folder of clips
    output: Path  # .safetensors; the card is put beside it
    folder: Path  # of the checkpoint and the curves
    steps: int = 27000
    learning_rate: float = 1e-3
    averaging: float = 0.999
    seed: int = 0
    sizes: Sizes = SIZES
    plan: Plan = field(default_factory=Plan)
    device: str = "cpu"
    start: Path | None = None  # weights to begin with; None: random ones

    @property
    def schedule(self) -> Schedule:
        """How long and how fast it learns."""
        return Schedule(
            steps=self.steps,
            learning_rate=self.learning_rate,
            averaging=self.averaging,
            score_every=max(1, self.steps // SCORE_TIMES),
        )

    def told(self, clips: Clips) -> dict[str, Any]:
        """What else than schedule and seed tells this training from others, for `loop.train`."""
        start = resuming.digest_of(self.start)
        return {"plan": self.plan, "start": start, "clips": len(clips)}


def best_device() -> str:
    """A graphics card where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def main(order: Order, *, report: Report) -> KindErrors:
    """Trains as ordered and writes the weights and their card; the errors on the test people.

    Raises:
        AssetMissing, AssetCorrupt: the data are not there, or not what they should be.
        Cancelled, RequestError, DiskFull, TrainingFailed: see `loop.train`.
    """
    body = embedded_body()
    splits = {split: load_clips(order.data, split) for split in ("train", "val", "test")}
    # Seeded before the network is made, so that it begins alike.
    torch.manual_seed(order.seed)
    lesson = KeypointLesson(
        # No sample comes twice, so there is nothing to learn by heart.
        begun(order).to(order.device),
        Sampler(splits["train"], body, seed=order.seed, device=order.device),
        embedded_body(device=order.device),
        plan=order.plan,
        held_out=HeldOut.of(splits["val"], body).samples.to(order.device),
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
    assert isinstance(network, KeypointNetwork)
    order.output.parent.mkdir(parents=True, exist_ok=True)
    said = {"trained by": "stripmocap train hmr", "seed": str(order.seed)}
    save_keypoint_network(network, order.output, metadata=said)
    # What is shipped is judged, not what was trained: half precision lies between them.
    shipped = load_keypoint_network(order.output)
    found = {
        split: judged(shipped, HeldOut.of(splits[split], body), body=body)
        for split in ("val", "test")
    }
    card = card_of(order, trained, found=found, network=shipped)
    cards.write(card, of=order.output)
    return found["test"][0]


def begun(order: Order) -> KeypointNetwork:
    """The network that learns, as it is before the first step.

    Weights to begin with may be of a network that heard fewer numbers: what it did not hear counts
    for nothing at first.

    Raises:
        AssetMissing, AssetCorrupt: they cannot be read.
        RequestError: they are of a network of other sizes.
    """
    network = KeypointNetwork.of(order.sizes, dropout=0.0)
    if order.start is None:
        return network
    found = load_keypoint_network(order.start)
    if replace(found.sizes, numbers=0) != replace(order.sizes, numbers=0) or (
        found.sizes.numbers > order.sizes.numbers
    ):
        raise RequestError(
            f"{order.start} holds a network of {found.sizes}, not of {order.sizes}",
            hint="Begin with the weights of such a network, or without any.",
        )
    state = found.state_dict()
    unheard = order.sizes.numbers - found.sizes.numbers
    state[_FIRST] = torch.nn.functional.pad(state[_FIRST], (0, unheard))
    network.load_state_dict(state)
    return network


def card_of(
    order: Order,
    trained: Trained,
    *,
    found: dict[str, list[KindErrors]],
    network: KeypointNetwork,
) -> str:
    """What the weights are, from what, how, and how good, as Markdown."""
    count = sum(each.numel() for each in network.parameters())
    weights = order.plan.weights
    critic = f"weight {weights.critic:g}" if weights.critic else "not used"
    table = "\n".join(
        f"| {split} | {row.kind} | {row.frames} | {row.pa_mpjpe_mm:.1f} | {row.mpjpe_mm:.1f} |"
        for split, rows in found.items()
        for row in rows
    )
    sizes = order.sizes
    return f"""# SPIN's regressor for keypoints

BlazePose's 33 keypoints of one frame, and its guess at their depth, to a body: rotations, shape,
weak camera, as in `methods/hmr/keypoint_network.py`. {count / 1e6:.1f} million weights
({sizes.features} features, {sizes.blocks} blocks, {sizes.hidden} in the regressor), half precision
on disk.

- Data: CMU Graphics Lab Motion Capture Database, train clips, varied and photographed as
  `training/synthetic.py` says; BlazePose's noise as measured in `training/noise.py`.
- {DATA_SAID}
- Body: the embedded one (CC0). No footage, no licensed model and no licensed weights took part.
- Command: `stripmocap train hmr --data DIR --steps {order.steps} --batch {order.plan.batch}
  --rate {order.learning_rate:g} --averaging {order.averaging:g} --seed {order.seed}{_from(order)}`;
  PyTorch {torch.__version__.partition("+")[0]}, {order.device};
  {trained.history.seconds / 60:.0f} minutes.
- {order.steps} steps of {order.plan.batch} samples, none of them twice; AdamW, cosine to zero; the
  moving average of the weights is what is shipped.
- Losses: keypoints {weights.keypoints:g}, joints {weights.joints:g}, rotations {weights.rotmat:g},
  shape {weights.betas:g}; the critic of `training/adversarial.py`: {critic}.

Errors over shots of subjects who were not learnt from (`training/shots.py`: one camera a clip,
BlazePose's noise, things in the way; every third frame), twelve limb joints, one forward pass a
frame:

| subjects | what they do | frames | PA-MPJPE mm | MPJPE mm |
|---|---|---|---|---|
{table}

The weights may be used and passed on under this repository's licence.
"""


def _from(order: Order) -> str:
    return "" if order.start is None else f" --start {order.start.name}"
