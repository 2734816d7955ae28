"""``/v1/chat/completions`` and ``/v1/models``."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import filetype
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from pipeline.engines.registry import engine_name
from pipeline.errors import DocumentError
from pipeline.records import PageImage
from pipeline.web.api.common import server_context
from pipeline.web.context import ServerContext
from pipeline.web.openai.completion_reply import DONE, Completion, ErrorReply, ModelList, ModelObject, error_object, event
from pipeline.web.openai.completion_request import (
    MAX_IMAGES,
    CompletionError,
    CompletionRequest,
    check_schema,
    message_parts,
    parse_request,
    role_of,
)
from pipeline.web.openai.model_connection import ModelAwayError, conversation, model_of_process

T = TypeVar("T")
IMAGE_PIXELS = 2_097_152
"""The most pixels of an image: 2,048 visual tokens of 32 x 32. A larger one is reduced."""
RETRY_AFTER_SECONDS = 5
DISCONNECT_SECONDS = 1.0
_STATUS = {"context_length_exceeded": 400, "invalid_value": 400, "rate_limit_exceeded": 429, "model_not_found": 404}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorReply, "description": description}
    for status, description in {
        400: "the request is not valid",
        401: "the token is missing or wrong",
        403: "the request comes from another site",
        404: "there is no language model, or not this one",
        408: "the client was too slow",
        413: "more than the limit",
        421: "the server does not have this name",
        422: "a parameter is not valid",
        429: "too many requests wait: Retry-After says when to try again",
        503: "the process that reads documents is not ready",
    }.items()
}
router = APIRouter(prefix="/v1", responses=_REFUSALS)
_BODY = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CompletionRequest"}}}}


@router.get("/models", response_model=ModelList)
async def models(request: Request) -> Response:
    """The model that answers."""
    try:
        name = await _model_name(server_context(request))
    except CompletionError as error:
        return _refusal(error)
    return JSONResponse({"object": "list", "data": [_model_object(name)]})


@router.get("/models/{model:path}", response_model=ModelObject)
async def model(request: Request, model: str) -> Response:
    """The model that answers, by its name."""
    try:
        name = await _model_name(server_context(request), model)
    except CompletionError as error:
        return _refusal(error)
    return JSONResponse(_model_object(name))


def _model_object(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "pipeline"}


@router.post(
    "/chat/completions",
    response_class=Response,
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}, "text/event-stream": {}}}},
    openapi_extra={"requestBody": _BODY},
)
async def chat_completions(request: Request) -> Response:
    """Continue a conversation, as OpenAI's API does. Requests of several clients, and pages, are answered in one batch."""
    context = server_context(request)
    try:
        wanted = await run_in_threadpool(parse_request, await request.body())
        name = await _model_name(context, wanted.model)
        head, images = await run_in_threadpool(_conversation, context, wanted)
        return await _answer(request, context, Completion(name), wanted, head, images)
    except CompletionError as error:
        return _refusal(error)
    except ModelAwayError as error:
        return _refusal(_away(context, error))
    except HTTPException as error:
        return _refusal(CompletionError(error.status_code, str(error.detail)))


async def _model_name(context: ServerContext, wanted: str = "") -> str:
    """The name of the model. Raises CompletionError 404 where the engine has none or not the wanted one, 503 while it is not known."""
    engine = engine_name(context.settings)
    if engine != "vlm":
        why = "the engine `embedded` has no language model" if engine == "embedded" else f"the engine is `{engine}`"
        cure = "start `pipeline serve --engine vlm`" if engine == "embedded" else "ask the server at its own address"
        raise CompletionError(404, f"no language model is served here: {why}; {cure}", code="model_not_found")
    try:
        found = await model_of_process(context.chat_socket)
    except ModelAwayError as error:
        raise _away(context, error) from error
    if not found["model"]:
        raise CompletionError(404, "no language model is served here", code="model_not_found")
    name = str(found["model"])
    if wanted and wanted not in (name, name.rpartition("/")[2]):
        raise CompletionError(404, f"the model `{wanted}` is not here; `{name}` is", code="model_not_found", param="model")
    return name


def _away(context: ServerContext, error: ModelAwayError) -> CompletionError:
    why = context.supervisor.status()["why"]
    return CompletionError(503, f"{error}{f': {why}' if why else ''}")


def _conversation(context: ServerContext, wanted: CompletionRequest) -> tuple[dict[str, Any], list[PageImage]]:
    """The request for the reading process, and its images. Raises CompletionError 400."""
    schema = wanted.schema
    if schema is not None:
        check_schema(schema)
    images: list[PageImage] = []
    messages = []
    for message in wanted.messages:
        parts: list[Any] = []
        for part in message_parts(message):
            if isinstance(part, str):
                parts.append(part.encode(errors="replace").decode())
                continue
            if len(images) == MAX_IMAGES:
                raise CompletionError(400, f"more than {MAX_IMAGES} images", param="messages")
            images.append(_picture(context, part))
            parts.append([images[-1].width, images[-1].height])
        messages.append({"role": role_of(message), "parts": parts})
    longest = context.settings.chat.tokens
    return {
        "messages": messages,
        "limit": min(wanted.limit or longest, longest),
        "temperature": wanted.temperature or 0.0,
        "seed": (wanted.seed if wanted.seed is not None else random.getrandbits(31)) & 0x7FFFFFFF,
        "schema": schema,
        "stop": [stop for stop in ([wanted.stop] if isinstance(wanted.stop, str) else wanted.stop or []) if stop],
    }, images


def _picture(context: ServerContext, content: bytes) -> PageImage:
    """The pixels of an image, decoded in a process that can be killed. Raises CompletionError."""
    if not filetype.is_image(content):
        raise CompletionError(400, "an image is of no kind that is known", code="invalid_image", param="messages")
    try:
        return context.page_images.draw_picture(content, IMAGE_PIXELS)
    except DocumentError as error:
        raise CompletionError(
            400, f"an image cannot be read: {error.detail}", code="invalid_image", param="messages"
        ) from error
    except OSError as error:
        raise CompletionError(503, f"an image cannot be stored: {error.strerror or error}") from error


async def _answer(
    request: Request,
    context: ServerContext,
    completion: Completion,
    wanted: CompletionRequest,
    head: dict[str, Any],
    images: list[PageImage],
) -> Response:
    stack = AsyncExitStack()
    try:
        pieces = await stack.enter_async_context(conversation(context.chat_socket, head, images))
        if not wanted.stream:
            text, end = await _whole(request, pieces)
            return JSONResponse(completion.whole(text, end))
        first = await _unless_gone(request, anext(pieces))
        _check(first)
        options = wanted.stream_options
        body = _stream(completion, first, pieces, with_usage=bool(options and options.include_usage))
        return _ChatStream(body, stack.pop_all())
    finally:
        await stack.aclose()


class _ChatStream(StreamingResponse):
    """An answer in pieces. However it ends, also before its first piece is sent, the conversation with the reading process ends."""

    def __init__(self, body: AsyncIterator[str], stack: AsyncExitStack) -> None:
        super().__init__(body, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See Response."""
        async with self._stack:
            await super().__call__(scope, receive, send)


async def _whole(request: Request, pieces: AsyncIterator[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The text of an answer and its end. Raises CompletionError, also when the client has gone."""

    async def collect() -> tuple[str, dict[str, Any]]:
        texts: list[str] = []
        async for piece in pieces:
            _check(piece)
            if "end" in piece:
                return "".join(texts), piece["end"]
            texts.append(piece["text"])
        raise ModelAwayError("the answer has no end")

    return await _unless_gone(request, collect())


async def _unless_gone(request: Request, wanted: Awaitable[T]) -> T:
    """What is awaited. Raises CompletionError when the client has gone before."""
    answer = asyncio.ensure_future(wanted)
    try:
        while True:
            done, _ = await asyncio.wait({answer}, timeout=DISCONNECT_SECONDS)
            if done:
                return answer.result()
            if await request.is_disconnected():
                raise CompletionError(408, "the client has gone")
    finally:
        answer.cancel()


def _check(piece: dict[str, Any]) -> None:
    """Raises CompletionError for an end with an error."""
    end = piece.get("end") or {}
    if end.get("error"):
        status = _STATUS.get(end["code"], 500)
        raise CompletionError(status, end["error"], code=end["code"] or None)


async def _stream(
    completion: Completion,
    first: dict[str, Any],
    pieces: AsyncIterator[dict[str, Any]],
    *,
    with_usage: bool,
) -> AsyncIterator[str]:
    yield completion.piece({"role": "assistant", "content": ""})
    piece = first
    try:
        while "end" not in piece:
            yield completion.piece({"content": piece["text"]})
            piece = await anext(pieces)
        _check(piece)
    except (CompletionError, ModelAwayError) as error:
        yield event(error_object(500, str(error)))
        return
    yield completion.piece({}, piece["end"]["finish"])
    if with_usage:
        yield completion.usage_piece(piece["end"])
    yield DONE


def _refusal(error: CompletionError) -> JSONResponse:
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if error.status in (429, 503) else {}
    return JSONResponse(error_object(error.status, str(error), error.code, error.param), error.status, headers)
