"""Tasks of programs, and streams of what happens (server-sent events)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Path, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from pipeline.ledger.document_search import change_marker
from pipeline.ledger.ledger import Ledger
from pipeline.values.times import utc_timestamp
from pipeline.web.api.common import ERROR_RESPONSES, server_context
from pipeline.web.api.event_stream import (
    MAX_STREAM_SECONDS,
    POLL_SECONDS,
    STREAM,
    TOO_MANY,
    Seconds,
    event,
    event_stream,
)
from pipeline.web.api.read import TaskStatus, Wait, wait_for_task
from pipeline.web.context import ServerContext
from pipeline.web.document_list import list_latest
from pipeline.web.task_state import task_object
from pipeline.web.task_store import Task

LATEST = 200
"""Documents that one query gives."""
router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
TaskId = Annotated[str, Path(min_length=32, max_length=32, pattern="^[0-9a-f]{32}$")]


@router.get("/tasks/{task}")
async def task_status(request: Request, task: TaskId, wait: Wait = 0) -> TaskStatus:
    """A file that was sent to be read, and its result; waits for it for ``wait`` seconds at most."""
    context = server_context(request)
    found = await run_in_threadpool(_find, context, task)
    return TaskStatus(**await wait_for_task(request, context, found, wait))


@router.get("/tasks/{task}/events", response_class=StreamingResponse, responses={**STREAM, **TOO_MANY})
async def task_events(request: Request, task: TaskId, seconds: Seconds = MAX_STREAM_SECONDS) -> StreamingResponse:
    """The task as server-sent events ``task``: as it is now, and as it has ended. Then the stream ends."""
    context = server_context(request)
    found = await run_in_threadpool(_find, context, task)

    async def events(until: float) -> AsyncIterator[str]:
        previous = ""
        while time.monotonic() < until:
            value = await run_in_threadpool(task_object, context, found, with_result=False)
            if value["status"] != previous:
                previous = value["status"]
                yield event("task", value)
            if previous != "waiting":
                return
            yield ""
            await asyncio.sleep(POLL_SECONDS)

    return event_stream(events, seconds)


@router.get("/events", response_class=StreamingResponse, responses={**STREAM, **TOO_MANY})
async def document_events(
    request: Request,
    seconds: Seconds = MAX_STREAM_SECONDS,
    last_event_id: Annotated[str, Header(max_length=64)] = "",
) -> StreamingResponse:
    """Documents as server-sent events ``document``, each as in lists, when its result is published.

    The identifier of an event is the time of publication. A client that connects again with it gets what
    came since; an event may come twice.
    """
    context = server_context(request)

    async def events(until: float) -> AsyncIterator[str]:
        since, marker, known = last_event_id or utc_timestamp(), "", set[tuple[str, str]]()
        while time.monotonic() < until:
            now, found = await run_in_threadpool(_published_since, context, since, marker)
            for item in found:
                key = (item["id"], item["published"])
                if key not in known:
                    known.add(key)
                    since = item["published"]
                    yield event("document", item, item["published"])
            known = {key for key in known if key[1] >= since}
            marker = now
            yield ""
            await asyncio.sleep(POLL_SECONDS)

    return event_stream(events, seconds)


def _find(context: ServerContext, identifier: str) -> Task:
    task = context.tasks.find(identifier)
    if task is None:
        raise HTTPException(404, "there is no such task")
    return task


def _published_since(context: ServerContext, since: str, marker: str) -> tuple[str, list[dict[str, Any]]]:
    """The marker of the ledger, and documents published at that time or later, oldest first; none where the marker is the same."""
    with context.ledger() as ledger:
        now = change_marker(ledger)
        if now == marker:
            return now, []
        ended = [item for status in ("done", "partial", "failed", "skipped") for item in _latest(ledger, status, since)]
    return now, sorted(ended, key=lambda item: item["published"])


def _latest(ledger: Ledger, status: str, since: str) -> Iterator[dict[str, Any]]:
    """Documents published at that time or later, latest first."""
    for offset in count(0, LATEST):
        found = list_latest(ledger, status, LATEST, offset)
        for item in found:
            if (item["published"] or "") < since:
                return
            yield item
        if len(found) < LATEST:
            return
