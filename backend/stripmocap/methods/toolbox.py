"""What a method is handed, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch

from ..contract.body_file import BodyTemplate
from ..contract.messages import Clip
from ..contract.motion import Camera, Motion
from ..people.journal import Journal
from ..people.observations import Person

FRAMES_AT_ONCE = 300  # that are solved together: bounds memory, whatever the length of the video

Report = Callable[[str, int, int], None]  # stage, done, of; may raise Cancelled


@dataclass(frozen=True, eq=False)
class Tools:
    """What every method needs; loading with it is slow and happens once."""

    body: BodyTemplate
    device: torch.device
    height_m: float | None = None  # the actor's, where it is known
    pose_prior: Path | None = None  # a file of its own; None: the shipped one
    network: Path | None = None  # the weights of a network; None: the shipped ones
    backbone: Path | None = None  # the weights of what that reads the features of; None: nothing
    networks: Mapping[str, Path] = field(default_factory=dict)  # all that the method needs, by name
    frames_at_once: int = FRAMES_AT_ONCE  # fewer need less memory


@dataclass(frozen=True, eq=False)
class Estimate:
    """Everybody's motion, and the camera with the world that was found under their feet."""

    camera: Camera
    motions: tuple[Motion, ...]
    notes: tuple[str, ...] = ()  # what a person should know of how it went, in sentences


Publish = Callable[[Estimate], None]  # handed what is finished of a long shot, ever more of it


class Estimator(Protocol):
    """People go in together: a fit runs over all of them at once, and they share one ground.

    `start` is what an estimator made of the same people, where this one refines; `clip` is the
    footage, for those that look at it again.
    """

    def __call__(  # noqa: D102
        self,
        people: Sequence[Person],
        camera: Camera,
        report: Report,
        *,
        start: Estimate | None = None,
        clip: Clip | None = None,
        publish: Publish | None = None,
        journal: Journal | None = None,
    ) -> Estimate: ...
