"""The answer to a question while it is written: server-sent events. The answer itself is the outcome of the order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from pipeline.ledger.orders import Order, find_order
from pipeline.web.api.common import ERROR_RESPONSES, server_context
from pipeline.web.api.event_stream import MAX_STREAM_SECONDS, POLL_SECONDS, STREAM, TOO_MANY, Seconds, event, event_stream
from pipeline.web.api.orders import order_json
from pipeline.web.context import ServerContext
from pipeline.web.openai.model_connection import ModelAwayError, conversation

WAITING_TEXTS = 4
"""Texts that wait for a client that reads slowly. Then the reading process waits, and passes over those between."""
router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)


@router.get("/orders/{number}/events", response_class=StreamingResponse, responses={**STREAM, **TOO_MANY})
async def order_events(
    request: Request, number: Annotated[int, Path(ge=1, le=2**62)], seconds: Seconds = MAX_STREAM_SECONDS
) -> StreamingResponse:
    """A question as server-sent events: ``answer``, the text that the model has written so far, each time that it has grown; then
    ``order``, as GET /api/orders/{number} gives it with the outcome. Then the stream ends.

    Engines without a language model write nothing before the outcome. The outcome is what holds: it was compared with the page.
    """
    context = server_context(request)
    if await run_in_threadpool(_question, context, number) is None:
        raise HTTPException(404, "there is no such question")

    async def events(until: float) -> AsyncIterator[str]:
        texts: asyncio.Queue[str] = asyncio.Queue(WAITING_TEXTS)
        reader = asyncio.create_task(_read_texts(context.chat_socket, number, texts))
        try:
            while time.monotonic() < until:
                order = await run_in_threadpool(_question, context, number)
                if order is None:
                    return
                if order.outcome is not None:
                    yield event("order", order_json(order).model_dump())
                    return
                yield ""
                with suppress(TimeoutError):
                    while text := await asyncio.wait_for(texts.get(), POLL_SECONDS):
                        yield event("answer", {"answer": text})
        finally:
            reader.cancel()

    return event_stream(events, seconds)


def _question(context: ServerContext, number: int) -> Order | None:
    with context.ledger() as ledger:
        order = find_order(ledger, number)
    return order if order and order.kind == "question" else None


async def _read_texts(path: FilePath | None, number: int, texts: asyncio.Queue[str]) -> None:
    """Put the text so far into the queue, again and again, and an empty text when the answer is complete or the reading process ends."""
    while True:
        with suppress(ModelAwayError, ValueError):
            async with conversation(path, {"ask": "answer", "order": number}) as messages:
                async for message in messages:
                    text = message.get("text")  # None at the end
                    if text != "":
                        await texts.put(text or "")
        await asyncio.sleep(POLL_SECONDS)
