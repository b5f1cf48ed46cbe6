from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stripmocap.steps import Journal, StepStore

MB = 2**20


@pytest.fixture
def store(tmp_path) -> StepStore:
    return StepStore(tmp_path / "cache", limit_bytes=2 * MB)


def opened(store: StepStore, key: str = "k1") -> Journal:
    journal = store.journal("people", key)
    assert journal is not None
    return journal


def numbers_in(journal: Journal) -> list[int]:
    return [int(chunk["n"]) for chunk in journal.chunks]


def noted(store: StepStore, *numbers: int) -> None:
    with opened(store) as journal:
        for number in numbers:
            journal.append({"n": np.array(number)})


def chunk_files(store: StepStore) -> list[Path]:
    return sorted(store.folder.rglob("*.journal/*.kept"))


def test_what_was_noted_is_there_for_the_next_and_grows(store):
    noted(store, 1, 2)

    with opened(store) as journal:
        assert numbers_in(journal) == [1, 2]
        journal.append({"n": np.array(3)})

    with opened(store) as journal:
        assert numbers_in(journal) == [1, 2, 3]


def test_only_one_process_has_a_journal_at_a_time(store):
    with opened(store):
        assert store.journal("people", "k1") is None
        with opened(store, "k2"):
            pass

    with opened(store):
        pass


def test_a_dropped_journal_leaves_nothing(store):
    with opened(store) as journal:
        journal.append({"n": np.array(1)})
        journal.drop()

    assert not (store.folder / "people" / "k1.journal").exists()
    with opened(store) as journal:
        assert journal.chunks == []


def test_after_a_damaged_chunk_nothing_is_used(store, caplog):
    noted(store, 1, 2, 3)
    chunk_files(store)[1].write_bytes(b"half")

    with caplog.at_level(logging.WARNING), opened(store) as journal:
        assert numbers_in(journal) == [1]
        journal.append({"n": np.array(5)})

    assert "not used" in caplog.text
    with opened(store) as journal:
        assert numbers_in(journal) == [1, 5]


def test_a_chunk_that_is_missing_ends_the_journal(store):
    noted(store, 1, 2, 3)
    chunk_files(store)[0].unlink()

    with opened(store) as journal:
        assert journal.chunks == []

    assert chunk_files(store) == []


def test_a_journal_in_use_is_not_given_up_and_one_out_of_use_is(store):
    with opened(store, "used") as journal:
        journal.append({"n": np.zeros(60_000)})
        with opened(store, "left") as other:
            other.append({"n": np.zeros(60_000)})
        store.keep("fit", "k", {"a": np.zeros(180_000)})

        assert store.fetch("fit", "k") is not None
        assert (store.folder / "people" / "used.journal").is_dir()
        assert not (store.folder / "people" / "left.journal").exists()
        assert store.clear() > 0
        assert (store.folder / "people" / "used.journal").is_dir()


def test_a_journal_never_grows_over_the_limit(store, caplog):
    with caplog.at_level(logging.WARNING), opened(store) as journal:
        for number in range(6):
            journal.append({"n": np.array(number), "rest": np.zeros(60_000)})

    assert store.status().size <= 2 * MB
    assert "not kept from here on" in caplog.text
    with opened(store) as journal:
        assert numbers_in(journal) == [0, 1, 2, 3]


def test_a_disk_that_fills_up_ends_the_journal_and_not_the_work(store, monkeypatch, caplog):
    with caplog.at_level(logging.WARNING), opened(store) as journal:
        journal.append({"n": np.array(1)})
        with monkeypatch.context() as patch:
            patch.setattr("stripmocap.steps.kept_file.os.fsync", _full)
            journal.append({"n": np.array(2)})
        journal.append({"n": np.array(3)})  # 2 is missing, so 3 would be of no use

    assert "No space left" in caplog.text
    with opened(store) as journal:
        assert numbers_in(journal) == [1]


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


KILLED = """
import sys, os, signal, numpy as np
from pathlib import Path
from stripmocap.steps import StepStore
journal = StepStore(Path(sys.argv[1]), limit_bytes=2**21).journal("people", "k1")
number = len(journal.chunks)
while True:
    journal.append({"n": np.array(number)})
    number += 1
    print(number, flush=True)
"""


def test_a_killed_process_leaves_whole_chunks_and_no_lock(store):
    noted_last = 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(store.folder)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        for _ in range(5):
            noted_last = int(writer.stdout.readline())
        writer.kill()
        writer.communicate(timeout=60)

        with contextlib.closing(writer.stdout), opened(store) as journal:
            found = numbers_in(journal)
        assert found == list(range(len(found)))
        assert len(found) >= noted_last
