from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from server import certificates
from server.running import DEADLINE_S, OTHER_KEY, Running
from stripmocap.contract.errors import BackendUnavailable, RequestError, ServiceError
from stripmocap.contract.service import Service
from stripmocap.server import listener
from stripmocap.server.listener import Listener
from stripmocap.settings import Settings


async def slow_app(scope, receive, send):
    """Answers what it is asked; /slow only when the caller has gone."""
    if scope["path"] == "/slow":
        while (await receive())["type"] != "http.disconnect":
            pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


@pytest.fixture
def listening(monkeypatch):
    """A listener in this process, impatient, and its address."""
    monkeypatch.setattr(listener, "HEADER_S", 0.2)
    monkeypatch.setattr(listener, "KEEP_ALIVE_S", 1)
    ready = threading.Event()
    found = listener.bind(Settings())
    server = Listener(slow_app, Settings(), listening=ready.set)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[found])))
    thread.start()
    assert ready.wait(DEADLINE_S)
    yield server, found.getsockname()
    server.should_exit = True
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def answer(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    got = b""
    try:
        while piece := connection.recv(1000):
            got += piece
    except ConnectionResetError:
        pass
    return got


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT",
    ],
    ids=["nothing", "a line", "headers", "a second call"],
)
def test_who_does_not_say_what_it_wants_is_sent_away(listening, begun):
    _, address = listening
    with socket.create_connection(address, timeout=DEADLINE_S) as connection:
        connection.sendall(begun)

        got = answer(connection)

    assert got.count(b"here") == begun.count(b"\r\n\r\n")


def test_who_waits_for_an_answer_is_counted_until_it_goes(listening):
    server, address = listening
    assert server.calls() == 0
    with socket.create_connection(address, timeout=DEADLINE_S) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        _until(lambda: server.calls() == 1)
        connection.settimeout(0.6)
        with pytest.raises(TimeoutError):  # longer than for the headers
            connection.recv(1)

        assert server.calls() == 1
    _until(lambda: server.calls() == 0)
    assert server.calls() == 0


def _until(holds) -> None:
    waited = threading.Event()
    for _ in range(int(DEADLINE_S / 0.02)):
        if holds():
            return
        waited.wait(0.02)
    raise AssertionError("it took too long")


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(RequestError, match="cannot be listened at"):
        listener.bind(Settings(host="203.0.113.1", behind_proxy=True))


def test_a_name_of_no_machine_is_refused():
    with pytest.raises(RequestError, match="no address of this machine"):
        listener.bind(Settings(host="nowhere.invalid", behind_proxy=True))


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(), "http://127.0.0.1"),
        (Settings(host="0.0.0.0", behind_proxy=True), "http://127.0.0.1"),
        (Settings(host="localhost"), "http://127.0.0.1"),
    ],
    ids=["local", "everywhere", "by name"],
)
def test_programs_on_this_machine_are_told_where_to_call(settings, url):
    with listener.bind(settings) as found:
        told, _, port = listener.url(settings, found).rpartition(":")

        assert told.replace("[::1]", "127.0.0.1") == url
        assert int(port) == found.getsockname()[1]


# --- TLS ---


def test_clients_trust_the_certificate_that_they_were_given(tmp_path):
    certificate, key = certificates.make(tmp_path)
    flags = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with Running(tmp_path / "data", *flags) as running:
        told = running.handover
        assert told.url.startswith("https://127.0.0.1:")

        trusting = Service.of(told, client_key=OTHER_KEY, ca=certificate)
        assert trusting.health().epoch == told.epoch
        with pytest.raises(BackendUnavailable, match="certificate"):
            Service.of(told, client_key=OTHER_KEY).health()


def test_tls_files_that_do_not_belong_together_are_said(tmp_path):
    certificate, _ = certificates.make(tmp_path, "one")
    _, key = certificates.make(tmp_path, "other")

    with pytest.raises(ServiceError, match="cannot be used for TLS"):
        listener.check_certificate(Settings(tls_cert=certificate, tls_key=key))


@pytest.mark.parametrize("which", ["certificate", "key"])
def test_a_tls_file_that_is_missing_or_rubbish_is_said(tmp_path, which):
    files = dict(zip(("certificate", "key"), certificates.make(tmp_path), strict=True))

    def check() -> None:
        listener.check_certificate(Settings(tls_cert=files["certificate"], tls_key=files["key"]))

    check()
    files[which].write_text("rubbish", encoding="utf-8")
    with pytest.raises(ServiceError, match="cannot be used for TLS"):
        check()
    files[which].unlink()
    with pytest.raises(ServiceError, match="cannot be read"):
        check()


def test_a_start_with_unusable_tls_files_says_so(tmp_path):
    certificate, key = certificates.make(tmp_path)
    key.write_text("rubbish", encoding="utf-8")
    flags = ("--tls-cert", str(certificate), "--tls-key", str(key))

    with Running(tmp_path / "data", *flags) as running:
        status, out, errors = running.said()

    assert (status, out) == (2, "")
    assert "cannot be used for TLS" in errors
