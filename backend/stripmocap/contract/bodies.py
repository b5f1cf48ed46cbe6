"""The body that a capture was made with, found again on whichever machine it is shown.

A capture holds poses and shapes, never a body: bodies may be licensed to one person only. Its
provenance names the body. Ours is shipped; others lie as body files in the folder `bodies` of the
data folder, where `stripmocap convert-body` puts them. Where the right one is missing, ours stands
in: the same pose on another person, whose pelvis is put where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from . import body_file
from .body_file import GENDERS, BodyTemplate
from .errors import BodyFileError
from .motion import Capture, Motion, Take

EMBEDDED = "embedded"  # the family that is shipped
MOST_FILES = 1000  # of a folder that are looked into
MOST_LETTERS = 60  # of a name
_DIGITS = 16


@dataclass(frozen=True, eq=False)
class Dressed:
    """A capture with a body to show it on."""

    capture: Capture
    body: BodyTemplate
    remark: str  # what a person should know of the body, without full stop; empty for nothing


def described(template: BodyTemplate, takes: Iterable[Take]) -> dict[str, Any]:
    """What the provenance of a capture says of the body that its `takes` were made with.

    The rest pelvis of each shape is there (metres), because a body turns about it: with it, the
    motion can be put on any other.
    """
    return {
        "name": template.name,
        "licence": template.licence,
        "sha256": checksum(template),
        "rest_pelvis_m": {
            take.label: {
                str(motion.person): [
                    round(float(each), 4) for each in template.rest_joints(motion.betas)[0]
                ]
                for motion in take.motions
            }
            for take in takes
        },
    }


def checksum(template: BodyTemplate) -> str:
    """Of what shapes the body: two versions of one model have two."""
    arrays = (template.v_template, template.shapedirs, template.J_regressor)
    sums = hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in arrays))
    return sums.hexdigest()[:_DIGITS]


def name_of(capture: Capture) -> str:
    """What the body of `capture` is called, such as "SMPL female"."""
    name = _said(capture).get("name")
    # A file may come from anybody, and the name is shown.
    if isinstance(name, str) and name.isprintable() and 0 < len(name) <= MOST_LETTERS:
        return name
    return f"{EMBEDDED} {gender_of(capture)}"


def gender_of(capture: Capture) -> str:
    """One of `GENDERS`; neutral for a capture whose request is not kept."""
    request: Any = capture.provenance.get("request", {})
    gender = cast("dict[str, Any]", request).get("body") if isinstance(request, dict) else None
    return gender if isinstance(gender, str) and gender in GENDERS else GENDERS[0]


def file_name(name: str) -> str:
    """The body file that `convert-body` makes of the body `name`: "smpl_female.npz"."""
    return f"{name.lower().replace(' ', '_')}.npz"


def is_embedded(capture: Capture) -> bool:
    """Whether `capture` was made with the body that is shipped."""
    return name_of(capture).startswith(f"{EMBEDDED} ")


def find(name: str, *, folder: Path) -> BodyTemplate | None:
    """The body called `name` in one of the body files in `folder`; None if there is none.

    Files of other kinds, and damaged ones, are passed over.
    """
    for path in _files(folder):
        try:
            if name in (names := body_file.names_in(path)):
                return body_file.load(path, GENDERS[names.index(name)])
        except BodyFileError:
            continue
    return None


def names_in(folder: Path) -> tuple[str, ...]:
    """The names of the bodies in `folder`, in the order of their files."""
    names: list[str] = []
    for path in _files(folder):
        try:
            names += filter(None, body_file.names_in(path))
        except BodyFileError:
            continue
    return tuple(names)


def dressed(capture: Capture, *, folder: Path) -> Dressed:
    """`capture` on its own body, else on ours.

    Args:
        capture: as it was saved.
        folder: where the user's body files are.

    Raises:
        BodyFileError: the shipped body cannot be read.
    """
    if is_embedded(capture):
        return Dressed(capture, _own(capture), remark="")
    name = name_of(capture)
    found = find(name, folder=folder)
    if found is None:
        own = _own(capture)
        remark = (
            f"{name}, with which this was captured, is not in {folder}, so people got "
            "Strip Mocap's own body; `stripmocap convert-body` makes it of your file"
        )
        return Dressed(on_another(capture, own), own, remark)
    remark = "" if _is_same(capture, found) else f"this {name} is another version than was captured"
    return Dressed(capture, found, remark)


def on_another(capture: Capture, body: BodyTemplate) -> Capture:
    """The same poses on `body`, of its mean shape, each pelvis where it was.

    A capture that does not say where its own body's pelvis is keeps its `transl`.
    """
    betas = np.zeros(body.shapedirs.shape[2], dtype=np.float32)
    pelvis = body.rest_joints(betas)[0]

    def moved(motion: Motion, label: str) -> Motion:
        before = _rest_pelvis(capture, label=label, person=motion.person)
        shift = np.zeros(3, dtype=np.float32) if before is None else before - pelvis
        return replace(motion, betas=betas, transl=motion.transl + shift)

    takes = tuple(
        Take(take.label, tuple(moved(each, take.label) for each in take.motions))
        for take in capture.takes
    )
    return replace(capture, takes=takes)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.npz"))[:MOST_FILES]
    except OSError:
        return []


def _own(capture: Capture) -> BodyTemplate:
    return body_file.load(body_file.EMBEDDED_BODY, gender_of(capture))


def _is_same(capture: Capture, body: BodyTemplate) -> bool:
    return _said(capture).get("sha256", known := checksum(body)) == known


def _rest_pelvis(capture: Capture, *, label: str, person: int) -> np.ndarray | None:
    """(3,) metres; None if the capture does not say it, or says what cannot be."""
    values: Any = _said(capture).get("rest_pelvis_m")
    for key in (label, str(person)):
        values = cast("dict[str, Any]", values).get(key) if isinstance(values, dict) else None
    try:
        pelvis = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        return None
    return pelvis if pelvis.shape == (3,) and np.isfinite(pelvis).all() else None


def _said(capture: Capture) -> dict[str, Any]:
    body = capture.provenance.get("body", {})
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}
