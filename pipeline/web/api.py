"""The JSON API: upload files, query progress, fetch results, correct values, ask questions. Described by /api/openapi.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path as Path_
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from pipeline.engines.registry import ENGINE_NAMES
from pipeline.errors import DocumentError
from pipeline.ledger.corrections import NewerCorrectionError, corrected_templates, correction_history, record_correction
from pipeline.ledger.counts import document_counts
from pipeline.ledger.document_search import DocumentFilter, change_marker
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import Order, find_order, orders_for_document, place_order
from pipeline.monitoring.progress import last_run
from pipeline.publish.own_files import OwnFiles
from pipeline.publish.publication import Publication
from pipeline.records import Correction
from pipeline.run.export_formats import NullSheetLedger, OutboxExport
from pipeline.runtime.lock import is_locked
from pipeline.settings import STATE_FOLDER
from pipeline.templates.question_template import MAX_CHARACTERS
from pipeline.values.times import utc_timestamp
from pipeline.web.context import ServerContext, document_name
from pipeline.web.correction_input import parse_value, truth_rows
from pipeline.web.document_list import list_documents
from pipeline.web.uploads import Upload, safe_name

EXPORTS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "sqlite": "application/vnd.sqlite3",
    "jsonl": "application/jsonl",
}
ANONYMOUS = "somebody"
"""Author of a correction or question without a name."""


class ErrorDetail(BaseModel):
    """Why a request was refused."""

    detail: str


class UploadedFile(BaseModel):
    """A file that is now in the inbox."""

    file: str
    """Its path below the inbox. It differs from the requested name when that is in use or not permitted."""
    bytes: int
    sha256: str
    """GET /api/documents?sha256=… shows when it has been read."""
    already: bool = False
    """Whether the inbox already had a file with these contents, under the name ``file``; nothing was added then."""


class DocumentSummary(BaseModel):
    """One document of a list."""

    id: str
    file: str
    path: str
    sha256: str
    status: Literal["waiting", "done", "partial", "failed", "skipped"]
    reason: str | None
    templates: list[str]
    pages: int
    published: str | None
    review: list[str]
    corrected: list[str]


class DocumentList(BaseModel):
    """One page of the list of documents."""

    total: int
    documents: list[DocumentSummary]


class StrictModel(BaseModel):
    """A request with no other keys."""

    model_config = ConfigDict(extra="forbid")


Author = Annotated[str, StringConstraints(max_length=80, strip_whitespace=True)]
Version = Annotated[int, Field(ge=0, le=1_000_000)]


class CorrectionRequest(StrictModel):
    """A person's value for a field. ``version`` is the version of the latest correction that the person knows: 0 for none."""

    value: Any = Field(
        description="as in results; null: the document has no such value; the value that was read: it is confirmed"
    )
    version: Version
    by: Author = ""


class CorrectionVersion(BaseModel):
    """One correction of a field."""

    version: int
    value: Any
    withdrawn: bool
    before: Any
    by: str
    at: str


class CorrectionConflict(BaseModel):
    """There is a newer correction of the field: ``current``. To replace it, send the value with its version."""

    detail: str
    current: CorrectionVersion | None


class QuestionRequest(StrictModel):
    """A question about one page; ``follows`` is the number of an earlier question about the same document."""

    page: Annotated[int, Field(ge=1, le=100_000)]
    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS, strip_whitespace=True)]
    follows: Annotated[int, Field(ge=1, le=2**62)] | None = None
    by: Author = ""


class RereadRequest(StrictModel):
    """Read a document again. Without a template or an engine the settings decide."""

    template: Annotated[str, StringConstraints(max_length=63)] | None = None
    engine: Annotated[str, StringConstraints(max_length=63)] | None = None
    by: Author = ""


class OrderStatus(BaseModel):
    """An order for the reading process; ``outcome`` is null until the order is carried out."""

    id: int
    at: str
    by: str
    details: dict[str, Any]
    outcome: dict[str, Any] | None


ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorDetail, "description": description}
    for code, description in {
        400: "the request is not valid",
        401: "the token is missing or wrong",
        403: "the request comes from another site",
        404: "there is no such thing",
        408: "the client was too slow",
        413: "more than the limit",
        421: "the server does not have this name",
        503: "the ledger or the inbox is not available",
    }.items()
}
router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
Id = Annotated[str, Path(max_length=2_000, description="as in lists of documents")]


def server_context(request: Request) -> ServerContext:
    """The context that the application was made with."""
    context: ServerContext = request.app.state.context
    return context


@contextmanager
def open_file_record(request: Request, identifier: str) -> Iterator[tuple[Ledger, FileRecord]]:
    """The ledger and one file of it, by its identifier. Raises HTTPException 404."""
    name = document_name(identifier)
    with server_context(request).ledger() as ledger:
        file = ledger.file_by_name(name) if name and name.isprintable() else None
        if file is None:
            raise HTTPException(404, "there is no such document")
        yield ledger, file


def require_publication(request: Request, ledger: Ledger, file: FileRecord) -> Publication:
    """The publication of a file. Raises HTTPException 404 before the first one."""
    publication = server_context(request).publication(ledger, file)
    if publication is None:
        raise HTTPException(404, "it has not been read yet")
    return publication


# ---- files and progress -----------------------------------------------------------------------------


@router.get("/status")
def status(request: Request) -> dict[str, Any]:
    """The progress of the current run; ``marker`` changes whenever a list or a document may look different."""
    return run_status(server_context(request))


def run_status(context: ServerContext) -> dict[str, Any]:
    """The object of ``GET /api/status``."""
    reader = context.supervisor.status()
    running = reader["state"] == "working" or is_locked(context.settings.outbox)
    with context.ledger() as ledger:
        counts, marker = document_counts(ledger), change_marker(ledger)
    run = last_run(context.settings.outbox, locked=running)
    return {"running": running, "reader": reader, "run": run, "documents": counts, "marker": marker}


@router.put(
    "/files/{name:path}",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload_file(
    request: Request,
    name: Annotated[str, Path(max_length=1_000, description="only the part after the last slash is used")],
    template: Annotated[str, Query(max_length=63, description="template to read it with; empty: chosen by its pages")] = "",
) -> UploadedFile:
    """Put a file into the inbox: the body is the file. Its name gets a number when it is in use."""
    context = server_context(request)
    if template and template not in context.templates:
        raise HTTPException(400, "there is no such template")
    try:
        with Upload(context.settings.inbox) as upload:
            async for chunk in request.stream():
                await run_in_threadpool(upload.write, chunk)
            if not upload.size:
                raise HTTPException(400, "the file is empty")
            return await run_in_threadpool(_store_upload, context, upload, safe_name(name), template)
    except OSError as error:
        raise HTTPException(503, f"the inbox cannot be written: {error.strerror or error}") from error


def _store_upload(context: ServerContext, upload: Upload, name: str, template: str) -> UploadedFile:
    contents = {"bytes": upload.size, "sha256": upload.sha256}
    if copy := _existing_copy(context, upload.sha256, template):
        return UploadedFile(file=copy, already=True, **contents)
    stored = upload.store(name, template)
    return UploadedFile(file=stored.file, already=stored.already, **contents)


def _existing_copy(context: ServerContext, sha256: str, template: str) -> str | None:
    """Path of a file in the inbox with these contents; with a template, only of a file in the template's folder."""
    inbox = context.settings.inbox.resolve()
    with context.ledger() as ledger:
        for file in ledger.files_with_contents(sha256):
            path = file.source.path
            if file.place == "deleted":
                continue
            if path.is_relative_to(inbox) and (not template or file.source.relative.startswith(f"{template}/")):
                with suppress(OSError):
                    current = path.stat()
                    if (current.st_size, current.st_mtime_ns) == (file.size, file.mtime_ns):
                        return file.source.relative
    return None


# ---- documents --------------------------------------------------------------------------------------


@router.get("/documents")
def documents(
    request: Request,
    q: Annotated[str, Query(max_length=200, description="in names and values")] = "",
    status: Literal["", "waiting", "done", "partial", "failed", "skipped"] = "",
    template: Annotated[str, Query(max_length=63)] = "",
    marked: Literal["", "review", "corrected"] = "",
    sha256: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> DocumentList:
    """All documents that match: waiting ones first, then the latest results."""
    with server_context(request).ledger() as ledger:
        total, items = list_documents(ledger, DocumentFilter(q, status, template, marked, sha256), limit, offset)
    return DocumentList(total=total, documents=[DocumentSummary(**item) for item in items])


@router.get("/documents/{id}")
def fetch_result(request: Request, id: Id) -> dict[str, Any]:  # noqa: A002 - the name in the URL
    """A document's result: the JSON of its file in the outbox, which docs/output.md describes."""
    with open_file_record(request, id) as (ledger, file):
        return require_publication(request, ledger, file).as_json()


@router.get(
    "/documents/{id}/pages/{page}.webp",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}},
)
def page_image(request: Request, id: Id, page: Annotated[int, Path(ge=1, le=100_000)]) -> Response:  # noqa: A002
    """A page as an upright image."""
    with open_file_record(request, id) as (ledger, file):
        rotation = ledger.page_rotation(file.sha256, page)
    try:
        image = server_context(request).page_images.get(file, page, rotation)
    except DocumentError as error:
        raise HTTPException(404, f"the page cannot be drawn: {error.detail}") from error
    return Response(image.webp, media_type="image/webp", headers={"cache-control": "private, max-age=3600"})


@router.get(
    "/exports/documents.{kind}",
    response_class=Response,
    responses={200: {"content": {media: {} for media in EXPORTS.values()}}},
)
def export(request: Request, kind: Literal["xlsx", "sqlite", "jsonl"]) -> Response:
    """All documents in one file: an Excel workbook, an SQLite database, or JSON Lines."""
    context = server_context(request)
    scratch = TemporaryDirectory(prefix=".export-", dir=context.settings.outbox / STATE_FOLDER, ignore_cleanup_errors=True)
    try:
        folder = Path_(scratch.name)
        with context.ledger() as ledger:
            templates = context.known_templates(ledger)
            nothing_kept = NullSheetLedger()
            files = OwnFiles(nothing_kept, folder, lambda _: None)
            accepted = context.settings.review.accepted_error
            exporting = OutboxExport([ledger], templates, folder, nothing_kept, files, accepted, folder)
            path = next(iter(exporting.write(kind)))
    except BaseException:
        scratch.cleanup()
        raise
    return FileResponse(path, media_type=EXPORTS[kind], filename=path.name, background=BackgroundTask(scratch.cleanup))


# ---- corrections ------------------------------------------------------------------------------------

CONFLICT: dict[int | str, dict[str, Any]] = {409: {"model": CorrectionConflict}}
Name = Annotated[str, Path(max_length=63)]


@router.put("/documents/{id}/fields/{template}/{field}", responses=CONFLICT)
def correct(request: Request, id: Id, template: Name, field: Name, correction: CorrectionRequest) -> Any:  # noqa: A002
    """Correct a value, or confirm it by sending the value that was read."""
    with open_file_record(request, id) as (ledger, file):
        if file.is_split:
            raise HTTPException(400, "the file is split into documents: correct those")
        spec = server_context(request).known_templates(ledger).get(template)
        if spec is None or field not in spec.fields:
            raise HTTPException(404, "there is no such field")
        try:
            value = parse_value(correction.value, spec.fields[field])
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, str(error).encode(errors="replace").decode()) from error
        entry = _new_version(request, ledger, file, (template, field), correction.version, correction.by, value)
        return _record(ledger, file, entry)


@router.delete("/documents/{id}/fields/{template}/{field}", responses=CONFLICT)
def withdraw(
    request: Request,
    id: Id,  # noqa: A002
    template: Name,
    field: Name,
    version: Annotated[int, Query(ge=1, le=1_000_000)],
    by: Annotated[str, Query(max_length=80)] = "",
) -> Any:
    """Withdraw a correction: the field has the value that was read again."""
    with open_file_record(request, id) as (ledger, file):
        if (template, field) not in correction_history(ledger, file.key):
            raise HTTPException(404, "this field has no correction")
        return _record(ledger, file, _new_version(request, ledger, file, (template, field), version, by, withdrawn=True))


def _new_version(
    request: Request,
    ledger: Ledger,
    file: FileRecord,
    place: tuple[str, str],
    known_version: int,
    by: str,
    value: Any = None,
    *,
    withdrawn: bool = False,
) -> Correction:
    """The next correction of a field (template and name in ``place``) after the version that its author knows."""
    template, field = place
    evidence = require_publication(request, ledger, file).fields.get(template, {}).get(field)
    if evidence is None:
        raise HTTPException(404, "there is no such field")
    author = "".join(letter for letter in by if letter.isprintable()).strip() or ANONYMOUS
    return Correction(template, field, known_version + 1, value, withdrawn, evidence.value, author, utc_timestamp())


def _record(ledger: Ledger, file: FileRecord, correction: Correction) -> Any:
    try:
        record_correction(ledger, file.key, correction)
    except NewerCorrectionError as error:
        current = _correction_version(error.latest).model_dump() if error.latest else None
        return JSONResponse({"detail": "there is a newer correction of this field", "current": current}, 409)
    return _correction_version(correction)


@router.get("/documents/{id}/fields/{template}/{field}/history")
def field_history(request: Request, id: Id, template: Name, field: Name) -> list[CorrectionVersion]:  # noqa: A002
    """All corrections of a field, oldest first."""
    with open_file_record(request, id) as (ledger, file):
        history = correction_history(ledger, file.key)
        return [_correction_version(item) for item in history.get((template, field), [])]


def _correction_version(item: Correction) -> CorrectionVersion:
    return CorrectionVersion(
        version=item.version, value=item.value, withdrawn=item.withdrawn, before=item.before, by=item.by, at=item.at
    )


@router.get(
    "/truth.jsonl",
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {}}}},
)
def truth(request: Request, template: Annotated[str, Query(max_length=63)] = "") -> Response:
    """The corrected and confirmed values of one template, as truth for `pipeline eval`."""
    with server_context(request).ledger() as ledger:
        templates = [template] if template else corrected_templates(ledger)
        if len(templates) > 1:
            raise HTTPException(400, f"name the template: {', '.join(templates)}")
        lines = [json.dumps(row, ensure_ascii=False) for name in templates for row in truth_rows(ledger, name)]
    return Response("".join(f"{line}\n" for line in lines).encode(errors="replace"), media_type="application/jsonl")


# ---- questions and orders ---------------------------------------------------------------------------


@router.post("/documents/{id}/questions", status_code=202)
def ask(request: Request, id: Id, question: QuestionRequest) -> OrderStatus:  # noqa: A002
    """Ask about a page; GET /api/orders/{number} has the answer when the engine has given it."""
    with open_file_record(request, id) as (ledger, file):
        document = ledger.document(file.sha256, stale=True)
        if document is None or question.page > document.pages:
            raise HTTPException(404, "there is no such page")
        if question.follows:
            earlier = find_order(ledger, question.follows)
            if earlier is None or earlier.kind != "question" or earlier.sha256 != file.sha256:
                raise HTTPException(404, "there is no such question to follow up on")
        details = {"page": question.page, "question": question.question, "follows": question.follows}
        return _order_status(place_order(ledger, "question", file.sha256, details, question.by or ANONYMOUS))


@router.get("/documents/{id}/questions")
def questions(request: Request, id: Id) -> list[OrderStatus]:  # noqa: A002
    """All questions about a document with their answers, oldest first."""
    with open_file_record(request, id) as (ledger, file):
        return [_order_status(item) for item in orders_for_document(ledger, file.sha256, "question")]


@router.post("/documents/{id}/readings", status_code=202)
def reread(request: Request, id: Id, reading: RereadRequest) -> OrderStatus:  # noqa: A002
    """Have a document read again, with another template or engine."""
    if reading.template and reading.template not in server_context(request).templates:
        raise HTTPException(400, "there is no such template")
    if reading.engine and reading.engine not in ENGINE_NAMES:
        raise HTTPException(400, f"engines: {', '.join(ENGINE_NAMES)}")
    with open_file_record(request, id) as (ledger, file):
        name = file.part.file if file.part else file.source.name
        details = {"name": name, "template": reading.template or None, "engine": reading.engine or None}
        return _order_status(place_order(ledger, "reading", file.sha256, details, reading.by or ANONYMOUS))


@router.get("/orders/{number}")
def order_status(request: Request, number: Annotated[int, Path(ge=1, le=2**62)]) -> OrderStatus:
    """A question or a request to read again, with its outcome when it is carried out."""
    with server_context(request).ledger() as ledger:
        order = find_order(ledger, number)
    if order is None or order.kind == "publishing":
        raise HTTPException(404, "there is no such order")
    return _order_status(order)


def _order_status(item: Order) -> OrderStatus:
    outcome = None if item.outcome is None else dict(item.outcome)
    return OrderStatus(id=item.id, at=item.at, by=item.by, details=dict(item.details), outcome=outcome)
