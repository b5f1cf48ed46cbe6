"""A job list that is damaged, stale, gone, locked or on a full disk: no job is lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3

import pytest
from server.queues import ANNA, BERT, finish_next, made, order, request
from stripmocap.contract.errors import (
    NotThere,
    ServiceError,
    VideoError,
)
from stripmocap.server import durable
from stripmocap.server.job import has_result, write_outcome
from stripmocap.server.store import Store

DATABASE = "jobs.sqlite"


def filled(data):
    """A queue with jobs of all kinds, and what must survive of it."""
    store = Store(data)
    for number in range(12):
        owner = ANNA if number % 2 else BERT
        store.add(request(f"{number}.mp4"), owner=owner, key=f"shot {number}")
    finish_next(store, b"first result")
    finish_next(store, b"second result")
    job = store.claim("cpu")
    store.fail(job.id, VideoError("it is gone", hint="Bring it back."))
    store.cancel(store.claim("cpu").id)
    retried = store.claim("cpu")
    store.cancel(retried.id)
    store.retry(retried.id)
    deleted = store.claim("cpu")
    store.cancel(deleted.id)
    store.delete(deleted.id)
    last, _ = store.listed(limit=1)
    store.move(last[0].id, priority=5)
    store.move(order(store)[-2], to="first")
    return store


def kept(store):
    """What must survive: who owns what, how it ended, and in which order the rest runs."""
    jobs, _ = store.listed(limit=1000)
    for job in jobs:
        assert job.state != "done" or has_result(job)
    known = [
        (job.id, job.owner, job.key, job.state, job.request, job.result, job.error) for job in jobs
    ]
    return known, order(store)


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


def without_tables(path):
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE something (other)")
    connection.close()


@pytest.mark.parametrize("damage", [garbage_header, truncated, flipped, without_tables])
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


def test_a_result_that_is_damaged_with_the_list_is_captured_again(closed):
    data, _ = closed
    (data / DATABASE).unlink()
    result = next((data / "jobs").glob("*/result.npz"))
    result.write_bytes(result.read_bytes()[:-1] + b"?")

    store = Store(data)
    job = store.get(result.parent.name)

    assert (job.state, job.result) == ("queued", None)
    assert "damaged" in job.notes[-1]


def test_a_result_that_no_outcome_names_is_not_trusted(closed):
    data, _ = closed
    (data / DATABASE).unlink()
    result = next((data / "jobs").glob("*/result.npz"))
    (result.parent / "outcome.json").unlink()

    store = Store(data)

    assert store.get(result.parent.name).state == "queued"
    store.recover()
    assert not result.exists()


def test_an_outcome_that_was_edited_is_not_believed(closed):
    data, _ = closed
    (data / DATABASE).unlink()
    outcome = next(each.parent for each in (data / "jobs").glob("*/result.npz")) / "outcome.json"
    outcome.write_text(json.dumps({**json.loads(outcome.read_text()), "attempts": 7}))

    assert Store(data).get(outcome.parent.name).state == "queued"


def test_a_job_whose_files_are_damaged_or_newer_is_left_alone_and_said(closed):
    data, _ = closed
    (data / DATABASE).unlink()
    damaged = next((data / "jobs").glob("*/request.json"))
    damaged.write_bytes(damaged.read_bytes()[:40])

    store = Store(data)

    with pytest.raises(NotThere):
        store.get(damaged.parent.name)
    assert damaged.exists()
    assert any(damaged.parent.name in notice for notice in store.notices)


def test_a_job_whose_folder_was_deleted_by_hand_leaves_the_list(closed):
    data, _ = closed
    job_id = next((data / "jobs").glob("*/outcome.json")).parent.name
    shutil.rmtree(data / "jobs" / job_id)

    store = Store(data)

    with pytest.raises(NotThere):
        store.get(job_id)
    assert "no folder" in store.notices[0]


def test_half_written_files_are_never_read_and_swept_away(closed):
    data, expected = closed
    folder = next((data / "jobs").glob("*/result.npz")).parent
    rubbish = [
        folder / f".result.npz.0123{durable.PART}",
        folder / "outcome.json.old",
        data / "jobs" / f".probe.0123{durable.PART}",
    ]
    for each in rubbish:
        each.write_bytes(b"half")
    (data / "jobs" / ("0" * 32)).mkdir()
    (data / "jobs" / f".gone-{'1' * 32}").mkdir()

    store = Store(data)
    store.recover()

    assert kept(store) == expected
    assert not any(each.exists() for each in rubbish)
    assert {each.name for each in (data / "jobs").iterdir()} == {each[0] for each in expected[0]}


def test_a_deletion_that_was_cut_off_is_finished(closed):
    data, _ = closed
    folder = next((data / "jobs").glob("*/result.npz")).parent
    folder.rename(folder.with_name(f".gone-{folder.name}"))

    store = Store(data)

    with pytest.raises(NotThere):
        store.get(folder.name)
    assert not list((data / "jobs").glob(".gone-*"))


def test_a_success_that_was_cut_off_is_not_captured_twice(tmp_path, monkeypatch):
    def write_and_be_cut_off(job):
        write_outcome(job)
        shutil.copytree(tmp_path / "alive", tmp_path / "left")

    store = filled(tmp_path / "alive")
    running = store.claim("cpu")
    monkeypatch.setattr("stripmocap.server.store.write_outcome", write_and_be_cut_off)
    done = store.succeed(running.id, made(running, b"made once"))
    again = Store(tmp_path / "left")
    recovered = again.recover()

    assert again.get(running.id).result == done.result
    assert has_result(again.get(running.id))
    assert recovered == []


def test_a_retry_that_was_cut_off_has_happened(tmp_path, monkeypatch):
    def move_and_be_cut_off(source, target):
        move(source, target)
        shutil.copytree(tmp_path / "alive", tmp_path / "left")

    store, move = filled(tmp_path / "alive"), durable.move
    (failed,), _ = store.listed(state="failed")
    monkeypatch.setattr(durable, "move", move_and_be_cut_off)
    retried = store.retry(failed.id)
    again = Store(tmp_path / "left")
    again.recover()

    assert order(again) == order(store)
    assert again.get(failed.id).attempts == retried.attempts
