from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from stripmocap.steps import StepStore, key_of

MB = 2**20
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def store(tmp_path) -> StepStore:
    return StepStore(tmp_path / "cache", limit_bytes=10 * MB)


def arrays(megabytes: float = 0.1) -> dict[str, np.ndarray]:
    return {"a": np.random.default_rng(0).normal(size=int(megabytes * MB / 8))}


def files_of(store: StepStore) -> list[Path]:
    return sorted(each for each in store.folder.rglob("*") if each.is_file())


def test_what_is_kept_comes_back_to_the_last_bit(store):
    kept = {
        "floats": np.array([0.1, np.nan, -0.0, np.inf], dtype=np.float32),
        "none": np.zeros((0, 4)),
        "number": np.array(3.25),
        "names": np.array(["anna", "ben"]),
    }

    store.keep("people", "k1", kept)

    found = StepStore(store.folder, limit_bytes=MB).fetch("people", "k1")
    assert found is not None
    assert set(found) == set(kept)
    for name, each in kept.items():
        assert found[name].dtype == each.dtype
        assert found[name].tobytes() == each.tobytes()


def test_what_was_never_kept_is_not_there(store):
    store.keep("people", "k1", arrays())

    assert store.fetch("fit", "k1") is None
    assert store.fetch("people", "k2") is None


def test_a_key_depends_on_every_value_and_on_nothing_else():
    key = key_of(code=1, span=[0.0, float("inf")], weights={"a": "x", "b": "y"})

    assert key == key_of(weights={"b": "y", "a": "x"}, span=[0.0, float("inf")], code=1)
    others = [
        key_of(code=2, span=[0.0, float("inf")], weights={"a": "x", "b": "y"}),
        key_of(code=1, span=[0.0, 1.0], weights={"a": "x", "b": "y"}),
        key_of(code=1, span=[0.0, float("inf")], weights={"a": "y", "b": "x"}),
    ]
    assert len({key, *others}) == 4


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content + b"\0",
        lambda content: b"not what it was" * 10,
    ],
)
def test_a_damaged_entry_is_dropped_and_said(store, harm, caplog):
    store.keep("people", "k1", arrays())
    (path,) = files_of(store)
    path.write_bytes(harm(path.read_bytes()))

    with caplog.at_level(logging.WARNING):
        assert store.fetch("people", "k1") is None

    assert "damaged" in caplog.text
    assert not path.exists()
    store.keep("people", "k1", arrays())
    assert store.fetch("people", "k1") is not None


def test_the_limit_holds_and_what_was_used_longest_ago_goes_first(store):
    for number in range(9):
        store.keep("people", f"k{number}", arrays(1))
    store.fetch("people", "k0")

    store.keep("fit", "new", arrays(2.5))

    assert store.status().size <= 10 * MB
    kept = [number for number in range(9) if store.fetch("people", f"k{number}")]
    assert kept == [0, 3, 4, 5, 6, 7, 8]
    assert store.fetch("fit", "new") is not None


def test_use_is_ordered_though_the_clock_goes_back(store, monkeypatch):
    now = time.time_ns()
    for number in range(9):
        monkeypatch.setattr(time, "time_ns", lambda number=number: now - number * 10**15)
        store.keep("people", f"k{number}", arrays(1))

    store.keep("people", "new", arrays(3.5))

    kept = [number for number in range(9) if store.fetch("people", f"k{number}")]
    assert kept == [3, 4, 5, 6, 7, 8]


def test_what_is_larger_than_the_limit_is_not_kept_and_costs_nobody_a_place(store, caplog):
    store.keep("people", "k1", arrays(1))

    with caplog.at_level(logging.WARNING):
        assert not store.keep("people", "k2", arrays(11))

    assert "not kept" in caplog.text
    assert "11.0 MB do not fit" in caplog.text
    assert store.fetch("people", "k1") is not None
    assert store.fetch("people", "k2") is None


def test_a_full_disk_is_said_and_stops_nobody(store, monkeypatch, caplog):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stripmocap.steps.kept_file.os.fsync", full)

    with caplog.at_level(logging.WARNING):
        assert not store.keep("people", "k1", arrays())

    assert "No space left" in caplog.text
    assert files_of(store) == []


def test_the_last_of_a_disk_is_left_to_the_queue(store, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 99, 10 * MB))

    assert not store.keep("people", "k1", arrays())
    assert files_of(store) == []


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    store = StepStore(tmp_path / "file" / "cache", limit_bytes=MB)

    with caplog.at_level(logging.WARNING):
        store.keep("people", "k1", arrays())

    assert store.fetch("people", "k1") is None
    assert store.journal("people", "k1") is None
    assert (store.status().size, store.clear()) == (0, 0)


def test_parts_that_killed_writers_left_are_swept_once_they_are_old(store):
    store.keep("people", "k1", arrays())
    old, young = (store.folder / "people" / name for name in ("old.part", "young.part"))
    for each in (old, young):
        each.write_bytes(b"half")
    two_hours_ago = time.time() - 7200
    os.utime(old, (two_hours_ago, two_hours_ago))

    StepStore(store.folder, limit_bytes=MB)

    assert not old.exists()
    assert young.exists()
    assert store.fetch("people", "k1") is not None


def test_the_status_tells_size_and_steps_and_clear_frees_them(store):
    store.keep("people", "k1", arrays(1))
    store.keep("fit", "k2", arrays(0.5))
    store.keep("fit", "k3", arrays(0.5))

    status = store.status()

    assert status.entries == {"fit": 2, "people": 1}
    assert status.size == pytest.approx(2 * MB, rel=0.01)
    assert (status.folder, status.limit) == (str(store.folder), 10 * MB)
    assert store.clear() == status.size
    assert store.status().size == 0
    assert files_of(store) == []


WRITER = """
import sys, numpy as np
from pathlib import Path
from stripmocap.steps import StepStore
store = StepStore(Path(sys.argv[1]), limit_bytes=4 * 2**20)
for turn in range(15):
    for number in range(12):
        found = store.fetch("people", f"k{number}")
        if found is None:
            assert store.keep("people", f"k{number}", {"a": np.full(60_000, number)})
        else:
            assert (found["a"] == number).all() and found["a"].shape == (60_000,)
"""


def test_processes_that_share_a_folder_read_nothing_half_written(tmp_path):
    folder = tmp_path / "cache"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stderr=subprocess.PIPE)
        for _ in range(3)
    ]

    said = [writer.communicate(timeout=120)[1].decode() for writer in writers]

    assert [writer.returncode for writer in writers] == [0, 0, 0], said
    assert not any("damaged" in each for each in said), said
    assert StepStore(folder, limit_bytes=MB).status().size <= 6 * MB  # two may write at once
    assert list(folder.rglob("*.part")) == []
