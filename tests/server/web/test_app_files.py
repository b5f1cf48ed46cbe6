"""What goes in and out beside jobs: results, footage from other machines, the service itself."""

from __future__ import annotations

import re

import pytest
from server.callers import ANNA, FOOTAGE, Service, code, job_body, send, sha256, submit
from stripmocap.contract import errors
from stripmocap.contract.methods import METHODS
from stripmocap.server.web import answers


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.store.close()


@pytest.fixture
def remote(tmp_path):
    """A service for other machines, behind a proxy."""
    service = Service(tmp_path, behind_proxy=True)
    yield service
    service.store.close()


@pytest.fixture
def anna(service):
    return service.client(ANNA)


# Results.


def test_a_result_is_there_when_the_job_is_done(service, anna):
    job = f"/v1/jobs/{submit(anna)['id']}"
    early = anna.get(f"{job}/result")
    service.finish_next(b"0123456789")

    status = anna.get(job).json()
    whole = anna.get(f"{job}/result")
    rest = anna.get(
        f"{job}/result", headers={"Range": "bytes=4-", "If-Range": whole.headers["etag"]}
    )

    assert code(early) == (409, "wrong_state")
    assert status["result"] == {"sha256": sha256(b"0123456789"), "size": 10}
    assert whole.headers["etag"] == f'"{status["result"]["sha256"]}"'
    assert (whole.content, rest.status_code, rest.content) == (b"0123456789", 206, b"456789")


def test_what_is_finished_can_be_fetched_while_the_job_runs(service, anna):
    job = f"/v1/jobs/{submit(anna)['id']}"
    running = service.run_next()
    before = anna.get(f"{job}/partial")
    (running.folder / "partial.npz").write_bytes(b"half")

    partial = anna.get(f"{job}/partial")
    status = anna.get(job).json()

    assert code(before) == (404, "not_there")
    assert partial.content == b"half"
    assert partial.headers["etag"] == f'"{status["partial"]["sha256"]}"'


def test_a_job_that_is_done_has_no_partial_result_any_more(service, anna):
    job = f"/v1/jobs/{submit(anna)['id']}"
    service.finish_next()

    assert code(anna.get(f"{job}/partial")) == (409, "wrong_state")


def test_a_result_that_somebody_deleted_is_not_there(service, anna):
    job = f"/v1/jobs/{submit(anna)['id']}"
    (service.finish_next().folder / "result.npz").unlink()

    assert code(anna.get(f"{job}/result")) == (404, "not_there")


def test_the_log_of_a_job_is_its_owners(service, anna):
    job = f"/v1/jobs/{submit(anna)['id']}"
    assert anna.get(f"{job}/log").text == ""
    (service.run_next().folder / "log.txt").write_bytes(b"one\ntwo\n\xff\n")

    log = anna.get(f"{job}/log")

    assert log.text == "one\ntwo\n\ufffd\n"
    assert log.headers["content-type"].startswith("text/plain")


# Footage from other machines.


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x.mp4", "C:\\x.mp4", "file:///etc/passwd", "~/x.mp4", "//host/share/x.mp4"],
)
def test_a_client_of_another_machine_never_names_a_path(remote, path):
    answer = remote.client().post("/v1/jobs", json=job_body(path))

    assert code(answer) == (422, "request")
    assert remote.store.counts() == (0, 0)


@pytest.mark.parametrize("path", ["walk.mp4", "../walk.mp4", "file:/clips/walk.mp4", "~/walk.mp4"])
def test_a_client_of_this_machine_names_whole_paths(anna, path):
    assert code(anna.post("/v1/jobs", json=job_body(path))) == (422, "request")


@pytest.mark.parametrize("path", ["upload:x", "upload:../../etc", f"upload:{'0' * 64}/../x"])
def test_what_is_no_upload_is_refused(remote, path):
    assert code(remote.client().post("/v1/jobs", json=job_body(path))) == (422, "request")


def test_footage_that_was_not_sent_is_not_there(remote):
    answer = remote.client().post("/v1/jobs", json=job_body(f"upload:{'0' * 64}"))

    assert code(answer) == (404, "not_there")


def test_a_job_of_sent_footage_shows_it_as_it_was_sent(remote):
    client = remote.client()
    clip = send(client, name="walk by the sea.mp4")

    status = submit(client, clip)
    job = remote.run_next()
    remote.store.fail(job.id, errors.VideoError(f"{job.request.clip.path} is broken"))
    failed = client.get(f"/v1/jobs/{job.id}")

    assert status["name"] == "walk by the sea.mp4"
    assert status["request"]["clip"]["path"] == clip
    assert job.request.clip.path == str(remote.uploads.folder / sha256(FOOTAGE))
    assert failed.json()["error"]["message"] == "walk by the sea.mp4 is broken"
    assert str(remote.settings.data) not in failed.text


def test_a_job_cannot_be_retried_whose_footage_is_gone(remote):
    client = remote.client()
    job = submit(client, send(client))["id"]
    client.post(f"/v1/jobs/{job}/cancel")
    (remote.uploads.folder / sha256(FOOTAGE)).unlink()

    assert code(client.post(f"/v1/jobs/{job}/retry")) == (404, "not_there")


def test_footage_that_a_job_waits_for_makes_no_room(remote):
    client = remote.client()
    submit(client, send(client))

    full = {"sha256": "0" * 64, "size": remote.settings.upload_bytes}

    assert code(client.post("/v1/uploads", json=full)) == (413, "too_large")


def test_a_sender_that_vanishes_goes_on_later(remote):
    client = remote.client()
    half, digest = len(FOOTAGE) // 2, sha256(FOOTAGE)
    client.post("/v1/uploads", json={"sha256": digest, "size": len(FOOTAGE)})
    client.put(f"/v1/uploads/{digest}", params={"offset": 0}, content=FOOTAGE[:half])

    gap = client.put(f"/v1/uploads/{digest}", params={"offset": half + 1}, content=b"x")

    assert code(gap) == (409, "wrong_state")
    assert client.get(f"/v1/uploads/{digest}").json()["received"] == half
    assert send(client) == f"upload:{digest}"


def test_only_programs_on_the_machine_rule_the_service(remote):
    client = remote.client()

    refused = [
        client.get("/v1/log"),
        client.get("/v1/cache"),
        client.delete("/v1/cache"),
        client.put("/v1/life", json={"finish_jobs": True}),
        client.post("/v1/stop"),
    ]

    assert {code(each) for each in refused} == {(403, "not_allowed")}
    assert not remote.life.ended


# The service.


def test_health_says_what_there_is(service, anna):
    submit(anna)
    service.notices.append("The job list was damaged.")

    health = anna.get("/v1/health").json()

    assert (health["queued"], health["running"], health["remote"]) == (1, 0, False)
    assert health["epoch"] == service.life.epoch
    told = {(each["key"], each["weights"]) for each in health["methods"]}
    assert told == {(key, kind) for key, each in METHODS.items() for kind in each.weights}
    assert health["notices"] == ["The job list was damaged."]


def test_notices_are_for_the_machine_of_the_service(remote):
    remote.notices.append("A folder was damaged.")

    assert remote.client().get("/v1/health").json()["notices"] == []


def test_the_service_stops_and_lives_on_as_it_is_told(service, anna):
    anna.put("/v1/life", json={"finish_jobs": True})
    assert service.life.finish_jobs
    assert anna.post("/v1/stop").status_code == 204
    assert service.life.ended


def test_the_cache_is_cleared(service, anna):
    service.steps.keep("people", "0" * 64, {})

    assert anna.get("/v1/cache").json()["entries"] == {"people": 1}
    assert anna.delete("/v1/cache").json()["entries"] == {}


def test_every_error_has_a_status_and_every_status_is_described(service):
    described = service.app.openapi()

    for path in described["paths"].values():
        for route in path.values():
            for status in answers.EVERYWHERE:
                assert str(status) in route["responses"]
            assert re.fullmatch("[a-z_]+", route["operationId"])
    assert set(answers.STATUSES.values()) <= set(answers.REASONS)


def test_a_name_that_is_no_unicode_can_be_told():
    answer = answers.fault(errors.VideoError("film\udcff.mp4 is broken"))

    assert "film?.mp4" in answer.body.decode()
