from dataclasses import replace
from pathlib import Path

import pytest
from stripmocap_extension.addon.contract import errors, jobs
from stripmocap_extension.addon.remote import errands, ledger
from toyjobs import PART, health, request, status

FAULT = errors.BackendUnavailable("nobody there", hint="Start it.")


def heard(*statuses, every=False, deleted=()):
    return errands.JobsNews(tuple(statuses), deleted, every)


@pytest.fixture
def asked():
    book = ledger.Ledger()
    book.ask(errands.Submit("k.1", request()), name="walk")
    return book


def test_a_request_waits_then_becomes_a_job(asked):
    assert [(row.name, row.state) for row in asked.rows()] == [("walk", ledger.WAITING)]

    asked.hear(errands.Submitted("k.1", status("1", key="k.1")))

    assert [(row.job_id, row.state) for row in asked.rows()] == [("1", "queued")]


def test_footage_that_is_sent_shows_how_far(asked):
    asked.hear(errands.Moving("k.1", "upload", 0.25))

    (row,) = asked.rows()
    assert (row.state, row.share, row.active) == (ledger.SENDING, 0.25, True)


def test_a_refused_request_can_be_made_again(asked):
    assert asked.refused("k.1") is None

    asked.hear(errands.Submitted("k.1", None, FAULT))

    (row,) = asked.rows()
    assert (row.state, row.error, row.active) == (ledger.REFUSED, FAULT, False)
    assert asked.refused("k.1").key == "k.1"
    asked.forget("k.1")
    assert asked.rows() == ()


def test_a_part_can_be_had_of_a_job_that_runs_and_shows_what_is_finished(asked):
    states = [("running", PART), ("running", None), ("done", PART)]
    asked.hear(heard(*(status(str(k), state=s, partial=p) for k, (s, p) in enumerate(states))))

    assert {row.job_id: row.has_part for row in asked.rows()} == {"0": True, "1": False, "2": False}


def test_a_job_whose_part_was_brought_is_still_to_be_fetched(asked):
    asked.hear(heard(status("1", key="k.1", state="running", partial=PART)))
    asked.fetch_part("1")
    assert asked.is_fetching("1")
    assert [row.text for row in asked.rows()] == ["bringing what is finished"]

    done = heard(status("1", key="k.1", state="done"))
    assert asked.hear(done) == ("1",)
    asked.fetch("1")
    asked.hear(errands.Arrived("1", Path(), None, None, is_part=True))
    assert asked.hear(done) == ()  # the result is on its way
    asked.hear(errands.Refused(errands.FetchPart("1"), FAULT))
    assert asked.hear(done) == ()
    asked.hear(errands.Refused(errands.Fetch("1"), FAULT))

    assert asked.hear(done) == ("1",)


def test_a_finished_job_of_this_session_is_to_be_fetched_once(asked):
    done = status("1", key="k.1", state="done")

    assert asked.hear(heard(done)) == ("1",)

    asked.fetch("1")
    assert asked.hear(heard(done)) == ()
    asked.hear(errands.Arrived("1", Path(), None, None))
    assert asked.hear(heard(done, every=True)) == ()


def test_a_forgotten_request_that_became_a_job_is_not_fetched(asked):
    asked.forget("k.1")

    assert asked.hear(heard(status("1", key="k.1", state="done"))) == ()


def test_a_job_of_an_earlier_session_is_only_listed():
    book = ledger.Ledger()

    assert book.hear(heard(status("1", key="old.1", state="done"), every=True)) == ()

    assert [row.job_id for row in book.rows()] == ["1"]


def test_the_whole_list_takes_the_place_of_what_was_known():
    book = ledger.Ledger()
    book.hear(heard(status("1"), status("2")))

    book.hear(heard(status("2"), every=True))
    book.hear(heard(deleted=("2",)))

    assert book.rows() == ()


def test_what_runs_is_listed_first_and_then_the_queue_in_its_order():
    book = ledger.Ledger()
    queued = [replace(status(str(n)), place=n) for n in (3, 1, 2)]
    ended = [replace(status("8", state="done"), created_s=5.0), status("9", state="failed")]
    book.hear(heard(*ended, *queued, status("5", state="running")))

    assert [row.job_id for row in book.rows()] == ["5", "1", "2", "3", "8", "9"]
    assert book.active == 4


def test_a_running_job_says_its_stage_and_the_time_left():
    book = ledger.Ledger()
    progress = jobs.JobProgress(stage="people", done=1, of=2, share=0.5, left_s=240.0)
    book.hear(heard(replace(status(state="running"), progress=progress)))

    (row,) = book.rows()
    assert (row.text, row.share) == ("finding people, 4 min left", 0.5)


@pytest.mark.parametrize(
    ("place", "text"),
    [(0, "next in the queue"), (1, "1 job before it"), (3, "3 jobs before it")],
)
def test_a_queued_job_says_its_place(place, text):
    book = ledger.Ledger()
    book.hear(heard(replace(status(), place=place)))

    assert book.rows()[0].text == text


def test_a_failed_job_brings_its_error_back():
    book = ledger.Ledger()
    error = jobs.JobError("video", "the clip is gone", "Look for it.")
    book.hear(heard(replace(status(state="failed"), error=error)))

    (row,) = book.rows()
    assert isinstance(row.error, errors.VideoError)
    assert row.error.hint == "Look for it."


def test_a_result_on_its_way_shows_and_a_refusal_ends_it():
    book = ledger.Ledger()
    book.hear(heard(status("1", state="done")))
    book.fetch("1")
    book.hear(errands.Moving("1", "download", 0.5))

    assert book.rows()[0].text == "bringing the result"
    book.hear(errands.Refused(errands.Fetch("1"), FAULT))
    assert book.rows()[0].text == "done"


def test_the_connection_follows_the_news():
    book = ledger.Ledger()
    touches = []
    for news in (
        errands.Reaching(),
        errands.Connected("u", health()),
        errands.Lost(FAULT, 1.0),
        errands.Lost(FAULT, None),
    ):
        book.hear(news)
        touches.append(book.connection.touch)

    assert touches == ["reaching", "on", "lost", "off"]
    assert book.connection.error is FAULT


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "5 s"), (42.0, "40 s"), (89.0, "90 s"), (150.0, "2 min"), (9000.0, "2.5 h")],
)
def test_a_duration_is_as_coarse_as_its_guess(seconds, words):
    assert ledger.duration(seconds) == words


def test_another_service_begins_with_an_empty_list(asked):
    asked.hear(errands.Connected("u", health()))
    asked.hear(heard(status("7", key="other", state="done")))

    asked.leave()

    assert asked.connection.touch == "off"
    assert [row.state for row in asked.rows()] == [ledger.WAITING]  # still to be sent
