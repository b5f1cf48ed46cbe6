from __future__ import annotations

import logging

import pytest
from stripmocap.contract.errors import ServiceError
from stripmocap.server import logs

TOKEN = "abcDEF-_0123456789abcDEF-_0123456789"


@pytest.fixture
def folder(tmp_path):
    """A folder that the log goes to; logging is as before afterwards."""
    root, access = logging.getLogger(), logging.getLogger("uvicorn.access")
    before = root.handlers[:], root.level, logging.raiseExceptions, access.filters[:]
    root.handlers = []
    logs.begin(tmp_path / "logs", secrets=[TOKEN])
    yield tmp_path / "logs"
    for each in root.handlers:
        each.close()
    root.handlers, level, logging.raiseExceptions, access.filters = before
    root.setLevel(level)


def written(folder) -> str:
    return "".join(each.read_text(encoding="utf-8") for each in sorted(folder.iterdir()))


def test_a_record_is_a_line_with_its_time(folder):
    logging.getLogger("uvicorn.error").info("listening at %s", "somewhere")

    assert written(folder).endswith("Z INFO uvicorn.error: listening at somewhere\n")


def test_the_token_is_hidden_wherever_it_stands(folder):
    log = logging.getLogger("stripmocap.server")
    log.info("%s", TOKEN)
    try:
        raise ValueError(f"what of {TOKEN}?")
    except ValueError:
        log.exception("a bug with %s", {"headers": TOKEN})

    assert TOKEN not in written(folder)
    assert written(folder).count(logs.HIDDEN) == 4


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "(b'authorization', b'Bearer {}')",
        "bearer {}",
        "GET /v1/jobs?token={}&limit=3",
        '{{"token": "{}"}}',
        "Stripmocap-Client: {}",
        "[(b'stripmocap-client', b'{}')]",
    ],
)
def test_secrets_of_others_are_hidden_too(folder, text):
    secret = "0123456789abcdef" * 2

    logging.getLogger("stripmocap.server").warning("%s", text.format(secret))

    assert secret not in written(folder)
    assert logs.HIDDEN in written(folder)


def test_ids_of_jobs_are_not_hidden(folder):
    logging.getLogger("stripmocap.server").info("job %s ended", "0123456789abcdef" * 2)

    assert "job 0123456789abcdef0123456789abcdef ended" in written(folder)


def test_the_log_does_not_grow_for_ever(folder):
    log = logging.getLogger("stripmocap.server")
    for number in range(1500):
        log.info("%d %s", number, "x" * 6000)

    files = sorted(each.name for each in folder.iterdir())
    assert files == ["server.log", *(f"server.log.{number}" for number in (1, 2, 3, 4))]
    assert sum(each.stat().st_size for each in folder.iterdir()) <= 5 * logs.MAX_BYTES
    assert "1499 x" in written(folder)


def test_a_line_has_an_end(folder):
    logging.getLogger("stripmocap.server").info("%s", "x" * 10**6)

    assert len(written(folder)) < 2 * logs.MAX_LINE


@pytest.mark.parametrize(
    ("method", "status", "kept"),
    [("GET", 200, False), ("GET", 404, True), ("POST", 201, True), ("DELETE", 204, True)],
)
def test_calls_that_only_look_are_left_out(folder, method, status, kept):
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", method, "/v1/health", "1.1", status
    )

    assert ("/v1/health" in written(folder)) is kept


def test_the_terminal_shows_our_warnings_and_nothing_else(capsys, request):
    request.getfixturevalue("folder")

    logging.getLogger("uvicorn.error").error("of no interest")
    logging.getLogger("stripmocap.server").info("neither")
    logging.getLogger("stripmocap.server").warning("the list was damaged")

    assert capsys.readouterr().err == "the list was damaged\n"


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "logs").touch()

    with pytest.raises(ServiceError, match="cannot be written"):
        logs.begin(tmp_path / "logs", secrets=[])
