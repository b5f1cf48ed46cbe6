"""`stripmocap train spin`: a regressor taught with SMPLify in the loop, from pictures or keypoints.

Beside the weights stand the dictionaries of best fits, one `<dataset>_fits.npy` a dataset; they
are read again by the next training that is given their folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..contract import body_file
from ..contract.body_file import BodyTemplate
from ..contract.errors import DiskFull, RequestError
from ..methods.hmr.keypoint_network import KeypointNetwork
from ..methods.hmr.pixel_network import PixelNetwork, spin_name
from ..methods.hmr.weights import (
    load_keypoint_network,
    load_pixel_network,
    save_keypoint_network,
)
from ..methods.smplify import paper
from ..methods.smplify.priors import PosePrior
from . import cards, hmr, hmr_run, resuming, spin, spin_dataset
from .fits import Fits
from .loop import Report, Schedule, Trained, train
from .mocap import load_clips
from .spin import FitsInTheLoop, Rules, School
from .spin_dataset import PixelPages
from .spin_keypoints import KeypointPages
from .spin_lesson import Pages, SpinLesson
from .synthetic import LandmarkBody, Sampler

MOCAP = "mocap"  # the dictionary's name where people are drawn
HELD_OUT, HELD_OUT_SEED = 2048, 7  # people who are not learnt from
SAVES = 20  # of the dictionaries, in a training


@dataclass(frozen=True)
class Order:
    """One training in the loop, whole."""

    output: Path  # .safetensors of a keypoint network, .pt of a pixel network
    folder: Path  # of the checkpoint and the curves
    data: tuple[Path, ...] = ()  # datasets in SPIN's layout, or
    mocap: Path | None = None  # a folder of clips
    images: Path | None = None
    body: Path = body_file.EMBEDDED_BODY
    start: Path | None = None  # weights
    solver: str = "fast"  # one of spin.SOLVERS
    fits: Path | None = None
    samples: int = 20_000
    known: float = 0.05  # share of the samples
    steps: int = 20_000
    batch: int = 64
    rate: float = 5e-5
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if bool(self.data) == (self.mocap is not None):
            raise RequestError(
                "people come either from datasets or from clips",
                hint="Give one of --data and --mocap.",
            )
        if not 0 <= self.known <= 1:
            raise RequestError(f"{self.known} is no share", hint="Give 0 to 1.")
        suffix = ".pt" if self.data else ".safetensors"
        if self.output.suffix != suffix:
            looks_at = "pictures" if self.data else "keypoints"
            raise RequestError(
                f"{self.output} would hold a network for {looks_at}",
                hint=f"Let its name end in {suffix}.",
            )

    @property
    def shelf(self) -> Path:
        """The folder of the dictionaries."""
        return self.fits or self.folder / "fits"

    @property
    def schedule(self) -> Schedule:
        """As published: the rate does not fall."""
        return Schedule(
            self.steps,
            learning_rate=self.rate,
            shape="constant",
            score_every=max(1, self.steps // SAVES),
        )

    def told(self, datasets: Sequence[tuple[str, int]]) -> dict[str, Any]:
        """What else than schedule and seed tells this training from others, for `loop.train`."""
        return {
            "datasets": {name: count for name, count in datasets},
            "solver": self.solver,
            "known": self.known,
            "batch": self.batch,
            "body": resuming.digest_of(self.body),
            "start": resuming.digest_of(self.start),
        }


@dataclass(frozen=True, eq=False)
class _Class:
    """Who is taught, from what, and by whose judgement."""

    network: nn.Module
    pages: Pages
    rules: Rules
    datasets: Sequence[tuple[str, int]]  # names and lengths
    judge: Callable[[nn.Module], dict[str, float]]


def main(order: Order, *, report: Report) -> dict[str, float]:
    """Trains as ordered; writes weights, card and dictionaries. The last scores.

    Raises:
        AssetMissing, AssetCorrupt: the data are not there, or not what they should be.
        Cancelled, RequestError, DiskFull, TrainingFailed: see `loop.train`.
    """
    torch.manual_seed(order.seed)
    template = body_file.load(order.body)
    one = _of_pictures(order) if order.data else _of_keypoints(order, template)
    fits = load_fits(order.shelf, one.datasets)
    school = School(
        paper.reduced_points(template, device=order.device),
        PosePrior.load(device=order.device),
        one.rules,
    )

    def judge(network: nn.Module) -> dict[str, float]:
        save_fits(fits, order.shelf, one.datasets)
        return one.judge(network)

    lesson = SpinLesson(
        one.network.to(order.device),
        one.pages,
        FitsInTheLoop(school, fits, spin.SOLVERS[order.solver]),
        school=school,
        fits=fits,
        batch=order.batch,
        seed=order.seed,
        judge=judge,
        device=order.device,
    )
    trained = train(
        lesson,
        order.schedule,
        folder=order.folder,
        seed=order.seed,
        plan=order.told(one.datasets),
        report=report,
    )
    _save(order, trained)
    return {name: values[-1][1] for name, values in trained.history.scores.items()}


def load_fits(shelf: Path, datasets: Sequence[tuple[str, int]]) -> Fits:
    """The dictionaries of all datasets, one after the other; unknown where there is no file."""
    parts = []
    for name, count in datasets:
        path = shelf / f"{name}_fits.npy"
        parts.append(Fits.load(path, count=count) if path.is_file() else Fits.unknown(count))
    return Fits(torch.cat([each.numbers for each in parts]))


def save_fits(fits: Fits, shelf: Path, datasets: Sequence[tuple[str, int]]) -> None:
    """Writes each dataset's part into a file of its own.

    Raises:
        DiskFull: the folder cannot be written to.
    """
    try:
        shelf.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskFull(
            f"{shelf} cannot be made ({error})", hint="Choose another folder."
        ) from error
    parts = fits.numbers.split([count for _, count in datasets])
    for (name, _), part in zip(datasets, parts, strict=True):
        Fits(part).save(shelf / f"{name}_fits.npy")


def _of_pictures(order: Order) -> _Class:
    datasets = [spin_dataset.load(path, images=order.images) for path in order.data]
    names = [each.name for each in datasets]
    if len(set(names)) < len(names):
        raise RequestError(
            f"two datasets are called {max(names, key=names.count)}",
            hint="Rename one: its dictionary of fits bears its name.",
        )
    network = PixelNetwork() if order.start is None else load_pixel_network(order.start)
    return _Class(
        network,
        PixelPages(datasets, device=order.device),
        spin.PUBLISHED,
        [(each.name, len(each)) for each in datasets],
        judge=lambda _: {},
    )


def _of_keypoints(order: Order, template: BodyTemplate) -> _Class:
    assert order.mocap is not None
    clips = {split: load_clips(order.mocap, split) for split in ("train", "val")}
    body = LandmarkBody.from_template(template)
    samples = Sampler(clips["train"], body, seed=order.seed).draw(order.samples)
    held_out = Sampler(clips["val"], body, seed=HELD_OUT_SEED).draw(HELD_OUT).to(order.device)
    judged = LandmarkBody.from_template(template, device=order.device)
    informed = torch.rand(order.samples) < order.known
    points = paper.reduced_points(template)
    if order.start is None:
        network = KeypointNetwork.of(hmr_run.SIZES)
    else:
        network = load_keypoint_network(order.start)

    def judge(found: nn.Module) -> dict[str, float]:
        errors = hmr.errors(found, held_out, body=judged)
        return {name: float(each.mean()) for name, each in errors.items()}

    return _Class(
        network,
        KeypointPages(samples, points, informed=informed, device=order.device),
        spin.DETECTED,
        [(MOCAP, order.samples)],
        judge,
    )


def _save(order: Order, trained: Trained) -> None:
    """Writes the weights and their card."""
    network = trained.network.cpu()
    order.output.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(network, KeypointNetwork):
        said = {"trained by": "stripmocap train spin", "seed": str(order.seed)}
        save_keypoint_network(network, order.output, metadata=said)
    else:
        # In the form that SPIN publishes, so that it is read where SPIN's own is.
        state = {spin_name(name): each for name, each in network.state_dict().items()}
        resuming.save(order.output, {"model": state})
    cards.write(card_of(order, trained), of=order.output)


def card_of(order: Order, trained: Trained) -> str:
    """What the weights are, from what, and how, as Markdown."""
    scores = "\n".join(
        f"| {name} | {values[0][1]:.1f} | {values[-1][1]:.1f} |"
        for name, values in trained.history.scores.items()
    )
    if order.data:
        people = f"{len(order.data)} datasets: {', '.join(each.stem for each in order.data)}"
    else:
        people = (
            f"{order.samples} synthetic people from CMU's train clips; of "
            f"{100 * order.known:g} % the body was known.\n"
            f"  {hmr_run.DATA_SAID}"
        )
    return f"""# A regressor taught with SMPLify in the loop

- Data: {people}
- Fits: {order.solver} solver, from the network's own answers; the better ones were kept.
- {order.steps} steps of {order.batch}, rate {order.rate:g}, seed {order.seed}; \
{trained.history.seconds / 60:.0f} minutes on {order.device}.

| score | first | last |
|---|---|---|
{scores}
"""
