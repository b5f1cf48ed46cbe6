"""What is asked of the backend: a span of a video and how to capture it, as records and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from .body_file import GENDERS
from .corrections import Correction, correction_from_json
from .errors import RequestError
from .methods import (
    HEIGHT_RANGE_M,
    METHODS,
    POSE_PRIORS,
    WEIGHTS,
    Method,
    Options,
    method_named,
    options_from_json,
)

MOST_CORRECTIONS = 1000


@dataclass(frozen=True)
class Clip:
    """Which pictures: a span of a movie file or image sequence, in seconds of its own clock."""

    path: str  # movie file, or a file of an image sequence, as the backend sees it
    start_s: float = 0.0  # inclusive
    stop_s: float = math.inf  # exclusive

    def __post_init__(self) -> None:
        if not self.path:
            raise RequestError("the clip has no path")
        if not 0 <= self.start_s < self.stop_s:  # also refuses NaN
            raise RequestError(
                f"the span {self.start_s} s to {self.stop_s} s is empty",
                hint="Start at 0 or later and stop after the start.",
            )


@dataclass(frozen=True)
class CaptureRequest:
    """Everything that a result depends on."""

    clip: Clip
    estimator: str | None = "smplify"  # a key of METHODS; None: people are only looked for
    options: Options | None = None  # of the estimator; None: its defaults, which are filled in
    weights: str = "embedded"  # one of WEIGHTS
    refiner: str | None = None  # a key of METHODS, which starts from what the estimator makes
    refiner_options: Options | None = None  # None: no refiner, or its defaults, which are filled in
    body: str = "neutral"  # one of GENDERS
    height_m: float | None = None  # the actor's height; None: a grown person of usual height
    focal_px: float | None = None  # None: taken from the picture's diagonal
    pose_prior: str = "embedded"  # a key of POSE_PRIORS
    corrections: tuple[Correction, ...] = ()  # of who is who, in order

    def __post_init__(self) -> None:
        self._check_methods()
        object.__setattr__(self, "corrections", tuple(self.corrections))
        if len(self.corrections) > MOST_CORRECTIONS:
            raise RequestError(
                f"there are {len(self.corrections)} corrections",
                hint=f"Up to {MOST_CORRECTIONS} are followed.",
            )
        if self.body not in GENDERS:
            raise RequestError(
                f"there is no {self.body!r} body", hint=f"Choose one of {', '.join(GENDERS)}."
            )
        if self.pose_prior not in POSE_PRIORS:
            raise RequestError(
                f"there is no pose prior {self.pose_prior!r}",
                hint=f"Choose one of {', '.join(POSE_PRIORS)}.",
            )
        low, high = HEIGHT_RANGE_M
        if self.height_m is not None and not low <= self.height_m <= high:
            raise RequestError(
                f"the actor's height is {self.height_m} m", hint=f"Give metres, {low} to {high}."
            )
        if self.focal_px is not None and not (math.isfinite(self.focal_px) and self.focal_px > 0):
            raise RequestError(
                f"the focal length is {self.focal_px} px",
                hint="Give pixels of the full picture, above 0.",
            )

    @property
    def methods(self) -> tuple[Method, ...]:
        """What runs, in order."""
        return tuple(METHODS[key] for key in (self.estimator, self.refiner) if key is not None)

    @property
    def stages(self) -> tuple[str, ...]:
        """The slow stages of the capture, in order; each has a step for each frame of a person."""
        return ("people", *(each.weights[self.weights].stage for each in self.methods))

    def options_of(self, method: Method) -> Options:
        """What was chosen for one of `methods`."""
        options = self.options if method.key == self.estimator else self.refiner_options
        assert options is not None, "filled in"
        return options

    def _check_methods(self) -> None:
        if self.weights not in WEIGHTS:
            raise RequestError(
                f"there are no {self.weights!r} weights",
                hint=f"Choose one of {', '.join(WEIGHTS)}.",
            )
        if self.estimator is None:
            if (self.options, self.refiner, self.refiner_options) != (None, None, None):
                raise RequestError(
                    "there are choices for methods, and no method", hint="Choose an estimator."
                )
            return
        estimator = method_named(self.estimator, role="estimator", weights=self.weights)
        if self.options is None:
            object.__setattr__(self, "options", estimator.options())
        _check_options(estimator, self.options)
        regresses = self.estimator in ("spin", "vibe")
        if regresses and self.weights == "official" and self.body != "neutral":
            raise RequestError(
                f"the published weights know no {self.body} body", hint="Choose the neutral one."
            )
        if self.weights == "embedded" and getattr(self.options, "conventions", None) == "published":
            raise RequestError(
                "our own weights know no published conventions",
                hint="Choose official weights, or leave the conventions out.",
            )
        if self.refiner is None:
            if self.refiner_options is not None:
                raise RequestError(
                    "there are options for a refiner, and no refiner", hint="Choose a refiner."
                )
            return
        refiner = method_named(self.refiner, role="refiner", weights=self.weights)
        if refiner == estimator:
            raise RequestError(
                f"{self.refiner} cannot refine itself", hint="Leave one of the two out."
            )
        if self.refiner_options is None:
            object.__setattr__(self, "refiner_options", refiner.options())
        _check_options(refiner, self.refiner_options)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json` can write; an open end of the span becomes None."""
        values = asdict(self)
        if math.isinf(self.clip.stop_s):
            values["clip"]["stop_s"] = None
        values["corrections"] = [each.to_json() for each in self.corrections]
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> CaptureRequest:
        """The request that `to_json` wrote.

        Raises:
            RequestError: an entry is missing, unknown, of the wrong type, or out of bounds.
        """
        try:
            rest = dict(values)
            span = dict(rest.pop("clip"))
            if span.get("stop_s") is None:
                span["stop_s"] = math.inf
            options = _options_of(rest.get("estimator", "smplify"), rest.pop("options", None))
            refined = _options_of(rest.get("refiner"), rest.pop("refiner_options", None))
            corrections = tuple(correction_from_json(each) for each in rest.pop("corrections", ()))
            return cls(
                clip=Clip(**span),
                options=options,
                refiner_options=refined,
                corrections=corrections,
                **rest,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError(f"the request cannot be read ({error})") from error


def _options_of(method: Any, values: Any) -> Options | None:
    return None if values is None else options_from_json(str(method), values)


def _check_options(method: Method, options: Options | None) -> None:
    if type(options) is not method.options:
        raise RequestError(
            f"{method.key} takes {method.options.__name__}, not {type(options).__name__}"
        )
