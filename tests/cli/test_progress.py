from __future__ import annotations

import io

import pytest
from stripmocap.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_for_each_stage():
    log = io.StringIO()

    with Progress(log) as progress:
        for done in range(1, 6):
            progress("people", done, 5)
        progress("fit", 1, 0)

    lines = log.getvalue().splitlines()
    assert [line.partition(" in ")[0] for line in lines] == ["people: 5", "fit: 1"]


def test_a_terminal_gets_a_bar_with_stage_and_time_left():
    terminal = Terminal()

    with Progress(terminal) as progress:
        progress("people", 3, 6)

    assert "people" in terminal.getvalue()
    assert "50%" in terminal.getvalue()
    assert "left" in terminal.getvalue()


def test_a_stage_of_unknown_length_has_no_percentage():
    terminal = Terminal()

    with Progress(terminal) as progress:
        progress("people", 3, 0)

    assert "%" not in terminal.getvalue()
    assert "people" in terminal.getvalue()


def test_a_stage_that_failed_does_not_say_it_ended():
    log = io.StringIO()

    def stopped() -> None:
        with Progress(log) as progress:
            progress("people", 1, 5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()

    assert log.getvalue() == ""
