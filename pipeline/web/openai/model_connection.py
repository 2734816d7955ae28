"""Asks the reading process for its model, over a Unix socket: one connection a conversation (see ``run/chat_server``)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.records import PageImage

LINE_BYTES = 1 << 20
MODEL_SECONDS = 10.0


class ModelAwayError(Exception):
    """No reading process listens."""


@asynccontextmanager
async def conversation(
    path: Path | None, head: dict[str, Any], images: Sequence[PageImage] = ()
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The messages that answer a request. Leaving the block ends it there, too. Raises ModelAwayError, also while it is iterated."""
    try:
        if path is None:
            raise OSError("no socket")
        reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES)
    except OSError as error:
        raise ModelAwayError("the process that reads documents is not ready") from error
    try:
        writer.write(json.dumps(head).encode() + b"\n")
        for image in images:
            writer.write(image.rgb)
            await writer.drain()
        await writer.drain()
        yield _messages(reader)
    except (ConnectionError, BrokenPipeError) as error:
        raise ModelAwayError("the process that reads documents has ended") from error
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    while line := await reader.readline():
        message: dict[str, Any] = json.loads(line)
        yield message
        if "text" not in message:
            return
    raise ModelAwayError("the process that reads documents ended before the answer was complete")


async def model_of_process(path: Path | None) -> dict[str, Any]:
    """``model`` (None where the engine has none) and ``images`` of the reading process. Raises ModelAwayError."""
    try:
        async with asyncio.timeout(MODEL_SECONDS), conversation(path, {"ask": "model"}) as messages:
            return await anext(messages)
    except TimeoutError as error:
        raise ModelAwayError("the process that reads documents does not answer") from error
