"""Job folders and job list brought in line: what folders say is believed only if it is whole."""

from __future__ import annotations

import json
import shutil

import pytest
from server.queues import ANNA, filled, finish_next, kept, made, order, request
from stripmocap.contract.errors import NotThere
from stripmocap.server import durable
from stripmocap.server.queue.job import has_result, write_outcome
from stripmocap.server.queue.store import Store

DATABASE = "jobs.sqlite"


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """The folder of a service that ended in order, and what it had."""
    folder = tmp_path_factory.mktemp("master") / "data"
    store = filled(folder)
    expected = kept(store)
    store.close()
    return folder, expected


@pytest.fixture
def closed(master, tmp_path):
    """A copy of that folder, and what it had."""
    shutil.copytree(master[0], tmp_path / "data")
    return tmp_path / "data", master[1]


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


def test_a_key_that_an_old_list_gives_to_a_deleted_job_is_the_later_one_s(tmp_path):
    data = tmp_path / "data"
    store = Store(data)
    first = store.add(request("first.mp4"), owner=ANNA, key="shot")
    store.cancel(first.id)
    store.close()
    shutil.copy(data / DATABASE, tmp_path / "old")
    store = Store(data)
    store.delete(first.id)
    second = store.add(request("second.mp4"), owner=ANNA, key="shot")
    store.close()
    shutil.copy(tmp_path / "old", data / DATABASE)

    again = Store(data)

    assert again.add(request("second.mp4"), owner=ANNA, key="shot").id == second.id
    assert [job.id for job in again.listed()[0]] == [second.id]


@pytest.mark.parametrize("begun", [False, True])
def test_of_two_folders_under_one_key_one_that_was_never_begun_goes(tmp_path, begun):
    store, other = Store(tmp_path / "data"), Store(tmp_path / "other")
    first = store.add(request(), owner=ANNA, key="shot")
    finish_next(store)
    second = other.add(request(), owner=ANNA, key="shot")
    if begun:
        finish_next(other)
    copied = first.folder.parent / second.id
    shutil.copytree(second.folder, copied)
    store.close()
    other.close()

    again = Store(tmp_path / "data")

    keys = {job.id: job.key for job in again.listed()[0]}
    assert keys == {first.id: "shot", **({second.id: None} if begun else {})}
    assert copied.exists() == begun


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
    monkeypatch.setattr("stripmocap.server.queue.store.write_outcome", write_and_be_cut_off)
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
