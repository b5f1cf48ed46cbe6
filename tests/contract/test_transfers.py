from __future__ import annotations

import hashlib
import re

import pytest
from contract.toyhost import Host, say, send
from stripmocap.contract import transfers
from stripmocap.contract.calls import Caller
from stripmocap.contract.errors import BackendUnavailable, ResultFileError, VideoError
from stripmocap.contract.jobs import FileStatus
from stripmocap.contract.transfers import Changed, download, upload

FOOTAGE = bytes(range(256)) * 40  # ten chunks of a test
SHA256 = hashlib.sha256(FOOTAGE).hexdigest()
FILE = FileStatus(SHA256, len(FOOTAGE))


def caller(host: Host) -> Caller:
    return Caller(host.url, token="a-token", sleep=lambda _: None)


def silent(stage: str, done: int, of: int) -> None:
    pass


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(transfers, "CHUNK_BYTES", 1024)


class Store:
    """The uploads of a service, and the trouble on the way to it."""

    def __init__(self) -> None:
        self.kept = b""
        self.trouble: dict[int, str] = {}  # what happens to which chunk; counted from 0
        self.chunks = 0

    def answer(self, host, body: bytes) -> None:
        if host.command == "PUT":
            offset = int(re.search(r"offset=(\d+)", host.path)[1])
            what = self.trouble.get(self.chunks, "")
            self.chunks += 1
            if what == "lost":
                host.close_connection = True
                return
            if offset != len(self.kept):
                said = {"code": "wrong_state", "message": "not there", "hint": ""}
                say(host, said, status=409)
                return
            self.kept += body[: len(body) // 2] if what == "half" else body
            if what in {"half", "unsaid"}:
                host.close_connection = True
                return
        received = len(self.kept)
        complete = received == len(FOOTAGE)
        say(
            host,
            {"sha256": SHA256, "size": len(FOOTAGE), "received": received, "complete": complete},
        )


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(FOOTAGE)
    return path


def test_a_file_is_sent_in_chunks_under_its_checksum(clip):
    store, told = Store(), []
    with Host(store.answer) as host:
        name = upload(caller(host), clip, report=lambda *step: told.append(step))

    assert name == f"upload:{SHA256}"
    assert store.kept == FOOTAGE
    assert store.chunks == 10
    assert told[0] == ("hash", 1024, len(FOOTAGE))
    assert told[-1] == ("upload", len(FOOTAGE), len(FOOTAGE))


def test_what_the_service_has_is_not_sent(clip):
    store = Store()
    store.kept = FOOTAGE
    with Host(store.answer) as host:
        upload(caller(host), clip, report=silent)

    assert store.chunks == 0


def test_a_file_goes_on_where_an_earlier_client_stopped(clip):
    store = Store()
    store.kept = FOOTAGE[:5000]
    with Host(store.answer) as host:
        upload(caller(host), clip, report=silent)

    assert store.kept == FOOTAGE
    assert store.chunks == 6


@pytest.mark.parametrize("trouble", ["lost", "half", "unsaid"])
def test_a_connection_that_breaks_costs_no_more_than_its_chunk(clip, trouble):
    store = Store()
    store.trouble = {0: trouble, 4: trouble, 5: trouble}
    with Host(store.answer) as host:
        upload(caller(host), clip, report=silent)

    assert store.kept == FOOTAGE
    assert store.chunks <= 13


def test_a_service_that_has_gone_is_given_up(clip):
    store = Store()
    store.trouble = dict.fromkeys(range(2, 100), "lost")
    with Host(store.answer) as host, pytest.raises(BackendUnavailable):
        upload(caller(host), clip, report=silent)

    assert store.chunks < 10


def test_what_stops_the_report_stops_the_upload(clip):
    def stop(stage: str, done: int, of: int) -> None:
        if stage == "upload" and done:
            raise KeyboardInterrupt

    store = Store()
    with Host(store.answer) as host, pytest.raises(KeyboardInterrupt):
        upload(caller(host), clip, report=stop)

    assert store.chunks == 1


@pytest.mark.parametrize("what", ["missing", "empty", "folder"])
def test_footage_that_cannot_be_read_is_said(tmp_path, what):
    path = tmp_path / "clip.mp4"
    if what == "empty":
        path.touch()
    elif what == "folder":
        path.mkdir()

    with Host(Store().answer) as host, pytest.raises(VideoError, match=r"clip\.mp4"):
        upload(caller(host), path, report=silent)


class Shelf:
    """A result of a service, and where the connection breaks."""

    def __init__(self, content: bytes = FOOTAGE, *, tag: str = SHA256, breaks=()) -> None:
        self.content, self.tag, self.breaks = content, tag, list(breaks)
        self.ranges: list[str | None] = []
        self.honours_ranges = True

    def answer(self, host, _body: bytes) -> None:
        asked = host.headers.get("Range")
        self.ranges.append(asked)
        start, status = 0, 200
        if asked and self.honours_ranges:
            start, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
            assert host.headers["If-Range"] == f'"{self.tag}"'
        body = self.content[start:]
        sent = body[: self.breaks.pop(0)] if self.breaks else body
        headers = {"ETag": f'"{self.tag}"'}
        send(host, sent, status=status, headers=headers, length=len(body))


def fetched(shelf: Shelf, path, file: FileStatus = FILE) -> None:
    with Host(shelf.answer) as host:
        download(caller(host), "jobs/1/result", path, file=file, report=silent)


def test_a_file_arrives_whole(tmp_path):
    shelf = Shelf()

    fetched(shelf, tmp_path / "result.npz")

    assert (tmp_path / "result.npz").read_bytes() == FOOTAGE
    assert [each.name for each in tmp_path.iterdir()] == ["result.npz"]
    assert shelf.ranges == [None]


def test_a_download_goes_on_where_it_broke(tmp_path):
    shelf = Shelf(breaks=[3000, 100, 5000])

    fetched(shelf, tmp_path / "result.npz")

    assert (tmp_path / "result.npz").read_bytes() == FOOTAGE
    assert shelf.ranges == [None, "bytes=3000-", "bytes=3100-", "bytes=8100-"]


def test_a_service_that_knows_no_ranges_sends_it_again(tmp_path):
    shelf = Shelf(breaks=[3000])
    shelf.honours_ranges = False

    fetched(shelf, tmp_path / "result.npz")

    assert (tmp_path / "result.npz").read_bytes() == FOOTAGE


def test_a_later_call_goes_on_too(tmp_path):
    with pytest.raises(BackendUnavailable):
        fetched(Shelf(breaks=[3000, *[0] * 20]), tmp_path / "result.npz")
    assert not (tmp_path / "result.npz").exists()
    shelf = Shelf()

    fetched(shelf, tmp_path / "result.npz")

    assert shelf.ranges == ["bytes=3000-"]
    assert [each.name for each in tmp_path.iterdir()] == ["result.npz"]


def test_what_an_earlier_call_left_damaged_is_fetched_anew(tmp_path):
    (tmp_path / f".result.npz.{SHA256[:16]}.part").write_bytes(b"rubbish" * 100)

    fetched(Shelf(), tmp_path / "result.npz")

    assert (tmp_path / "result.npz").read_bytes() == FOOTAGE


def test_a_file_with_another_checksum_never_takes_the_name(tmp_path):
    (tmp_path / "result.npz").write_bytes(b"an earlier one")

    with pytest.raises(ResultFileError, match="as it was sent"):
        fetched(Shelf(FOOTAGE[::-1]), tmp_path / "result.npz")

    assert (tmp_path / "result.npz").read_bytes() == b"an earlier one"
    assert [each.name for each in tmp_path.iterdir()] == ["result.npz"]


def test_another_file_than_was_asked_for_is_noticed_at_once(tmp_path):
    with pytest.raises(Changed):
        fetched(Shelf(tag="0" * 64), tmp_path / "result.npz")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_said(tmp_path):
    with pytest.raises(ResultFileError, match="cannot be written"):
        fetched(Shelf(), tmp_path / "nowhere" / "result.npz")
