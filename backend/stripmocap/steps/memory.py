"""The steps of one piece of footage: given again where they are kept, else made and kept."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..contract.errors import StripMocapError
from .digests import stamp
from .journal import Journal
from .store import StepStore, key_of

_Made = TypeVar("_Made")
Arrays = Mapping[str, np.ndarray]

log = logging.getLogger(__name__)


class Memory:
    """What a store holds of some footage; without a store everything is made anew."""

    def __init__(
        self, store: StepStore | None, files: Sequence[Path], *, pulse: Callable[[int], None]
    ) -> None:
        """Finds the content of `files`, for which they may have to be read.

        Args:
            store: None: nothing is kept.
            files: one movie, or the pictures of a sequence in order.
            pulse: told how many bytes are read; may raise to stop.

        Raises:
            OSError: a file cannot be read.
        """
        self._store, self._files = store, files
        if store is not None:
            self._stamp = stamp(files)
            self._content = store.digest(files, pulse=pulse)

    def once(
        self,
        step: str,
        depends_on: Mapping[str, Any],
        *,
        make: Callable[[], _Made],
        pack: Callable[[_Made], Arrays],
        unpack: Callable[[Arrays], _Made],
    ) -> _Made:
        """What `step` gives: as it was kept, else as `make` makes it.

        Args:
            step: its name.
            depends_on: everything but the footage's content; values are what `json` can write.
            make: does the step.
            pack: makes arrays of what the step gives.
            unpack: and the other way round; may raise what damaged or older arrays lead to.
        """
        return self._once(step, depends_on, make, pack, unpack)[0]

    def once_with_journal(
        self,
        step: str,
        depends_on: Mapping[str, Any],
        *,
        make: Callable[[Journal | None], _Made],
        pack: Callable[[_Made], Arrays],
        unpack: Callable[[Arrays], _Made],
    ) -> _Made:
        """As `once`; `make` is handed where to write down what it has so far, if there is a place.

        What is written down stays until the step is kept, whatever ends the process.
        """
        with contextlib.ExitStack() as stack:
            opened: list[Journal] = []

            def noted() -> _Made:
                journal = self._store and self._store.journal(step, self._key(step, depends_on))
                if journal is not None:
                    opened.append(stack.enter_context(journal))
                return make(journal)

            made, kept = self._once(step, depends_on, noted, pack, unpack)
            if kept and opened:
                opened[0].drop()
        return made

    def _once(
        self,
        step: str,
        depends_on: Mapping[str, Any],
        make: Callable[[], _Made],
        pack: Callable[[_Made], Arrays],
        unpack: Callable[[Arrays], _Made],
    ) -> tuple[_Made, bool]:
        """What the step gives, and whether it is kept now."""
        if self._store is None:
            return make(), False
        key = self._key(step, depends_on)
        arrays = self._store.fetch(step, key)
        if arrays is not None:
            try:
                return unpack(arrays), True
            except (KeyError, ValueError, TypeError, IndexError, StripMocapError) as error:
                log.warning("What is kept of the step %r is dropped (%s)", step, error)
                self._store.drop(step, key)
        made = make()
        return made, self._unchanged() and self._store.keep(step, key, pack(made))

    def _key(self, step: str, depends_on: Mapping[str, Any]) -> str:
        return key_of(step=step, content=self._content, **depends_on)

    def _unchanged(self) -> bool:
        """Whether the footage is still what its checksum was taken of."""
        try:
            return stamp(self._files) == self._stamp
        except OSError:
            return False
