"""Files that are there whole, or not at all. What a power cut leaves is in test_powercut.py."""

from __future__ import annotations

import errno
import os

import pytest
from stripmocap.contract.errors import DiskFull
from stripmocap.server import durable


@pytest.fixture
def synced(monkeypatch):
    """Inodes in the order in which they were synced."""
    inodes, sync = [], durable.sync

    def remembered(descriptor):
        inodes.append(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(durable, "sync", remembered)
    return inodes


def refuse(monkeypatch, number):
    def refused(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(durable, "sync", refused)


def test_a_file_is_written_for_its_owner_and_its_content_synced_before_its_name(tmp_path, synced):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    durable.write(path, b"after")

    assert path.read_bytes() == b"after"
    assert path.stat().st_mode & 0o077 == 0
    assert synced == [path.stat().st_ino, tmp_path.stat().st_ino]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch, number):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    refuse(monkeypatch, number)

    with pytest.raises(DiskFull) as raised:
        durable.write(path, b"after")

    assert raised.value.hint
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_moved_file_is_synced_with_both_its_folders(tmp_path, synced):
    (tmp_path / "work").mkdir()
    source, target = tmp_path / "work" / "result", tmp_path / "result"
    source.write_bytes(b"result")
    target.write_bytes(b"older")
    file, work = source.stat().st_ino, source.parent.stat().st_ino

    durable.move(source, target)

    assert target.read_bytes() == b"result"
    assert not source.exists()
    assert synced == [file, tmp_path.stat().st_ino, work]


def test_a_file_that_is_not_there_cannot_be_moved(tmp_path):
    with pytest.raises(FileNotFoundError):
        durable.move(tmp_path / "nothing", tmp_path / "file")


def test_a_move_that_did_not_happen_is_not_undone(tmp_path):
    made, kept = tmp_path / "made", tmp_path / "kept"
    made.write_bytes(b"made")

    durable.put_back(kept, made)
    assert made.read_bytes() == b"made"

    durable.move(made, kept)
    durable.put_back(kept, made)
    assert made.read_bytes() == b"made"
    assert not kept.exists()


def test_undoing_never_raises(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"written")
    refuse(monkeypatch, errno.EIO)

    durable.take_back(path)
    durable.put_back(path, tmp_path / "nowhere" / "file")

    assert not path.exists()


def test_a_folder_that_is_there_cannot_be_made(tmp_path):
    durable.make_folder(tmp_path / "new")

    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        durable.make_folder(tmp_path / "new")


def test_an_error_that_is_not_the_disk_s_is_told_as_it_is(tmp_path):
    assert durable.refusal(OSError(errno.ENOENT, "no such file"), tmp_path) is None
