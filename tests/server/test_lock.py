from __future__ import annotations

import subprocess
import sys

import pytest
from stripmocap.contract.errors import ServiceError
from stripmocap.server.lock import FILE, Lock, held

HOLD = """
import pathlib, sys
from stripmocap.server.lock import Lock
lock = Lock(pathlib.Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has taken the lock and keeps it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"True\n"
        yield process
        process.kill()


def test_one_process_at_a_time_has_it(holder, tmp_path):
    assert not Lock(tmp_path).take()
    assert held(tmp_path)


def test_it_goes_with_the_process_however_that_ends(holder, tmp_path):
    holder.kill()
    holder.wait()

    assert not held(tmp_path)
    assert Lock(tmp_path).take()


def test_given_back_it_can_be_taken_again(tmp_path):
    lock = Lock(tmp_path)

    assert lock.take()
    assert held(tmp_path)
    lock.give_back()
    assert not held(tmp_path)
    assert lock.take()


def test_processes_that_are_started_do_not_hold_on_to_it(tmp_path):
    lock = Lock(tmp_path)
    lock.take()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        lock.give_back()

        assert Lock(tmp_path).take()
        child.kill()


def test_nobody_holds_what_was_never_made(tmp_path):
    assert not held(tmp_path)
    assert not (tmp_path / FILE).exists()


def test_a_folder_that_is_none_is_said(tmp_path):
    with pytest.raises(ServiceError, match="cannot be written"):
        Lock(tmp_path / "nowhere").take()
