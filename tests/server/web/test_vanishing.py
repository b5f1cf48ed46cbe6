"""Clients that go away in the middle of things cost nothing and break nothing, on a real port."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from server.callers import ANNA, FOOTAGE, TOKEN, Service, job_body, listening, sha256
from stripmocap.contract.jobs import CLIENT_HEADER

CLIENTS = 50
LIMIT_S = 60
HEADERS = {"Authorization": f"Bearer {TOKEN}", CLIENT_HEADER: ANNA}


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.store.close()


def half_call(url: str, start: str, *, body: bytes = b"", claim: int | None = None):
    """A connection on which a call is begun."""
    place = urlsplit(url)
    lines = [f"{start} HTTP/1.1", f"Host: {place.netloc}"]
    lines += [f"{name}: {text}" for name, text in HEADERS.items()]
    if claim is not None:
        lines.append(f"Content-Length: {claim}")
    connection = socket.create_connection((place.hostname, place.port), timeout=LIMIT_S)
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection


def settled(ready) -> bool:
    """Whether `ready` comes true in time."""
    until = time.monotonic() + LIMIT_S
    while not ready():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def open_files(service: Service) -> list[str]:
    """Results and uploads that the service has open."""
    data = str(service.settings.data)
    return [
        each.path
        for each in psutil.Process().open_files()
        if each.path.startswith(data) and not each.path.endswith((".sqlite", "-wal", "-shm"))
    ]


def test_senders_that_vanish_leave_what_was_acknowledged(service):
    digest, half = sha256(FOOTAGE), len(FOOTAGE) // 2
    with listening(service) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        client.post("/v1/uploads", json={"sha256": digest, "size": len(FOOTAGE)})
        put = f"/v1/uploads/{digest}?offset="
        client.put(f"{put}0", content=FOOTAGE[:half])
        for _ in range(CLIENTS):
            rest = FOOTAGE[half:]
            half_call(url, f"PUT {put}{half}", body=rest[:100], claim=len(rest)).close()

        assert client.get(f"/v1/uploads/{digest}").json()["received"] == half
        assert client.put(f"{put}{half}", content=FOOTAGE[half:]).json()["complete"]
        assert settled(lambda: not open_files(service))


def test_receivers_that_vanish_leave_no_file_open(service):
    with listening(service) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        job = client.post("/v1/jobs", json=job_body()).json()["id"]
        service.finish_next(b"x" * 20_000_000)
        gone = [half_call(url, f"GET /v1/jobs/{job}/result") for _ in range(CLIENTS)]
        for each in gone:
            assert each.recv(1000).startswith(b"HTTP/1.1 200")
        before = psutil.Process().memory_info().rss
        for each in gone:
            each.close()

        assert settled(lambda: not open_files(service))
        assert len(client.get(f"/v1/jobs/{job}/result").content) == 20_000_000
        assert psutil.Process().memory_info().rss - before < 200 * 2**20


def test_waiters_that_vanish_or_stay_keep_nobody_from_an_answer(service):
    with listening(service) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        now = client.get("/v1/events").json()
        ask = f"/v1/events?after={now['number']}&epoch={now['epoch']}&wait_s=30"
        waiting = [half_call(url, f"GET {ask}") for _ in range(CLIENTS)]
        assert settled(lambda: service.events.waiting == CLIENTS)
        for each in waiting[::2]:
            each.close()

        job = client.post("/v1/jobs", json=job_body()).json()["id"]
        answers = [_answer(each) for each in waiting[1::2]]

        assert {each["jobs"][0]["id"] for each in answers} == {job}
        assert settled(lambda: service.events.waiting == 0)


def test_a_service_that_ends_sends_its_waiters_home(service):
    with listening(service) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        now = client.get("/v1/events").json()
        ask = f"/v1/events?after={now['number']}&epoch={now['epoch']}&wait_s=30"
        waiting = half_call(url, f"GET {ask}")
        assert settled(lambda: service.events.waiting == 1)

        client.post("/v1/stop")

        assert _answer(waiting)["jobs"] == []


def _answer(connection: socket.socket) -> dict:
    """The JSON that comes on the connection."""
    with connection, connection.makefile("rb") as lines:
        length = 0
        while line := lines.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(lines.read(length))
