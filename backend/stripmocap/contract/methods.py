"""What can be run: each method with its label, what it needs, and what a person may choose.

The add-on draws its menus from `METHODS` without torch; the backend's tables of implementations
have the same keys (a house test). An estimator makes motion of what is seen; a refiner starts from
what an estimator made. Options are frozen records whose defaults are good for most footage; numbers
outside their bounds are refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from .errors import RequestError
from .motion import TAKE_LABELS

# Which poses are taken to be likely: by name, the row in the backend's table of files.
POSE_PRIORS = {"embedded": "pose_prior", "smplify": "smplify_prior"}
Conventions = Literal["house", "published"]
Solver = Literal["fast", "paper"]
HEIGHT_RANGE_M = (1.0, 2.3)  # grown people, with room to spare


@dataclass(frozen=True)
class SmplifyOptions:
    """What a person may choose about the fit of a body to keypoints over time."""

    depth_cue: float = field(default=1.0, metadata={"min": 0.0, "max": 10.0})
    """Weight of the detector's own 3D landmarks, 0 switches them off."""
    smoothness: float = field(default=1.0, metadata={"min": 0.0, "max": 100.0})
    """Weight of steady acceleration, 0 fits every frame alone."""
    contacts: float = field(default=1.0, metadata={"min": 0.0, "max": 100.0})
    """Weight of feet that stay put while the picture shows them at rest, 0 lets them slide."""

    def __post_init__(self) -> None:
        for each in fields(self):
            _check_number(self, each.name)


@dataclass(frozen=True)
class SpinOptions:
    """The regressor has nothing to choose: it looks at each frame once."""


@dataclass(frozen=True)
class VibeOptions:
    """What a person may choose about bodies over time."""

    smooth: float = field(default=0.0, metadata={"min": 0.0, "max": 10.0})
    """Strength of a One-Euro filter behind the network, 0 switches it off."""
    conventions: Conventions = field(default="house", metadata={"choices": get_args(Conventions)})
    """Official weights alone know others: boxes, pieces and camera as they were published."""

    def __post_init__(self) -> None:
        _check_number(self, "smooth")
        _check_choice(self, "conventions")


@dataclass(frozen=True)
class HumorOptions:
    """What a person may choose about motion that is refined by how people move."""

    prior: float = field(default=1.0, metadata={"min": 0.0, "max": 10.0})
    """Weight of how people usually move, against what is seen; 0 switches it off."""
    contacts: float = field(default=1.0, metadata={"min": 0.0, "max": 100.0})
    """Weight of feet and hands that stay where they touch the ground, 0 lets them slide."""
    solver: Solver = field(default="fast", metadata={"choices": get_args(Solver)})
    """Ours, which takes seconds, or the paper's three stages, which take minutes a second."""

    def __post_init__(self) -> None:
        _check_number(self, "prior")
        _check_number(self, "contacts")
        _check_choice(self, "solver")


Options = SmplifyOptions | SpinOptions | VibeOptions | HumorOptions


@dataclass(frozen=True)
class Weights:
    """What a method runs on, in one of the ways in which it can be had."""

    needs: tuple[str, ...]  # names of rows in the backend's table of files
    licence: str  # SPDX identifier of the weights, or the name of their terms
    stage: str  # of a capture, that the method's work is
    # Names of rows that are needed besides where one of the options is this choice.
    needs_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def needed(self, options: Options) -> tuple[str, ...]:
        """Names of rows in the backend's table of files that a run with `options` needs."""
        chosen = vars(options).values()
        more = (
            name for choice, names in self.needs_for.items() if choice in chosen for name in names
        )
        return (*self.needs, *more)


@dataclass(frozen=True)
class Method:
    """One way to get from people in pictures to motion, or from motion to better motion."""

    key: str
    label: str
    roles: tuple[str, ...]  # of ROLES
    take: str  # one of TAKE_LABELS: what it makes
    weights: Mapping[str, Weights]  # by what WEIGHTS calls them
    options: type[Options]


ROLES = ("estimator", "refiner")
# Embedded weights are shipped and free. Official ones are the authors', brought by the user, and
# bind what is made with them to the authors' terms; bodies are then SMPL's.
WEIGHTS = ("embedded", "official")
_EYES = ("blazepose_detector", "blazepose_landmarks")

METHODS = {
    "smplify": Method(
        key="smplify",
        label="SMPLify over time",
        roles=("estimator", "refiner"),
        take="fitted",
        weights={
            "embedded": Weights(
                (*_EYES, "embedded_body", "pose_prior"), "GPL-3.0-or-later", stage="fit"
            ),
            "official": Weights(
                (*_EYES, "smpl_neutral", "pose_prior"), "SMPL, non-commercial", stage="fit"
            ),
        },
        options=SmplifyOptions,
    ),
    "spin": Method(
        key="spin",
        label="HMR/SPIN, frame by frame",
        roles=("estimator",),
        take="frame",
        weights={
            "embedded": Weights(
                (*_EYES, "embedded_body", "spin_embedded"), "GPL-3.0-or-later", stage="frame"
            ),
            "official": Weights(
                (*_EYES, "smpl_neutral", "spin_official"),
                "SMPL, non-commercial; SPIN, BSD-3-Clause",
                stage="pixels",
            ),
        },
        options=SpinOptions,
    ),
    "vibe": Method(
        key="vibe",
        label="VIBE, over time",
        roles=("estimator",),
        take="temporal",
        weights={
            "embedded": Weights(
                (*_EYES, "embedded_body", "vibe_embedded"), "GPL-3.0-or-later", stage="time"
            ),
            "official": Weights(
                (*_EYES, "smpl_neutral", "vibe_official", "spin_official"),
                "VIBE and SMPL, non-commercial; SPIN, BSD-3-Clause",
                stage="pixels",
            ),
        },
        options=VibeOptions,
    ),
    "humor": Method(
        key="humor",
        label="HuMoR, a motion prior",
        roles=("refiner",),
        take="refined",
        weights={
            "embedded": Weights(
                (*_EYES, "embedded_body", "humor_embedded", "humor_start_embedded", "pose_prior"),
                "GPL-3.0-or-later",
                stage="refine",
                needs_for={"paper": ("humor_pose_embedded",)},
            ),
            "official": Weights(
                (*_EYES, "smpl_neutral", "humor_official", "humor_start_embedded", "pose_prior"),
                "SMPL, non-commercial; HuMoR, MIT",
                stage="refine",
                needs_for={"paper": ("humor_initial", "vposer_official")},
            ),
        },
        options=HumorOptions,
    ),
}

# The chain that serves most footage best for its time: an estimator, and what refines it.
USUAL = ("vibe", "humor")


def chains() -> tuple[tuple[str, ...], ...]:
    """Keys of what may run one after the other: an estimator, and refiners of ever later takes."""
    refiners = sorted(_able("refiner"), key=_place)
    found = [(each.key,) for each in _able("estimator")]
    for refiner in refiners:
        found += [
            (*each, refiner.key) for each in found if _place(METHODS[each[-1]]) < _place(refiner)
        ]
    return tuple(sorted(found, key=len))


def method_named(key: object, *, role: str, weights: str) -> Method:
    """The method `key`, which can be a `role` on `weights`.

    Raises:
        RequestError: there is no such method; the hint names those that there are.
    """
    able = [each for each in METHODS.values() if role in each.roles and weights in each.weights]
    for each in able:
        if each.key == key:
            return each
    on = "" if weights == "embedded" else f" on {weights} weights"
    raise RequestError(
        f"there is no {role} {key!r}{on}",
        hint=f"Choose one of {', '.join(each.key for each in able)}.",
    )


def options_from_json(method: str, values: dict[str, Any]) -> Options:
    """The options record of `method` with `values` in place of its defaults.

    Raises:
        RequestError: the method or one of the names is unknown, or a value is out of bounds.
    """
    if method not in METHODS:
        raise RequestError(
            f"there is no method {method!r}", hint=f"Choose one of {', '.join(METHODS)}."
        )
    known = sorted(each.name for each in fields(METHODS[method].options))
    if unknown := sorted(set(values) - set(known)):
        raise RequestError(
            f"{method} has no option {', '.join(unknown)}",
            hint=f"It has: {', '.join(known)}." if known else "It has none.",
        )
    return METHODS[method].options(**values)


def _able(role: str) -> list[Method]:
    return [each for each in METHODS.values() if role in each.roles]


def _place(method: Method) -> int:
    return TAKE_LABELS.index(method.take)


def _check_number(options: Options, name: str) -> None:
    """Raises RequestError if the option `name` is no number within its bounds."""
    value, bounds = getattr(options, name), options.__dataclass_fields__[name].metadata
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f"{name} is {value!r}, not a number")
    low, high = bounds["min"], bounds["max"]
    if not (math.isfinite(value) and low <= value <= high):
        raise RequestError(f"{name} is {value}, outside {low} to {high}")


def _check_choice(options: Options, name: str) -> None:
    """Raises RequestError if the option `name` is none of its choices."""
    value, choices = getattr(options, name), options.__dataclass_fields__[name].metadata["choices"]
    if value not in choices:
        raise RequestError(f"{name} is {value!r}", hint=f"Choose one of {', '.join(choices)}.")
