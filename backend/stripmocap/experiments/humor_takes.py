"""Chains of methods tried on the same people, every step of a chain made once.

Estimators get what the detector would report of a shot; refiners start from what stands before
them in their chain, as in a capture.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from .. import bodies
from ..contract.methods import METHODS, HumorOptions, Options
from ..contract.motion import Camera
from ..evaluation.grounded import Grounded, judge
from ..evaluation.soles import SoleBody
from ..methods.catalogue import ESTIMATORS
from ..methods.toolbox import Estimate, Estimator, Tools
from ..people.observations import Person
from ..training.humor_run import POSE_SUFFIX, START_SUFFIX
from .humor_shots import FloorShot

Step = tuple[str, Options]  # a method and what was chosen of it
Made = dict[tuple[Step, ...], tuple[Estimate, float]]  # estimates, and the seconds of their last


@dataclass(frozen=True)
class Chain:
    """A way to a take."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class Tried:
    """What a chain came to on a shot."""

    chain: str
    shot: str
    kind: str
    found: Grounded
    seconds: float  # of processors, of its last step
    estimate: Estimate  # of the shot's one person


def chain(*keys: str, name: str = "", **chosen: Options) -> Chain:
    """The chain of methods `keys`, with their usual options but for those `chosen`."""
    steps = tuple((key, chosen.get(key) or METHODS[key].options()) for key in keys)
    return Chain(name or "+".join(keys), steps)


def takes() -> tuple[Chain, ...]:
    """The chains that are compared, the first of them being what the others are measured by."""
    ways = (("vibe",), ("vibe", "smplify"), ("vibe", "humor"), ("vibe", "smplify", "humor"))
    return tuple(chain(*keys) for keys in ways)


def ablations(base: Sequence[str]) -> tuple[Chain, ...]:
    """The chain of methods `base`, which ends with humor, and the same without a part of it."""
    return (
        chain(*base),
        chain(*base, name="no prior", humor=HumorOptions(prior=0.0)),
        chain(*base, name="no contacts", humor=HumorOptions(contacts=0.0)),
        chain(*base, name="neither", humor=HumorOptions(prior=0.0, contacts=0.0)),
    )


def solvers(base: Sequence[str]) -> tuple[Chain, ...]:
    """The chain of methods `base`, which ends with humor, by each of its solvers."""
    return (
        chain(*base, name="fast"),
        chain(*base, name="paper", humor=HumorOptions(solver="paper")),
    )


def made_with(prior: Path) -> dict[str, Path]:
    """The files that a training put beside a motion prior, by the names that methods know."""
    return {
        f"humor{suffix}_embedded": prior.with_stem(prior.stem + suffix)
        for suffix in (POSE_SUFFIX, START_SUFFIX)
    }


class Bench:
    """The methods on the embedded body, each loaded once."""

    def __init__(self, *, networks: Mapping[str, Path]) -> None:
        """A bench whose methods read their weights from `networks`, the shipped ones if absent.

        Beside HuMoR's lie those that its training made with it.
        """
        self._template = bodies.embedded("neutral")
        self._networks = networks
        self._loaded: dict[Step, Estimator] = {}
        self.soles = SoleBody.from_template(self._template)

    def tried(self, chains: Sequence[Chain], shot: FloorShot) -> list[Tried]:
        """Every chain on a shot."""
        made: Made = {}
        return [self._tried(each, shot, made) for each in chains]

    def made(
        self,
        steps: tuple[Step, ...],
        people: Sequence[Person],
        camera: Camera,
        known: Made,
    ) -> tuple[Estimate, float]:
        """What `steps` make, and the seconds of the last; what is `known` is not made again."""
        if steps not in known:
            start = self.made(steps[:-1], people, camera, known)[0] if steps[:-1] else None
            estimator = self._estimator(steps[-1])
            began = time.process_time()
            estimate = estimator(people, camera, _silent, start=start)
            known[steps] = estimate, time.process_time() - began
        return known[steps]

    def tools(self, key: str) -> Tools:
        """What the method `key` is loaded with."""
        tools = Tools(self._template, torch.device("cpu"))
        if key not in self._networks:
            return tools
        path = self._networks[key]
        networks = made_with(path) if key == "humor" else {}
        return replace(tools, network=path, networks=networks)

    def know(self, step: Step, estimator: Estimator) -> None:
        """Has a step of chains made by `estimator`."""
        self._loaded[step] = estimator

    def _tried(
        self,
        chain: Chain,
        shot: FloorShot,
        made: Made,
    ) -> Tried:
        estimate, seconds = self.made(chain.steps, [shot.shot.person()], shot.camera, made)
        (motion,) = estimate.motions
        found = judge(motion, estimate.camera, shot.truth, body=self.soles, hidden=shot.hidden)
        name, kind = shot.shot.name, shot.shot.kind
        return Tried(chain.name, name, kind, found, seconds, estimate)

    def _estimator(self, step: Step) -> Estimator:
        if step not in self._loaded:
            key, options = step
            self._loaded[step] = ESTIMATORS[key]["embedded"](self.tools(key), options)
        return self._loaded[step]


def _silent(stage: str, done: int, of: int) -> None:
    pass
