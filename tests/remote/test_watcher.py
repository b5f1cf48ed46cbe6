import queue
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from stripmocap_extension.addon.remote import errands, host
from toyjobs import DEADLINE_S, PART, request, status


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


def test_what_is_finished_of_a_job_arrives_as_a_part_beside_its_result(watched):
    panel = watched()
    panel.service._put(status("1", state="running", partial=PART))
    panel.connect()

    panel.watcher.ask(errands.FetchPart("1"))
    panel.watcher.ask(errands.Fetch("1"))

    part, result = panel.until(errands.Arrived), panel.until(errands.Arrived)
    assert (part.is_part, result.is_part) == (True, False)
    assert len(part.capture.takes) == 2
    assert part.path.is_file()
    assert part.path != result.path


def test_a_part_that_is_not_there_is_refused_in_words(watched):
    panel = watched()
    panel.service._put(status("1", state="running"))
    panel.connect()

    panel.watcher.ask(errands.FetchPart("1"))

    refused = panel.until(errands.Refused)
    assert "nothing of it" in refused.error.message


def test_a_result_on_a_body_that_is_not_here_arrives_on_ours_with_a_remark(watched):
    panel = watched()
    panel.service._put(status("1", state="done"))
    panel.service.body = {"name": "SMPL neutral"}
    panel.connect()

    panel.watcher.ask(errands.Fetch("1", bodies=Path("nowhere")))

    arrived = panel.until(errands.Arrived)
    assert arrived.body.name == "embedded neutral"
    assert "SMPL neutral" in arrived.remark


def test_a_body_that_cannot_be_made_is_told_and_no_service_is_lost(watched, tmp_path):
    panel = watched()
    panel.connect()
    panel.until(errands.Connected)

    panel.watcher.ask(errands.AddBody(panel.backend, tmp_path / "SMPL.pkl", tmp_path / "bodies"))

    assert panel.until(errands.BodyAdded).error is not None
    panel.watcher.ask(errands.AskHealth())
    panel.until(errands.Connected)
    assert not any(isinstance(each, errands.Lost) for each in panel.told)


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


def test_the_service_is_asked_now_and_then_how_it_is(watched, monkeypatch):
    from stripmocap_extension.addon.remote import watcher

    monkeypatch.setattr(watcher, "HEALTH_S", 0.0)
    panel = watched()
    panel.service._put(status("1", state="running"))
    panel.connect()

    panel.until(errands.Connected)
    assert panel.until(errands.Connected)


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


def test_a_look_does_not_take_back_that_a_start_was_asked_for(watched):
    panel = watched()
    panel.service.down = True
    panel.connect(start=True)
    panel.until(errands.Lost)

    panel.connect(start=False)

    assert panel.until(errands.Lost).again_s > 0
    assert panel.links == [True] * len(panel.links)


def test_a_service_with_jobs_is_looked_for_again_though_nobody_asked_for_a_start(watched):
    panel = watched()
    panel.service._put(status("1", state="running"))
    panel.connect(start=False)
    panel.until(errands.JobsNews)

    panel.service.down = True

    assert panel.until(errands.Lost).again_s > 0
    panel.service.down = False
    assert panel.until(errands.Connected)


def test_how_a_service_is_started_makes_no_other_one_of_it(watched):
    panel = watched()
    told = queue.Queue()
    panel.service.set_finish_jobs = told.put
    panel.connect()
    panel.until(errands.Connected)

    changed = replace(panel.backend, device="cpu", cache_gb=1.0)
    panel.watcher.ask(errands.Connect(changed))
    panel.watcher.ask(errands.Connect(replace(changed, finish_jobs=True)))

    assert told.get(timeout=DEADLINE_S) is True
    assert told.empty()
    assert len(panel.links) == 1


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
    panel.service.going_on.set()

    # The fake sends for a long time; only work done between its pieces can cancel so soon.
    panel.until(errands.JobsNews, lambda news: any(j.state == "cancelled" for j in news.jobs))
    assert not any(isinstance(each, errands.Submitted) for each in panel.told)
    panel.watcher.ask(errands.Withdraw("k.2"))


def test_a_withdrawn_request_is_not_submitted(watched):
    panel = watched(remote=True)
    panel.connect()
    panel.watcher.ask(errands.Withdraw("k.1"))

    panel.watcher.ask(errands.Submit("k.1", request()))
    panel.watcher.ask(errands.ReadLog("1"))

    panel.until(errands.LogRead)
    assert panel.service.jobs == {}


def test_a_request_that_is_withdrawn_while_the_service_starts_is_not_submitted(watched):
    panel = watched()
    entered, going_on = threading.Event(), threading.Event()

    def slow(*_, **__):
        entered.set()
        assert going_on.wait(DEADLINE_S)
        return host.Link(panel.service)

    panel.watcher._linker = slow
    panel.connect()
    panel.watcher.ask(errands.Submit("k.1", request()))
    assert entered.wait(DEADLINE_S)

    panel.watcher.ask(errands.Withdraw("k.1"))
    panel.watcher.ask(errands.ReadLog("1"))
    going_on.set()

    panel.until(errands.LogRead)
    assert panel.service.jobs == {}


def test_a_request_that_is_withdrawn_while_it_is_submitted_is_cancelled(watched):
    panel = watched()
    submit = panel.service.submit

    def withdrawn_meanwhile(*args, **options):
        job = submit(*args, **options)
        panel.watcher.ask(errands.Withdraw("k.1"))
        return job

    panel.service.submit = withdrawn_meanwhile
    panel.connect()

    panel.watcher.ask(errands.Submit("k.1", request()))

    def is_cancelled(news):
        return any(each.state == "cancelled" for each in news.jobs)

    assert panel.until(errands.JobsNews, is_cancelled)


def test_a_request_that_is_withdrawn_when_it_is_a_job_already_is_cancelled(watched):
    panel = watched()
    panel.connect()
    panel.watcher.ask(errands.Submit("k.1", request()))
    panel.until(errands.Submitted)

    panel.watcher.ask(errands.Withdraw("k.1"))

    def is_cancelled(news):
        return any(each.state == "cancelled" for each in news.jobs)

    assert panel.until(errands.JobsNews, is_cancelled)


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
