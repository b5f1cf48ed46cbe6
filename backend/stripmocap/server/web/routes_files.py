"""Routes of footage that is sent, kept steps, logs, and the service itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from ...contract.jobs import MAX_CHUNK_BYTES, CacheStatus, Health, UploadStatus
from ...settings import LOGS
from ..logs import FILE as LOG
from . import health
from .answers import TEXT, described
from .asks import HASH, MAX_FILE_BYTES, LifeAsk, UploadAsk
from .context import AtTheMachine, Context, Owner, Parts, is_here
from .downloads import MAX_TAIL, tail

PIECE = 256 * 1024  # bytes of a chunk that are in memory before they go to the disk

router = APIRouter(prefix="/v1")

_Value = TypeVar("_Value")

Sha256 = Annotated[str, Path(pattern=HASH, examples=["0123456789abcdef" * 4])]
_BEGUN: dict[int | str, dict[str, Any]] = {
    200: {
        "links": {
            name: {"operationId": name, "parameters": {"sha256": "$response.body#/sha256"}}
            for name in ("get_upload", "put_chunk")
        }
    }
}
_BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"Bytes of the file, {MAX_CHUNK_BYTES} at most.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/health", tags=["service"], responses=described(), operation_id="get_health")
def get_health(parts: Parts, request: Request) -> Health:
    """What the service is, has and can do."""
    return health.of(parts, notices=is_here(request, parts.settings))


@router.post(
    "/uploads",
    tags=["uploads"],
    responses={**described(507), **_BEGUN},
    operation_id="begin_upload",
)
def begin_upload(parts: Parts, owner: Owner, ask: UploadAsk) -> UploadStatus:
    """Announces a file. What is known already need not be sent: see `complete` and `received`.

    Whoever can name the SHA-256 of a file that is complete here may make jobs of it. Pictures of an
    image sequence cannot be sent; make a movie of them.
    """
    return parts.uploads.begin(ask.sha256, size=ask.size, owner=owner, name=ask.name)


@router.get(
    "/uploads/{sha256}", tags=["uploads"], responses=described(404), operation_id="get_upload"
)
def get_upload(parts: Parts, owner: Owner, sha256: Sha256) -> UploadStatus:
    """How much of a file the service has; the next chunk begins at `received`."""
    return parts.uploads.status(sha256, owner=owner)


@router.put(
    "/uploads/{sha256}",
    tags=["uploads"],
    responses=described(404, 409, 507),
    operation_id="put_chunk",
    openapi_extra=_BYTES,
)
async def put_chunk(
    parts: Parts,
    owner: Owner,
    sha256: Sha256,
    request: Request,
    offset: Annotated[int, Query(ge=0, le=MAX_FILE_BYTES, description="Of the first byte.")],
) -> UploadStatus:
    """Adds a chunk, which must begin at `received` or before; what is known is passed over.

    The answer comes when the disk has it for good. After the last chunk the checksum is compared;
    a file with another one is dropped and refused with 422.
    """
    uploads = parts.uploads
    await _written(parts, lambda: uploads.status(sha256, owner=owner))
    with uploads.scratch() as chunk:
        pending = bytearray()
        async for piece in request.stream():
            pending += piece
            if len(pending) >= PIECE:
                await _written(parts, partial(uploads.spool, chunk, bytes(pending)))
                pending.clear()
        await _written(parts, partial(uploads.spool, chunk, bytes(pending)))
        return await _written(
            parts, lambda: uploads.put(sha256, offset=offset, chunk=chunk, owner=owner)
        )


async def _written(parts: Context, write: Callable[[], _Value]) -> _Value:
    """What `write` returns, which may take its time at the disk."""
    async with parts.disk:
        return await run_in_threadpool(write)


@router.get(
    "/cache",
    tags=["service"],
    responses=described(),
    dependencies=[AtTheMachine],
    operation_id="get_cache",
)
def get_cache(parts: Parts) -> CacheStatus:
    """The kept outputs of pipeline steps."""
    return parts.steps.status()


@router.delete(
    "/cache",
    tags=["service"],
    responses=described(),
    dependencies=[AtTheMachine],
    operation_id="clear_cache",
)
def clear_cache(parts: Parts) -> CacheStatus:
    """Forgets the kept outputs of pipeline steps; says what is left."""
    parts.steps.clear()
    parts.cache_size.forget()
    return parts.steps.status()


@router.get(
    "/log",
    tags=["service"],
    response_class=Response,
    responses={**described(), **TEXT},
    dependencies=[AtTheMachine],
    operation_id="get_log",
)
def get_log(
    parts: Parts,
    length: Annotated[int, Query(ge=1, le=MAX_TAIL, description="Bytes at most.")] = MAX_TAIL // 4,
) -> Response:
    """The end of the service's log."""
    return PlainTextResponse(tail(parts.settings.data / LOGS / LOG, length))


@router.put(
    "/life",
    tags=["service"],
    status_code=204,
    responses=described(),
    dependencies=[AtTheMachine],
    operation_id="set_life",
)
def set_life(parts: Parts, ask: LifeAsk) -> None:
    """Says whether the service works its queue off after the client that started it has gone."""
    parts.life.finish_jobs = ask.finish_jobs


@router.post(
    "/stop",
    tags=["service"],
    status_code=204,
    responses=described(),
    dependencies=[AtTheMachine],
    operation_id="stop_service",
)
def stop_service(parts: Parts) -> None:
    """Ends the service; what runs is queued for its next start."""
    parts.events.close()
    parts.life.stop()
