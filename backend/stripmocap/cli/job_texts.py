"""Jobs as a person reads them: a table, a line, a paragraph."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..contract.jobs import Health, JobStatus

SHORT_ID = 8  # letters; enough to tell a person's jobs apart
_BAR = 10
_HEADS = ("ID", "STATE", "PROGRESS", "LEFT", "PLACE", "NAME")
_STEP = 1024
_WIDE = 48  # letters of a reason in a table


def table(jobs: Iterable[JobStatus]) -> str:
    """The jobs in lines, with a head."""
    rows = [_HEADS, *(_row(each) for each in jobs)]
    if len(rows) == 1:
        return "No jobs."
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def line(job: JobStatus) -> str:
    """The job in one line."""
    name = f"{job.id[:SHORT_ID]} {job.name}"
    match job.state:
        case "queued":
            return f"{name}: queued, {_place(job.place)}"
        case "running":
            left = seconds(job.progress.left_s)
            return f"{name}: {_progress(job)}{f', {left} left' if left else ''}"
        case "failed" if job.error is not None:
            return f"{name}: failed, {job.error.message}"
        case _:
            return f"{name}: {job.state}"


def paragraph(job: JobStatus) -> str:
    """Everything about the job."""
    clip = job.request["clip"]
    stop_s = clip["stop_s"]
    facts = [
        ("id", job.id),
        ("key", job.key),
        ("state", line(job).partition(": ")[2]),
        ("footage", clip["path"]),
        ("span", f"{clip['start_s']:g} s to {'the end' if stop_s is None else f'{stop_s:g} s'}"),
        ("method", _method(job.request)),
        ("priority", str(job.priority)),
        ("attempts", str(job.attempts)),
        ("asked", _moment(job.created_s)),
        ("started", _moment(job.started_s)),
        ("ended", _moment(job.finished_s)),
        ("result", job.result and f"{size(job.result.size)}, SHA-256 {job.result.sha256}"),
        ("so far", job.partial and f"{size(job.partial.size)} can be fetched (--partial)"),
        *(("note", each) for each in job.notes),
        ("advice", job.error and job.error.hint),
    ]
    return _facts(facts)


def _method(request: Mapping[str, Any]) -> str:
    """What was asked for; requests of earlier versions say less."""
    if request["estimator"] is None:
        return "only who is there"
    refiners = request.get("refiners") or filter(None, (request.get("refiner"),))
    named = "+".join((request["estimator"], *refiners))
    weights = request.get("weights", "embedded")
    on = "" if weights == "embedded" else f" on {weights} weights"
    return f"{named}{on}, {request['body']} body"


def health(health: Health, url: str) -> str:
    """What the service is, has and can do."""
    facts: list[tuple[str, str | None]] = [
        ("service", f"{url}, version {health.version}, contract {health.contract}"),
        ("jobs", f"{health.running} running, {health.queued} queued"),
        ("life", "finishes the queue when its starter has gone" if health.finish_jobs else None),
    ]
    for device in health.devices:
        memory = ""
        if device.memory_free is not None and device.memory_total is not None:
            memory = f", {size(device.memory_free)} of {size(device.memory_total)} free"
        facts.append((device.name, f"{device.label}, {device.state}{memory}"))
    for method in health.methods:
        state = "ready" if method.ready else "lacks files"
        facts.append((method.key, f"{method.label}, {method.weights} weights: {state}"))
        facts += [("", each) for each in method.lacks]
    facts += [
        ("disk", f"{size(health.disk_free)} free"),
        ("kept steps", f"{size(health.cache_size)} of {size(health.cache_limit)}"),
        *(("note", each) for each in health.notices),
    ]
    return _facts(facts)


def seconds(value: float | None) -> str:
    """A time that is left, as 12 s, 3:05 or 1:02:03; empty if it is not known."""
    if value is None:
        return ""
    whole = max(0, round(value))
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: int) -> str:
    """So many bytes, as 3.2 GB."""
    number = float(count)
    for unit in ("bytes", "KB", "MB"):
        if number < _STEP:
            return f"{count} bytes" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= _STEP
    return f"{number:.1f} GB"


def _row(job: JobStatus) -> Sequence[str]:
    running = job.state == "running"
    reason = job.error.message if job.error is not None else ""
    return (
        job.id[:SHORT_ID],
        job.state,
        _progress(job) if running else reason[:_WIDE],
        seconds(job.progress.left_s) if running else "",
        "" if job.place is None else str(job.place + 1),
        job.name,
    )


def _progress(job: JobStatus) -> str:
    progress = job.progress
    filled = int(progress.share * _BAR)
    bar = f"[{'#' * filled}{'.' * (_BAR - filled)}] {int(progress.share * 100):3d} %"
    return f"{bar} {progress.label}"


def _place(place: int | None) -> str:
    if not place:
        return "next"
    return "one before it" if place == 1 else f"{place} before it"


def _moment(unix_s: float | None) -> str | None:
    if unix_s is None:
        return None
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_s))


def _facts(facts: Iterable[tuple[str, str | None]]) -> str:
    return "\n".join(f"{name:<10}  {text}" for name, text in facts if text)
