"""A job list that is damaged, stale, gone, locked or on a full disk: no job is lost."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3

import pytest
from server.queues import ANNA, filled, finish_next, kept, made, request
from stripmocap.contract.errors import (
    ServiceError,
)
from stripmocap.server.queue.store import Store

DATABASE = "jobs.sqlite"


@pytest.fixture(scope="module")
def masters(tmp_path_factory):
    """A folder of a killed service, one of a service that ended in order, and what they had."""
    folder = tmp_path_factory.mktemp("masters")
    store = filled(folder / "closed")
    shutil.copytree(folder / "closed", folder / "killed")
    expected = kept(store)
    store.close()
    return folder / "killed", folder / "closed", expected


@pytest.fixture
def left(masters, tmp_path):
    """The folder that a killed service leaves, and what was in its list."""
    shutil.copytree(masters[0], tmp_path / "data")
    return tmp_path / "data", masters[2]


@pytest.fixture
def closed(masters, tmp_path):
    """The folder that a service leaves that was ended in order, and what was in its list."""
    shutil.copytree(masters[1], tmp_path / "data")
    return tmp_path / "data", masters[2]


def garbage_header(path):
    path.write_bytes(b"not a database" * 8 + path.read_bytes()[112:])


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def flipped(path):
    content = bytearray(path.read_bytes())
    for at in range(200, len(content), 1500):
        content[at] ^= 0xFF
    path.write_bytes(content)


def undecodable(path):
    content = path.read_bytes()
    assert b"start_s" in content
    path.write_bytes(content.replace(b"start_s", b"start_\xff"))


def without_tables(path):
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE something (other)")
    connection.close()


@pytest.mark.parametrize(
    "damage", [garbage_header, truncated, flipped, undecodable, without_tables]
)
def test_a_damaged_list_is_kept_aside_and_made_again(closed, damage):
    data, expected = closed
    damage(data / DATABASE)
    damaged = (data / DATABASE).read_bytes()

    store = Store(data)

    assert kept(store) == expected
    assert (data / f"{DATABASE}.damaged-1").read_bytes() == damaged
    assert f"{DATABASE}.damaged-1" in store.notices[0]
    assert "rebuilt" in store.notices[0]
    store.close()
    again = Store(data)
    assert (kept(again), again.notices) == (expected, [])


@pytest.mark.parametrize("loss", [emptied, lambda path: path.unlink()])
def test_a_list_that_is_gone_is_made_again(closed, loss):
    data, expected = closed
    loss(data / DATABASE)

    store = Store(data)

    assert kept(store) == expected
    assert "gone" in store.notices[0]


@pytest.mark.parametrize("loss", [emptied, flipped, truncated, lambda path: path.unlink()])
def test_a_list_without_its_last_pages_catches_up_with_the_folders(left, loss):
    data, expected = left
    loss(data / f"{DATABASE}-wal")

    assert kept(Store(data)) == expected


def test_an_old_list_catches_up_with_the_folders(tmp_path):
    data = tmp_path / "data"
    store = filled(data)
    store.close()
    shutil.copy(data / DATABASE, tmp_path / "old")
    store = Store(data)
    finish_next(store)
    store.delete(finish_next(store).id)
    failed, _ = store.listed(state="failed")
    store.retry(failed[0].id)
    store.move(failed[0].id, to="first")
    store.add(request(), owner=ANNA)
    expected = kept(store)
    store.close()
    shutil.copy(tmp_path / "old", data / DATABASE)

    assert kept(Store(data)) == expected


@pytest.mark.parametrize("seed", range(30))
def test_wherever_bytes_flip_no_job_is_lost(closed, seed):
    data, expected = closed
    rng = random.Random(seed)
    content = bytearray((data / DATABASE).read_bytes())
    for _ in range(rng.choice([1, 1, 10])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    (data / DATABASE).write_bytes(content)

    assert kept(Store(data)) == expected


def test_a_second_damage_gets_a_second_name(closed):
    data, expected = closed
    for _ in range(2):
        garbage_header(data / DATABASE)
        store = Store(data)
        store.close()

    assert {each.name for each in data.glob("*.damaged-?")} == {
        f"{DATABASE}.damaged-1",
        f"{DATABASE}.damaged-2",
    }
    assert kept(Store(data)) == expected


def test_a_list_of_a_newer_version_is_left_alone(closed):
    data, _ = closed
    connection = sqlite3.connect(data / DATABASE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (data / DATABASE).read_bytes()

    with pytest.raises(ServiceError, match="99"):
        Store(data)
    assert (data / DATABASE).read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: (data / DATABASE).unlink(),
        lambda data: (data / f"{DATABASE}-wal").unlink(),
        lambda data: [each.unlink() for each in data.glob(f"{DATABASE}*")],
        lambda data: os.replace(data / "jobs" / "another", data / DATABASE),
    ],
    ids=["list gone", "log gone", "all gone", "replaced"],
)
def test_damage_while_it_runs_heals_and_jobs_run_on(tmp_path, damage):
    store = filled(tmp_path)
    running = store.claim("cpu")
    expected = kept(store)
    (tmp_path / "jobs" / "another").write_bytes(b"another file" * 100)

    damage(tmp_path)

    assert kept(store) == expected
    assert store.get(running.id) == running
    assert store.succeed(running.id, made(running)).state == "done"
    assert any("rebuilt" in notice for notice in store.notices)


def test_damaged_pages_are_noticed_while_it_runs(tmp_path):
    store = filled(tmp_path)
    expected = kept(store)
    for path in (tmp_path / DATABASE, tmp_path / f"{DATABASE}-wal"):
        with path.open("r+b") as file:
            file.write(b"\xa5" * path.stat().st_size)

    # What SQLite has in memory it believes; a list that is opened again sees the damage.
    assert kept(store) == expected
    added = store.add(request(), owner=ANNA)
    store.close()
    again = Store(tmp_path)

    assert again.get(added.id) == added
    again.cancel(added.id)
    again.delete(added.id)
    assert kept(again) == expected
