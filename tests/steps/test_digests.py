from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from stripmocap.steps import StepStore, digests


@pytest.fixture
def store(tmp_path) -> StepStore:
    return StepStore(tmp_path / "cache", limit_bytes=2**20)


@pytest.fixture
def movie(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(digests, "SETTLED_S", -60.0)  # a file is as good as old at once
    path = tmp_path / "movie.mp4"
    path.write_bytes(b"pictures")
    return path


class Reader:
    """Counts the bytes that had to be read."""

    def __init__(self, store: StepStore) -> None:
        self.store, self.read = store, 0

    def __call__(self, *files: Path) -> str:
        before = self.read

        def pulse(done: int) -> None:
            self.read = before + done

        return self.store.digest(files, pulse=pulse)


def test_the_digest_of_a_file_is_that_of_its_content(store, movie):
    assert Reader(store)(movie) == hashlib.sha256(b"pictures").hexdigest()


def test_a_file_is_read_once_by_whichever_process(store, movie):
    first, second = Reader(store), Reader(StepStore(store.folder, limit_bytes=2**20))

    assert first(movie) == second(movie) == first(movie)

    assert (first.read, second.read) == (8, 0)


def test_a_changed_file_of_equal_size_and_time_is_read_again(store, movie):
    read = Reader(store)
    before, status = read(movie), movie.stat()
    time.sleep(0.02)  # the file system's clock ticks every few milliseconds

    movie.write_bytes(b"other 8B")
    os.utime(movie, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert movie.stat().st_mtime_ns == status.st_mtime_ns
    assert read(movie) != before


def test_another_file_moved_to_its_place_is_read(store, movie, tmp_path):
    read = Reader(store)
    before, status = read(movie), movie.stat()
    other = tmp_path / "other.mp4"
    other.write_bytes(b"other 8B")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))

    other.replace(movie)

    assert read(movie) == hashlib.sha256(b"other 8B").hexdigest() != before


def test_a_file_that_was_written_a_moment_ago_is_not_trusted(store, movie, monkeypatch):
    monkeypatch.setattr(digests, "SETTLED_S", 60.0)
    read = Reader(store)

    read(movie)
    read(movie)

    assert read.read == 16


def test_a_file_that_changes_while_it_is_read_is_not_remembered(store, movie):
    def meddle(done: int) -> None:
        if done == 8:
            with movie.open("ab") as file:
                file.write(b"!")

    store.digest([movie], pulse=meddle)

    read = Reader(store)
    assert read(movie) == hashlib.sha256(b"pictures!").hexdigest()
    assert read.read == 9


def test_of_a_sequence_every_picture_and_their_order_count(store, movie, tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(b"more")
    read = Reader(store)

    assert len({read(movie, other), read(other, movie), read(movie), read(other)}) == 4


def test_reading_can_be_stopped(store, movie):
    def stop(_: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        store.digest([movie], pulse=stop)


def test_what_is_remembered_may_be_damaged_or_unwritable(store, movie, monkeypatch):
    read = Reader(store)
    read(movie)
    memory = store.folder / "digests.json"
    for harm in (b"{", b"[1]", b'{"a": 3}', b"\xff\xfe", b"[" * 100_000):
        memory.write_bytes(harm)
        assert read(movie) == hashlib.sha256(b"pictures").hexdigest()
    memory.unlink()
    memory.mkdir()

    assert read(movie) == hashlib.sha256(b"pictures").hexdigest()
