"""What may be typed of a capture: footage, method and options; the same for every verb that asks.

An option is called as in the contract, and after its method where several have one of that name.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import Field as Option
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..contract.body_file import GENDERS
from ..contract.errors import RequestError
from ..contract.messages import CaptureRequest, Clip
from ..contract.methods import METHODS, POSE_PRIORS, USUAL, WEIGHTS, Options, chains
from .camera_paths import path_in
from .typed_corrections import typed

# Taken by another method, and by the prior of poses.
_NAMED_BY_METHOD = {("humor", "contacts"), ("humor", "prior")}


def request_of(arguments: argparse.Namespace) -> CaptureRequest:
    """What the arguments of `add_request` ask for.

    Raises:
        RequestError: a number is out of bounds, the span is empty, or an option was typed of a
            method that is not asked for.
    """
    _refuse_what_nobody_heeds(arguments)
    estimator, *refiners = arguments.method.split("+")
    return CaptureRequest(
        clip=Clip(str(arguments.video), start_s=arguments.start, stop_s=arguments.stop),
        estimator=estimator,
        options=_options_of(estimator, arguments),
        weights=arguments.weights,
        refiners=tuple(refiners),
        refiner_options=tuple(_options_of(each, arguments) for each in refiners),
        body=arguments.body,
        height_m=arguments.height,
        focal_px=arguments.focal,
        pose_prior=arguments.prior,
        corrections=typed(arguments.correct, file=arguments.corrections),
        camera_path=arguments.camera_path and path_in(arguments.camera_path),
    )


def people_request_of(arguments: argparse.Namespace) -> CaptureRequest:
    """What the arguments of `add_clip` and `add_corrections` ask for: who is there.

    Raises:
        RequestError: the span is empty, or something is no correction.
    """
    return CaptureRequest(
        clip=Clip(str(arguments.video), start_s=arguments.start, stop_s=arguments.stop),
        estimator=None,
        corrections=typed(arguments.correct, file=arguments.corrections),
    )


def _options_of(method: str, arguments: argparse.Namespace) -> Options:
    """What was typed of the options of `method`, and else their defaults."""
    return METHODS[method].options(**_typed_of(method, arguments))


def _refuse_what_nobody_heeds(arguments: argparse.Namespace) -> None:
    ways_asked = [arguments.method, *getattr(arguments, "also", ())]
    asked = {key for way in ways_asked for key in way.split("+")}
    for method in METHODS:
        for option in () if method in asked else _typed_of(method, arguments):
            example = "+".join(next(each for each in chains() if method in each))
            raise RequestError(
                f"--{_typed_as(method, option)} is an option of {method}, which "
                f"{arguments.method} does not run.",
                hint=f"Leave it out, or choose a way through {method}: --method {example}",
            )


def _typed_of(method: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What was typed of the options of `method`, by their names in the contract."""
    names = [each.name for each in fields(METHODS[method].options)]
    typed_as = {
        name: getattr(arguments, _typed_as(method, name).replace("-", "_")) for name in names
    }
    return {name: value for name, value in typed_as.items() if value is not None}


def _typed_as(method: str, option: str) -> str:
    """What an option is called here: some methods have options of one name."""
    known_by = f"{method}-{option}" if (method, option) in _NAMED_BY_METHOD else option
    return known_by.replace("_", "-")


def ways() -> tuple[str, ...]:
    """What may be chosen as a method: an estimator alone, or with what refines it."""
    return tuple("+".join(each) for each in chains())


def add_clip(verb: argparse.ArgumentParser) -> None:
    """Which pictures."""
    verb.add_argument("video", type=Path, metavar="VIDEO", help="a movie, or one of its pictures")
    verb.add_argument("--start", type=float, default=0.0, metavar="S", help="seconds (default 0)")
    verb.add_argument("--stop", type=float, default=math.inf, metavar="S", help="default: the end")


def add_corrections(verb: argparse.ArgumentParser) -> None:
    """Who is who."""
    verb.add_argument(
        "--correct",
        action="append",
        default=[],
        metavar="TEXT",
        help="who is who: 'ignore TIME,X,Y', 'merge MARK MARK', 'split MARK at TIME', 'swap MARK "
        "MARK at TIME'; marks are listed by the verb people; more than one is made in order",
    )
    verb.add_argument("--corrections", type=Path, metavar="FILE", help="the same, a list in JSON")


def add_request(verb: argparse.ArgumentParser) -> None:
    """Everything that a capture depends on."""
    add_clip(verb)
    add_corrections(verb)
    verb.add_argument(
        "--method",
        choices=ways(),
        default="+".join(USUAL),
        help="smplify fits over time, spin poses each frame alone and at once, vibe poses all "
        "frames together and at once; spin+smplify and vibe+smplify fit from there; +humor refines "
        "what any made by how people move (default %(default)s)",
    )
    verb.add_argument(
        "--weights",
        choices=WEIGHTS,
        default="embedded",
        help="our own body and networks, or the authors' SMPL, SPIN and VIBE files that you bring",
    )
    verb.add_argument("--body", choices=GENDERS, default="neutral")
    verb.add_argument(
        "--prior",
        choices=tuple(POSE_PRIORS),
        default="embedded",
        help="which poses are likely: our own, or the file gmm_08.pkl that you bring",
    )
    verb.add_argument("--height", type=float, metavar="M", help="the actor's height in metres")
    verb.add_argument("--focal", type=float, metavar="PX", help="the camera's focal length, pixels")
    verb.add_argument(
        "--camera-path",
        type=Path,
        metavar="FILE",
        help="where a moving camera was, JSON: times_s, positions (metres, z up, the floor at 0) "
        "and quats (w, x, y, z); default: it stands still",
    )
    for method in METHODS.values():
        for option in fields(method.options):
            _add_option(verb, option, of=method.key)


def _add_option(verb: argparse.ArgumentParser, option: Option[Any], *, of: str) -> None:
    name = f"--{_typed_as(of, option.name)}"
    if "choices" in option.metadata:
        choices = option.metadata["choices"]
        verb.add_argument(name, choices=choices, help=f"of {of}, default {option.default}")
        return
    low, high = option.metadata["min"], option.metadata["max"]
    verb.add_argument(
        name,
        type=float,
        metavar="X",
        help=f"of {of}, default {option.default:g}, {low:g} to {high:g}",
    )
