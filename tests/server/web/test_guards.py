"""Nobody gets in without the token, from a page, by a strange name, or with too much in hand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging

import pytest
from server.callers import ADDRESS, ANNA, TOKEN, Service
from starlette.datastructures import Headers
from stripmocap.contract.jobs import CLIENT_HEADER, CONTRACT, CONTRACT_HEADER, MAX_CHUNK_BYTES
from stripmocap.server.web import guards
from stripmocap.server.web.answers import Refused
from stripmocap.settings import Settings

OWN_PORT = ("127.0.0.1", 8123)


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.store.close()


def call(app, *, method="POST", path="/v1/x", headers=(), body=(), token=TOKEN):
    """Status and JSON that `app` answers; `body` are messages, or seconds to wait for the next."""
    sent, left = [], list(body) or [{"type": "http.request", "body": b""}]

    async def receive():
        message = left.pop(0) if left else {"type": "http.disconnect"}
        if isinstance(message, float):
            await asyncio.sleep(message)
            return await receive()
        return message

    async def send(message):
        sent.append(message)

    every = {"host": "127.0.0.1:8123", "authorization": f"Bearer {token}", **dict(headers)}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), text.encode()) for name, text in every.items()],
        "server": OWN_PORT,
        "client": ("127.0.0.1", 50000),
    }
    asyncio.run(app(scope, receive, send))
    if not sent:
        return None, None
    content = b"".join(each.get("body", b"") for each in sent[1:])
    return sent[0]["status"], json.loads(content)


def guarded(behind=None, *, heard=None, **limits):
    """A guard before an application that answers how many bytes came."""

    async def counts(scope, receive, send):
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(size).encode()})

    return guards.Guard(
        behind or counts,
        settings=Settings(),
        token=TOKEN,
        heard=heard or (lambda owner: None),
        **limits,
    )


def parts(*pieces: bytes) -> list[dict]:
    """A body that comes in pieces."""
    messages = [{"type": "http.request", "body": each, "more_body": True} for each in pieces]
    return [*messages, {"type": "http.request", "body": b""}]


# Tokens.


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN.upper()}"},
        {"Authorization": f"Bearer {TOKEN} {TOKEN}"},
        {"Authorization": "Bearer " + "a" * 8000},
        {"Authorization": "Bearer t\u00f6ken".encode("latin-1")},
        {"X-Token": TOKEN},
    ],
)
@pytest.mark.parametrize("path", ["/v1/health", "/v1/jobs", "/v1/nowhere", "/"])
def test_without_the_right_token_nobody_gets_in(service, given, path):
    answer = service.client(token=None).get(path, headers=given)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "not_allowed"
    assert TOKEN not in answer.text


def test_a_token_in_the_address_is_none(service):
    assert service.client(token=None).get("/v1/health", params={"token": TOKEN}).status_code == 401


def test_two_tokens_are_none(service):
    given = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")]

    assert service.client(token=None).get("/v1/health", headers=given).status_code == 401


def test_the_token_of_an_earlier_start_is_refused(tmp_path):
    before = Service(tmp_path)
    before.store.close()
    now = Service(tmp_path, token="another" * 8)

    answer = now.client(token=TOKEN).get("/v1/health")

    assert answer.status_code == 401
    assert now.client(token="another" * 8).get("/v1/health").status_code == 200
    now.store.close()


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_description_needs_no_token(service, path):
    assert service.client(None, token=None).get(path).status_code == 200


# Pages in a browser.


@pytest.mark.parametrize("path", ["/v1/health", "/docs", "/openapi.json"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": ADDRESS},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "made-up"},
    ],
)
def test_a_page_may_not_call_even_with_the_token(service, path, headers):
    answer = service.client().get(path, headers=headers)

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_question_before_a_call_across_sites_is_refused(service):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    answer = service.client(token=None).options("/v1/jobs", headers=asked)

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_person_may_open_the_description_in_a_browser(service, site):
    assert service.client().get("/docs", headers={"Sec-Fetch-Site": site}).status_code == 200


# Names.


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8123",
        "127.0.0.1.evil.example:8123",
        "127.0.0.1@evil.example:8123",
        "127.0.0.1:8124",
        "127.0.0.1",
        "localhost:80",
        "0.0.0.0:8123",
        "[::]:8123",
        "127.0.0.1:8123:1",
        "127.0.0.1:8123/x",
        "127.0.0.1:99999999",
        "",
        " ",
        "::1:8123",
    ],
)
def test_a_name_that_was_rebound_to_this_machine_is_refused(service, host):
    answer = service.client().get("/v1/health", headers={"Host": host})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8123", "localhost:8123", "LOCALHOST:8123", "[::1]:8123"]
)
def test_the_own_names_are_known_with_the_own_port(service, host):
    assert service.client().get("/v1/health", headers={"Host": host}).status_code == 200


def heard_host(name: str, address=OWN_PORT, **settings) -> bool:
    try:
        guards.check_host(Headers({"host": name}), Settings(**settings), address=address)
    except Refused:
        return False
    return True


def test_two_hosts_are_refused():
    both = Headers(raw=[(b"host", b"127.0.0.1:8123"), (b"host", b"127.0.0.1:8123")])

    with pytest.raises(Refused):
        guards.check_host(both, Settings(), address=OWN_PORT)


def test_a_name_of_the_settings_is_known_at_any_port():
    named = {"behind_proxy": True, "host_names": ("mocap.studio",)}

    assert heard_host("mocap.studio", **named)
    assert heard_host("Mocap.Studio:444", **named)
    assert not heard_host("x.mocap.studio", **named)


def test_the_address_that_was_called_is_known_but_a_wildcard_is_not():
    anywhere = {"behind_proxy": True, "host": "0.0.0.0"}

    assert heard_host("10.0.0.7:8123", ("10.0.0.7", 8123), **anywhere)
    assert not heard_host("0.0.0.0:8123", ("0.0.0.0", 8123), **anywhere)
    assert not heard_host("10.0.0.8:8123", ("10.0.0.7", 8123), **anywhere)


# Sizes and times.


def test_a_body_is_counted_whatever_it_claims():
    half = b"x" * (guards.MAX_JSON_BYTES // 2)

    assert call(guarded(), body=parts(half, half)) == (200, guards.MAX_JSON_BYTES)
    for claim in ({}, {"content-length": "10"}):
        status, said = call(guarded(), body=parts(half, half, b"x"), headers=claim)
        assert (status, said["code"]) == (413, "too_large")


def test_a_body_that_claims_too_much_is_not_waited_for():
    claim = {"content-length": str(guards.MAX_JSON_BYTES + 1)}

    assert call(guarded(), body=[60.0], headers=claim)[0] == 413


@pytest.mark.parametrize("claim", ["-1", "1e3", "ten", "9" * 30, "0x10", "1,1"])
def test_a_claim_that_is_no_number_is_refused(claim):
    assert call(guarded(), headers={"content-length": claim})[0] in {400, 413}


def test_a_chunk_may_be_larger_than_other_bodies_but_not_by_any_amount():
    path = "/v1/uploads/" + "0" * 64
    chunk = b"x" * MAX_CHUNK_BYTES

    assert call(guarded(), method="PUT", path=path, body=parts(chunk)) == (200, MAX_CHUNK_BYTES)
    assert call(guarded(), method="PUT", path=path, body=parts(chunk, b"x"))[0] == 413
    assert call(guarded(), method="POST", path=path, body=parts(chunk))[0] == 413
    assert call(guarded(), method="PUT", path=path + "/x", body=parts(chunk))[0] == 413


def test_a_body_that_stops_coming_is_given_up():
    status, said = call(guarded(idle_s=0.02), body=[*parts(b"x")[:1], 30.0])

    assert (status, said["code"]) == (408, "request")


def test_a_body_that_drips_is_given_up():
    drips = [piece for _ in range(1000) for piece in (parts(b"x")[0], 0.01)]

    assert call(guarded(idle_s=5.0, whole_s=0.1), body=drips)[0] == 408


def test_one_who_goes_away_is_not_answered_and_nothing_is_done():
    def never(*_):
        raise AssertionError("nobody is there")

    gone = [*parts(b"half")[:1], {"type": "http.disconnect"}]

    assert call(guarded(never), body=gone) == (None, None)


def test_an_address_that_is_too_long_is_refused(service):
    answer = service.client().get("/v1/" + "x" * 5000)

    assert (answer.status_code, answer.json()["code"]) == (414, "too_large")


def test_too_many_or_too_long_headers_are_refused(service):
    many = {f"x-{number}": "1" for number in range(100)}

    assert service.client().get("/v1/health", headers=many).status_code == 431
    assert service.client().get("/v1/health", headers={"x": "y" * 20_000}).status_code == 431


# Versions, who calls, and what goes wrong.


def test_a_client_of_another_version_is_told_so(service):
    other = {CONTRACT_HEADER: str(CONTRACT + 1)}

    answer = service.client().get("/v1/health", headers=other)

    assert (answer.status_code, answer.json()["code"]) == (426, "backend_mismatch")
    assert "upgrade" in answer.headers


def test_every_answer_says_its_version_and_is_not_kept_or_guessed_at(service):
    for answer in (service.client().get("/v1/health"), service.client(token=None).get("/v1/x")):
        assert answer.headers[CONTRACT_HEADER] == str(CONTRACT)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_who_got_in_is_heard_by_the_name_that_owns_its_jobs():
    heard = []
    app = guarded(heard=heard.append)

    call(app, headers={CLIENT_HEADER: ANNA})
    call(app)
    call(app, headers={CLIENT_HEADER: "no key"})
    call(app, headers={CLIENT_HEADER: ANNA}, token="wrong")
    call(app, headers={CLIENT_HEADER: ANNA}, path="/docs")  # where strangers may look

    assert heard == [hashlib.sha256(ANNA.encode()).hexdigest(), None, None]


def test_a_bug_is_logged_and_not_told(caplog):
    def broken(*_):
        raise ZeroDivisionError("a secret")

    with caplog.at_level(logging.ERROR):
        status, said = call(guarded(broken))

    assert (status, said["code"], said["message"]) == (500, "error", "internal error")
    assert "a secret" not in str(said)
    assert "ZeroDivisionError" in caplog.text


def test_a_websocket_is_turned_away():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(guarded()({"type": "websocket"}, None, send))

    assert [each["type"] for each in sent] == ["websocket.close"]
