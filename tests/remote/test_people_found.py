"""People on their way from the service into the panel's memory, without bodies."""

import queue
from dataclasses import replace

import pytest
from stripmocap_extension.addon.contract import errors, messages
from stripmocap_extension.addon.remote import errands, host, ledger
from stripmocap_extension.addon.remote.watcher import Watcher
from toyjobs import DEADLINE_S, FakeService, request, status

SEARCH = messages.CaptureRequest(messages.Clip("walk.mp4"), estimator=None).to_json()


@pytest.fixture
def service():
    made = FakeService()
    made._put(replace(status("7", state="done"), request=SEARCH))
    return made


@pytest.fixture
def watcher(service, tmp_path):
    made = Watcher(tmp_path, linker=lambda *_, **__: host.Link(service))
    made.start()
    made.ask(errands.Connect(host.ThisComputer(data=tmp_path, checkout=tmp_path)))
    yield made
    made.stop()


def until(watcher, kind):
    while True:
        try:
            news = watcher.news.get(timeout=DEADLINE_S)
        except queue.Empty:
            raise AssertionError(f"no {kind}") from None
        if isinstance(news, kind):
            return news


def heard(*statuses):
    return errands.JobsNews(statuses, (), every=False)


def test_people_are_brought_and_their_file_does_not_stay(watcher, tmp_path):
    watcher.ask(errands.FetchPeople("7"))

    news = until(watcher, errands.PeopleFound)

    assert news.job_id == "7"
    assert [each.person for each in news.capture.tracks] == [0, 1]
    assert news.capture.takes == ()
    assert list(tmp_path.glob("*.npz")) == []


def test_people_of_a_job_that_is_gone_are_refused(watcher):
    watcher.ask(errands.FetchPeople("no such job"))

    refused = until(watcher, errands.Refused)

    assert refused.errand == errands.FetchPeople("no such job")


def test_a_search_is_fetched_like_a_capture_and_told_from_one():
    book = ledger.Ledger()
    book.ask(errands.Submit("k.1", request()), name="walk")
    search = replace(status("1", key="k.1", state="done"), request=SEARCH)

    assert book.hear(heard(search)) == ("1",)

    (row,) = book.rows()
    assert not row.makes_bodies
    assert not book.makes_bodies("1")
    assert book.makes_bodies("2")


def test_people_that_have_come_are_not_fetched_twice(service):
    book = ledger.Ledger()
    book.ask(errands.Submit("k.1", request()), name="walk")
    search = replace(status("1", key="k.1", state="done"), request=SEARCH)
    book.hear(heard(search))
    book.fetch("1")

    found = errands.PeopleFound("1", replace(_capture(service), takes=()))

    assert book.hear(found) == ()
    assert book.hear(heard(search)) == ()


def test_people_of_a_capture_do_not_stand_for_its_bodies(service):
    book = ledger.Ledger()
    book.ask(errands.Submit("k.1", request()), name="walk")
    capture = replace(status("1", key="k.1", state="done"), request=request().to_json())
    book.hear(heard(capture))

    book.hear(errands.PeopleFound("1", _capture(service)))

    assert book.hear(heard(capture)) == ("1",)


def test_people_that_cannot_be_brought_are_no_longer_on_their_way():
    book = ledger.Ledger()
    book.fetch("1")

    book.hear(errands.Refused(errands.FetchPeople("1"), errors.NotThere("gone")))

    assert book.wanted == set()


@pytest.mark.parametrize("came", [True, False])
def test_bodies_on_their_way_stay_so_when_the_people_of_the_same_job_are_looked_up(service, came):
    book = ledger.Ledger()
    book.hear(heard(replace(status("1", state="done"), request=request().to_json())))
    book.fetch("1")

    refused = errands.Refused(errands.FetchPeople("1"), errors.NotThere("gone"))
    book.hear(errands.PeopleFound("1", _capture(service)) if came else refused)

    assert book.wanted == {"1"}
    assert book.is_fetching("1")


def _capture(service):
    from toyshot import toy_capture

    return toy_capture(frames=service.frames)
