"""The body that a capture was made with, in torch."""

from __future__ import annotations

from .. import bodies
from ..body.model import Body
from ..contract.body_file import BodyTemplate
from ..contract.motion import Capture


def body_of(capture: Capture) -> tuple[BodyTemplate, Body]:
    """The template that `capture` was fitted with, and the same in torch.

    Raises:
        BodyFileError: it is not on this machine.
    """
    template = bodies.of_capture(capture)
    return template, Body.from_template(template)
