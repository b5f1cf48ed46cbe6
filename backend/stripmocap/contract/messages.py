"""What is asked of the backend: a span of a video and how to capture it, as records and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from .body_file import GENDERS
from .camera_path import CameraPath, path_from_json
from .corrections import Correction, correction_from_json
from .errors import RequestError
from .methods import (
    HEIGHT_RANGE_M,
    METHODS,
    POSE_PRIORS,
    WEIGHTS,
    Method,
    Options,
    SmplifyOptions,
    method_named,
    options_from_json,
)
from .motion import TAKE_LABELS

MOST_CORRECTIONS = 1000
_SPIN_OR_VIBE = ("spin", "vibe")


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
    refiners: tuple[str, ...] = ()  # keys of METHODS; each starts from what the one before it made
    refiner_options: tuple[Options | None, ...] = ()  # one each; what is None or missing at the end
    # is a refiner's defaults, which are filled in
    body: str = "neutral"  # one of GENDERS
    height_m: float | None = None  # the actor's height; None: a grown person of usual height
    focal_px: float | None = None  # None: taken from the picture's diagonal
    pose_prior: str = "embedded"  # a key of POSE_PRIORS
    corrections: tuple[Correction, ...] = ()  # of who is who, in order
    camera_path: CameraPath | None = None  # where a moving camera was; None: it stands still

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
        keys = () if self.estimator is None else (self.estimator, *self.refiners)
        return tuple(METHODS[key] for key in keys)

    @property
    def stages(self) -> tuple[str, ...]:
        """The slow stages of the capture, in order; each has a step for each frame of a person."""
        return ("people", *(each.weights[self.weights].stage for each in self.methods))

    def options_of(self, method: Method) -> Options:
        """What one of `methods` runs with: what was chosen for it.

        What rests in the picture of a moving camera does not rest in the world: fits whose contacts
        are found in the picture then do without.
        """
        chosen = dict(zip(self.refiners, self.refiner_options, strict=True))
        options = chosen.get(method.key, self.options)
        assert options is not None, "filled in"
        if self.camera_path is not None and isinstance(options, SmplifyOptions):
            return replace(options, contacts=0.0)
        return options

    def _check_methods(self) -> None:
        if self.weights not in WEIGHTS:
            raise RequestError(
                f"there are no {self.weights!r} weights",
                hint=f"Choose one of {', '.join(WEIGHTS)}.",
            )
        for name in ("refiners", "refiner_options"):
            object.__setattr__(self, name, _several(name, getattr(self, name)))
        if self.estimator is None:
            if (self.options, self.refiners, self.refiner_options) != (None, (), ()):
                raise RequestError(
                    "there are choices for methods, and no method", hint="Choose an estimator."
                )
            return
        estimator = method_named(self.estimator, role="estimator", weights=self.weights)
        if self.options is None:
            object.__setattr__(self, "options", estimator.options())
        _check_options(estimator, self.options)
        if (
            self.estimator in _SPIN_OR_VIBE
            and self.weights == "official"
            and self.body != "neutral"
        ):
            raise RequestError(
                f"the published weights know no {self.body} body", hint="Choose the neutral one."
            )
        if self.weights == "embedded" and getattr(self.options, "conventions", None) == "published":
            raise RequestError(
                "our own weights know no published conventions",
                hint="Choose official weights, or leave the conventions out.",
            )
        self._check_refiners(estimator)

    def _check_refiners(self, estimator: Method) -> None:
        """Each has to make better motion than what it starts from; options are filled in."""
        count = len(self.refiners)
        if len(self.refiner_options) > count:
            raise RequestError(
                f"there are options for {len(self.refiner_options)} refiners, and {count} of them",
                hint="Choose a refiner for each, or leave them out.",
            )
        before, filled = estimator, list[Options]()
        given = (*self.refiner_options, *[None] * (count - len(self.refiner_options)))
        for key, options in zip(self.refiners, given, strict=True):
            refiner = method_named(key, role="refiner", weights=self.weights)
            if TAKE_LABELS.index(refiner.take) <= TAKE_LABELS.index(before.take):
                raise RequestError(
                    f"{refiner.key} cannot refine what {before.key} makes",
                    hint="Leave one of the two out, or change their order.",
                )
            filled.append(refiner.options() if options is None else options)
            _check_options(refiner, filled[-1])
            before = refiner
        object.__setattr__(self, "refiner_options", tuple(filled))

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json` can write; an open end of the span becomes None."""
        values = asdict(self)
        if math.isinf(self.clip.stop_s):
            values["clip"]["stop_s"] = None
        values |= {
            "refiners": list(self.refiners),
            "refiner_options": [asdict(each) for each in self.refiner_options if each is not None],
            "corrections": [each.to_json() for each in self.corrections],
            "camera_path": self.camera_path and self.camera_path.to_json(),
        }
        return values

    def told(self) -> dict[str, Any]:
        """As `to_json`, for lists and records: without the poses of the camera, which are many."""
        return {k: v for k, v in self.to_json().items() if k != "camera_path"}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> CaptureRequest:
        """The request that `to_json` or `told` wrote, here or in an earlier version.

        Raises:
            RequestError: an entry is missing, unknown, of the wrong type, or out of bounds.
        """
        try:
            rest = _of_this_version(values)
            span = dict(rest.pop("clip"))
            if span.get("stop_s") is None:
                span["stop_s"] = math.inf
            refiners = _several("refiners", rest.pop("refiners", ()))
            refined = _several("refiner_options", rest.pop("refiner_options", ()))
            if len(refined) > len(refiners):
                raise ValueError("refiner_options are more than refiners")
            path = rest.pop("camera_path", None)
            return cls(
                clip=Clip(**span),
                options=_options_of(rest.get("estimator", "smplify"), rest.pop("options", None)),
                refiners=refiners,
                refiner_options=tuple(map(_options_of, refiners, refined)),
                corrections=tuple(
                    correction_from_json(each) for each in rest.pop("corrections", ())
                ),
                camera_path=None if path is None else path_from_json(path),
                **rest,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError(f"the request cannot be read ({error})") from error


def _of_this_version(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with the one refiner of earlier versions as a chain of one."""
    rest = dict(values)
    if "refiner" in rest:
        key, options = rest.pop("refiner"), rest.pop("refiner_options", None)
        if key is None and options is not None:
            raise ValueError("there are options for a refiner, and no refiner")
        rest["refiners"] = [] if key is None else [key]
        rest["refiner_options"] = [] if key is None else [options]
    return rest


def _several(name: str, values: Any) -> tuple[Any, ...]:
    """`values` of a list; a lone name is none, which would be taken letter by letter."""
    if not isinstance(values, list | tuple):
        raise RequestError(f"{name} is {values!r}", hint="Give a list.")
    return tuple(cast("Sequence[Any]", values))


def _options_of(method: Any, values: Any) -> Options | None:
    return None if values is None else options_from_json(str(method), values)


def _check_options(method: Method, options: Options | None) -> None:
    if type(options) is not method.options:
        raise RequestError(
            f"{method.key} takes {method.options.__name__}, not {type(options).__name__}"
        )
