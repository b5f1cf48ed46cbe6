"""The body that a capture was made with, found again on whichever machine it is shown.

A capture holds poses and shapes, never a body: bodies may be licensed to one person only. Its
provenance names the body. Ours is shipped; others lie as body files in the folder `bodies` of the
data folder, where `stripmocap convert-body` puts them. Where the right one is missing, ours stands
in: the same pose on another person with legs as long, whose pelvis is put where it was.
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
MOST_BETAS = 3.0  # length of the shape of whom stands in
FARTHEST_M = 10.0  # that a rest pelvis may be from anything
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

    The rest pelvis of each shape is there, because a body turns about it, and how high it is over
    the soles: with them, the motion can be put on any other body, standing on the same floor.
    """
    said: dict[str, Any] = {
        "name": template.name,
        "licence": template.licence,
        "sha256": checksum(template),
        "rest_pelvis_m": {},
        "pelvis_height_m": {},
    }
    for take in takes:
        stances = {each.person: _stance(template, each.betas) for each in take.motions}
        said["rest_pelvis_m"][take.label] = {
            str(person): [round(each, 4) for each in pelvis.tolist()]
            for person, (pelvis, _) in stances.items()
        }
        said["pelvis_height_m"][take.label] = {
            str(person): round(height, 4) for person, (_, height) in stances.items()
        }
    return said


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
    """The same poses on `body`, each pelvis where it was, with legs about as long.

    A capture that does not say where its own body's pelvis is keeps its `transl`.
    """

    def moved(motion: Motion, label: str) -> Motion:
        where = (label, str(motion.person))
        height = _said_numbers(capture, ("pelvis_height_m", *where), count=1)
        betas = betas_of_height(body, None if height is None else float(height[0]))
        before = _said_numbers(capture, ("rest_pelvis_m", *where), count=3)
        after = body.rest_joints(betas)[0]
        shift = np.zeros(3, dtype=np.float32) if before is None else before - after
        return replace(motion, betas=betas, transl=motion.transl + shift)

    takes = tuple(
        Take(take.label, tuple(moved(each, take.label) for each in take.motions))
        for take in capture.takes
    )
    return replace(capture, takes=takes)


def betas_of_height(body: BodyTemplate, height_m: float | None) -> np.ndarray:
    """(10,) the likeliest shape whose pelvis is that high over its soles, or as near as may be.

    Shapes are taken to be spread alike in every direction, so the shortest betas are the likeliest;
    `MOST_BETAS` bounds their length. None: the mean shape.
    """
    mean = np.zeros(body.shapedirs.shape[2], dtype=np.float32)
    if height_m is None:
        return mean
    lowest = int(body.v_template[:, 1].argmin())
    pelvis = np.einsum("v,vl->l", body.J_regressor[0], body.shapedirs[:, 1])
    slope = pelvis - body.shapedirs[lowest, 1]
    missing = height_m - _stance(body, mean)[1]
    betas = slope * missing / max(float(slope @ slope), 1e-12)
    return betas * min(1.0, MOST_BETAS / max(float(np.linalg.norm(betas)), 1e-12))


def _stance(template: BodyTemplate, betas: np.ndarray) -> tuple[np.ndarray, float]:
    """The rest pelvis (3,) metres, and how high it is over the lowest vertex."""
    vertices = template.rest_vertices(betas)
    pelvis = template.J_regressor[0] @ vertices
    return pelvis, float(pelvis[1] - vertices[:, 1].min())


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.npz"))[:MOST_FILES]
    except OSError:
        return []


def _own(capture: Capture) -> BodyTemplate:
    return body_file.load(body_file.EMBEDDED_BODY, gender_of(capture))


def _is_same(capture: Capture, body: BodyTemplate) -> bool:
    return _said(capture).get("sha256", known := checksum(body)) == known


def _said_numbers(capture: Capture, keys: tuple[str, ...], *, count: int) -> np.ndarray | None:
    """(count,) metres; None if the capture does not say it, or says what cannot be."""
    values: Any = _said(capture)
    for key in keys:
        values = cast("dict[str, Any]", values).get(key) if isinstance(values, dict) else None
    try:
        numbers = np.asarray(values, dtype=np.float32).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        return None
    within = numbers.shape == (count,) and bool((np.abs(numbers) < FARTHEST_M).all())
    return numbers if within else None


def _said(capture: Capture) -> dict[str, Any]:
    body = capture.provenance.get("body", {})
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}
