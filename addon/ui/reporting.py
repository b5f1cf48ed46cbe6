"""The one place where an error becomes words to the person at the screen."""

from __future__ import annotations

import bpy

from ..contract import errors


def failed(operator: bpy.types.Operator, error: errors.StripMocapError) -> set[str]:
    """Tells what went wrong and what to do; an operator's answer for "nothing was changed"."""
    operator.report({"ERROR"}, f"{_sentence(error.message)} {error.hint}".strip())
    return {"CANCELLED"}


def warn(operator: bpy.types.Operator, message: str) -> None:
    """Tells of something that was left out of work that is otherwise done."""
    operator.report({"WARNING"}, _sentence(message))


def done(operator: bpy.types.Operator, message: str) -> None:
    """Tells what was done, in the status bar."""
    operator.report({"INFO"}, message)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
