"""What an experiment found, and the table of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One row of the table."""

    fault: str
    times: int  # that it was done
    holds: str  # what must hold
    violations: tuple[str, ...] = ()
    figures: str = ""  # what was measured meanwhile
    skipped: str = ""  # why it could not be tried here; empty if it was


HEAD = ("Fault", "Times", "What must hold", "Violations", "Measured")


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as a table, and below it every violation."""
    rows = [HEAD, ("---", "---:", "---", "---:", "---"), *(_row(each) for each in outcomes)]
    lines = [f"| {' | '.join(each)} |" for each in rows]
    for each in outcomes:
        lines += [f"- {each.fault}: {said}" for said in each.violations]
    return "\n".join(lines) + "\n"


def _row(outcome: Outcome) -> tuple[str, ...]:
    if outcome.skipped:
        return (outcome.fault, "0", outcome.holds, "not tried", outcome.skipped)
    count = str(len(outcome.violations))
    return (outcome.fault, str(outcome.times), outcome.holds, count, outcome.figures)
