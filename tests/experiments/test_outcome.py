from __future__ import annotations

from stripmocap.experiments.outcome import Outcome, markdown


def test_each_outcome_is_a_row_and_each_violation_a_line():
    table = markdown(
        [
            Outcome("kill", 12, "nothing is lost", ("job 1 is lost", "job 2 is twice"), "3 min"),
            Outcome("clock", 0, "order", skipped="needs Linux"),
        ]
    ).splitlines()

    assert table[2] == "| kill | 12 | nothing is lost | 2 | 3 min |"
    assert table[3] == "| clock | 0 | order | not tried | needs Linux |"
    assert table[4:] == ["- kill: job 1 is lost", "- kill: job 2 is twice"]
