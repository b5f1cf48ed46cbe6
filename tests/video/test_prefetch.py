import itertools
import threading

import pytest
from stripmocap.video.prefetch import ahead


def readers():
    return [each for each in threading.enumerate() if each.name == "read ahead"]


def test_items_come_in_their_order():
    assert list(ahead(lambda pulse: iter(range(50)), depth=3)) == list(range(50))
    assert readers() == []


def test_an_error_comes_after_the_items_before_it():
    def make(pulse):
        yield 1
        raise OSError("gone")

    items = ahead(make, depth=2)

    assert next(items) == 1
    with pytest.raises(OSError, match="gone"):
        next(items)
    assert readers() == []


def test_no_more_is_read_than_there_is_room_for():
    made = []

    def make(pulse):
        for number in itertools.count():
            made.append(number)
            yield number

    items = ahead(make, depth=2)
    next(items)
    items.close()

    assert len(made) <= 6
    assert readers() == []


def test_a_reader_that_yields_nothing_stops_when_nobody_listens():
    def make(pulse):
        yield 1
        while True:
            pulse()

    items = ahead(make, depth=2)
    next(items)
    items.close()

    assert readers() == []


def test_who_waits_is_called_meanwhile_and_may_stop_the_reader():
    calls = []

    def make(pulse):
        yield 1
        while True:
            pulse()

    def meanwhile():
        calls.append(1)
        if len(calls) == 2:
            raise InterruptedError

    items = ahead(make, depth=2, meanwhile=meanwhile)

    assert next(items) == 1
    with pytest.raises(InterruptedError):
        next(items)
    assert readers() == []
