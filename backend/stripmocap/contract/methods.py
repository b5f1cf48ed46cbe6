"""What can be run: each method with its label, what it needs, and what a person may choose.

The add-on draws its menus from `METHODS` without torch; the backend's tables of implementations
have the same keys (a house test). Options are frozen records whose defaults are good for most
footage; numbers outside their bounds are refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from .errors import RequestError

# Which poses are taken to be likely: by name, the row in the backend's table of files.
POSE_PRIORS = {"embedded": "pose_prior", "smplify": "smplify_prior"}
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
            value = getattr(self, each.name)
            low, high = each.metadata["min"], each.metadata["max"]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise RequestError(f"{each.name} is {value!r}, not a number")
            if not (math.isfinite(value) and low <= value <= high):
                raise RequestError(f"{each.name} is {value}, outside {low} to {high}")


@dataclass(frozen=True)
class Method:
    """One way to get from people in pictures to motion."""

    key: str
    label: str
    role: str  # "estimator" or "refiner"
    needs: tuple[str, ...]  # names of rows in the backend's table of files
    licence: str  # SPDX identifier of the weights it uses
    options: type


METHODS = {
    "smplify": Method(
        key="smplify",
        label="SMPLify over time",
        role="estimator",
        needs=("blazepose_detector", "blazepose_landmarks", "embedded_body", "pose_prior"),
        licence="GPL-3.0-or-later",
        options=SmplifyOptions,
    ),
}


def options_from_json(method: str, values: dict[str, Any]) -> SmplifyOptions:
    """The options record of `method` with `values` in place of its defaults.

    Raises:
        RequestError: the method or one of the names is unknown, or a value is out of bounds.
    """
    if method not in METHODS:
        raise RequestError(
            f"there is no method {method!r}", hint=f"Choose one of {', '.join(METHODS)}."
        )
    known = {each.name for each in fields(METHODS[method].options)}
    if unknown := sorted(set(values) - known):
        raise RequestError(
            f"{method} has no option {', '.join(unknown)}",
            hint=f"It has: {', '.join(sorted(known))}.",
        )
    return METHODS[method].options(**values)
