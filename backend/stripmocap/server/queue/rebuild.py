"""The job list brought in line with the job folders, at each start and after damage.

The folders say which jobs there are and how those that ended did; the list says what waits, in
which order, and what happened on the way. What one of them lacks is taken from the other, so that
a list that is lost, or older than the folders because its last pages are, loses no job. A result
counts only if its checksum is in the job's outcome and agrees.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Sized
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ...contract.jobs import State
from .. import durable
from . import changes
from .job import (
    NEW,
    OUTCOME,
    REQUEST,
    RESULT,
    WORK,
    Job,
    Unreadable,
    has_result,
    read_job,
    read_sealed,
    with_outcome,
    write_outcome,
    write_sealed,
)
from .rows import Rows
from .schema import COMPANIONS

JOBS = "jobs"  # the folder of the jobs' folders
ORDER = "order.json"  # priority and position of the jobs that were moved
DATABASE = "jobs.sqlite"
GONE = ".gone-"  # before the id: the folder of a job that is being deleted
OLD = ".old"  # after a file's name: not valid any more
_AGAIN = "Its result was damaged on the disk, so it is captured again."


def set_aside(data: Path) -> str | None:
    """The name under which the damaged database is kept from now on; None if there is none."""
    number, there = 1, (data / DATABASE).exists()
    while (data / f"{DATABASE}.damaged-{number}").exists():
        number += 1
    kept = f"{DATABASE}.damaged-{number}"
    for end in COMPANIONS:
        with contextlib.suppress(FileNotFoundError):
            (data / f"{DATABASE}{end}").replace(data / f"{kept}{end}")
    durable.sync_folder(data)
    return kept if there else None


def keep_order(rows: Rows, data: Path, *, undo: ExitStack) -> None:
    """Keeps the places that the requests do not say, before the list that has them is committed."""
    order, old = data / ORDER, data / f"{ORDER}{OLD}"
    if order.exists():
        undo.callback(durable.put_back, old, order)
        order.replace(old)
    undo.callback(durable.take_back, order)
    moves = rows.moves() + 1
    rows.save_moves(moves)
    places = {job.id: [job.priority, job.position] for job in rows.unended() if job.moved}
    write_sealed(data / ORDER, {"moves": moves, "places": places})


def reconcile(rows: Rows, data: Path, *, running: Iterable[Job] = ()) -> list[str]:
    """Brings the list in line with the folders, in a transaction that the caller has begun.

    Args:
        rows: of the list; a new one is empty.
        data: the folder of `JOBS` and `ORDER`.
        running: jobs that are being worked on now, as they are; at a start there are none.

    Returns:
        What its owner should know, in sentences.

    Raises:
        Damaged: a row of the list is not what was written.
    """
    folders, gone = _found(data / JOBS)
    for job_id in gone:
        rows.forget(job_id)
        shutil.rmtree(data / JOBS / f"{GONE}{job_id}", ignore_errors=True)
    listed = rows.every()
    lost = [job for job in listed if job.id not in folders]
    for job in lost:
        rows.forget(job.id)  # its folder was there before it was listed, so somebody deleted it
    listed = [job for job in listed if job.id in folders]
    for job in listed:
        _correct(rows, job)
    missing, unreadable = _read(data / JOBS, sorted(folders - {job.id for job in listed}))
    adopted = _adopted(missing, listed)
    rows.save([_in_line(job) for job in adopted])
    _place(rows, data)
    rows.save(running)
    notices = []
    if lost:
        notices.append(f"{_counted(lost, 'has', 'have')} no folder any more and left the list.")
    if adopted:
        notices.append(f"{_counted(adopted, 'was', 'were')} taken up from the job folders.")
    if unreadable:
        notices.append(
            f"{_counted(unreadable, 'has', 'have')} files that are damaged or of another version, "
            f"and left as they are: {', '.join(unreadable[:5])}."
        )
    return notices


def sweep(folder: Path, states: dict[str, State]) -> None:
    """Removes what interrupted work left: half-written files, and results nobody vouches for.

    Only at a start, when no worker runs.

    Args:
        folder: of the jobs' folders.
        states: of the jobs in the list, by their ids; other folders stay as they are.
    """
    for part in folder.glob(f".*{durable.PART}"):
        part.unlink(missing_ok=True)
    for new in folder.glob(f"{NEW}*"):
        shutil.rmtree(new, ignore_errors=True)
    for job_id, state in states.items():
        if not (folder / job_id).is_dir():
            continue
        for each in (folder / job_id).iterdir():
            stale = each.name == RESULT and state != "done"
            if stale or each.name.endswith((durable.PART, OLD)):
                with contextlib.suppress(OSError):
                    each.unlink()
            elif each.name.startswith(WORK):
                shutil.rmtree(each, ignore_errors=True)


def _found(jobs: Path) -> tuple[set[str], list[str]]:
    """Ids of the jobs that have a folder, and of those that were being deleted."""
    names = [each.name for each in jobs.iterdir() if each.is_dir()]
    gone = [name.removeprefix(GONE) for name in names if name.startswith(GONE)]
    return {name for name in names if not name.startswith(".")}, gone


def _read(jobs: Path, ids: Iterable[str]) -> tuple[list[Job], list[str]]:
    """The jobs in the folders of these names, and the names of those that hold none."""
    found: list[Job] = []
    unreadable: list[str] = []
    for name in ids:
        try:
            found.append(read_job(jobs / name))
        except Unreadable:
            if (jobs / name / REQUEST).exists():
                unreadable.append(name)
            else:  # its adding was cut off, or its files were removed by hand
                shutil.rmtree(jobs / name, ignore_errors=True)
    return found, unreadable


def _adopted(missing: list[Job], listed: list[Job]) -> list[Job]:
    """Those of the jobs found in folders that the list takes up."""
    keys = {(job.owner, job.key) for job in listed if job.key is not None}
    adopted: list[Job] = []
    for job in sorted(missing, key=lambda each: (each.number, each.id)):
        if (job.owner, job.key) in keys:
            if job.attempts == 0 and not (job.folder / OUTCOME).exists():
                shutil.rmtree(job.folder, ignore_errors=True)  # adding it was cut off
                continue
            job = replace(job, key=None)  # another version made it, and this one could not read it
        if job.key is not None:
            keys.add((job.owner, job.key))
        adopted.append(job)
    return adopted


def _place(rows: Rows, data: Path) -> None:
    """Puts jobs where they were moved to, if the list is older than the last move."""
    try:
        kept = read_sealed(data / ORDER) or read_sealed(data / f"{ORDER}{OLD}")
    except Unreadable:
        return
    if kept is None or kept["moves"] <= rows.moves():
        return
    for job in rows.unended():
        if job.id in kept["places"]:
            priority, position = kept["places"][job.id]
            rows.save([replace(job, priority=priority, position=position, moved=True)])
    rows.save_moves(kept["moves"])


def _correct(rows: Rows, job: Job) -> None:
    """Saves the job of the list as its folder has it, if that is another."""
    right = _in_line(job)
    if job.ended and not right.ended:
        right = replace(right, position=rows.next_number(), moved=True)
    if right != job:
        rows.save([right])


def _in_line(job: Job) -> Job:
    """The job of the list as its folder has it."""
    try:
        said = with_outcome(job)
    except Unreadable:
        said = job if job.ended else None
        if said is not None:
            write_outcome(said)
    if said is None:
        # A retry takes the outcome away first, so an ended job without one was asked for again.
        if not job.ended:
            return job
        if job.state == "done" and has_result(job):
            write_outcome(job)
            return job
        # The same way it would have gone if the list had heard of it.
        return _queued(job) if job.state == "done" else changes.anew(job)
    if said.attempts < job.attempts and not job.ended:
        return job  # of an earlier life
    if said.state != "done" or has_result(said, hashed=said.result != job.result):
        return said
    with contextlib.suppress(OSError):
        (job.folder / OUTCOME).unlink()
    return replace(_queued(job), notes=(*job.notes, _AGAIN))


def _queued(job: Job) -> Job:
    return replace(
        job, state="queued", error=None, result=None, finished_s=None, share=0.0, mark=0.0
    )


def _counted(things: Sized, one: str, many: str) -> str:
    return f"1 job {one}" if len(things) == 1 else f"{len(things)} jobs {many}"
