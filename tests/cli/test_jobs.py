from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from server.running import (
    DEADLINE_S,
    TOY_COMMAND,
    Running,
    asked,
    cancel_all,
    until,
    until_ended,
    until_state,
)
from stripmocap import cli
from stripmocap.cli import connection
from stripmocap.contract import calls, handover, result_file
from stripmocap.contract.jobs import CONTRACT
from stripmocap.contract.service import Service
from stripmocap.server import lock


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("service") / "data") as found:
        yield found


@pytest.fixture
def key(running, monkeypatch) -> str:
    """The client that the command line is in this test; its jobs do not outlive it."""
    made = os.urandom(16).hex()
    for name in list(os.environ):
        if name.startswith("STRIPMOCAP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("STRIPMOCAP_CLIENT", made)
    yield made
    cancel_all(running.service(made))


@pytest.fixture
def service(running, key) -> Service:
    return running.service(key)


@pytest.fixture
def jobs(running, key, capsys):
    """`stripmocap jobs`: status, output and errors."""

    def run(*words: object) -> tuple[int, str, str]:
        assert running.handover
        status = cli.main(["jobs", "--data", str(running.data), *map(str, words)])
        return status, *capsys.readouterr()

    return run


def until_works(service: Service, job) -> None:
    until(lambda: service.job(job.id).progress.done == 2)


def test_a_job_is_added_and_listed(jobs, service, tmp_path):
    asked(tmp_path / "walk.mp4")

    status, out, _ = jobs("add", tmp_path / "walk.mp4", "--stop", 2, "--key", "shot 1")

    (job,) = service.every_job()
    assert status == cli.DONE
    assert out.startswith(f"{job.id[:8]} walk.mp4: ")
    assert (job.key, job.request["clip"]["stop_s"]) == ("shot 1", 2.0)
    until_ended(service, job)
    _, listed, _ = jobs("list")
    head, row = listed.splitlines()
    assert head.split() == ["ID", "STATE", "PROGRESS", "LEFT", "PLACE", "NAME"]
    assert row.split() == [job.id[:8], "done", "walk.mp4"]


def test_a_job_may_only_look_for_people(jobs, service, tmp_path):
    asked(tmp_path / "walk.mp4")

    jobs("add", tmp_path / "walk.mp4", "--only-people", "--correct", "ignore 1,0.5,0.5")

    (job,) = service.every_job()
    assert job.request["estimator"] is None
    assert job.request["corrections"] == [
        {"kind": "ignore", "who": {"time_s": 1.0, "x": 0.5, "y": 0.5}}
    ]


def test_a_relative_name_means_this_folder(jobs, service, tmp_path, monkeypatch):
    asked(tmp_path / "walk.mp4")
    monkeypatch.chdir(tmp_path)

    jobs("add", "walk.mp4")

    assert next(service.every_job()).request["clip"]["path"] == str(tmp_path / "walk.mp4")


def test_no_jobs_are_said(jobs):
    assert jobs("list")[:2] == (cli.DONE, "No jobs.\n")


def test_programs_read_json(jobs, service, tmp_path):
    asked(tmp_path / "walk.mp4")

    _, added, _ = jobs("--json", "add", tmp_path / "walk.mp4")
    _, listed, _ = jobs("list", "--json")
    job_id = json.loads(added)["id"]
    _, shown, _ = jobs("show", job_id, "--json")
    _, health, _ = jobs("health", "--json")

    assert [each["id"] for each in json.loads(listed)] == [job_id]
    assert json.loads(shown)["name"] == "walk.mp4"
    assert json.loads(health)["contract"] == CONTRACT


def test_a_job_is_waited_for_and_its_result_fetched(jobs, tmp_path):
    asked(tmp_path / "walk.mp4")

    status, out, _ = jobs("add", tmp_path / "walk.mp4", "-o", tmp_path / "result.npz")

    assert status == cli.DONE
    assert "walk.mp4: done" in out
    assert out.endswith(f"Saved {tmp_path / 'result.npz'}\n")
    assert result_file.load(tmp_path / "result.npz").takes


def test_a_result_that_could_not_be_saved_is_refused_before_the_work(jobs, service, tmp_path):
    asked(tmp_path / "walk.mp4")

    status, _, errors = jobs("add", tmp_path / "walk.mp4", "-o", tmp_path / "result.mov")

    assert status == cli.REFUSED
    assert ".npz" in errors
    assert list(service.every_job()) == []


def test_footage_that_is_not_there_becomes_no_job(jobs, service, tmp_path):
    status, _, errors = jobs("add", tmp_path / "walk.mp4")

    assert status == cli.REFUSED
    assert "is not there" in errors
    assert list(service.every_job()) == []


def test_a_job_is_shown_with_all_that_is_known(jobs, service, tmp_path):
    job = until_ended(service, service.submit(asked(tmp_path / "broken.mp4")))

    status, out, _ = jobs("show", job.id[:6])

    assert status == cli.DONE
    for fact in (job.id, "failed, it is no video", "Choose another.", "0 s to the end"):
        assert fact in out


def test_a_job_is_cancelled_retried_and_deleted_by_the_start_of_its_id(jobs, service, tmp_path):
    job = service.submit(asked(tmp_path / "wait.mp4"))
    until_works(service, job)

    assert jobs("cancel", job.id[:7])[1] == f"{job.id[:8]} wait.mp4: cancelled\n"
    assert jobs("retry", job.id[:7])[0] == cli.DONE
    (tmp_path / "go").touch()
    until_ended(service, job)
    assert jobs("result", job.id[:7], "-o", tmp_path / "result.npz")[0] == cli.DONE
    assert jobs("delete", job.id[:7])[0] == cli.DONE
    assert jobs("show", job.id[:7])[0] == cli.REFUSED


def test_the_queue_is_put_in_order(jobs, service, tmp_path):
    first = service.submit(asked(tmp_path / "wait.mp4"))
    until_works(service, first)
    second, third = (service.submit(asked(tmp_path / f"{name}.mp4")) for name in "ab")

    assert "next" in jobs("move", third.id, "--first")[1]
    assert "next" in jobs("move", second.id, "--priority", "3")[1]
    assert "one before it" in jobs("move", second.id, "--priority", "-3")[1]
    assert jobs("move", second.id)[0] == cli.REFUSED


def test_what_is_finished_can_be_fetched_early(jobs, service, tmp_path):
    job = service.submit(asked(tmp_path / "publish.mp4"))
    until(lambda: service.job(job.id).partial is not None)

    status, out, _ = jobs("result", job.id, "--partial", "-o", tmp_path / "partial.npz")

    assert status == cli.DONE
    assert "so far" in out
    assert result_file.load(tmp_path / "partial.npz").takes


@pytest.mark.parametrize(
    ("deed", "status"), [("walk", cli.DONE), ("broken", cli.REFUSED)], ids=["done", "failed"]
)
def test_watching_ends_as_the_job_does(jobs, service, tmp_path, deed, status):
    job = service.submit(asked(tmp_path / f"{deed}.mp4"))

    watched, out, errors = jobs("watch", job.id)

    assert watched == status
    assert out.splitlines()[-1].startswith(f"{job.id[:8]} {deed}.mp4: ")
    assert ("Choose another." in errors) is (deed == "broken")


def test_watching_a_cancelled_job_is_no_success(jobs, service, tmp_path):
    job = service.submit(asked(tmp_path / "wait.mp4"))
    service.cancel(job.id)

    assert jobs("watch", job.id)[:2] == (cli.STOPPED, f"{job.id[:8]} wait.mp4: cancelled\n")


def test_all_jobs_are_watched_until_the_last_has_ended(jobs, service, tmp_path):
    made = [service.submit(asked(tmp_path / "walk.mp4")) for _ in range(3)]

    status, _, _ = jobs("watch")

    assert status == cli.DONE
    assert {service.job(each.id).state for each in made} == {"done"}


def test_ctrl_c_ends_the_watching_and_not_the_job(running, service, key, tmp_path):
    job = service.submit(asked(tmp_path / "wait.mp4"))
    with subprocess.Popen(
        [sys.executable, "-m", "stripmocap", "jobs", "--data", running.data, "watch", job.id],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "STRIPMOCAP_CLIENT": key},
    ) as watching:
        assert watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=DEADLINE_S)

    assert watching.returncode == cli.STOPPED
    assert f"stripmocap jobs watch {job.id[:8]}" in errors
    assert service.job(job.id).state in {"queued", "running"}


def test_logs_and_health_are_for_people(jobs, running, service, tmp_path):
    job = until_ended(service, service.submit(asked(tmp_path / "print.mp4")))

    assert "a library in C" in jobs("log", job.id)[1]
    assert "listens at" in jobs("log")[1]
    _, said, _ = jobs("health")
    assert running.handover.url in said
    assert "GB free" in said


def test_an_unknown_id_is_said(jobs):
    status, _, errors = jobs("show", "abc")

    assert status == cli.REFUSED
    assert "stripmocap jobs list" in errors


def test_an_id_that_fits_several_is_said(jobs, service, tmp_path):
    made = [service.submit(asked(tmp_path / "walk.mp4")) for _ in range(17)]
    starts = [each.id[0] for each in made]
    twice = next(each for each in starts if starts.count(each) > 1)

    status, _, errors = jobs("show", twice)

    assert status == cli.REFUSED
    assert "Type more of it." in errors


# --- which service, and as whom ---


@pytest.fixture
def alone(monkeypatch):
    for name in list(os.environ):
        if name.startswith("STRIPMOCAP_"):
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("alone")
def test_where_no_service_runs_the_way_to_one_is_said(tmp_path, capsys):
    handover.write(tmp_path, handover.Handover("http://127.0.0.1:9", "old", 1, "run", "0", 1))

    status = cli.main(["jobs", "--data", str(tmp_path), "list"])

    assert status == cli.REFUSED
    said = capsys.readouterr().err
    assert "no service runs" in said
    assert "stripmocap serve" in said


@pytest.mark.usefixtures("alone")
def test_another_machine_asks_for_a_token(tmp_path, capsys):
    words = ["jobs", "--url", "https://farm.example", "--data", str(tmp_path), "list"]

    assert cli.main(words) == cli.REFUSED
    assert "--token-file" in capsys.readouterr().err


@pytest.mark.usefixtures("alone")
def test_a_client_keeps_its_key_in_its_data_folder(running, tmp_path, capsys):
    token = tmp_path / "token"
    token.write_text(running.handover.token + "\n", encoding="utf-8")
    there = ["jobs", "--url", running.handover.url, "--token-file", str(token)]
    asked(tmp_path / "walk.mp4")

    assert cli.main([*there, "--data", str(tmp_path), "add", str(tmp_path / "walk.mp4")]) == 0
    assert cli.main([*there, "--data", str(tmp_path), "list"]) == 0
    assert cli.main([*there, "--data", str(tmp_path / "else"), "list"]) == 0

    assert capsys.readouterr().out.count("walk.mp4") == 2
    assert (tmp_path / handover.CLIENT_KEY_FILE).exists()


@pytest.mark.usefixtures("alone")
def test_to_a_service_for_other_machines_footage_is_sent(tmp_path, capsys):
    with Running(tmp_path / "data", "--behind-proxy") as remote:
        asked(tmp_path / "walk.mp4")
        status = cli.main(
            [
                *("jobs", "add", str(tmp_path / "walk.mp4")),
                *("--url", remote.handover.url, "--token-file", str(tmp_path / "data" / "token")),
                *("--data", str(tmp_path / "mine"), "-o", str(tmp_path / "result.npz")),
            ]
        )

    assert status == cli.DONE
    assert result_file.load(tmp_path / "result.npz").takes
    assert "upload: " in capsys.readouterr().err


@pytest.mark.usefixtures("alone")
def test_one_picture_is_not_sent_for_a_sequence(tmp_path, capsys):
    with Running(tmp_path / "data") as running:
        assert running.handover
        asked(tmp_path / "shot.0001.png")
        words = ["jobs", "--data", str(tmp_path / "data"), "add", "--upload"]
        status = cli.main([*words, str(tmp_path / "shot.0001.png")])

    assert status == cli.REFUSED
    assert "Make a movie of the sequence" in capsys.readouterr().err


@pytest.mark.usefixtures("alone")
def test_a_service_of_another_version_can_be_ended(tmp_path, monkeypatch, capsys):
    with Running(tmp_path / "data") as running:
        assert running.handover
        monkeypatch.setattr(calls, "CONTRACT", calls.CONTRACT + 1)
        status = cli.main(["jobs", "--data", str(tmp_path / "data"), "list"])
        assert status == cli.REFUSED
        assert "where the service runs" in capsys.readouterr().err

        assert cli.main(["serve", "--data", str(tmp_path / "data"), "--stop"]) == cli.DONE
        assert running.process.wait(DEADLINE_S) == 0


@pytest.mark.usefixtures("alone")
def test_a_service_that_was_started_for_a_job_finishes_it_and_ends(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(connection, "SERVE", (*TOY_COMMAND,))
    data = tmp_path / "data"
    asked(tmp_path / "wait.mp4")
    words = ["jobs", "--data", str(data), "add", str(tmp_path / "wait.mp4"), "--start-service"]

    assert cli.main(words) == cli.DONE
    assert "wait.mp4: " in capsys.readouterr().out
    service = connection.running(data, client_key=handover.client_key(data))
    (job,) = service.every_job()
    until_state(service, job, "running")
    assert cli.main(words) == cli.DONE  # the one that runs is used
    assert len(list(service.every_job())) == 2
    (tmp_path / "go").touch()

    until(lambda: not lock.held(data))
    with Running(data, key=None) as again:
        states = {each.state for each in again.service(handover.client_key(data)).every_job()}
    assert states == {"done"}


@pytest.mark.usefixtures("alone")
def test_a_service_that_does_not_start_says_why(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "logs").touch()
    words = ["jobs", "--data", str(tmp_path / "data"), "add", "walk.mp4", "--start-service"]

    status = cli.main(words)

    said = capsys.readouterr().err
    assert status == cli.REFUSED
    assert "does not start" in said
    assert "logs" in said
