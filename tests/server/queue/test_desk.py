"""The desk of the queue: what clients may do with jobs, and in which order these run."""

from __future__ import annotations

import pytest
from server.queues import ANNA, BERT, Ears, finish_next, order, request
from stripmocap.contract.errors import NotThere, RequestError, WorkerDied, WrongState
from stripmocap.server.queue.changes import MOST_NOTES
from stripmocap.server.queue.store import Store


@pytest.fixture
def ears():
    return Ears()


@pytest.fixture
def store(tmp_path, ears):
    with_files = Store(tmp_path / "data", changed=ears)
    yield with_files
    with_files.close()


def test_a_new_job_is_queued_under_its_owner_and_the_footage_s_name(store):
    job = store.add(request("walk.mp4"), owner=ANNA, key="shot 1", priority=2)

    assert (job.state, job.owner, job.key, job.name) == ("queued", ANNA, "shot 1", "walk.mp4")
    assert (job.priority, job.attempts, job.request) == (2, 0, request("walk.mp4"))
    assert store.get(job.id) == job
    assert store.notices == []


def test_the_data_folder_is_its_owner_s_only(store, tmp_path):
    job = store.add(request(), owner=ANNA)

    for folder in (tmp_path / "data", job.folder):
        assert folder.stat().st_mode & 0o077 == 0
    assert (job.folder / "request.json").stat().st_mode & 0o077 == 0


def test_asking_twice_under_a_key_makes_one_job(store, ears):
    first = store.add(request(), owner=ANNA, key="shot")

    assert store.add(request(), owner=ANNA, key="shot") == first
    assert store.add(request(), owner=BERT, key="shot").id != first.id
    assert store.add(request(), owner=ANNA).id != first.id
    assert store.counts() == (3, 0)
    assert len(ears.heard) == 3


def test_a_key_stands_for_one_request(store):
    store.add(request("a.mp4"), owner=ANNA, key="shot")

    with pytest.raises(WrongState, match="shot"):
        store.add(request("b.mp4"), owner=ANNA, key="shot")


def test_a_key_can_be_used_again_once_its_job_is_deleted(store):
    job = store.add(request("a.mp4"), owner=ANNA, key="shot")
    store.cancel(job.id)
    store.delete(job.id)

    assert store.add(request("b.mp4"), owner=ANNA, key="shot").id != job.id


def test_a_priority_out_of_range_is_refused(store):
    with pytest.raises(RequestError, match="11"):
        store.add(request(), owner=ANNA, priority=11)
    assert store.counts() == (0, 0)


@pytest.mark.parametrize("key", ["", "x" * 1001, "\ud800"])
def test_a_key_that_cannot_be_kept_is_refused(store, key):
    with pytest.raises(RequestError, match="key"):
        store.add(request(), owner=ANNA, key=key)
    assert store.counts() == (0, 0)


@pytest.mark.parametrize("key", ["ключ", "\0", "🎬" * 250, "'; DROP TABLE jobs"])
def test_any_text_can_be_a_key(store, key):
    job = store.add(request(), owner=ANNA, key=key)

    assert store.add(request(), owner=ANNA, key=key) == job
    assert store.get(job.id).key == key


def test_nobody_sees_another_s_job(store):
    job = store.add(request(), owner=ANNA)

    assert store.get(job.id, owner=ANNA) == job
    with pytest.raises(NotThere):
        store.get(job.id, owner=BERT)
    with pytest.raises(NotThere):
        store.listed(owner=BERT, before=job.id)
    assert store.listed(owner=BERT) == ([], False)


@pytest.mark.parametrize(
    "job_id", ["", "0" * 32, "../jobs", "\0", "x" * 10_000, "\ud800", "'; DROP TABLE"]
)
def test_an_id_that_is_none_is_not_there(store, job_id):
    with pytest.raises(NotThere):
        store.get(job_id)


def test_jobs_are_listed_newest_first_and_page_by_page(store):
    jobs = [store.add(request(), owner=ANNA) for _ in range(5)]
    store.add(request(), owner=BERT)

    first, more = store.listed(owner=ANNA, limit=3)
    rest, no_more = store.listed(owner=ANNA, limit=3, before=first[-1].id)

    assert [*first, *rest] == jobs[::-1]
    assert (more, no_more) == (True, False)


def test_jobs_are_listed_by_state(store):
    done = [store.add(request(), owner=ANNA), store.add(request(), owner=ANNA)][0]
    finish_next(store)

    assert [each.id for each in store.listed(state="done")[0]] == [done.id]


def test_the_highest_priority_runs_first_and_then_the_oldest(store):
    low = store.add(request(), owner=ANNA, priority=-1)
    first = store.add(request(), owner=ANNA)
    second = store.add(request(), owner=BERT)
    high = store.add(request(), owner=BERT, priority=1)

    expected = [high.id, first.id, second.id, low.id]
    assert store.places([low.id, high.id]) == {high.id: 0, low.id: 3}
    assert order(store) == expected
    assert [store.claim("cpu").id for _ in range(4)] == expected
    assert store.claim("cpu") is None


def test_only_queued_jobs_have_places(store):
    job = store.add(request(), owner=ANNA)
    store.claim("cpu")

    assert store.places([job.id, "another"]) == {}
    assert store.places([]) == {}
    assert store.counts() == (0, 1)


def test_a_job_that_is_done_can_be_neither_cancelled_nor_retried_nor_moved(store):
    store.add(request(), owner=ANNA)
    done = finish_next(store)

    for change in (store.cancel, store.retry, lambda job: store.move(job, to="first")):
        with pytest.raises(WrongState, match="done"):
            change(done.id)
    assert store.get(done.id) == done


def test_a_retried_job_is_last_in_the_queue_and_as_new(store):
    store.add(request(), owner=ANNA)
    job = store.claim("cpu")
    store.keep_share(job.id, 0.5)
    store.requeue(job.id, note="The worker died.", small=True, strike=True)
    store.claim("cpu")
    store.fail(job.id, WorkerDied("again"))
    other = store.add(request(), owner=ANNA)

    again = store.retry(job.id)

    assert order(store) == [other.id, job.id]
    assert (again.state, again.strikes, again.interruptions) == ("queued", 0, 0)
    assert (again.small, again.error, again.share, again.attempts) == (False, None, 0.0, 2)
    with pytest.raises(WrongState, match="queued"):
        store.retry(job.id)


def test_moving_a_job_leaves_the_places_of_others_alone(store):
    a1, b1, a2, b2, a3 = (store.add(request(), owner=each) for each in (ANNA, BERT) * 2 + (ANNA,))

    store.move(a3.id, to="first")
    assert order(store) == [a3.id, b1.id, a1.id, b2.id, a2.id]

    store.move(a3.id, to="last")
    assert order(store) == [a1.id, b1.id, a2.id, b2.id, a3.id]

    store.move(b2.id, priority=1)
    assert order(store) == [b2.id, a1.id, b1.id, a2.id, a3.id]


def test_a_move_tells_of_each_job_that_it_moved(store, ears):
    jobs = [store.add(request(), owner=ANNA) for _ in range(3)]
    ears.heard.clear()

    store.move(jobs[2].id, to="first")

    assert {job_id for _, job_id, _ in ears.heard} == {job.id for job in jobs}


def test_only_ended_jobs_can_be_deleted_and_then_all_is_gone(store, ears):
    job = store.add(request(), owner=ANNA)
    with pytest.raises(WrongState, match="queued"):
        store.delete(job.id)
    finish_next(store)

    store.delete(job.id)

    with pytest.raises(NotThere):
        store.get(job.id)
    with pytest.raises(NotThere):
        store.delete(job.id)
    assert not job.folder.exists()
    assert list(job.folder.parent.iterdir()) == []
    assert ears.heard[-1] == (ANNA, job.id, True)


def test_notes_are_kept_in_order_up_to_a_number(store):
    job = store.add(request(), owner=ANNA)

    for number in range(MOST_NOTES + 5):
        store.note(job.id, f"note {number}")

    notes = store.get(job.id).notes
    assert (len(notes), notes[0], notes[-1]) == (MOST_NOTES, "note 5", f"note {MOST_NOTES + 4}")
