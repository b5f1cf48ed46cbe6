"""The application: the guard at the door, the routes behind it, the page that describes them."""

from __future__ import annotations

import asyncio
from importlib import metadata
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse

from ...contract.jobs import CONTRACT, CONTRACT_HEADER
from ...settings import Settings
from ...steps import StepStore
from ..queue.statuses import Statuses
from ..queue.store import Store
from ..workers.supervisor import Supervisor
from . import answers, health, page, routes_files, routes_jobs
from .context import Context, LifeLike, Recent
from .downloads import Checksums
from .events import Events
from .guards import OPEN_PATHS, Guard
from .uploads import Uploads, needed

METHODS_AGE_S = 30.0  # how old what is said of model files may be
CACHE_AGE_S = 5.0
DISK_CALLS = 4  # that write footage at once
DESCRIPTION = f"""Turns clips into motion: a durable queue of captures.

Every call but for this description carries `Authorization: Bearer <token>`; the token stands in
`server.json` of the service's data folder. Calls about jobs and uploads also carry
`Stripmocap-Client`: 32 hexadecimal digits that a client makes once and keeps. Who sends
`{CONTRACT_HEADER}: {CONTRACT}` learns by a 426 when the service speaks another version.

What is refused is answered as `{{"code", "message", "hint"}}`; codes are stable.
"""
TAGS = [
    {"name": "jobs", "description": "Captures on their way through the queue."},
    {"name": "uploads", "description": "Footage from other machines, in chunks, resumable."},
    {
        "name": "service",
        "description": "The service itself. All but its health is only for "
        "programs on its own machine.",
    },
]


def make(
    *,
    store: Store,
    supervisor: Supervisor,
    events: Events,
    uploads: Uploads,
    settings: Settings,
    token: str,
    steps: StepStore,
    life: LifeLike,
) -> FastAPI:
    """The application; nothing is started.

    Args:
        store: the queue.
        supervisor: of the workers.
        events: told of every change; of the same epoch as `life`.
        uploads: footage that was sent; from now on it keeps what unfinished jobs of `store` need.
        settings: how the service runs.
        token: that every client must have.
        steps: kept outputs of pipeline steps.
        life: of the service.
    """
    uploads.keep(lambda: needed(store, uploads.folder))
    app = FastAPI(
        title="Strip Mocap",
        version=metadata.version("stripmocap"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        license_info={"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = Context(
        store=store,
        supervisor=supervisor,
        events=events,
        uploads=uploads,
        settings=settings,
        steps=steps,
        life=life,
        statuses=Statuses(store, supervisor.progress),
        sums=Checksums(),
        methods=Recent(health.methods, age_s=METHODS_AGE_S),
        cache_size=Recent(lambda: steps.status().size, age_s=CACHE_AGE_S),
        disk=asyncio.Semaphore(DISK_CALLS),
    )
    routers = (routes_jobs.router, routes_files.router)
    for each in routers:
        app.include_router(each)
    answers.install(app, routers)
    _describe(app)
    app.add_middleware(Guard, settings=settings, token=token, heard=life.heard)
    return app


def _describe(app: FastAPI) -> None:
    """Adds /docs, and what OpenAPI must say that the routes do not."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _with_token(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    description=app.description,
                    tags=app.openapi_tags,
                    license_info=app.license_info,
                    routes=app.routes,
                )
            )
        return app.openapi_schema

    app.openapi = openapi

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page.html(openapi()), headers={"Content-Security-Policy": page.POLICY})


def _with_token(schema: dict[str, Any]) -> dict[str, Any]:
    """The description with the token that every route but its own asks for."""
    schema["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Of the service's server.json.",
        }
    }
    schema["security"] = [{"token": []}]
    assert not OPEN_PATHS & set(schema["paths"])
    # FastAPI adds its own record of refusals, which is never sent.
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    return schema
