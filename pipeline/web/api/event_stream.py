"""Streams of server-sent events: how many there may be, how long they last, and how an event is written."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import HTTPException, Query
from fastapi.responses import StreamingResponse

MAX_STREAMS = 32
"""Streams at the same time; each holds one of the connections of clients with the token."""
POLL_SECONDS, KEEP_ALIVE_SECONDS = 1.0, 15.0
MAX_STREAM_SECONDS = 3_600
TOO_MANY: dict[int | str, dict[str, Any]] = {429: {"description": "too many streams are open"}}
STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}
Seconds = Annotated[float, Query(gt=0, le=MAX_STREAM_SECONDS, description="after which the stream ends")]
_open_streams = 0


def event(name: str, value: dict[str, Any], identifier: str = "") -> str:
    """An event with a JSON object. Texts in it that no UTF-8 can hold get question marks."""
    data = json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
    return (f"id: {identifier}\n" if identifier else "") + f"event: {name}\ndata: {data}\n\n"


def event_stream(events: Callable[[float], AsyncIterator[str]], seconds: float) -> StreamingResponse:
    """A response that sends events, and a comment when there is none for some time. Raises HTTPException 429.

    ``events`` gets the monotonic time until which it may last, and yields an empty text at least every few seconds.
    """
    if _open_streams >= MAX_STREAMS:
        raise HTTPException(429, f"{MAX_STREAMS} streams are open", {"retry-after": "10"})

    async def body() -> AsyncIterator[str]:
        global _open_streams
        _open_streams += 1
        try:
            sent = time.monotonic()
            async for text in events(time.monotonic() + seconds):
                if text or time.monotonic() - sent > KEEP_ALIVE_SECONDS:
                    sent = time.monotonic()
                    yield text or ": waiting\n\n"
        finally:
            _open_streams -= 1

    return StreamingResponse(body(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})
