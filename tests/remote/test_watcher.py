import queue
import threading
import time
from pathlib import Path

import pytest
from stripmocap_extension.addon.contract import errors, jobs, messages, result_file
from stripmocap_extension.addon.remote import errands, host
from stripmocap_extension.addon.remote.watcher import Watcher
from toyshot import toy_capture

DEADLINE_S = 20.0


def status(job_id="1", *, state="queued", key="k.1", request=None):
    return jobs.JobStatus(
        id=job_id, key=key, name="walk.mp4", state=state, priority=0, place=0,
        progress=jobs.JobProgress(), request=request or {"body": "neutral"}, attempts=0, notes=(),
        error=None, result=None, partial=None, created_s=0.0, started_s=None, finished_s=None,
    )  # fmt: skip


def health(*, remote=False):
    return jobs.Health(
        version="1", contract=1, epoch="e", remote=remote, finish_jobs=False, devices=(),
        methods=(), queued=0, running=0, disk_free=1, cache_size=0, cache_limit=1, notices=(),
    )  # fmt: skip


class FakeService:
    """A service in memory; `down` makes every call fail."""

    url = "http://127.0.0.1:1"

    def __init__(self, *, remote=False):
        self.remote, self.down, self.epoch = remote, False, "e"
        self.jobs, self.changes, self.calls = {}, [], []
        self.upload_steps, self.going_on = 3, threading.Event()
        self.going_on.set()

    def __getattribute__(self, name):
        value = object.__getattribute__(self, name)
        if callable(value) and not name.startswith("_") and name not in {"set", "going_on"}:
            self.__dict__["calls"].append(name)
            if self.__dict__["down"]:
                raise errors.BackendUnavailable("the service does not answer")
        return value

    def _put(self, job):
        self.jobs[job.id] = job
        self.changes.append(job)
        return job

    def health(self):
        return health(remote=self.remote)

    def every_job(self):
        return list(self.jobs.values())

    def events(self, *, after, epoch, wait_s):
        time.sleep(min(wait_s, 0.01))
        number = len(self.changes)
        news = tuple(self.changes[after:number]) if epoch == self.epoch else ()
        return jobs.Events(self.epoch, number, False, news, ())

    def submit(self, request, *, key):
        known = [each for each in self.jobs.values() if each.key == key]
        if known:
            return known[0]
        return self._put(status(str(len(self.jobs) + 1), key=key, request=request.to_json()))

    def cancel(self, job_id):
        return self._put(status(job_id, state="cancelled"))

    def retry(self, job_id):
        return self._put(status(job_id, state="queued"))

    def delete(self, job_id):
        del self.jobs[job_id]

    def log(self, job_id):
        return f"log of {job_id}"

    def result(self, job_id, path, *, report):
        report("download", 1, 1)
        result_file.save(toy_capture(frames=3), path)
        return self.jobs[job_id]

    def upload(self, path, *, report):
        for step in range(self.upload_steps):
            report("upload", step, self.upload_steps)
            assert self.going_on.wait(DEADLINE_S)
            time.sleep(0.001)
        return "upload:" + "0" * 64


class Watched:
    """A watcher with a fake service, and what it told."""

    def __init__(self, folder, **options):
        self.service = FakeService(**options)
        self.links = []
        self.watcher = Watcher(folder, linker=self._link)
        self.backend = host.ThisComputer(data=folder, checkout=folder)
        self.told = []
        self.watcher.start()

    def _link(self, backend, *, start, stopping):
        self.links.append(start)
        self.service.health()
        return host.Link(self.service)

    def connect(self, **options):
        self.watcher.ask(errands.Connect(self.backend, **options))

    def until(self, kind, wanted=lambda news: True):
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                news = self.watcher.news.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind.__name__} among {self.told}") from None
            self.told.append(news)
            if isinstance(news, kind) and wanted(news):
                return news


@pytest.fixture
def watched(tmp_path):
    made = []

    def make(**options):
        made.append(Watched(tmp_path, **options))
        return made[-1]

    yield make
    for each in made:
        each.service.going_on.set()
        each.watcher.stop()
        assert not each.watcher.running


def request(path="walk.mp4"):
    return messages.CaptureRequest(messages.Clip(path))


def test_a_connection_tells_health_and_every_job(watched):
    panel = watched()
    panel.service._put(status("7", state="done"))

    panel.connect()

    assert panel.until(errands.Connected).health.version == "1"
    news = panel.until(errands.JobsNews)
    assert (news.every, [each.id for each in news.jobs]) == (True, ["7"])


def test_nothing_is_called_before_somebody_asks(watched):
    panel = watched()

    panel.watcher.stop()

    assert panel.service.calls == []


def test_a_job_is_submitted_and_followed_to_its_end(watched):
    panel = watched()
    panel.connect()
    panel.watcher.ask(errands.Submit("k.1", request()))

    job = panel.until(errands.Submitted).job
    panel.service._put(status(job.id, state="running"))
    panel.until(errands.JobsNews, lambda news: any(j.state == "running" for j in news.jobs))
    panel.service._put(status(job.id, state="done"))

    assert panel.until(errands.JobsNews, lambda news: any(j.state == "done" for j in news.jobs))


def test_a_result_arrives_read_and_with_its_body(watched):
    panel = watched()
    panel.service._put(status("1", state="done"))
    panel.connect()

    panel.watcher.ask(errands.Fetch("1"))

    arrived = panel.until(errands.Arrived)
    assert len(arrived.capture.takes) == 2
    assert len(arrived.body.v_template)
    assert arrived.path.is_file()


@pytest.mark.parametrize(("action", "state"), [("cancel", "cancelled"), ("retry", "queued")])
def test_a_change_shows_at_once(watched, action, state):
    panel = watched()
    panel.service._put(status("1", state="failed"))
    panel.connect()
    panel.until(errands.JobsNews)

    panel.watcher.ask(errands.Change("1", action))

    assert panel.until(errands.JobsNews).jobs[0].state == state


def test_a_forgotten_job_leaves_the_list(watched):
    panel = watched()
    panel.service._put(status("1", state="failed"))
    panel.connect()
    panel.until(errands.JobsNews)

    panel.watcher.ask(errands.Change("1", "delete"))

    assert panel.until(errands.JobsNews).deleted == ("1",)


def test_a_log_is_brought(watched):
    panel = watched()
    panel.connect()

    panel.watcher.ask(errands.ReadLog("1"))

    assert panel.until(errands.LogRead).text == "log of 1"


def test_what_cannot_be_done_is_told_and_the_thread_goes_on(watched):
    panel = watched()
    panel.connect()

    panel.watcher.ask(errands.Change("nobody", "delete"))  # a KeyError: a bug of the fake's
    panel.watcher.ask(errands.ReadLog("1"))

    assert "internal error" in panel.until(errands.Refused).error.message
    assert panel.until(errands.LogRead)


def test_without_a_backend_a_request_is_refused_in_words(watched):
    panel = watched()

    panel.watcher.ask(errands.Submit("k.1", request()))

    assert "no backend" in panel.until(errands.Submitted).error.message


def test_a_service_that_comes_back_is_found_again_and_the_list_read_anew(watched):
    panel = watched()
    panel.service._put(status("1", state="running"))
    panel.connect()
    panel.until(errands.JobsNews)

    panel.service.down = True
    assert panel.until(errands.Lost).again_s > 0
    panel.service.jobs["1"], panel.service.epoch = status("1", state="done"), "another"
    panel.service.down = False

    news = panel.until(errands.JobsNews)
    assert (news.every, news.jobs[0].state) == (True, "done")


def test_a_mere_look_is_not_repeated(watched):
    panel = watched()
    panel.service.down = True

    panel.connect(start=False)

    assert panel.until(errands.Lost).again_s is None
    assert panel.links == [False]


def test_a_request_after_a_mere_look_starts_the_service(watched):
    panel = watched()
    panel.service.down = True
    panel.connect(start=False)
    panel.until(errands.Lost)
    panel.service.down = False

    panel.connect(start=True)
    panel.watcher.ask(errands.Submit("k.1", request()))

    assert panel.until(errands.Submitted).job is not None
    assert panel.links[-1] is True


def test_footage_goes_first_to_a_service_elsewhere(watched):
    panel = watched(remote=True)
    panel.connect()

    panel.watcher.ask(errands.Submit("k.1", request()))

    job = panel.until(errands.Submitted).job
    assert job.request["clip"]["path"].startswith("upload:")
    assert any(isinstance(each, errands.Moving) for each in panel.told)


def test_other_errands_are_done_while_footage_is_sent(watched):
    panel = watched(remote=True)
    panel.service._put(status("1", state="running"))
    panel.service.upload_steps = 10_000
    panel.connect()
    panel.watcher.ask(errands.Submit("k.2", request()))
    panel.until(errands.Moving)
    panel.service.going_on.clear()

    panel.watcher.ask(errands.Change("1", "cancel"))
    deadline = threading.Timer(0.3, panel.service.going_on.set)
    deadline.start()

    # The fake sends without end; only work done between its pieces can cancel.
    assert panel.until(
        errands.JobsNews, lambda news: any(j.state == "cancelled" for j in news.jobs)
    )
    panel.watcher.ask(errands.Withdraw("k.2"))


def test_a_withdrawn_request_is_not_submitted(watched):
    panel = watched(remote=True)
    panel.connect()
    panel.watcher.ask(errands.Withdraw("k.1"))

    panel.watcher.ask(errands.Submit("k.1", request()))
    panel.watcher.ask(errands.ReadLog("1"))

    panel.until(errands.LogRead)
    assert panel.service.jobs == {}


def test_another_backend_takes_the_place_of_the_first(watched, tmp_path):
    panel = watched()
    panel.connect()
    panel.until(errands.Connected)

    panel.watcher.ask(errands.Connect(host.MyServer("https://farm", token="t", data=tmp_path)))

    assert panel.until(errands.Connected)
    assert len(panel.links) == 2


def test_the_thread_ends_within_two_seconds(watched):
    panel = watched()
    panel.service._put(status("1", state="running"))
    panel.connect()
    panel.until(errands.JobsNews)

    began = time.monotonic()
    panel.watcher.stop()

    assert not panel.watcher.running
    assert time.monotonic() - began < 2.0


def test_a_check_that_fails_is_told(watched, tmp_path):
    panel = watched()
    backend = host.ThisComputer(data=tmp_path, checkout=tmp_path, python=Path("/no/python"))

    panel.watcher.ask(errands.Examine(backend))

    assert "there is no Python" in panel.until(errands.Examined).error.message
