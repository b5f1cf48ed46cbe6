from __future__ import annotations

import socket
import stat
import sys
import threading
from pathlib import Path

import pytest
from server.running import (
    DEADLINE_S,
    OTHER_KEY,
    Running,
    alive,
    asked,
    until,
    until_ended,
    until_state,
)
from stripmocap.contract import handover
from stripmocap.contract.errors import NotAllowed
from stripmocap.contract.service import Service
from stripmocap.server import lock

SOON_S = 30.0  # for what a service does within 3 s; this machine may be busy


@pytest.fixture
def data(tmp_path) -> Path:
    return tmp_path / "data"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- start ---


def test_the_first_line_is_the_handover_and_so_is_the_file(data):
    with Running(data) as running:
        assert running.handover == handover.read(data)
        assert running.service().health().epoch == running.handover.epoch
        assert running.handover.url.startswith("http://127.0.0.1:")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_what_the_service_keeps_is_its_users_alone(data):
    with Running(data) as running:
        assert running.handover
        made = [data, *data.rglob("*")]

    assert len(made) > 4
    assert [each for each in made if mode(each) & 0o077] == []


def test_a_second_start_finds_the_first(data):
    with Running(data) as first:
        assert first.handover
        with Running(data) as second:
            status, out, errors = second.said()

    assert status == 0
    assert handover.Handover.of_line(out) == first.handover
    assert "already" in errors


def test_of_two_that_start_at_once_one_serves(data):
    with Running(data) as one, Running(data) as other:
        assert one.handover == other.handover
        until(lambda: None in {one.process.poll(), other.process.poll()})
        until(lambda: {one.process.poll(), other.process.poll()} == {None, 0})


def test_services_on_other_folders_do_not_meet(tmp_path):
    with Running(tmp_path / "one") as one, Running(tmp_path / "other") as other:
        assert one.handover.url != other.handover.url
        assert one.handover.token != other.handover.token


def test_what_a_killed_service_left_does_not_block_the_next(data):
    with Running(data) as killed:
        killed.kill()
    left = handover.read(data)
    assert left == killed.handover
    assert not lock.held(data)

    with Running(data) as running:
        assert running.handover != left
        assert running.handover == handover.read(data)
        assert running.service().health().queued == 0


def test_rubbish_in_the_handover_file_does_not_block_a_start(data):
    data.mkdir()
    (data / handover.FILE).write_bytes(b'{"url": "http')
    (data / lock.FILE).write_bytes(b"who knows")

    with Running(data) as running:
        assert running.service().health().contract == running.handover.contract


def test_a_port_that_is_taken_is_said(data):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Running(data, "--port", str(port)) as running:
            status, out, errors = running.said()

    assert (status, out) == (2, "")
    assert f"port {port} of 127.0.0.1 is in use" in errors
    assert "--port" in errors


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()

    with Running(tmp_path / "file" / "data") as running:
        status, _, errors = running.said()

    assert status == 2
    assert "--data" in errors


def test_a_network_address_without_tls_is_refused(data):
    with Running(data, "--host", "0.0.0.0") as running:
        status, _, errors = running.said()

    assert status == 2
    assert "--tls-cert" in errors


# --- end ---


def test_a_request_to_end_is_followed_within_seconds(data, tmp_path):
    with Running(data) as running:
        job = running.service().submit(asked(tmp_path / "wait.mp4"))
        until_state(running.service(), job, "running")

        assert running.end() < SOON_S
    assert handover.read(data) is None
    assert not lock.held(data)


def test_who_starts_while_another_ends_does_not_find_the_dying_one(data, tmp_path):
    with Running(data) as first:
        job = first.service().submit(asked(tmp_path / "wait.mp4"))
        until_state(first.service(), job, "running")
        first.ask_to_end()
        with Running(data) as second:
            assert second.handover.epoch != first.handover.epoch
            assert second.service().health().epoch == second.handover.epoch


def test_a_client_of_this_machine_may_end_it(data):
    with Running(data) as running:
        running.service().stop()

        assert running.process.wait(DEADLINE_S) == 0
    assert handover.read(data) is None


def test_who_waits_for_news_does_not_hold_up_the_end(data):
    with Running(data) as running:
        service = running.service()
        first = service.events()
        waiting = threading.Thread(
            target=service.events,
            kwargs={"after": first.number, "epoch": first.epoch, "wait_s": 30.0},
        )
        waiting.start()

        assert running.end() < SOON_S
        waiting.join(DEADLINE_S)


def test_what_runs_at_the_end_goes_on_at_the_next_start(data, tmp_path):
    with Running(data) as first:
        ran = first.service().submit(asked(tmp_path / "wait.mp4"))
        waited = first.service().submit(asked(tmp_path / "walk.mp4"))
        until_state(first.service(), ran, "running")
        first.end()

    (tmp_path / "go").touch()
    with Running(data) as second:
        done = [until_ended(second.service(), each) for each in (ran, waited)]

    assert [each.state for each in done] == ["done", "done"]


def test_no_job_is_lost_or_done_twice_when_the_service_is_killed(data, tmp_path):
    with Running(data) as first:
        service = first.service()
        done = service.submit(asked(tmp_path / "walk1.mp4"), key="done")
        finished = until_ended(service, done)
        ran = service.submit(asked(tmp_path / "wait.mp4"), key="ran")
        waited = service.submit(asked(tmp_path / "walk.mp4"), key="waited")
        until_state(service, ran, "running")
        first.kill()

    (tmp_path / "go").touch()
    with Running(data) as second:
        service = second.service()
        jobs = [until_ended(service, each) for each in (done, ran, waited)]

        assert [each.error for each in jobs] == [None] * 3
        assert [each.state for each in jobs] == ["done"] * 3
        assert [each.attempts for each in jobs] == [1, 2, 1]
        assert jobs[0].result == finished.result
        assert service.submit(asked(tmp_path / "wait.mp4"), key="ran").id == ran.id
        assert len(service.jobs().jobs) == 3


def test_workers_end_with_a_service_that_is_killed(data, tmp_path):
    psutil = pytest.importorskip("psutil")
    with Running(data) as running:
        job = running.service().submit(asked(tmp_path / "wait.mp4"))
        until_state(running.service(), job, "running")
        workers = psutil.Process(running.process.pid).children(recursive=True)
        running.kill()

        assert workers
        assert psutil.wait_procs(workers, timeout=DEADLINE_S)[1] == []


# --- attached ---


def test_attached_it_ends_with_who_started_it(data):
    with Running(data, "--attached") as running:
        running.service().health()
        running.abandon()

        assert running.process.wait(SOON_S) == 0


def test_attached_it_leaves_jobs_for_the_next_start(data, tmp_path):
    with Running(data, "--attached") as running:
        job = running.service().submit(asked(tmp_path / "wait.mp4"))
        until_state(running.service(), job, "running")
        running.abandon()
        assert running.process.wait(SOON_S) == 0

    (tmp_path / "go").touch()
    with Running(data) as second:
        assert until_ended(second.service(), job).state == "done"


@pytest.mark.parametrize("how", ["flag", "call"])
def test_it_finishes_the_queue_first_if_told_to(data, tmp_path, how):
    with Running(data, "--attached", *(["--finish-jobs"] if how == "flag" else [])) as running:
        if how == "call":
            running.service().set_finish_jobs(True)
        job = running.service().submit(asked(tmp_path / "wait.mp4"))
        last = running.service().submit(asked(tmp_path / "walk.mp4"))
        with alive(running, for_s=2.0):
            running.abandon()

        (tmp_path / "go").touch()
        assert running.process.wait(DEADLINE_S) == 0

    with Running(data) as second:
        states = [second.service().job(each.id).state for each in (job, last)]
    assert states == ["done", "done"]


def test_another_client_keeps_it_alive(data):
    with Running(data, "--attached") as running:
        running.service().health()
        with alive(running, for_s=2.0):
            running.service(OTHER_KEY).health()
            running.abandon()

        assert running.service(OTHER_KEY).health()


def test_a_second_program_of_the_same_user_that_waits_for_news_keeps_it_alive(data):
    with Running(data, "--attached") as running:
        service = running.service()
        first = service.events()
        waiting = threading.Thread(
            target=service.events,
            kwargs={"after": first.number, "epoch": first.epoch, "wait_s": 4.0},
        )
        waiting.start()
        with alive(running, for_s=2.0):
            running.abandon()
        waiting.join(DEADLINE_S)


def test_unattached_it_does_not_mind_that_its_input_closes(data):
    with Running(data) as running:
        with alive(running, for_s=1.5):
            running.abandon()

        assert running.service().health()


# --- tokens and logs ---


def test_the_token_of_an_earlier_start_is_refused(data):
    with Running(data) as first:
        old = first.handover.token
        first.end()
    with Running(data) as second:
        reused = Service(second.handover.url, token=old)

        with pytest.raises(NotAllowed):
            reused.health()


def test_the_token_for_other_machines_is_kept(data):
    with Running(data, "--behind-proxy") as first:
        token = first.handover.token
        assert (data / "token").read_text(encoding="utf-8").strip() == token
        first.end()
    with Running(data, "--behind-proxy") as second:
        assert second.handover.token == token
        second.end()
    with Running(data, "--behind-proxy", "--new-token") as third:
        assert third.handover.token != token


def test_a_token_that_can_be_guessed_is_refused(data, tmp_path):
    (tmp_path / "token").write_text("secret\n", encoding="utf-8")

    with Running(data, "--behind-proxy", "--token-file", str(tmp_path / "token")) as running:
        status, _, errors = running.said()

    assert status == 2
    assert "--new-token" in errors
    assert "secret\n" not in errors


def test_no_secret_is_ever_logged(data, tmp_path):
    with Running(data) as running:
        service = running.service()
        service.submit(asked(tmp_path / "walk.mp4"))
        wrong = Service(running.handover.url, token="of-somebody-else-0123456789")
        with pytest.raises(NotAllowed):
            wrong.health()
        until(lambda: not service.health().queued)
        secrets = [running.handover.token, running.service()._caller._headers["Stripmocap-Client"]]
        running.end()
        _, _, errors = running.said()
    logged = b"".join(each.read_bytes() for each in data.rglob("*log*") if each.is_file())

    assert b"POST /v1/jobs" in logged
    for secret in [*secrets, "of-somebody-else-0123456789"]:
        assert secret.encode() not in logged
        assert secret not in errors


def test_the_service_does_not_say_what_it_is_made_of(data):
    with Running(data) as running:
        host, port = running.handover.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as stranger:
            stranger.sendall(f"GET /v1/health HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            answer = stranger.recv(2000).lower()

    assert b"401" in answer
    assert b"uvicorn" not in answer
