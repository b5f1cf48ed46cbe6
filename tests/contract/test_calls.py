from __future__ import annotations

import urllib.error

import pytest
from contract.toyhost import Host, say, send
from stripmocap.contract import errors
from stripmocap.contract.calls import PAUSES_S, Caller, checked_url, make_opener
from stripmocap.contract.errors import (
    BackendMismatch,
    BackendUnavailable,
    NotAllowed,
    QueueUnavailable,
    RequestError,
    StripMocapError,
)
from stripmocap.contract.jobs import CONTRACT

KEY = "0123456789abcdef" * 2


def caller(url: str = "http://127.0.0.1:9", **options) -> Caller:
    return Caller(url, token="a-token", client_key=KEY, sleep=lambda _: None, **options)


def test_a_call_carries_token_client_and_version():
    with Host(lambda host, _: say(host, {"a": 1})) as host:
        answer = caller(host.url).json("POST", "jobs", body={"b": [2.5]})

    assert answer == {"a": 1}
    ((method, path, headers, body),) = host.asked
    assert (method, path, body) == ("POST", "/v1/jobs", b'{"b": [2.5]}')
    assert headers["authorization"] == "Bearer a-token"
    assert headers["stripmocap-client"] == KEY
    assert headers["stripmocap-contract"] == str(CONTRACT)
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", StripMocapError.__subclasses__(), ids=lambda kind: kind.code)
def test_a_refusal_is_raised_as_the_class_that_it_names(kind):
    said = {"code": kind.code, "message": "so it is", "hint": "do this"}
    with (
        Host(lambda host, _: say(host, said, status=409)) as host,
        pytest.raises(kind, match="so it is") as caught,
    ):
        caller(host.url).json("GET", "jobs")

    assert type(caught.value) is kind
    assert caught.value.hint == "do this"


@pytest.mark.parametrize(
    ("theirs", "side"),
    [(CONTRACT + 1, "on this side"), (CONTRACT - 1, "where the service runs")],
    ids=["newer", "older"],
)
@pytest.mark.parametrize("status", [200, 404, 426])
def test_another_version_says_which_side_to_update(theirs, side, status):
    with (
        Host(lambda host, _: say(host, {}, status=status, contract=str(theirs))) as host,
        pytest.raises(BackendMismatch) as caught,
    ):
        caller(host.url).json("GET", "health")

    assert f"version {theirs}, this side {CONTRACT}" in caught.value.message
    assert side in caught.value.hint


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_does_not_reach_the_service_is_no_stranger(status):
    with (
        Host(lambda host, _: send(host, b"<html>", status=status, contract=None)) as host,
        pytest.raises(BackendUnavailable, match="cannot be reached now"),
    ):
        caller(host.url).json("GET", "health")


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_who_does_not_name_our_version_is_a_stranger(status):
    with (
        Host(lambda host, _: send(host, b"<html>", status=status, contract=None)) as host,
        pytest.raises(BackendUnavailable, match="not the service of Strip Mocap"),
    ):
        caller(host.url).json("GET", "health")


def test_what_is_no_json_comes_from_a_stranger():
    with (
        Host(lambda host, _: send(host, b"<html>")) as host,
        pytest.raises(BackendUnavailable, match="no JSON"),
    ):
        caller(host.url).json("GET", "health")


def test_a_call_to_nobody_is_said_with_the_address():
    with pytest.raises(BackendUnavailable, match=r"127\.0\.0\.1:9 does not answer"):
        caller().json("GET", "health")


@pytest.mark.parametrize("fails", range(len(PAUSES_S) + 2))
def test_a_call_is_made_again_while_nobody_answers(fails):
    asked = []

    def opener(request, timeout_s):
        asked.append(timeout_s)
        if len(asked) <= fails:
            raise urllib.error.URLError(ConnectionRefusedError())
        return make_opener(host.url)(request, timeout_s)

    with Host(lambda host, _: say(host, "here")) as host:
        patient = caller(host.url, opener=opener)
        if fails > len(PAUSES_S):
            with pytest.raises(BackendUnavailable):
                patient.json("GET", "health")
        else:
            assert patient.json("GET", "health") == "here"

    assert len(asked) == min(fails, len(PAUSES_S)) + 1


def test_a_call_that_must_not_happen_twice_is_made_once():
    asked = []

    def opener(request, timeout_s):
        asked.append(request)
        raise ConnectionResetError

    with pytest.raises(BackendUnavailable):
        caller(opener=opener).json("POST", "jobs/1/retry", tries=1)

    assert len(asked) == 1


def test_a_queue_that_is_locked_is_asked_again():
    said = {"code": QueueUnavailable.code, "message": "busy", "hint": ""}
    answers = [lambda host: say(host, said, status=503), lambda host: say(host, "here")]

    with Host(lambda host, _: answers.pop(0)(host)) as host:
        assert caller(host.url).json("GET", "jobs") == "here"


def test_an_answer_that_breaks_off_is_asked_for_again():
    lengths = [1000, None]
    with Host(lambda host, _: send(host, b'"whole"', length=lengths.pop(0))) as host:
        assert caller(host.url).json("GET", "jobs") == "whole"

    assert len(host.asked) == 2


def test_calls_to_this_machine_go_through_no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    with Host(lambda host, _: say(host, "here")) as host:
        assert caller(host.url).json("GET", "health") == "here"


def test_the_token_does_not_follow_an_answer_that_points_elsewhere():
    with Host(lambda host, _: say(host, "stolen")) as thief:
        elsewhere = {"Location": f"{thief.url}/v1/health"}

        with (
            Host(lambda host, _: send(host, b"", status=302, headers=elsewhere)) as host,
            pytest.raises(StripMocapError),
        ):
            caller(host.url).json("GET", "health")

    assert thief.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:80",
        "ftp://127.0.0.1",
        "https://",
        "https://a:b",
        "https://a?b",
        "https://u@a",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(RequestError, match="no address"):
        checked_url(url)


def test_a_token_is_not_sent_over_a_network_in_the_open():
    with pytest.raises(NotAllowed, match="in the open"):
        checked_url("http://farm.example:8000")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "http://[::1]:8000", "http://localhost"])
def test_this_machine_needs_no_tls(url):
    assert checked_url(url) == url.rstrip("/")


def test_a_file_that_holds_no_certificates_is_said(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")

    with pytest.raises(RequestError, match=r"ca\.pem"):
        make_opener("https://farm.example", ca=tmp_path / "ca.pem")


def test_every_error_of_the_contract_can_be_sent():
    assert len({each.code for each in errors.StripMocapError.__subclasses__()}) > 15
