"""Kept outputs of pipeline steps, so that a retry, a resume or a changed option repeats nothing."""

from __future__ import annotations

from .journal import Journal
from .memory import Memory
from .store import StepStore, key_of

__all__ = ["Journal", "Memory", "StepStore", "key_of"]
