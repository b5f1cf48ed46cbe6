"""Routes of jobs: a client makes them, looks at them, changes their course and fetches results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from ...contract.errors import NotThere, RequestError, WrongState
from ...contract.jobs import MAX_WAIT_S, Events, JobList, JobStatus, State
from ...contract.messages import CaptureRequest
from ..queue.job import PARTIAL, RESULT, Job
from ..workers.attempt import LOG
from .answers import TEXT, described
from .asks import EPOCH, JOB_ID, MAX_NUMBER, MoveAsk, SubmitAsk
from .context import Context, Owner, Parts
from .downloads import MAX_TAIL, MEDIA_TYPE, download, tail
from .uploads import checksum_at, checksum_in

MAX_LISTED = 200  # jobs in one answer

router = APIRouter(prefix="/v1", tags=["jobs"])

JobId = Annotated[str, Path(pattern=JOB_ID, examples=["0123456789abcdef0123456789abcdef"])]
_FILE = {
    200: {"description": "The whole file.", "content": {MEDIA_TYPE: {}}},
    206: {"description": "The bytes that Range asked for.", "content": {MEDIA_TYPE: {}}},
    304: {"description": "The client has it: If-None-Match names its ETag."},
}
_OF_A_JOB = (
    *("get_job", "cancel_job", "retry_job", "move_job", "delete_job"),
    *("get_result", "get_partial", "get_job_log"),
)
_MADE = {
    201: {
        "links": {
            name: {"operationId": name, "parameters": {"job_id": "$response.body#/id"}}
            for name in _OF_A_JOB
        }
    }
}


@router.post(
    "/jobs",
    status_code=201,
    responses={**described(404, 409, 507), **_MADE},
    operation_id="submit_job",
)
def submit_job(parts: Parts, owner: Owner, ask: SubmitAsk) -> JobStatus:
    """Adds a job to the queue. Under a `key` that the client used before: the job of that key."""
    request = ask.request.meant()
    with _placed(parts, request) as placed:
        job = parts.store.add(placed, owner=owner, key=ask.key, priority=ask.priority)
    parts.supervisor.wake()
    return parts.one(job)


@router.get("/jobs", responses=described(404), operation_id="list_jobs")
def list_jobs(
    parts: Parts,
    owner: Owner,
    state: Annotated[State | None, Query(description="Only jobs in this state.")] = None,
    before: Annotated[
        str | None, Query(pattern=JOB_ID, description="Only jobs older than this one.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
) -> JobList:
    """The client's own jobs, the newest first."""
    jobs, more = parts.store.listed(owner=owner, state=state, before=before, limit=limit)
    return JobList(tuple(parts.shown(jobs)), more)


@router.get("/jobs/{job_id}", responses=described(404), operation_id="get_job")
def get_job(parts: Parts, owner: Owner, job_id: JobId) -> JobStatus:
    """How a job is."""
    return parts.one(parts.store.get(job_id, owner=owner))


@router.post("/jobs/{job_id}/cancel", responses=described(404, 409), operation_id="cancel_job")
def cancel_job(parts: Parts, owner: Owner, job_id: JobId) -> JobStatus:
    """Stops a job that is queued or runs. One that was cancelled before stays so."""
    parts.store.get(job_id, owner=owner)
    job = parts.store.cancel(job_id)
    parts.supervisor.cancel(job)
    return parts.one(job)


@router.post("/jobs/{job_id}/retry", responses=described(404, 409), operation_id="retry_job")
def retry_job(parts: Parts, owner: Owner, job_id: JobId) -> JobStatus:
    """Queues a job again that failed or was cancelled."""
    path = parts.store.get(job_id, owner=owner).request.clip.path
    sha256 = checksum_at(path, parts.uploads.folder)
    if sha256 is None:
        job = parts.store.retry(job_id)
    else:
        with parts.uploads.held(sha256):
            job = parts.store.retry(job_id)
    parts.supervisor.wake()
    return parts.one(job)


@router.post("/jobs/{job_id}/move", responses=described(404, 409), operation_id="move_job")
def move_job(parts: Parts, owner: Owner, job_id: JobId, ask: MoveAsk) -> JobStatus:
    """Gives a queued job another priority, or another place among the client's own."""
    parts.store.get(job_id, owner=owner)
    return parts.one(parts.store.move(job_id, priority=ask.priority, to=ask.to))


@router.delete(
    "/jobs/{job_id}", status_code=204, responses=described(404, 409), operation_id="delete_job"
)
def delete_job(parts: Parts, owner: Owner, job_id: JobId) -> None:
    """Forgets a job that has ended, with its result."""
    parts.store.get(job_id, owner=owner)
    parts.store.delete(job_id)


@router.get(
    "/jobs/{job_id}/result",
    response_class=Response,
    responses={**described(404, 409, 416), **_FILE},
    operation_id="get_result",
)
def get_result(parts: Parts, owner: Owner, job_id: JobId, request: Request) -> Response:
    """The result file of a job that is done. Its ETag is its SHA-256; Range and If-Range work."""
    job = parts.store.get(job_id, owner=owner)
    if job.state != "done":
        raise WrongState(f"the job is {job.state} and has no result", hint=_advice(job))
    return download(job.folder / RESULT, job.result, sums=parts.sums, asked=request.headers)


@router.get(
    "/jobs/{job_id}/partial",
    response_class=Response,
    responses={**described(404, 409, 416), **_FILE},
    operation_id="get_partial",
)
def get_partial(parts: Parts, owner: Owner, job_id: JobId, request: Request) -> Response:
    """What is finished of a job that runs, as a result file; 404 while nothing is."""
    job = parts.store.get(job_id, owner=owner)
    if job.state == "done":
        raise WrongState("the job is done", hint="Fetch the result.")
    try:
        return download(job.folder / PARTIAL, None, sums=parts.sums, asked=request.headers)
    except NotThere as error:
        raise NotThere("nothing of the job is finished yet", hint="Ask again later.") from error


@router.get(
    "/jobs/{job_id}/log",
    response_class=Response,
    responses={**described(404), **TEXT},
    operation_id="get_job_log",
)
def get_job_log(
    parts: Parts,
    owner: Owner,
    job_id: JobId,
    length: Annotated[int, Query(ge=1, le=MAX_TAIL, description="Bytes at most.")] = MAX_TAIL // 4,
) -> Response:
    """The end of what the worker wrote while the job ran; empty before it does."""
    return PlainTextResponse(tail(parts.store.get(job_id, owner=owner).folder / LOG, length))


@router.get("/events", responses=described(), operation_id="list_events")
async def list_events(
    parts: Parts,
    owner: Owner,
    after: Annotated[
        int, Query(ge=0, le=MAX_NUMBER, description="The `number` of the last answer.")
    ] = 0,
    epoch: Annotated[
        str | None, Query(pattern=EPOCH, description="The `epoch` of the last answer.")
    ] = None,
    wait_s: Annotated[
        float, Query(ge=0, le=MAX_WAIT_S, description="How long to wait for something.")
    ] = 0.0,
) -> Events:
    """What changed among the client's jobs since the last answer, each with its latest status.

    With `missed`, or at first, read the list of jobs and go on from `number`. A job's `place` may
    change without an event when jobs of others come and go.
    """
    changes = await parts.events.after(after, owner, wait_s, epoch=epoch)
    jobs, gone = await run_in_threadpool(_read, parts, changes.jobs, owner)
    return Events(
        epoch=parts.events.epoch,
        number=changes.number,
        missed=changes.missed,
        jobs=tuple(jobs),
        deleted=(*changes.deleted, *gone),
    )


def _read(parts: Context, ids: tuple[str, ...], owner: str) -> tuple[list[JobStatus], list[str]]:
    """The jobs of these ids as they are now, and the ids of those that are gone by now."""
    jobs, gone = [], []
    for job_id in ids:
        try:
            jobs.append(parts.store.get(job_id, owner=owner))
        except NotThere:
            gone.append(job_id)
    return parts.shown(jobs), gone


@contextmanager
def _placed(parts: Context, request: CaptureRequest) -> Iterator[CaptureRequest]:
    """The request with the path at which the footage lies here, which stays while the block runs.

    Raises:
        RequestError: the footage was not sent, or its path is none that this client may name.
    """
    sha256 = checksum_in(request.clip.path)
    if sha256 is not None:
        with parts.uploads.held(sha256) as path:
            yield replace(request, clip=replace(request.clip, path=str(path)))
        return
    if parts.settings.remote:
        raise RequestError(
            "the service reads no paths that clients of other machines give",
            hint="Send the footage first (POST uploads), then name it by `upload:` and its SHA-256."
            " Of an image sequence, make a movie.",
        )
    if not FilePath(request.clip.path).is_absolute():
        raise RequestError(
            f"{request.clip.path[:200]!r} is no whole path",
            hint="Give the path from the root of the disk on.",
        )
    yield request


def _advice(job: Job) -> str:
    return "Wait until it is done." if not job.ended else "Retry it first."
