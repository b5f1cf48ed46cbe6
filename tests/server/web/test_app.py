"""The story of jobs over HTTP: made, seen, moved, cancelled, retried, fetched, deleted."""

from __future__ import annotations

import pytest
from server.callers import ANNA, BERT, FOOTAGE, Service, code, job_body, send, sha256, submit
from stripmocap.contract.jobs import (
    CacheStatus,
    Events,
    Health,
    JobList,
    JobProgress,
    JobStatus,
    UploadStatus,
    from_json,
)


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.store.close()


@pytest.fixture
def anna(service):
    return service.client(ANNA)


@pytest.fixture
def bert(service):
    return service.client(BERT)


# Jobs.


def test_a_new_job_is_queued_and_the_workers_are_woken(service, anna):
    status = submit(anna, key="mine", priority=3)

    assert (status["state"], status["place"], status["priority"]) == ("queued", 0, 3)
    assert (status["name"], status["key"]) == ("walk.mp4", "mine")
    assert service.supervisor.woken == 1


def test_asking_twice_under_one_key_makes_one_job(anna, bert):
    first = submit(anna, key="mine")

    assert submit(anna, key="mine")["id"] == first["id"]
    assert submit(bert, key="mine")["id"] != first["id"]
    other = anna.post("/v1/jobs", json=job_body("/clips/other.mp4", key="mine"))
    assert code(other) == (409, "wrong_state")


def test_every_answer_is_the_record_of_the_contract(service, anna):
    job = submit(anna)
    send(anna)

    assert isinstance(from_json(JobStatus, job), JobStatus)
    for kind, path in [
        (JobStatus, f"/v1/jobs/{job['id']}"),
        (JobList, "/v1/jobs"),
        (Events, "/v1/events"),
        (Health, "/v1/health"),
        (CacheStatus, "/v1/cache"),
        (UploadStatus, f"/v1/uploads/{sha256(FOOTAGE)}"),
    ]:
        assert isinstance(from_json(kind, anna.get(path).json()), kind)


def test_jobs_are_listed_newest_first_in_parts_and_by_state(service, anna):
    made = [submit(anna)["id"] for _ in range(5)]
    service.finish_next()

    first = anna.get("/v1/jobs", params={"limit": 2}).json()
    rest = anna.get("/v1/jobs", params={"before": first["jobs"][-1]["id"]}).json()
    done = anna.get("/v1/jobs", params={"state": "done"}).json()

    assert [each["id"] for each in first["jobs"] + rest["jobs"]] == made[::-1]
    assert (first["more"], rest["more"]) == (True, False)
    assert [each["id"] for each in done["jobs"]] == made[:1]


def test_a_job_is_cancelled_retried_and_deleted(service, anna):
    job = f"/v1/jobs/{submit(anna)['id']}"

    assert code(anna.delete(job)) == (409, "wrong_state")
    assert code(anna.post(f"{job}/retry")) == (409, "wrong_state")
    assert anna.post(f"{job}/cancel").json()["state"] == "cancelled"
    assert anna.post(f"{job}/cancel").json()["state"] == "cancelled"
    assert anna.post(f"{job}/retry").json()["state"] == "queued"
    anna.post(f"{job}/cancel")
    assert anna.delete(job).status_code == 204
    assert code(anna.get(job)) == (404, "not_there")
    assert len(service.supervisor.cancelled) == 3


def test_a_job_is_moved_among_the_clients_own(anna, bert):
    mine = [submit(anna)["id"] for _ in range(3)]
    theirs = submit(bert)["id"]

    moved = anna.post(f"/v1/jobs/{mine[2]}/move", json={"to": "first"}).json()
    raised = anna.post(f"/v1/jobs/{mine[1]}/move", json={"priority": 5, "to": None}).json()

    assert moved["place"] == 0
    assert (raised["place"], raised["priority"]) == (0, 5)
    assert bert.get(f"/v1/jobs/{theirs}").json()["place"] == 3


def test_what_others_own_is_not_there(service, anna, bert):
    job = submit(anna, "/secret/film.mp4")["id"]
    service.finish_next()

    calls = [("GET", ""), ("DELETE", ""), ("GET", "/result"), ("GET", "/partial"), ("GET", "/log")]
    calls += [("POST", "/cancel"), ("POST", "/retry")]
    refused = [bert.request(verb, f"/v1/jobs/{job}{what}") for verb, what in calls]
    refused.append(bert.post(f"/v1/jobs/{job}/move", json={"to": "first"}))
    nobodys = bert.get(f"/v1/jobs/{'0' * 32}")

    assert {code(each) for each in refused} == {(404, "not_there")}
    assert refused[0].text.replace(job, "x") == nobodys.text.replace("0" * 32, "x")
    assert bert.get("/v1/jobs").json()["jobs"] == []
    assert code(bert.get("/v1/jobs", params={"before": job})) == (404, "not_there")
    assert "secret" not in bert.get("/v1/events").text


def test_others_count_in_the_place_and_nowhere_else(anna, bert):
    submit(anna)

    assert submit(bert)["place"] == 1
    assert bert.get("/v1/health").json()["queued"] == 2


@pytest.mark.parametrize("key", [None, "", "a" * 31, "a" * 33, "A" * 32, "g" * 32, "../" * 11])
def test_without_a_clients_key_there_are_no_jobs(service, key):
    given = {} if key is None else {"Stripmocap-Client": key}

    assert code(service.client(None).get("/v1/jobs", headers=given)) == (422, "request")


@pytest.mark.parametrize(
    "job",
    ["x", "...", "..%2f..%2fetc%2fpasswd", "0" * 31, "A" * 32, "0" * 32 + "%00", "%"],
)
@pytest.mark.parametrize("what", ["", "/result", "/log"])
def test_what_is_no_id_of_a_job_is_never_a_path(anna, job, what):
    assert anna.get(f"/v1/jobs/{job}{what}").status_code in {404, 422}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"null", 422),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b"[" * 500_000 + b"]" * 500_000, 400),
        (b'{"priority": ' + b"9" * 10_000 + b"}", 400),
        (b'{"request": {"clip": {"path": "\\ud800"}}}', 422),
        (b'{"request": {"clip": {"path": "/a", "start_s": 1e999}}}', 422),
        (b'{"request": {"clip": {"path": "/a", "start_s": NaN}}}', 422),
        (b'{"request": {"clip": {"path": "/a"}}, "priority": 11}', 422),
        (b'{"request": {"clip": {"path": "/a"}}, "priority": true}', 422),
        (b'{"request": {"clip": {"path": "/a", "start_s": 3, "stop_s": 2}}}', 422),
        (b"\xff\xfe{}", 422),
        (b"\x1f\x8b\x08\x00bomb", 400),
    ],
)
def test_a_body_that_is_none_is_refused_in_our_words(anna, body, status):
    answer = anna.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert answer.json()["code"] == "request"
    assert answer.json().keys() == {"code", "message", "hint"}
    assert len(answer.text) < 2000


def test_a_refusal_says_where_the_mistake_is_and_does_not_repeat_what_was_sent(anna):
    body = job_body(priority=99, secret_field="hunter2")

    message = anna.post("/v1/jobs", json=body).json()["message"]

    assert "body.priority" in message
    assert "body.secret_field" in message
    assert "hunter2" not in message


def test_a_wrong_verb_or_address_is_refused_in_our_words(anna):
    wrong = anna.patch("/v1/cache")

    assert code(wrong) == (405, "request")
    assert wrong.headers["allow"] == "DELETE, GET"
    assert code(anna.get("/v1/nowhere")) == (404, "not_there")


# Events.


def test_changes_are_told_with_the_latest_status(service, anna):
    first = anna.get("/v1/events").json()
    job = submit(anna)["id"]
    service.run_next()
    service.supervisor.said[job] = JobProgress("fit", 3, 10, 0.25, 60.0)

    told = anna.get("/v1/events", params={"after": first["number"], "epoch": first["epoch"]}).json()

    assert first["missed"]
    assert not told["missed"]
    assert [each["state"] for each in told["jobs"]] == ["running"]
    assert told["jobs"][0]["progress"]["share"] == 0.25


def test_a_job_that_was_deleted_is_told_as_such(service, anna):
    first = anna.get("/v1/events").json()
    job = submit(anna)["id"]
    anna.post(f"/v1/jobs/{job}/cancel")
    anna.delete(f"/v1/jobs/{job}")

    asked = {"after": first["number"], "epoch": first["epoch"], "wait_s": 20}
    told = anna.get("/v1/events", params=asked).json()

    assert (told["jobs"], told["deleted"]) == ([], [job])


@pytest.mark.parametrize(
    "asked", [{"after": -1}, {"wait_s": 31}, {"wait_s": "nan"}, {"epoch": "a b"}, {"after": 2**60}]
)
def test_absurd_waits_are_refused(anna, asked):
    assert code(anna.get("/v1/events", params=asked)) == (422, "request")
