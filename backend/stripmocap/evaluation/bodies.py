"""The body that a capture was made with."""

from __future__ import annotations

from ..body.model import Body
from ..contract import body_file
from ..contract.body_file import BodyTemplate
from ..contract.motion import Capture


def body_of(capture: Capture) -> tuple[BodyTemplate, Body]:
    """The template that `capture` was fitted with, and the same in torch.

    Raises:
        BodyFileError: it is not on this machine.
    """
    template = body_file.load(body_file.EMBEDDED_BODY, gender_of(capture))
    return template, Body.from_template(template)


def gender_of(capture: Capture) -> str:
    """One of `GENDERS`; neutral for a capture whose request is not kept."""
    gender = capture.provenance.get("request", {}).get("body", "neutral")
    return gender if gender in body_file.GENDERS else "neutral"
