"""Reads a file that a program sends: the result at once, or a task to ask for later."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Literal

import filetype
from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from pipeline.errors import PipelineError, TemplateError
from pipeline.run.inline_templates import record_schema, record_template
from pipeline.run.request_questions import record_question
from pipeline.templates.question_template import MAX_CHARACTERS
from pipeline.web.api.common import ERROR_RESPONSES, StrictModel, require_template, server_context
from pipeline.web.api.files import store_upload
from pipeline.web.context import ServerContext
from pipeline.web.task_state import task_object
from pipeline.web.task_store import Task
from pipeline.web.uploads import Upload, safe_name
from pipeline.web.webhook_call import MAX_URL, WebhookRefusedError, check_url, webhook_key

MAX_JSON_BYTES = 50_000_000
"""Of a body with the file in base64, which is held in memory. Larger files are sent as they are."""
MAX_WAIT_SECONDS = 120
POLL_SECONDS = 0.5
HEAD_BYTES = 8_192
"""Bytes by which the kind of a file without a name is recognised."""
CURLS_DEFAULT = "application/x-www-form-urlencoded"
"""The content type of `curl --data` and of other programs that do not say one."""
router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, description="seconds to wait for the result")]


class ReadOptions(StrictModel):
    """How to read a file: with a template (its name, or the template itself), a JSON Schema, or a question; else its pages decide."""

    name: Annotated[
        str, Field(max_length=1_000, description="name of the file; only the part after the last slash is used")
    ] = ""
    template: Annotated[
        str | dict[str, Any], Field(description="name of a template; or a template itself, as YAML or as an object")
    ] = ""
    json_schema: Annotated[
        str | dict[str, Any], Field(alias="schema", description="a JSON Schema that the document fills, instead of a template")
    ] = ""
    question: Annotated[
        str, Field(max_length=MAX_CHARACTERS, description="a question about each page, instead of a template")
    ] = ""
    webhook: Annotated[str, Field(max_length=MAX_URL, description="URL of a permitted host that gets the result")] = ""


class ReadRequest(ReadOptions):
    """A file in base64, and how to read it."""

    document: Annotated[str, Field(min_length=1, description="the file in base64, or a data URL of it")]


class WebhookStatus(BaseModel):
    """How far a webhook is."""

    url: str
    state: Literal["waiting", "delivered", "failed"]
    attempts: int
    error: str | None


class TaskStatus(BaseModel):
    """A file that was sent, and what was read of it."""

    id: str
    status: Literal["waiting", "done", "partial", "failed", "skipped"]
    file: str
    """Its path below the inbox."""
    sha256: str
    at: str
    document: str | None
    """Its ``id`` in lists of documents, once it is read."""
    reason: str | None
    detail: str | None
    result: dict[str, Any] | None
    """The result, as docs/output.md describes it; null while it waits."""
    webhook: WebhookStatus | None


_FORM = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "template": {"type": "string"},
        "schema": {"type": "string"},
        "question": {"type": "string", "maxLength": MAX_CHARACTERS},
        "webhook": {"type": "string", "maxLength": MAX_URL},
    },
}
_BODIES = {
    "application/json": {"schema": {"$ref": "#/components/schemas/ReadRequest"}},
    "multipart/form-data": {"schema": _FORM},
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
}


@router.post(
    "/read",
    response_model=TaskStatus,
    responses={202: {"model": TaskStatus, "description": "it is not read yet: ask for the task"}},
    openapi_extra={"requestBody": {"required": True, "content": _BODIES}},
)
async def read(
    request: Request,
    response: Response,
    wait: Wait = 0,
    name: Annotated[str, Query(max_length=1_000, description="as in JSON, for a body that is the file itself")] = "",
    template: Annotated[str, Query(max_length=63, description="as in JSON: a template's name")] = "",
    question: Annotated[str, Query(max_length=MAX_CHARACTERS, description="as in JSON")] = "",
    webhook: Annotated[str, Query(max_length=MAX_URL, description="as in JSON")] = "",
) -> dict[str, Any]:
    """Read a file: the body is the file, a form with it, or JSON with it in base64. Status 202 means that it waits still."""
    context = server_context(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            sent = await _json_request(request)
            task = await _accept(context, sent, _chunks_of(_decode(sent.document)))
        elif kind == "multipart/form-data":
            async with request.form(max_files=1, max_fields=8, max_part_size=MAX_URL * 100) as form:
                options, file = _form_request(form)
                task = await _accept(context, options, _chunks_of(file))
        else:
            options = ReadOptions(name=name, template=template, question=question, webhook=webhook)
            body = request.stream()
            task = await _accept(context, options, _without_json(body) if kind == CURLS_DEFAULT else body)
    except OSError as error:
        raise HTTPException(503, f"the inbox cannot be written: {error.strerror or error}") from error
    value = await wait_for_task(request, context, task, wait)
    response.status_code = 202 if value["status"] == "waiting" else 200
    return value


async def wait_for_task(request: Request, context: ServerContext, task: Task, seconds: float) -> dict[str, Any]:
    """A task when it has ended, when the time is over, or when the client has gone."""
    until = time.monotonic() + seconds
    while True:
        value = await run_in_threadpool(task_object, context, task)
        left = until - time.monotonic()
        if value["status"] != "waiting" or left <= 0 or await request.is_disconnected():
            return value
        await asyncio.sleep(min(POLL_SECONDS, left))


async def _json_request(request: Request) -> ReadRequest:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_JSON_BYTES:
            raise HTTPException(413, f"more than {MAX_JSON_BYTES:,} bytes of JSON: send the file itself as the body")
    try:
        return await run_in_threadpool(ReadRequest.model_validate_json, bytes(received))
    except ValidationError as error:
        raise HTTPException(400, _first_mistake(error, ReadRequest)) from error


def _form_request(form: FormData) -> tuple[ReadOptions, UploadFile]:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise HTTPException(400, "the form needs a part `file` with a file")
    values: dict[str, Any] = {key: value for key, value in form.multi_items() if key != "file"}
    try:
        return ReadOptions(**{"name": file.filename or "", **values}), file
    except ValidationError as error:
        raise HTTPException(400, _first_mistake(error, ReadOptions)) from error


def _first_mistake(error: ValidationError, model: type[ReadOptions]) -> str:
    """The first mistake of a request, with the keys that there are where one is unknown."""
    mistake = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(map(str, mistake["loc"])) or "the body"
    message = mistake["msg"]
    if mistake["type"] == "extra_forbidden":
        keys = (field.alias or name for name, field in model.model_fields.items())
        message = f"there is no such key; the keys are {', '.join(sorted(keys))}"
    return f"{place}: {message}".encode(errors="replace").decode()


def _decode(document: str) -> bytes:
    """The bytes of base64 or of a data URL. Raises HTTPException 400."""
    text = document
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise HTTPException(400, "document: a data URL must be base64")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise HTTPException(400, "document: this is no base64") from error


async def _without_json(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body as it comes. Raises HTTPException 400 for a request in JSON that does not say so: it is no file to read."""
    is_first = True
    async for chunk in chunks:
        if is_first and chunk.lstrip()[:1] == b"{" and b'"document"' in chunk[:HEAD_BYTES]:
            raise HTTPException(400, "the body is JSON: send it with the header `content-type: application/json`")
        is_first = is_first and not chunk
        yield chunk


async def _chunks_of(file: bytes | UploadFile) -> AsyncIterator[bytes]:
    if isinstance(file, bytes):
        yield file
        return
    while chunk := await file.read(1 << 20):
        yield chunk


async def _accept(context: ServerContext, options: ReadOptions, chunks: AsyncIterator[bytes]) -> Task:
    """Put a file into the inbox and record its task. Raises HTTPException 400, OSError."""
    folder = await run_in_threadpool(_template_folder, context, options)
    webhook = _webhook(context, options)
    with Upload(context.upload_folder()) as upload:
        head = b""
        async for chunk in chunks:
            head = head or bytes(chunk[:HEAD_BYTES])
            await run_in_threadpool(upload.write, chunk)
        if not upload.size:
            where = "in a form as the part `file`, as the body, or in JSON as `document`"
            raise HTTPException(400, f"there is no file, or it is empty; a request has it {where}")
        name = safe_name(options.name) if options.name else _name_by_contents(head, upload.sha256)
        stored = await run_in_threadpool(store_upload, context, upload, name, folder)
        return await run_in_threadpool(context.tasks.add, stored.file, stored.sha256, webhook)


def _name_by_contents(head: bytes, sha256: str) -> str:
    kind = filetype.guess(head)
    return f"{sha256[:12]}.{kind.extension if kind else 'txt'}"


def _template_folder(context: ServerContext, options: ReadOptions) -> str:
    """The folder of the inbox whose files are read as a request says; empty where the pages decide. Raises HTTPException 400."""
    template, inbox = options.template, context.upload_folder()
    schema = options.json_schema
    if sum(map(bool, (template, schema, options.question))) > 1:
        raise HTTPException(400, "give one of template, schema and question")
    try:
        if schema:
            text = schema if isinstance(schema, str) else json.dumps(schema, ensure_ascii=False)
            with context.ledger() as ledger:
                return record_schema(ledger, inbox, text).name
        if options.question:
            with context.ledger() as ledger:
                return record_question(ledger, inbox, options.question).name
        if isinstance(template, Mapping) or "\n" in template.strip():
            text = template if isinstance(template, str) else json.dumps(template, ensure_ascii=False)
            with context.ledger() as ledger:
                return record_template(ledger, inbox, text).name
    except TemplateError as error:
        raise HTTPException(400, error.message.encode(errors="replace").decode()) from error
    require_template(context, template)
    return template


def _webhook(context: ServerContext, options: ReadOptions) -> str:
    """The webhook of a request, else that of the settings. Raises HTTPException 400."""
    settings = context.settings.webhooks
    if options.webhook:
        try:
            check_url(options.webhook, settings)
            webhook_key(settings)
        except (WebhookRefusedError, PipelineError) as error:
            raise HTTPException(400, f"webhook: {error}".replace("\n", ": ")) from error
    return options.webhook or settings.url
