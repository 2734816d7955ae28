"""The application: API and pages behind the access control."""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pipeline import __version__
from pipeline.errors import PipelineError
from pipeline.settings_sections import ServeSettings
from pipeline.web import html_pages, people_pages, sign_in_pages
from pipeline.web.access import AccessControl
from pipeline.web.api import (
    answers,
    bulk,
    corrections,
    deletions,
    documents,
    exports,
    files,
    health,
    orders,
    pages,
    read,
    split,
    states,
    tasks,
    template_list,
    unlock,
    views,
)
from pipeline.web.context import RemoteInboxError, ServerContext
from pipeline.web.description import add_bodies, operation_name
from pipeline.web.identity import Accounts, Identification
from pipeline.web.openai import openai_routes
from pipeline.web.page_rendering import request_words

MOST_MISTAKES = 5
"""Of a request that are named."""


def make_app(context: ServerContext) -> FastAPI:
    """The application without access control."""
    app = FastAPI(
        title="pipeline",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_with_tools,
        generate_unique_id_function=operation_name,
    )
    add_bodies(app)
    app.state.context = context
    for part in (
        health,
        template_list,
        files,
        read,
        tasks,
        documents,
        pages,
        corrections,
        orders,
        answers,
        states,
        split,
        unlock,
        exports,
        bulk,
        deletions,
        views,
        openai_routes,
        html_pages,
        sign_in_pages,
        people_pages,
    ):
        app.include_router(part.router)

    async def refused(request: Request, error: Exception) -> JSONResponse:
        """As FastAPI's answer, in the language of the person where that is known."""
        refusal = error if isinstance(error, HTTPException) else HTTPException(500)
        detail = request_words(request).detail(refusal.detail) if isinstance(refusal.detail, str) else refusal.detail
        return JSONResponse({"detail": detail}, refusal.status_code, refusal.headers)

    async def unavailable(request: Request, error: Exception) -> JSONResponse:
        del request
        return JSONResponse({"detail": error.message if isinstance(error, PipelineError) else str(error)}, 503)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        """One text, as in every other refusal: the place of each mistake, and what is wrong there, without what was sent."""
        del request
        mistakes = error.errors() if isinstance(error, RequestValidationError) else []
        texts = [f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in mistakes[:MOST_MISTAKES]]
        return JSONResponse({"detail": "; ".join(texts).encode(errors="replace").decode()}, 422)

    async def remote_inbox(request: Request, error: Exception) -> JSONResponse:
        del error
        return await refused(request, HTTPException(409, "the inbox is a mailbox or an object store: put the file there"))

    async def defect(request: Request, error: Exception) -> JSONResponse:
        del request
        return JSONResponse({"detail": f"a defect in pipeline: {type(error).__name__}"}, 500)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, defect)
    app.add_exception_handler(PipelineError, unavailable)
    app.add_exception_handler(RemoteInboxError, remote_inbox)
    app.add_exception_handler(sqlite3.Error, unavailable)
    return app


@asynccontextmanager
async def _with_tools(app: FastAPI) -> AsyncIterator[None]:
    """Tools for assistants at ``/mcp``, where the package for it is installed."""
    if importlib.util.find_spec("mcp") is None:
        yield
        return
    from pipeline.web.mcp_server import make_mcp_server, mcp_app

    server = make_mcp_server(app.state.context)
    app.router.routes.extend(mcp_app(server).routes)
    async with server.session_manager.run():
        yield


def with_access_control(
    app: FastAPI,
    token: str,
    hosts: frozenset[str],
    port: int,
    max_upload_bytes: int,
    accounts: Accounts | None = None,
    settings: ServeSettings | None = None,
) -> AccessControl:
    """The application with access control. Without ``accounts`` there is one user, who has the token."""
    identification = app.state.identification = Identification(token, port, accounts, settings or ServeSettings())
    return AccessControl(app, identification, hosts, max_upload_bytes)
