"""A job list that cannot be written now: nothing is half done, and it goes on when it can."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import pytest
from server.queues import ANNA, finish_next, made, order, request
from stripmocap.contract.errors import (
    DiskFull,
    QueueUnavailable,
    ServiceError,
    StripMocapError,
    VideoError,
)
from stripmocap.server import durable
from stripmocap.server.queue import reserve
from stripmocap.server.queue.job import has_result
from stripmocap.server.queue.store import Store

DATABASE = "jobs.sqlite"
MIB = 2**20


@contextmanager
def locked(data):
    """Another program writes the list and does not come to an end."""
    other = sqlite3.connect(data / DATABASE, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        with suppress(sqlite3.Error):
            other.execute("ROLLBACK")
        other.close()


def prepared(data, **options):
    """A queue with a job in each state."""
    store = Store(data, **options)
    for number in range(6):
        store.add(request(f"{number}.mp4"), owner=ANNA, key=str(number))
    finish_next(store)
    store.fail(store.claim("cpu").id, VideoError("it is gone"))
    store.cancel(store.claim("cpu").id)
    store.claim("cpu")
    return store


def seen(store, data):
    """The list and the files of all jobs."""
    files = {
        str(each.relative_to(data)): each.read_bytes()
        for each in (data / "jobs").rglob("*")
        if each.is_file()
    }
    return store.listed()[0], order(store), files


def changes(store):
    """Each way to change the list, by name."""
    by_state = {job.state: job for job in store.listed()[0]}
    running, queued = by_state["running"], by_state["queued"]
    return {
        "add": lambda: store.add(request(), owner=ANNA, key="new"),
        "claim": lambda: store.claim("cpu"),
        "succeed": lambda: store.succeed(running.id, running.work / "result.npz"),
        "fail": lambda: store.fail(running.id, VideoError("no")),
        "requeue": lambda: store.requeue(running.id, note="no"),
        "cancel": lambda: store.cancel(queued.id),
        "retry": lambda: store.retry(by_state["failed"].id),
        "move": lambda: store.move(queued.id, priority=3, to="last"),
        "delete": lambda: store.delete(by_state["done"].id),
        "recover": lambda: store.recover(),
    }


NAMES = (
    "add", "claim", "succeed", "fail", "requeue", "cancel", "retry", "move", "delete", "recover"
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_locked_list_refuses_and_nothing_is_half_done(tmp_path, name):
    heard = []
    store = prepared(tmp_path, busy_s=0.05, changed=lambda *said: heard.append(said))
    made(next(job for job in store.listed()[0] if job.state == "running"))
    before, told = seen(store, tmp_path), len(heard)

    with locked(tmp_path), pytest.raises(QueueUnavailable) as raised:
        changes(store)[name]()

    assert raised.value.hint
    assert seen(store, tmp_path) == before
    assert len(heard) == told
    changes(store)[name]()
    assert seen(store, tmp_path) != before


@pytest.mark.parametrize("name", NAMES)
def test_a_list_that_cannot_be_committed_refuses_and_nothing_is_half_done(tmp_path, name):
    store = prepared(tmp_path)
    made(next(job for job in store.listed()[0] if job.state == "running"))
    before = seen(store, tmp_path)
    writer = store._database._writer
    store._database._writer = _Full(writer)

    with pytest.raises(DiskFull) as raised:
        changes(store)[name]()

    assert "space" in raised.value.hint
    assert seen(store, tmp_path) == before
    store._database._writer = writer
    store.close()
    again = Store(tmp_path)
    assert seen(again, tmp_path) == before
    changes(again)[name]()
    assert seen(again, tmp_path) != before


class _Full:
    """A connection whose disk is full when all has been done but the last."""

    def __init__(self, connection):
        self._connection = connection

    def execute(self, statement, *values):
        if statement == "COMMIT":
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self._connection.execute(statement, *values)

    def __getattr__(self, name):
        return getattr(self._connection, name)


WITHOUT_FILES = {"claim", "requeue", "recover"}


@pytest.mark.parametrize("name", [each for each in NAMES if each not in WITHOUT_FILES])
def test_files_that_cannot_be_written_refuse_and_nothing_is_half_done(tmp_path, name, monkeypatch):
    store = prepared(tmp_path)
    made(next(job for job in store.listed()[0] if job.state == "running"))
    before = seen(store, tmp_path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "sync", full)
    with pytest.raises(DiskFull):
        changes(store)[name]()
    monkeypatch.undo()

    assert seen(store, tmp_path) == before
    changes(store)[name]()
    assert seen(store, tmp_path) != before


def test_a_locked_list_is_waited_for(tmp_path):
    store = prepared(tmp_path, busy_s=30)

    with locked(tmp_path) as other:
        release = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        release.start()
        job = store.add(request(), owner=ANNA)
        release.join()

    assert store.get(job.id) == job


def test_a_locked_list_can_still_be_read(tmp_path):
    store = prepared(tmp_path, busy_s=0.05)

    with locked(tmp_path):
        assert len(store.listed()[0]) == 6
        assert store.counts() == (2, 1)


def test_a_list_that_is_locked_at_the_start_is_said_and_not_touched(tmp_path):
    prepared(tmp_path).close()
    other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(QueueUnavailable, match="locked"):
        Store(tmp_path, busy_s=0.05)
    other.close()

    assert len(Store(tmp_path).listed()[0]) == 6
    assert not list(tmp_path.glob("*.damaged-*"))


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, of 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only an administrator of Linux can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=30)


def test_on_a_disk_that_fills_up_no_job_is_half_done_and_all_goes_on_after(small_disk, tmp_path):
    store = Store(small_disk)
    fill = small_disk / "something else"
    reserve.spend(small_disk)
    acknowledged = [store.add(request(), owner=ANNA).id for _ in range(3)]
    running = store.claim("cpu")
    made(running)
    with suppress(OSError), fill.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass

    def add_until_full():
        while len(acknowledged) < 1000:
            acknowledged.append(store.add(request(), owner=ANNA).id)

    for _ in range(5):
        with pytest.raises(DiskFull):
            add_until_full()
    listed = store.listed(limit=1000)[0]
    shutil.copytree(small_disk / "jobs", tmp_path / "copy" / "jobs")
    fill.unlink()

    assert {job.id for job in listed} == set(acknowledged)
    assert {each.name for each in (tmp_path / "copy" / "jobs").iterdir()} == set(acknowledged)
    assert has_result(store.succeed(running.id, running.work / "result.npz"))
    acknowledged.append(store.add(request(), owner=ANNA).id)
    store.close()
    assert {job.id for job in Store(small_disk).listed(limit=1000)[0]} == set(acknowledged)


def test_a_full_disk_stops_nobody_from_cancelling_and_deleting(small_disk):
    store = Store(small_disk)
    jobs = [store.add(request(), owner=ANNA) for _ in range(3)]
    done = finish_next(store, bytes(100_000))
    running = store.claim("cpu")
    with suppress(OSError), (small_disk / "fill").open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    with pytest.raises(DiskFull):
        store.add(request(), owner=ANNA)

    assert store.cancel(running.id).state == "cancelled"
    assert store.cancel(jobs[2].id).state == "cancelled"
    store.delete(done.id)

    (left,) = store.listed(state="cancelled", limit=1)[0]
    store.delete(left.id)
    (small_disk / "fill").unlink()
    assert store.add(request(), owner=ANNA).state == "queued"


_LIMITED = """
import resource, sys
from pathlib import Path
from stripmocap.contract.errors import DiskFull
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.queue.store import Store
data = Path(sys.argv[1])
store, added = Store(data), []
def add():
    added.append(store.add(CaptureRequest(Clip("shot.mp4")), owner="anna").id)
add()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most))
try:
    while len(added) < 1000:
        add()
except DiskFull:
    full = len(added)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
add()
store.close()
again = Store(data)
assert again.notices == [], again.notices
assert [job.id for job in again.listed(limit=2000)[0]][::-1] == added
assert 1 < full < 1000
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_file_that_may_not_grow_refuses_and_all_goes_on_after(tmp_path):
    command = [sys.executable, "-c", _LIMITED, str(tmp_path / "data")]

    done = subprocess.run(command, capture_output=True, timeout=120, check=False, text=True)

    assert done.returncode == 0, done.stderr


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path):
    place = tmp_path / "data"
    place.write_text("a file")

    with pytest.raises(ServiceError, match="cannot be the service's folder") as raised:
        Store(place)
    assert "STRIPMOCAP_DATA" in raised.value.hint


def test_a_folder_that_cannot_be_written_is_said_at_the_start(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(durable, "sync", refuse)

    with pytest.raises(DiskFull, match="Read-only") as raised:
        Store(tmp_path / "data")
    assert "STRIPMOCAP_DATA" in raised.value.hint


def test_a_disk_that_is_read_only_is_said_and_the_list_is_left_as_it_was(small_disk):
    store = Store(small_disk)
    job = store.add(request(), owner=ANNA)
    store.close()

    def mounted(how):
        command = ["mount", "-o", f"remount,{how}", str(small_disk)]
        subprocess.run(command, check=True, timeout=30)

    mounted("ro")
    with pytest.raises(DiskFull, match="Read-only") as raised:
        Store(small_disk)
    mounted("rw")

    assert "STRIPMOCAP_DATA" in raised.value.hint
    assert Store(small_disk).get(job.id) == job


def test_a_list_that_cannot_be_made_again_yet_is_when_it_can(tmp_path, monkeypatch):
    store = prepared(tmp_path)
    before = store.listed()[0]
    (tmp_path / DATABASE).unlink()

    def full(connection):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("stripmocap.server.queue.schema.check", full)
    for _ in range(2):
        with pytest.raises(StripMocapError) as raised:
            store.counts()
        assert isinstance(raised.value, DiskFull)
    monkeypatch.undo()

    assert [job.id for job in store.listed()[0]] == [job.id for job in before]
    assert len(store.notices) == 2


def test_a_closed_store_says_so(tmp_path):
    store = prepared(tmp_path)
    store.close()

    with pytest.raises(QueueUnavailable, match="closed"):
        store.counts()
    with pytest.raises(QueueUnavailable, match="closed"):
        store.claim("cpu")
