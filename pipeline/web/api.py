"""The JSON API: submit, poll, fetch, correct, ask, read again. Described by /api/openapi.json."""

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
from pipeline.publish.publication import Publication
from pipeline.records import Correction
from pipeline.run.export_formats import Exporting, Unused
from pipeline.runtime.lock import is_locked
from pipeline.settings import STATE_FOLDER
from pipeline.templates.ask import MAX_CHARACTERS
from pipeline.values.times import utc_timestamp
from pipeline.web.context import House, identifier, name_of
from pipeline.web.correction_input import truth, understood
from pipeline.web.document_list import listed
from pipeline.web.uploads import Incoming, safe_name

EXPORTS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "sqlite": "application/vnd.sqlite3",
    "jsonl": "application/jsonl",
}
SOMEBODY = "somebody"


class Told(BaseModel):
    """Why something was refused."""

    detail: str


class Taken(BaseModel):
    """A file that lies in the inbox."""

    file: str
    """Its path below the inbox; another than was asked for where that was taken or led elsewhere."""
    bytes: int
    sha256: str
    """GET /api/documents?sha256=… tells when it has been read."""
    already: bool = False
    """Whether the same contents lay in the inbox before, under the name told; nothing was added then."""
    members: list[str] = []
    """Of an archive: the files that were in it."""
    passed: list[str] = []
    """Of an archive: what was passed over, with the reason."""


class Listed(BaseModel):
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


class Documents(BaseModel):
    """A page of a list."""

    total: int
    documents: list[Listed]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


By = Annotated[str, StringConstraints(max_length=80, strip_whitespace=True)]
Version = Annotated[int, Field(ge=0, le=1_000_000)]


class Said(_Strict):
    """A person's word about a field. ``version`` is the one they saw: 0 where nobody corrected it before."""

    value: Any = Field(description="as in results; null: the document does not say; the value that was read: it is right")
    version: Version
    by: By = ""


class Word(BaseModel):
    """One correction."""

    version: int
    value: Any
    withdrawn: bool
    before: Any
    by: str
    at: str


class Newer(BaseModel):
    """Somebody corrected the field since; look at ``current``, then send it with its version."""

    detail: str
    current: Word | None


class Question(_Strict):
    """A question about one page; ``follows`` is the number of an earlier one about the same document."""

    page: Annotated[int, Field(ge=1, le=100_000)]
    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS, strip_whitespace=True)]
    follows: Annotated[int, Field(ge=1, le=2**62)] | None = None
    by: By = ""


class Reading(_Strict):
    """Read a document again; with nothing named, as today's settings say."""

    template: Annotated[str, StringConstraints(max_length=63)] | None = None
    engine: Annotated[str, StringConstraints(max_length=63)] | None = None
    by: By = ""


class Ordered(BaseModel):
    """Something that was asked of the reading process; ``outcome`` is null until it is there."""

    id: int
    at: str
    by: str
    details: dict[str, Any]
    outcome: dict[str, Any] | None


REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Told, "description": why}
    for code, why in {
        400: "what was sent makes no sense",
        401: "the token is missing or wrong",
        403: "sent by another site",
        404: "there is no such thing",
        408: "the client was too slow",
        413: "more than the limit",
        421: "the server does not go by that name",
        503: "the ledger or the inbox cannot be used just now",
    }.items()
}
router = APIRouter(prefix="/api", responses=REFUSALS)
Id = Annotated[str, Path(max_length=2_000, description="as lists tell it")]


def house(request: Request) -> House:
    """The house that the application was made with."""
    found: House = request.app.state.house
    return found


@contextmanager
def document(request: Request, identified: str) -> Iterator[tuple[Ledger, FileRecord]]:
    """The ledger and one file of it, by its identifier."""
    name = name_of(identified)
    with house(request).ledger() as ledger:
        file = ledger.file_by_name(name) if name and name.isprintable() else None
        if file is None:
            raise HTTPException(404, "there is no such document")
        yield ledger, file


def published(request: Request, ledger: Ledger, file: FileRecord) -> Publication:
    """What is published of a file."""
    found = house(request).publication(ledger, file)
    if found is None:
        raise HTTPException(404, "it has not been read yet")
    return found


# ---- files and progress -----------------------------------------------------------------------------


@router.get("/status")
def status(request: Request) -> dict[str, Any]:
    """How far the run at work is; ``marker`` changes whenever a list or a document may look different."""
    return state(house(request))


def state(owner: House) -> dict[str, Any]:
    """See ``status``."""
    keeper = owner.keeper.told()
    running = keeper["state"] == "working" or is_locked(owner.settings.outbox)
    with owner.ledger() as ledger:
        counts = document_counts(ledger)
        mark = change_marker(ledger)
    run = last_run(owner.settings.outbox, locked=running)
    return {"running": running, "reader": keeper, "run": run, "documents": counts, "marker": mark}


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
async def submit(
    request: Request,
    name: Annotated[str, Path(max_length=1_000, description="only the part behind the last slash counts")],
    template: Annotated[str, Query(max_length=63, description="which template reads it; empty: as it looks")] = "",
) -> Taken:
    """Put a file into the inbox: the body is the file. It gets a number where its name is taken."""
    owner = house(request)
    if template and template not in owner.templates:
        raise HTTPException(400, "there is no such template")
    try:
        with Incoming(owner.settings.inbox) as incoming:
            async for chunk in request.stream():
                await run_in_threadpool(incoming.write, chunk)
            if not incoming.size:
                raise HTTPException(400, "the file is empty")
            return await run_in_threadpool(_take, owner, incoming, safe_name(name), template)
    except OSError as error:
        raise HTTPException(503, f"the inbox cannot be written: {error.strerror or error}") from error


def _take(owner: House, incoming: Incoming, name: str, template: str) -> Taken:
    told = {"bytes": incoming.size, "sha256": incoming.sha256}
    if incoming.is_archive:
        members, passed = incoming.place_members(name, template, owner.settings.limits.megabytes * 1_000_000)
        if not members:
            raise HTTPException(400, "; ".join(["the archive holds no document that can be read", *passed])[:500])
        already = all(member.already for member in members)
        return Taken(file=name, already=already, members=[member.file for member in members], passed=passed, **told)
    if known := _known(owner, incoming.sha256, template):
        return Taken(file=known, already=True, **told)
    placed = incoming.place(name, template)
    return Taken(file=placed.file, already=placed.already, **told)


def _known(owner: House, sha256: str, template: str) -> str | None:
    """A file of the inbox with these contents that is read by the template, if one is asked for."""
    inbox = owner.settings.inbox.resolve()
    with owner.ledger() as ledger:
        for file in ledger.files_with_contents(sha256):
            path = file.source.path
            if path.is_relative_to(inbox) and (not template or file.source.relative.startswith(f"{template}/")):
                with suppress(OSError):
                    now_ = path.stat()
                    if (now_.st_size, now_.st_mtime_ns) == (file.size, file.mtime_ns):
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
) -> Documents:
    """Documents that were read or are being read, those that wait first, then the latest."""
    with house(request).ledger() as ledger:
        total, found = listed(ledger, DocumentFilter(q, status, template, marked, sha256), limit, offset)
    return Documents(total=total, documents=[Listed(**item) for item in found])


@router.get("/documents/{id}")
def fetch(request: Request, id: Id) -> dict[str, Any]:  # noqa: A002 - the address's own word
    """A document's result, the same as its file in the outbox; docs/output.md tells what it means."""
    with document(request, id) as (ledger, file):
        return published(request, ledger, file).as_json()


@router.get(
    "/documents/{id}/pages/{page}.webp",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}},
)
def picture(request: Request, id: Id, page: Annotated[int, Path(ge=1, le=100_000)]) -> Response:  # noqa: A002
    """A page as a picture, upright."""
    owner = house(request)
    with document(request, id) as (ledger, file):
        turned = ledger.page_rotation(file.sha256, page)
    try:
        drawn = owner.drawing.draw(file, page, turned)
    except DocumentError as error:
        raise HTTPException(404, f"the page cannot be drawn: {error.detail}") from error
    return Response(drawn.webp, media_type="image/webp", headers={"cache-control": "private, max-age=3600"})


@router.get(
    "/exports/documents.{kind}",
    response_class=Response,
    responses={200: {"content": {media: {} for media in EXPORTS.values()}}},
)
def export(request: Request, kind: Literal["xlsx", "sqlite", "jsonl"]) -> Response:
    """All documents as one file: an Excel workbook, an SQLite database, or JSON Lines."""
    owner = house(request)
    scratch = TemporaryDirectory(prefix=".export-", dir=owner.settings.outbox / STATE_FOLDER, ignore_cleanup_errors=True)
    try:
        folder = Path_(scratch.name)
        with owner.ledger() as ledger:
            templates = owner.known_templates(ledger)
            made = Exporting([ledger], templates, folder, Unused(), owner.settings.review.accepted_error, folder)
            path = next(iter(made.write(kind)))
    except BaseException:
        scratch.cleanup()
        raise
    return FileResponse(path, media_type=EXPORTS[kind], filename=path.name, background=BackgroundTask(scratch.cleanup))


# ---- corrections ------------------------------------------------------------------------------------

CONFLICT: dict[int | str, dict[str, Any]] = {409: {"model": Newer}}
Name = Annotated[str, Path(max_length=63)]


@router.put("/documents/{id}/fields/{template}/{field}", responses=CONFLICT)
def say(request: Request, id: Id, template: Name, field: Name, said: Said) -> Any:  # noqa: A002
    """Correct a value, or confirm it by sending the one that was read."""
    with document(request, id) as (ledger, file):
        spec = house(request).known_templates(ledger).get(template)
        if spec is None or field not in spec.fields:
            raise HTTPException(404, "there is no such field")
        try:
            value = understood(said.value, spec.fields[field])
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, str(error).encode(errors="replace").decode()) from error
        return _keep(request, ledger, file, (template, field), value, said.version, said.by, withdrawn=False)


@router.delete("/documents/{id}/fields/{template}/{field}", responses=CONFLICT)
def withdraw(
    request: Request,
    id: Id,  # noqa: A002
    template: Name,
    field: Name,
    version: Annotated[int, Query(ge=1, le=1_000_000)],
    by: Annotated[str, Query(max_length=80)] = "",
) -> Any:
    """Take a correction back: what was read holds again."""
    with document(request, id) as (ledger, file):
        if (template, field) not in correction_history(ledger, file.published_sha256 or ""):
            raise HTTPException(404, "nobody corrected this field")
        return _keep(request, ledger, file, (template, field), None, version, by, withdrawn=True)


def _keep(
    request: Request,
    ledger: Ledger,
    file: FileRecord,
    place: tuple[str, str],
    value: Any,
    seen: int,
    by: str,
    *,
    withdrawn: bool,
) -> Any:
    template, field = place
    found = published(request, ledger, file).fields.get(template, {}).get(field)
    if found is None or file.published_sha256 is None:
        raise HTTPException(404, "there is no such field")
    who = "".join(letter for letter in by if letter.isprintable()).strip() or SOMEBODY
    said = Correction(template, field, seen + 1, value, withdrawn, found.value, who, utc_timestamp())
    try:
        record_correction(ledger, file.published_sha256, said)
    except NewerCorrectionError as error:
        current = _word(error.latest).model_dump() if error.latest else None
        return JSONResponse({"detail": "somebody corrected this field since", "current": current}, 409)
    return _word(said)


@router.get("/documents/{id}/fields/{template}/{field}/history")
def words(request: Request, id: Id, template: Name, field: Name) -> list[Word]:  # noqa: A002
    """All that was ever said about a field, the first one first."""
    with document(request, id) as (ledger, file):
        return [_word(item) for item in correction_history(ledger, file.published_sha256 or "").get((template, field), [])]


def _word(said: Correction) -> Word:
    return Word(version=said.version, value=said.value, withdrawn=said.withdrawn, before=said.before, by=said.by, at=said.at)


@router.get(
    "/truth.jsonl",
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {}}}},
)
def true(request: Request, template: Annotated[str, Query(max_length=63)] = "") -> Response:
    """What people corrected and confirmed, as truth for `pipeline eval`; of one template."""
    with house(request).ledger() as ledger:
        named = [template] if template else corrected_templates(ledger)
        if len(named) > 1:
            raise HTTPException(400, f"name the template: {', '.join(named)}")
        lines = [json.dumps(row, ensure_ascii=False) for name in named for row in truth(ledger, name)]
    return Response("".join(f"{line}\n" for line in lines).encode(errors="replace"), media_type="application/jsonl")


# ---- questions and readings -------------------------------------------------------------------------


@router.post("/documents/{id}/questions", status_code=202)
def ask(request: Request, id: Id, asked: Question) -> Ordered:  # noqa: A002
    """Ask about a page; GET /api/orders/{number} has the answer when the engine gave it."""
    with document(request, id) as (ledger, file):
        known = ledger.document(file.sha256, stale=True)
        if known is None or asked.page > known.pages:
            raise HTTPException(404, "there is no such page")
        if asked.follows:
            before = find_order(ledger, asked.follows)
            if before is None or before.kind != "question" or before.sha256 != file.sha256:
                raise HTTPException(404, "there is no such question to follow up on")
        details = {"page": asked.page, "question": asked.question, "follows": asked.follows}
        return _ordered(place_order(ledger, "question", file.sha256, details, asked.by or SOMEBODY))


@router.get("/documents/{id}/questions")
def asked(request: Request, id: Id) -> list[Ordered]:  # noqa: A002
    """All questions about a document with their answers, the first one first."""
    with document(request, id) as (ledger, file):
        return [_ordered(item) for item in orders_for_document(ledger, file.sha256, "question")]


@router.post("/documents/{id}/readings", status_code=202)
def read_again(request: Request, id: Id, wanted: Reading) -> Ordered:  # noqa: A002
    """Have a document read again, with another template or engine."""
    if wanted.template and wanted.template not in house(request).templates:
        raise HTTPException(400, "there is no such template")
    if wanted.engine and wanted.engine not in ENGINE_NAMES:
        raise HTTPException(400, f"engines: {', '.join(ENGINE_NAMES)}")
    with document(request, id) as (ledger, file):
        details = {"name": file.source.name, "template": wanted.template or None, "engine": wanted.engine or None}
        return _ordered(place_order(ledger, "reading", file.sha256, details, wanted.by or SOMEBODY))


@router.get("/orders/{number}")
def ordered(request: Request, number: Annotated[int, Path(ge=1, le=2**62)]) -> Ordered:
    """A question or a reading, with its outcome when it is there."""
    with house(request).ledger() as ledger:
        found = find_order(ledger, number)
    if found is None or found.kind == "publishing":
        raise HTTPException(404, "there is no such order")
    return _ordered(found)


def _ordered(item: Order) -> Ordered:
    outcome = None if item.outcome is None else dict(item.outcome)
    return Ordered(id=item.id, at=item.at, by=item.by, details=dict(item.details), outcome=outcome)


def link(file: FileRecord) -> str:
    """Where a document's page is."""
    return f"/documents/{identifier(file.source.name)}"
