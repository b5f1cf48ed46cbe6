"""Files go out whole or from any byte on, as one version, and cost nothing when nobody listens."""

from __future__ import annotations

import asyncio
import hashlib
import os

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.testclient import TestClient
from stripmocap.contract.errors import NotThere
from stripmocap.contract.jobs import FileStatus
from stripmocap.server.web.downloads import Checksums, download, tail

CONTENT = bytes(range(256)) * 4096  # 1 MiB
TAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "result.npz"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def client(file):
    sums = Checksums()

    def fetch(request):
        return download(file, None, sums=sums, asked=request.headers)

    return TestClient(Starlette(routes=[Route("/", fetch)]))


def test_a_file_arrives_whole_and_with_its_checksum(client):
    answer = client.get("/")

    assert answer.content == CONTENT
    assert answer.headers["etag"] == TAG
    assert answer.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, len(CONTENT)),
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=700000-", 700_000, len(CONTENT)),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT)),
        ("bytes=-99999999", 0, len(CONTENT)),
        (f"bytes=5-{len(CONTENT) * 9}", 5, len(CONTENT)),
    ],
)
def test_a_range_is_those_bytes(client, asked, start, stop):
    answer = client.get("/", headers={"Range": asked, "If-Range": TAG})

    assert answer.status_code == 206
    assert answer.content == CONTENT[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"


@pytest.mark.parametrize(
    "asked",
    ["", "bytes", "bytes=", "bytes=a-b", "bytes=5-4", "lines=0-1", "bytes=0-1,5-9", "bytes=--1"],
)
def test_a_range_that_is_none_gets_the_whole_file(client, asked):
    answer = client.get("/", headers={"Range": asked})

    assert (answer.status_code, answer.content) == (200, CONTENT)


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=999999999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(client, asked):
    answer = client.get("/", headers={"Range": asked})

    assert (answer.status_code, answer.json()["code"]) == (416, "request")
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("tag", ['"other"', f"W/{TAG}", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_the_rest_of_another_version_is_not_given(client, tag):
    answer = client.get("/", headers={"Range": "bytes=10-", "If-Range": tag})

    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_what_a_client_has_is_not_sent_again(client):
    answer = client.get("/", headers={"If-None-Match": f'"other", {TAG}'})

    assert (answer.status_code, answer.content) == (304, b"")


def test_a_file_that_is_replaced_has_another_checksum(client, file):
    first = client.get("/").headers["etag"]
    new = file.with_name("new")
    new.write_bytes(b"more")
    os.replace(new, file)

    answer = client.get("/")

    assert answer.content == b"more"
    assert answer.headers["etag"] != first


def sent(answer, *, on_first=lambda: None, gone_after: int | None = None) -> bytes:
    """What a client gets to whom something happens after the first piece, or who goes away."""
    pieces: list[bytes] = []

    async def story():
        away = asyncio.Event()

        async def receive():
            await away.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            pieces.append(message.get("body", b""))
            if len(pieces) == 2:
                on_first()
            if gone_after is not None and len(pieces) > gone_after:
                away.set()
                await asyncio.sleep(0)

        await asyncio.wait_for(answer({"type": "http", "method": "GET"}, receive, send), 20)

    asyncio.run(story())
    return b"".join(pieces)


def test_a_download_is_of_one_version_whatever_happens_to_the_file(file):
    answer = download(file, None, sums=Checksums(), asked=Headers())

    def replaced():
        new = file.with_name("new")
        new.write_bytes(b"z" * len(CONTENT))
        os.replace(new, file)

    assert sent(answer, on_first=replaced) == CONTENT


def test_the_file_is_closed_when_the_client_goes_away(file):
    answer = download(file, None, sums=Checksums(), asked=Headers())

    got = sent(answer, gone_after=1)

    assert len(got) < len(CONTENT)
    assert answer._file.closed


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=3-4"}, {"If-None-Match": TAG}])
def test_the_file_is_closed_when_all_is_sent(file, headers):
    answer = download(file, None, sums=Checksums(), asked=Headers(headers))

    sent(answer)

    assert answer._file.closed


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotThere):
        download(tmp_path / "none", None, sums=Checksums(), asked=Headers())


def test_a_checksum_is_made_once_a_file(file):
    sums = Checksums()
    with file.open("rb") as opened:
        first = sums.of(opened, file)
    with file.open("rb") as opened:
        opened.read(100)
        again = sums.of(opened, file)
        assert opened.tell() == 0

    assert first == again == FileStatus(TAG.strip('"'), len(CONTENT))


def test_the_tail_of_a_log_begins_with_a_line(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(b"".join(b"line %d\n" % number for number in range(1000)))

    assert tail(path, 30) == "line 997\nline 998\nline 999\n"
    assert tail(path, 10**6).startswith("line 0\n")


def test_a_log_that_is_no_text_or_not_there_is_no_error(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(b"\xff\xfe\x00bad")

    assert "bad" in tail(path, 100)
    assert tail(tmp_path / "none", 100) == ""
