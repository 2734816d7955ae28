"""The application: API and pages behind the guard."""

from __future__ import annotations

import sqlite3

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from pipeline import __version__
from pipeline.errors import PipelineError
from pipeline.web import api, html_pages
from pipeline.web.access import Guard
from pipeline.web.context import House


def make_app(owner: House) -> FastAPI:
    """The application without its guard."""
    app = FastAPI(
        title="pipeline",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.house = owner
    app.include_router(api.router)
    app.include_router(html_pages.router)

    async def unusable(request: Request, error: Exception) -> JSONResponse:
        del request
        return JSONResponse({"detail": error.message if isinstance(error, PipelineError) else str(error)}, 503)

    app.add_exception_handler(PipelineError, unusable)
    app.add_exception_handler(sqlite3.Error, unusable)
    return app


def guarded(app: FastAPI, token: str, hosts: frozenset[str], port: int, most_bytes: int) -> Guard:
    """The application behind its guard. Cookies know no ports: its name has ours."""
    return Guard(app, token, hosts, f"pipeline_{port}", most_bytes)
