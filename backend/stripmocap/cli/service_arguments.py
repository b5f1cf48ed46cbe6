"""What may be typed after `stripmocap serve` and `stripmocap jobs`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

_Verbs = argparse._SubParsersAction  # argparse gives it no public name


def add_serve(verbs: _Verbs) -> None:
    """The verb `serve`; what is not given is None, for the environment or a default to fill."""
    serve = verbs.add_parser(
        "serve", help="run the service that captures jobs from a queue", allow_abbrev=False
    )
    serve.add_argument("--data", type=Path, metavar="DIR", help="where jobs and results are kept")
    serve.add_argument("--host", help="address to listen at (default: this machine only)")
    serve.add_argument("--port", type=int, metavar="N", help="default: any that is free")
    serve.add_argument(
        "--device", action="append", metavar="NAME", help="a worker on it: cpu, cuda:0, mps"
    )
    serve.add_argument("--cache-gb", type=float, metavar="N", help="most that kept steps may take")
    serve.add_argument("--token-file", type=Path, metavar="FILE", help="keep the token here")
    serve.add_argument("--new-token", action="store_true", help="replace the token that was kept")
    serve.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate, PEM")
    serve.add_argument("--tls-key", type=Path, metavar="FILE", help="its key, PEM")
    serve.add_argument("--behind-proxy", **_YES, help="a proxy in front does the TLS")
    serve.add_argument(
        "--host-name", action="append", metavar="NAME", help="a name by which others may call it"
    )
    serve.add_argument("--attached", **_YES, help="end when the standard input closes")
    serve.add_argument("--finish-jobs", **_YES, help="but not before the queue is empty")
    serve.add_argument("--stop", action="store_true", help="end the one that runs")


def add_jobs(verbs: _Verbs, *, add_request: Callable[[argparse.ArgumentParser], None]) -> None:
    """The verb `jobs`; `add_request` adds the arguments of a capture."""
    jobs = verbs.add_parser("jobs", help="give jobs to the service, watch them, fetch results")
    _add_connection(jobs, default=None)
    actions = jobs.add_subparsers(dest="action", required=True, metavar="ACTION")
    everywhere = argparse.ArgumentParser(add_help=False)
    # Given before the action or after it; what is not given after must not undo what was before.
    _add_connection(everywhere, default=argparse.SUPPRESS)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, parents=[everywhere])

    def about_job(name: str, text: str) -> argparse.ArgumentParser:
        parser = action(name, text)
        parser.add_argument("id", metavar="ID", help="of the job, or how it begins")
        return parser

    _add_add(action("add", "queue a capture"), add_request)
    action("list", "all your jobs, the newest first")
    about_job("show", "everything about a job")
    watch = action("watch", "follow a job, or all, until the end")
    watch.add_argument("id", metavar="ID", nargs="?", help="of the job, or how it begins")
    about_job("cancel", "stop a job")
    about_job("retry", "queue a failed or cancelled job again")
    move = about_job("move", "change when a queued job runs")
    where = move.add_mutually_exclusive_group()
    where.add_argument("--first", dest="to", action="store_const", const="first")
    where.add_argument("--last", dest="to", action="store_const", const="last")
    move.add_argument("--priority", type=int, metavar="N", help="-10 to 10, higher goes first")
    about_job("delete", "forget a job that has ended, and its result")
    result = about_job("result", "fetch the result of a job")
    result.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".npz")
    result.add_argument("--partial", action="store_true", help="what is finished so far")
    log = action("log", "what was written while a job ran")
    log.add_argument("id", metavar="ID", nargs="?", help="of the job; none: the service's own log")
    action("health", "what the service is, has and can do")
    action("stop", "end the service; what runs goes on at its next start")


def _add_add(add: argparse.ArgumentParser, request: Callable[[argparse.ArgumentParser], None]):
    request(add)
    add.add_argument("--only-people", action="store_true", help="list who is there, no bodies")
    add.add_argument("--priority", type=int, default=0, metavar="N", help="-10 to 10 (default 0)")
    add.add_argument("--key", help="your own name for the job: one key makes one job")
    add.add_argument("--upload", action="store_true", help="send the footage, not its path")
    add.add_argument("--wait", action="store_true", help="follow the job until the end")
    add.add_argument("--start-service", action="store_true", help="if none runs")
    add.add_argument("-o", "--output", type=Path, metavar="FILE", help="wait, and fetch the result")


def _add_connection(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    for name, metavar, kind, text in _CONNECTION:
        parser.add_argument(name, metavar=metavar, type=kind, default=default, help=text)
    parser.add_argument(
        "--json", action="store_true", default=default or False, help="answer in JSON"
    )


_YES = {"action": "store_true", "default": None}
_CONNECTION = (
    ("--url", "URL", str, "of a service on another machine"),
    ("--token-file", "FILE", Path, "its token"),
    ("--ca", "FILE", Path, "certificates to trust, PEM"),
    ("--data", "DIR", Path, "data folder of a service on this machine"),
    ("--client-key-file", "FILE", Path, "whose jobs: a key other than the usual one"),
)
