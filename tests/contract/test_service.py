from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from server.running import (
    DEADLINE_S,
    KEY,
    OTHER_KEY,
    Running,
    asked,
    cancel_all,
    until,
    until_ended,
    until_state,
)
from stripmocap.contract import result_file
from stripmocap.contract.errors import (
    NotAllowed,
    NotThere,
    RequestError,
    StripMocapError,
    WrongState,
)
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.service import Service

UPLOAD = """
import os, sys
from collections.abc import Iterator
from pathlib import Path
from stripmocap.contract.service import Service

def report(stage, done, of):
    if stage == "upload" and done:
        os._exit(9)

url, token, key, path = sys.argv[1:]
Service(url, token=token, client_key=key).upload(Path(path), report=report)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("service") / "data") as found:
        yield found


@pytest.fixture
def service(running) -> Iterator[Service]:
    """A client of its own for each test, whose jobs nobody else sees."""
    client = running.service(os.urandom(16).hex())
    yield client
    cancel_all(client)


def until_works(service: Service, job) -> None:
    until(lambda: service.job(job.id).progress.done == 2)


def test_a_request_becomes_a_job_and_the_job_a_capture(service, tmp_path):
    job = service.submit(asked(tmp_path / "walk.mp4"), priority=3)
    assert (job.name, job.priority) == ("walk.mp4", 3)

    done = until_ended(service, job)
    service.result(job.id, tmp_path / "result.npz")

    assert done.state == "done"
    assert done.result.size == (tmp_path / "result.npz").stat().st_size
    assert len(result_file.load(tmp_path / "result.npz").takes) == 1


def test_one_key_makes_one_job(service, tmp_path):
    job = service.submit(asked(tmp_path / "walk.mp4"), key="shot 1")

    assert service.submit(asked(tmp_path / "walk.mp4"), key="shot 1").id == job.id
    with pytest.raises(WrongState):
        service.submit(asked(tmp_path / "other.mp4"), key="shot 1")
    assert len(service.jobs().jobs) == 1


def test_jobs_of_others_are_not_there(running, service, tmp_path):
    job = service.submit(asked(tmp_path / "walk.mp4"))
    other = running.service(OTHER_KEY)

    for ask in (other.job, other.cancel, other.retry, other.delete, other.log):
        with pytest.raises(NotThere):
            ask(job.id)
    assert job.id not in {each.id for each in other.every_job()}


def test_a_cancelled_job_can_be_retried_and_forgotten(service, tmp_path):
    job = service.submit(asked(tmp_path / "wait.mp4"))
    until_works(service, job)

    assert service.cancel(job.id).state == "cancelled"
    with pytest.raises(WrongState):
        service.result(job.id, tmp_path / "result.npz")
    (tmp_path / "go").touch()
    service.retry(job.id)
    assert until_ended(service, job).state == "done"
    service.delete(job.id)
    with pytest.raises(NotThere):
        service.job(job.id)


def test_jobs_can_change_places(service, tmp_path):
    first = service.submit(asked(tmp_path / "wait.mp4"))
    until_works(service, first)
    second, third = (service.submit(asked(tmp_path / f"{n}.mp4")) for n in "ab")
    assert [service.job(each.id).place for each in (second, third)] == [0, 1]

    service.move(third.id, to="first")
    assert [service.job(each.id).place for each in (second, third)] == [1, 0]
    service.move(second.id, priority=5)
    assert [service.job(each.id).place for each in (second, third)] == [0, 1]

    (tmp_path / "go").touch()
    assert until_ended(service, third).state == "done"


def test_all_jobs_are_listed_however_many_pages_they_fill(service, tmp_path, monkeypatch):
    made = [service.submit(asked(tmp_path / "walk.mp4")) for _ in range(7)]
    page = service.jobs(limit=3)
    assert page.more

    rest = [page.jobs]
    while page.more:
        page = service.jobs(before=page.jobs[-1].id, limit=3)
        rest.append(page.jobs)

    listed = [each.id for some in rest for each in some]
    assert listed == [each.id for each in reversed(made)]
    assert [each.id for each in service.every_job()] == listed


def test_news_is_waited_for(service, tmp_path):
    first = service.events()
    assert first.missed

    job = service.submit(asked(tmp_path / "walk.mp4"))
    seen = set()
    number = first.number
    while "done" not in seen:
        news = service.events(after=number, epoch=first.epoch, wait_s=20)
        assert news.number > number, "nothing happened in 20 s"
        assert not news.missed
        number = news.number
        seen |= {each.state for each in news.jobs if each.id == job.id}

    until_ended(service, job)
    service.delete(job.id)
    assert job.id in service.events(after=number, epoch=first.epoch, wait_s=20).deleted


def test_a_failed_job_says_why(service, tmp_path):
    job = until_ended(service, service.submit(asked(tmp_path / "broken.mp4")))

    assert job.state == "failed"
    error = job.error.raised()
    assert (error.code, error.message, error.hint) == ("video", "it is no video", "Choose another.")


def test_what_is_finished_of_a_job_can_be_fetched(service, tmp_path):
    job = service.submit(asked(tmp_path / "publish.mp4"))
    until(lambda: service.job(job.id).partial is not None)

    service.partial(job.id, tmp_path / "partial.npz")

    assert len(result_file.load(tmp_path / "partial.npz").takes) == 1
    service.cancel(job.id)


def test_nothing_finished_is_said(service, tmp_path):
    job = service.submit(asked(tmp_path / "wait.mp4"))
    until_works(service, job)

    with pytest.raises(WrongState, match="running"):
        service.partial(job.id, tmp_path / "partial.npz")
    service.cancel(job.id)


def test_what_a_worker_printed_can_be_read(service, tmp_path):
    job = until_ended(service, service.submit(asked(tmp_path / "print.mp4")))

    assert "a library in Python" in service.log(job.id)
    assert "listens at" in service.log()


def test_the_service_says_what_it_is(running, service):
    health = service.health()

    assert health.version == running.handover.version
    assert health.methods
    assert not health.remote
    assert service.cache().size >= 0
    service.clear_cache()


def test_a_request_that_cannot_be_is_refused_with_its_reason(service, tmp_path):
    with pytest.raises(RequestError) as caught:
        service.submit(asked(tmp_path / "walk.mp4"), priority=99)

    assert "priority" in caught.value.message


def test_without_a_client_key_there_are_no_jobs(running):
    nobody = Service(running.handover.url, token=running.handover.token)

    assert nobody.health()
    with pytest.raises(StripMocapError):
        nobody.jobs()


# --- from another machine ---


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("remote") / "data", "--behind-proxy") as found:
        yield found


def test_paths_mean_nothing_to_a_service_for_other_machines(remote, tmp_path):
    with pytest.raises((RequestError, NotAllowed)):
        remote.service().submit(asked(tmp_path / "walk.mp4"))


def test_footage_is_sent_and_captured(remote, tmp_path):
    service = remote.service()
    clip = tmp_path / "walk.mp4"
    clip.write_bytes(os.urandom(100_000))

    sent = service.upload(clip)
    job = until_ended(service, service.submit(CaptureRequest(Clip(sent))))
    service.result(job.id, tmp_path / "result.npz")

    assert job.state == "done"
    assert job.name == "walk.mp4"
    assert job.request["clip"]["path"] == sent
    assert result_file.load(tmp_path / "result.npz").takes


def test_a_client_that_dies_while_it_sends_goes_on_later(remote, tmp_path):
    clip = tmp_path / "long.mp4"
    clip.write_bytes(os.urandom(9 * 2**20))
    told = remote.handover
    dying = subprocess.run(
        [sys.executable, "-c", UPLOAD, told.url, told.token, KEY, str(clip)],
        timeout=DEADLINE_S,
        check=False,
    )
    assert dying.returncode == 9

    steps = []
    service = remote.service(KEY)
    sent = service.upload(clip, report=lambda *step: steps.append(step))

    begun = next(done for stage, done, _ in steps if stage == "upload")
    assert 0 < begun < clip.stat().st_size
    assert until_ended(service, service.submit(CaptureRequest(Clip(sent)))).state == "done"


def test_nothing_is_sent_twice(remote, tmp_path):
    clip = tmp_path / "again.mp4"
    clip.write_bytes(os.urandom(5 * 2**20))
    remote.service(KEY).upload(clip)

    steps = []
    remote.service(OTHER_KEY).upload(clip, report=lambda *step: steps.append(step))

    assert [step for step in steps if step[0] == "upload"] == [
        ("upload", 5 * 2**20, 5 * 2**20),
    ]


def test_an_upload_outlives_the_service(tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(os.urandom(10**5))
    with Running(tmp_path / "data", "--behind-proxy") as first:
        sent = first.service().upload(clip)
        first.kill()
    with Running(tmp_path / "data", "--behind-proxy") as second:
        service = second.service()
        job = service.submit(CaptureRequest(Clip(sent)))

        assert until_state(service, job, "done").result


def test_footage_that_was_never_sent_is_refused(remote):
    with pytest.raises(StripMocapError):
        remote.service().submit(CaptureRequest(Clip(f"upload:{'0' * 64}")))
    assert Path(remote.data / "uploads").is_dir()
