"""Each fault once or twice on the real service with toy workers, and that harm would be seen."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest
from stripmocap.experiments import disk_faults, faults, list_faults, load
from stripmocap.experiments.batch import Batch
from stripmocap.experiments.small_disk import CannotMount


def untried(outcome) -> None:
    if outcome.skipped:
        pytest.skip(outcome.skipped)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (disk_faults.full, 2),
        (disk_faults.read_only, 2),
        (list_faults.damaged_while_stopped, 2),
        (list_faults.damaged_while_running, 2),
        (list_faults.clock, 2),
    ],
)
def test_a_fault_violates_nothing(tmp_path, fault, times):
    outcome = fault(tmp_path, times=times, seed=3)

    untried(outcome)
    assert outcome.times == times
    assert outcome.violations == ()


@pytest.mark.slow
def test_a_small_crowd_is_served_and_leaves_no_trace(tmp_path, monkeypatch):
    monkeypatch.setattr(load, "VANISHING", 10)
    # How fast it answers is measured by the experiment: a test may share its machine.
    monkeypatch.setattr(load, "SLOWER_S", 10.0)

    outcome = load.run(tmp_path, jobs=20, clients=5, seed=1)

    assert outcome.violations == ()


def test_damage_is_done_and_most_of_it_is_seen_by_sqlite(tmp_path):
    seen = 0
    for number in range(30):
        path = tmp_path / f"{number}.sqlite"
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE jobs (id TEXT)")
            database.executemany("INSERT INTO jobs VALUES (?)", [("x" * 100,)] * 500)
            database.commit()
        list_faults.damage(path, random.Random(number))
        try:
            with closing(sqlite3.connect(path)) as database:
                intact = database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                seen += not intact or len(database.execute("SELECT * FROM jobs").fetchall()) != 500
        except sqlite3.DatabaseError:
            seen += 1

    assert seen > 20


@pytest.mark.slow
def test_a_lost_job_and_a_changed_result_are_violations(tmp_path):
    with list_faults.serving(tmp_path, "served") as served:
        batch = Batch(served)
        batch.add(2, milliseconds=10)
        batch.finish()
        batch.results[batch.jobs["job0"]] = "f" * 64
        batch.service.delete(batch.jobs["job1"])

        batch.check(served.data)

    assert sorted(each.split()[0] for each in batch.violations) == ["job0", "job1"]


def test_a_machine_that_lets_nobody_mount_is_skipped_aloud(tmp_path, monkeypatch):
    def refuse(*_arguments):
        raise CannotMount("mounting is not allowed here")

    monkeypatch.setattr("stripmocap.experiments.small_disk._mount", refuse)

    assert "not allowed" in disk_faults.full(tmp_path, times=1, seed=0).skipped
    assert "not allowed" in disk_faults.read_only(tmp_path, times=1, seed=0).skipped


def test_only_the_faults_asked_for_are_done(tmp_path, monkeypatch):
    done = []
    for name in faults.FAULTS:
        monkeypatch.setitem(faults.FAULTS, name, lambda plan, name=name: done.append(name) or [])

    faults.run(faults.Plan(tmp_path), only=("clock", "load"))

    assert done == ["clock", "load"]
