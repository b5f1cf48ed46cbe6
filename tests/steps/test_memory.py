from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stripmocap.steps import Memory, StepStore


@pytest.fixture
def movie(tmp_path) -> Path:
    path = tmp_path / "movie.mp4"
    path.write_bytes(b"pictures")
    return path


@pytest.fixture
def store(tmp_path) -> StepStore:
    return StepStore(tmp_path / "cache", limit_bytes=2**20)


class Squares:
    """A step that counts how often it is made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, store: StepStore | None, movie: Path, number: int = 3) -> int:
        def make() -> int:
            self.made += 1
            return number**2

        memory = Memory(store, [movie], pulse=lambda _: None)
        return memory.once(
            "squares",
            {"number": number},
            make=make,
            pack=lambda value: {"value": np.array(value)},
            unpack=lambda arrays: int(arrays["value"]),
        )


def test_a_step_is_made_once_for_what_it_depends_on(store, movie):
    squares = Squares()

    assert [squares(store, movie), squares(store, movie), squares(store, movie, 4)] == [9, 9, 16]
    assert squares.made == 2


def test_other_footage_is_another_step(store, movie):
    squares = Squares()
    squares(store, movie)

    movie.write_bytes(b"other pictures")
    squares(store, movie)

    assert squares.made == 2


def test_the_same_footage_under_another_name_is_the_same_step(store, movie, tmp_path):
    squares = Squares()
    squares(store, movie)

    squares(store, movie.rename(tmp_path / "renamed.mp4"))

    assert squares.made == 1


def test_without_a_store_every_step_is_made(movie):
    squares = Squares()

    assert [squares(None, movie), squares(None, movie)] == [9, 9]
    assert squares.made == 2


def test_what_was_made_of_footage_that_changed_meanwhile_is_not_kept(store, movie):
    memory = Memory(store, [movie], pulse=lambda _: None)

    def make() -> int:
        movie.write_bytes(b"exported again")
        return 1

    def pack(value: int) -> dict[str, np.ndarray]:
        return {"value": np.array(value)}

    memory.once("step", {}, make=make, pack=pack, unpack=lambda _: 0)

    assert store.status().entries == {}


def test_arrays_of_another_version_are_dropped_and_the_step_is_made(store, movie):
    memory = Memory(store, [movie], pulse=lambda _: None)

    def once(value: int, name: str) -> int:
        return memory.once(
            "step",
            {},
            make=lambda: value,
            pack=lambda made: {name: np.array(made)},
            unpack=lambda arrays: int(arrays[name]),
        )

    assert [once(1, "old"), once(2, "new"), once(3, "new")] == [1, 2, 2]


def test_a_journal_is_there_until_its_step_is_kept(store, movie):
    def run(*, fails: bool) -> list[int]:
        memory = Memory(store, [movie], pulse=lambda _: None)
        before: list[int] = []

        def make(journal) -> int:
            before.extend(int(chunk["n"]) for chunk in journal.chunks)
            journal.append({"n": np.array(len(before))})
            if fails:
                raise InterruptedError
            return 7

        memory.once_with_journal(
            "step",
            {},
            make=make,
            pack=lambda made: {"value": np.array(made)},
            unpack=lambda arrays: int(arrays["value"]),
        )
        return before

    for _ in range(2):
        with pytest.raises(InterruptedError):
            run(fails=True)
    assert store.status().entries == {"step": 1}

    assert run(fails=False) == [0, 1]

    assert [each.name for each in (store.folder / "step").iterdir()] == [
        f"{next((store.folder / 'step').iterdir()).stem}.kept"
    ]
    assert run(fails=False) == []


def test_a_journal_that_another_process_has_is_done_without(store, movie):
    memory = Memory(store, [movie], pulse=lambda _: None)
    told = []

    def make(journal) -> int:
        def inner(other) -> int:
            told.append(other)
            return 2

        memory.once_with_journal("step", {}, make=inner, pack=lambda _: {}, unpack=lambda _: 0)
        return 1

    memory.once_with_journal("step", {}, make=make, pack=lambda _: {}, unpack=lambda _: 0)

    assert told == [None]
