"""The job list when the power fails at any moment, on a disk that keeps only what was synced."""

from __future__ import annotations

import random
import sys

import pytest
from stripmocap.experiments import powercut, powercut_jobs
from stripmocap.experiments.powercut import SURVIVALS, Disk, Event

CUTS = 100  # all of them take minutes: `stripmocap experiment faults`


@pytest.fixture(scope="session")
def recorder(tmp_path_factory):
    built = powercut.build(tmp_path_factory.mktemp("recorder"))
    if built is None:
        pytest.skip("the recorder needs Linux and a C compiler")
    return built


def recorded(program, tmp_path, recorder):
    """The events of a Python program that gets the folder and the file of marks."""
    data, marks = tmp_path / "data", tmp_path / "marks"
    data.mkdir()
    command = [sys.executable, "-c", program, str(data.resolve()), str(marks.resolve())]
    return powercut.record(command, data, marks=marks, recorder=recorder)


def left(disk, target, survival, *, seed=0):
    """Name and content of the files that are left."""
    disk.survive(target, survival, rng=random.Random(seed))
    return {each.name: each.read_bytes() for each in target.rglob("*") if each.is_file()}


@pytest.mark.parametrize("seed", [1, 2])
def test_no_cut_of_the_power_loses_or_halves_what_was_acknowledged(tmp_path, recorder, seed):
    figures = powercut_jobs.run(tmp_path, seed=seed, cuts=CUTS, recoveries=2)

    assert figures is not None
    assert figures.cuts == CUTS + 2 * CUTS // 5
    assert figures.acknowledged == powercut_jobs.STEPS + 1
    assert figures.violations == ()


def test_a_list_that_is_not_synced_is_found_out(tmp_path, recorder, monkeypatch):
    def without_syncs(*arguments, **options):
        return [each for each in record(*arguments, **options) if each.what != "sync"]

    record = powercut_jobs.record
    monkeypatch.setattr(powercut_jobs, "record", without_syncs)

    figures = powercut_jobs.run(tmp_path, cuts=60, steps=20)

    assert figures is not None
    assert len(figures.violations) > 10


@pytest.mark.parametrize("survival", SURVIVALS)
def test_what_durable_wrote_is_whole_whatever_the_disk_keeps(tmp_path, recorder, survival):
    program = (
        "import os, sys; from pathlib import Path; from stripmocap.server import durable;"
        "data, marks = map(Path, sys.argv[1:]); said = os.open(marks, os.O_CREAT | os.O_WRONLY);"
        "[(durable.write(data / 'a', b'%d' % n * 1000), os.write(said, b'.')) for n in range(5)]"
    )
    events = recorded(program, tmp_path, recorder)
    disk, spoken = Disk(), 0

    for number, event in enumerate(events):
        disk.happen(event)
        spoken += event.what == powercut.MARK
        found = left(disk, tmp_path / f"left{number}", survival, seed=number).get("a")
        whole = [b"%d" % (each,) * 1000 for each in range(5)]

        assert found in [*whole[max(0, spoken - 1) : spoken + 1], *([None] if not spoken else [])]
    assert spoken == 5


def test_what_was_never_synced_is_gone_and_what_was_is_there(tmp_path, recorder):
    program = (
        "import os, sys; data = sys.argv[1]; open(data + '/loose', 'w').write('loose');"
        "file = open(data + '/kept', 'w'); file.write('kept'); file.flush();"
        "os.fsync(file.fileno()); folder = os.open(data, os.O_RDONLY); os.fsync(folder);"
        "file.write(' and more'); file.close(); os.rename(data + '/kept', data + '/renamed')"
    )
    disk = Disk()
    for each in recorded(program, tmp_path, recorder):
        disk.happen(each)

    assert left(disk, tmp_path / "synced", "synced") == {"loose": b"", "kept": b"kept"}
    assert left(disk, tmp_path / "all", "all") == {"loose": b"loose", "renamed": b"kept and more"}


def test_a_long_write_may_be_torn_between_sectors(tmp_path):
    events = [
        Event("create", 7, 0, b"file"),
        Event("sync", 1, 0, b""),
        Event("write", 7, 0, b"x" * 4096),
    ]
    disk = Disk()
    for each in events:
        disk.happen(each)

    found = {left(disk, tmp_path / str(seed), "some", seed=seed)["file"] for seed in range(40)}

    assert b"" in found
    assert b"x" * 4096 in found
    assert any(each.strip(b"\0") and b"\0" in each for each in found)
    assert all(len(each) % powercut.SECTOR == 0 for each in found)


def test_what_was_there_before_is_safe(tmp_path, recorder):
    data = tmp_path / "before"
    data.mkdir()
    (data / "old").write_bytes(b"old")
    (data / "lost").write_bytes(b"lost")
    disk = Disk(data)
    program = (
        "import os, sys; file = open(sys.argv[1] + '/old', 'r+b'); file.write(b'new');"
        "file.close(); os.unlink(sys.argv[1] + '/lost')"
    )
    command = [sys.executable, "-c", program, str(data.resolve())]
    for each in powercut.record(command, data, marks=tmp_path / "marks", recorder=recorder):
        disk.happen(each)

    assert left(disk, tmp_path / "synced", "synced") == {"old": b"old", "lost": b"lost"}
    assert left(disk, tmp_path / "all", "all") == {"old": b"new"}


def test_an_inode_that_is_used_again_is_another_file(tmp_path):
    disk = Disk()
    for each in [
        Event("create", 7, 0, b"old"),
        Event("write", 7, 0, b"old"),
        Event("remove", 0, 0, b"old"),
        Event("create", 7, 0, b"new"),
        Event("write", 7, 0, b"new"),
    ]:
        disk.happen(each)

    assert left(disk, tmp_path / "left", "all") == {"new": b"new"}
