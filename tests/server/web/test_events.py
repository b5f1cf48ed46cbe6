"""Changes are told once, together, to those who own the jobs, and to nobody too late."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest
from stripmocap.server.web.events import Changes, Events

LONG_S = 20.0  # a wait that a test never sees the end of


@pytest.fixture
def events():
    return Events("now", settle_s=0.0)


def after(events: Events, number: int = 0, owner: str = "anna", **asked) -> Changes:
    """What `owner` is told at once."""
    asked.setdefault("epoch", "now")
    return asyncio.run(events.after(number, owner, 0.0, **asked))


def told_to_waiter(events: Events, happen, *, owner: str = "anna") -> Changes:
    """What a client is told that waits while `happen` runs in another thread."""

    async def story():
        waiting = asyncio.create_task(
            events.after(events.number, owner, LONG_S, epoch=events.epoch)
        )
        while not events.waiting:
            await asyncio.sleep(0)
        await asyncio.to_thread(happen)
        return await asyncio.wait_for(waiting, LONG_S)

    return asyncio.run(story())


def test_a_change_is_told_once(events):
    events.changed("anna", "job", False)

    first = after(events)

    assert first == Changes(1, False, ("job",), ())
    assert after(events, first.number) == Changes(1, False, (), ())


def test_many_changes_of_one_job_are_one(events):
    for _ in range(1000):
        events.changed("anna", "job", False)

    assert after(events) == Changes(1000, False, ("job",), ())


def test_a_job_that_is_deleted_is_no_longer_told_as_changed(events):
    events.changed("anna", "job", False)
    events.changed("anna", "job", True)

    assert after(events) == Changes(2, False, (), ("job",))


def test_nobody_is_told_of_the_jobs_of_others(events):
    events.changed("bert", "secret", False)

    assert after(events) == Changes(1, False, (), ())


def test_a_client_of_another_run_has_missed_everything(events):
    events.changed("anna", "job", False)

    assert after(events, 1, epoch="before").missed
    assert after(events, 1, epoch=None).missed


def test_a_client_that_asks_for_the_future_has_missed_everything(events):
    assert after(events, 7) == Changes(0, True, (), ())


def test_what_is_forgotten_is_said_to_be_missed():
    events = Events("now", size=10)
    for number in range(25):
        events.changed("anna", str(number), False)

    assert after(events, 14).missed
    assert after(events, 15).jobs == tuple(str(number) for number in range(15, 25))


def test_a_long_answer_comes_in_parts(events):
    for number in range(25):
        events.changed("anna", str(number), False)

    told, number = [], 0
    for _ in range(3):
        part = after(events, number, limit=10)
        told += part.jobs
        number = part.number

    assert told == [str(number) for number in range(25)]
    assert number == 25


def test_one_who_waits_is_woken_from_another_thread(events):
    told = told_to_waiter(events, lambda: events.changed("anna", "job", False))

    assert told.jobs == ("job",)
    assert events.waiting == 0


def test_one_who_waits_is_not_woken_by_the_jobs_of_others(events):
    def happen():
        events.changed("bert", "secret", False)
        assert events.waiting == 1
        events.changed("anna", "job", False)

    assert told_to_waiter(events, happen).jobs == ("job",)


def test_one_who_waits_goes_home_when_the_service_ends(events):
    assert told_to_waiter(events, events.close) == Changes(0, False, (), ())


def test_nobody_waits_once_the_service_ends(events):
    events.close()

    told = asyncio.run(asyncio.wait_for(events.after(0, "anna", LONG_S, epoch="now"), 5))

    assert told == Changes(0, False, (), ())


def test_a_wait_ends_by_itself(events):
    told = asyncio.run(events.after(0, "anna", 0.01, epoch="now"))

    assert told == Changes(0, False, (), ())
    assert events.waiting == 0


def test_one_who_goes_away_leaves_nothing_behind(events):
    async def story():
        waiting = asyncio.create_task(events.after(0, "anna", LONG_S, epoch="now"))
        while not events.waiting:
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(story())

    assert events.waiting == 0
    events.changed("anna", "job", False)  # wakes nobody, and no loop that has ended


def test_no_client_loses_a_change_however_it_comes(events):
    """Fifty clients that poll while four threads change jobs hear the last of every job."""
    owners = [f"client {number}" for number in range(50)]
    ends = {owner: f"last of {owner}" for owner in owners}

    def work(seed: int):
        luck = random.Random(seed)
        for _ in range(500):
            events.changed(luck.choice(owners), str(luck.randrange(20)), luck.random() < 0.1)

    async def listen(owner: str) -> set[str]:
        heard, number = set(), 0
        while ends[owner] not in heard:
            told = await events.after(number, owner, LONG_S, epoch="now", limit=3)
            assert not told.missed
            assert told.number >= number
            heard |= set(told.jobs)
            number = told.number
        return heard

    async def story():
        listening = [asyncio.create_task(listen(owner)) for owner in owners]
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for each in threads:
            each.start()
        await asyncio.gather(*(asyncio.to_thread(each.join) for each in threads))
        for owner in owners:
            events.changed(owner, ends[owner], False)
        return await asyncio.wait_for(asyncio.gather(*listening), 60)

    heard = asyncio.run(story())

    assert [ends[owner] in each for owner, each in zip(owners, heard, strict=True)] == [True] * 50
    assert events.waiting == 0
