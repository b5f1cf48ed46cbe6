"""Which body is captured, and which one a capture was made with: ours, or the user's own SMPL."""

from __future__ import annotations

from . import assets
from .body.official import read_official
from .contract import bodies, body_file, places
from .contract.body_file import BodyTemplate
from .contract.errors import AssetMissing, BodyFileError
from .contract.motion import Capture

FAMILY = "SMPL"  # what official bodies are called, before their gender


def embedded(gender: str) -> BodyTemplate:
    """The shipped body of `gender`.

    Raises:
        BodyFileError: it cannot be read.
    """
    return body_file.load(body_file.EMBEDDED_BODY, gender)


def official(gender: str) -> BodyTemplate:
    """SMPL's body of `gender`: the user's official file, read as it is.

    Raises:
        AssetMissing, AssetCorrupt: the file is not in the folder of files; the hint names it.
        BodyFileError: it holds something else.
    """
    return read_official(
        assets.locate(f"smpl_{gender}"),
        gender=gender,
        extra_regressor=assets.find("smpl_extra_regressor"),
    )


def of_capture(capture: Capture) -> BodyTemplate:
    """The body that `capture` was made with.

    Raises:
        BodyFileError: it is not on this machine.
    """
    name, gender = bodies.name_of(capture), bodies.gender_of(capture)
    if bodies.is_embedded(capture):
        return embedded(gender)
    found = bodies.find(name, folder=places.bodies_folder())
    if found is not None:
        return found
    missing = BodyFileError(
        f"{name}, with which this was captured, is not in {places.bodies_folder()}",
        hint=body_file.CONVERT,
    )
    if name != f"{FAMILY} {gender}":
        raise missing
    try:
        return official(gender)
    except AssetMissing as error:
        raise missing from error
