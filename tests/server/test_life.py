from __future__ import annotations

import threading

import pytest
from stripmocap.server import life as lives
from stripmocap.server.life import GRACE_S, QUIET_S, Life

DEADLINE_S = 30.0


class Story:
    """A life whose clock is moved by hand."""

    def __init__(self, **options) -> None:
        self.now_s = 1000.0
        self.life = Life("run", clock=lambda: self.now_s, **options)
        self.busy, self.calls = False, 0

    def starter_goes(self) -> None:
        threading.Thread(
            target=self.life.outlive,
            kwargs={
                "gone": lambda: None,
                "busy": lambda: self.busy,
                "calls": lambda: self.calls,
            },
            daemon=True,
        ).start()

    def ends(self) -> bool:
        return self.life._ended.wait(DEADLINE_S)

    def goes_on(self) -> bool:
        return not self.life._ended.wait(0.1)  # it looks twenty times meanwhile


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(lives, "_LOOK_S", 0.005)


def test_it_lasts_until_it_is_told_to_stop():
    life = Life("run")
    assert not life.ended

    life.stop()

    assert life.ended
    life.wait()


def test_it_says_what_it_is_told():
    life = Life("run", notices=lambda: ["The list was damaged."])

    assert life.notices() == ("The list was damaged.",)
    assert life.epoch == "run"


def test_nobody_left_ends_it_at_once():
    story = Story()

    story.starter_goes()

    assert story.ends()


def test_the_starter_itself_does_not_keep_it_alive():
    story = Story(starter="me")
    story.life.heard("me")
    story.starter_goes()
    story.now_s += 2 * GRACE_S

    assert story.ends()


def test_another_client_keeps_it_alive_until_it_falls_silent():
    story = Story(starter="me")
    story.life.heard("you")
    story.starter_goes()
    story.now_s += QUIET_S - 1
    assert story.goes_on()

    story.now_s += 2

    assert story.ends()


def test_who_speaks_after_the_end_of_the_starter_is_another():
    story = Story()
    story.life.heard("me")
    story.starter_goes()
    assert story.goes_on()  # in the grace
    story.now_s += GRACE_S / 2
    story.life.heard("me")

    story.now_s += QUIET_S - 1
    assert story.goes_on()
    story.now_s += 2
    assert story.ends()


def test_a_call_that_is_waited_for_keeps_it_alive():
    story = Story(starter="me")
    story.calls = 1
    story.starter_goes()
    story.now_s += 10 * QUIET_S
    assert story.goes_on()

    story.calls = 0

    assert story.ends()


def test_jobs_keep_it_alive_only_if_they_shall_be_finished():
    story = Story(starter="me")
    story.busy = story.life.finish_jobs = True
    story.starter_goes()
    story.now_s += 10 * QUIET_S
    assert story.goes_on()

    story.life.finish_jobs = False

    assert story.ends()


def test_it_ends_when_the_queue_is_empty():
    story = Story(starter="me", finish_jobs=True)
    story.busy = True
    story.starter_goes()
    assert story.goes_on()

    story.busy = False

    assert story.ends()


def test_told_to_stop_it_waits_for_nobody():
    story = Story(finish_jobs=True)
    story.busy = True
    ended = threading.Thread(
        target=story.life.outlive,
        kwargs={"gone": lambda: None, "busy": lambda: True, "calls": lambda: 1},
    )
    ended.start()

    story.life.stop()

    ended.join(DEADLINE_S)
    assert not ended.is_alive()


def test_who_was_heard_long_ago_is_forgotten():
    story = Story()
    for number in range(1000):
        story.life.heard(str(number))
        story.now_s += QUIET_S / 10

    assert len(story.life._heard_s) < 20
