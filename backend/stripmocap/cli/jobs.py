"""`stripmocap jobs`: give jobs to the service, watch them, fetch what they made."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ..contract import sequences
from ..contract.errors import NotThere, RequestError, VideoError
from ..contract.jobs import JobStatus, to_json
from ..contract.service import Service
from ..progress import Progress
from . import connection, job_texts
from .job_watch import watch
from .outputs import check
from .request_arguments import people_request_of, request_of

FULL_ID = 32  # letters


def run(arguments: argparse.Namespace) -> int:
    """Does what is asked; the exit status."""
    if arguments.action == "add":
        return _add(arguments)
    return _ACTIONS[arguments.action](connection.connect(arguments), arguments)


def _add(arguments: argparse.Namespace) -> int:
    if arguments.output:
        check(arguments.output, suffixes=(".npz",), sources=(arguments.video,))
    started = None
    if arguments.start_service:
        service, started = connection.start(arguments)
    else:
        service = connection.connect(arguments)
    try:
        job = _submitted(service, arguments)
        _print(job, arguments)
        if arguments.wait or arguments.output:
            return _followed(service, job, arguments)
        return 0
    finally:
        if started:
            started.let_go()


def _submitted(service: Service, arguments: argparse.Namespace) -> JobStatus:
    """The job for which the footage was sent, if the service cannot read it where it is."""
    request = (people_request_of if arguments.only_people else request_of)(arguments)
    path = connection.absolute(arguments.video)
    if not path.is_file():
        raise VideoError(f"{path} is not there", hint="Check the name and the folder.")
    if arguments.upload or service.health().remote:
        if sequences.is_picture(path):
            raise RequestError(
                f"{path.name} is a picture, and one file is sent",
                hint="Make a movie of the sequence first, or use the service of this machine.",
            )
        with Progress() as progress:
            name = service.upload(path, report=progress)
    else:
        name = str(path)
    request = replace(request, clip=replace(request.clip, path=name))
    return service.submit(request, key=arguments.key, priority=arguments.priority)


def _followed(service: Service, job: JobStatus, arguments: argparse.Namespace) -> int:
    status = _watched(service, job.id, arguments)
    if status == 0 and arguments.output:
        _fetched(connection.connect(arguments), job.id, arguments.output)
    return status


def _fetched(service: Service, job_id: str, output: Path) -> None:
    service.result(job_id, output)
    print(f"Saved {output}")


def _list(service: Service, arguments: argparse.Namespace) -> int:
    jobs = list(service.every_job())
    if arguments.json:
        print(json.dumps([to_json(each) for each in jobs], indent=2))
    else:
        print(job_texts.table(jobs))
    return 0


def _show(service: Service, arguments: argparse.Namespace) -> int:
    job = find(service, arguments.id)
    print(json.dumps(to_json(job), indent=2) if arguments.json else job_texts.paragraph(job))
    return 0


def _watch(service: Service, arguments: argparse.Namespace) -> int:
    return _watched(service, find(service, arguments.id).id if arguments.id else None, arguments)


def _watched(service: Service, job_id: str | None, arguments: argparse.Namespace) -> int:
    return watch(service, job_id, again=lambda: connection.connect(arguments))


def _cancel(service: Service, arguments: argparse.Namespace) -> int:
    return _print(service.cancel(find(service, arguments.id).id), arguments)


def _retry(service: Service, arguments: argparse.Namespace) -> int:
    return _print(service.retry(find(service, arguments.id).id), arguments)


def _move(service: Service, arguments: argparse.Namespace) -> int:
    if arguments.priority is None and arguments.to is None:
        raise RequestError("nothing is said about where to", hint="--first, --last or --priority.")
    job = find(service, arguments.id)
    moved = service.move(job.id, priority=arguments.priority, to=arguments.to)
    return _print(moved, arguments)


def _delete(service: Service, arguments: argparse.Namespace) -> int:
    job = find(service, arguments.id)
    service.delete(job.id)
    print(f"{job.id[: job_texts.SHORT_ID]} {job.name}: deleted")
    return 0


def _result(service: Service, arguments: argparse.Namespace) -> int:
    check(arguments.output, suffixes=(".npz",))
    job = find(service, arguments.id)
    if not arguments.partial:
        _fetched(service, job.id, arguments.output)
        return 0
    job = service.partial(job.id, arguments.output)
    print(f"Saved {arguments.output}: what is finished so far")
    return 0


def _log(service: Service, arguments: argparse.Namespace) -> int:
    sys.stdout.write(service.log(find(service, arguments.id).id if arguments.id else None))
    return 0


def _health(service: Service, arguments: argparse.Namespace) -> int:
    found = service.health()
    if arguments.json:
        print(json.dumps(to_json(found), indent=2))
    else:
        print(job_texts.health(found, service.url))
    return 0


def _stop(service: Service, arguments: argparse.Namespace) -> int:
    here = not connection.address_of(arguments)
    connection.stop(service, connection.data_of(arguments) if here else None)
    return 0


_ACTIONS: dict[str, Callable[[Service, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "watch": _watch,
    "cancel": _cancel,
    "retry": _retry,
    "move": _move,
    "delete": _delete,
    "result": _result,
    "log": _log,
    "health": _health,
    "stop": _stop,
}


def find(service: Service, text: str) -> JobStatus:
    """The one job of this client whose id is `text` or begins with it.

    Raises:
        NotThere: there is none.
        RequestError: there are several.
    """
    start = text.strip().lower()
    if len(start) == FULL_ID:
        return service.job(start)
    found = list(_beginning_with(service, start))
    if not found:
        raise NotThere(
            f"no job of yours begins with {text!r}", hint="See them all: stripmocap jobs list."
        )
    if len(found) > 1:
        several = ", ".join(each.id[: max(len(start) + 4, job_texts.SHORT_ID)] for each in found)
        raise RequestError(f"{text!r} may be {several}", hint="Type more of it.")
    return found[0]


def _beginning_with(service: Service, start: str) -> Iterator[JobStatus]:
    return (each for each in service.every_job() if start and each.id.startswith(start))


def _print(job: JobStatus, arguments: argparse.Namespace) -> int:
    print(json.dumps(to_json(job), indent=2) if arguments.json else job_texts.line(job), flush=True)
    return 0
