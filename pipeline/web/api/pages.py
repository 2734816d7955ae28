"""Documents as the interface shows them: the data of its panes, and the words of its pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel

from pipeline.errors import DocumentError
from pipeline.ledger.contained_records import parts_in
from pipeline.ledger.document_search import change_marker
from pipeline.ledger.document_states import comments_on, decision_history
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import Order, open_orders, orders_for_document
from pipeline.publish.publication import Publication
from pipeline.publish.review_flags import flag_text
from pipeline.publish.review_words import ReviewWords
from pipeline.records import Box
from pipeline.run.unlocking import is_locked, locked_inside
from pipeline.web.api.common import ERROR_RESPONSES, Id, open_file_record, server_context
from pipeline.web.api.split import file_split, whole_file
from pipeline.web.context import document_id
from pipeline.web.editable_data import editable_document_data
from pipeline.web.page_rendering import request_words
from pipeline.web.places import CellBoxes, cell_boxes, corrected_boxes
from pipeline.web.view import document_view

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
LINKS = 20
"""Documents that a page names at most."""
PageNumber = Annotated[int, Path(ge=1, le=100_000)]


class PageSize(BaseModel):
    """The size of an upright page in points (1/72 inch)."""

    width: float
    height: float


class PageWord(BaseModel):
    """A word of a page. Words of one ``line`` are neighbours, in reading order; ``box`` is left, top, right and bottom in points."""

    text: str
    box: Box
    line: int


class PageWords(PageSize):
    """The words of a page, and where the cells of tables and corrected values stand on it, by template and field."""

    source: str | None
    words: list[PageWord]
    cells: dict[str, CellBoxes]
    fields: dict[str, Box]


@router.get("/documents/{id}/view")
def document_data_view(request: Request, id: Id) -> dict[str, Any]:  # noqa: A002 - the name in the URL
    """Everything that the interface shows of a document: its fields with reasons, corrections and how they are entered, its questions."""
    context = server_context(request)
    with open_file_record(request, id) as (ledger, file):
        publication = context.publication(ledger, file)
        data: dict[str, Any] = {"id": document_id(file.source.name), "is_split": file.is_split, "marker": change_marker(ledger)}
        data |= _locks(ledger, file) | _decisions(ledger, file)
        if publication is None:
            return data | _unread(file)
        templates = context.known_templates(ledger)
        words = request_words(request)
        view = document_view(publication, templates, words)
        data |= editable_document_data(view, file.published_at, templates, is_split=file.is_split)
        return (
            data
            | _orders(ledger, file, words)
            | _split(ledger, file, publication, words)
            | {"reader": _reader_problem(request)}
        )


def _unread(file: FileRecord) -> dict[str, Any]:
    empty = {
        "results": [],
        "page_list": [],
        "recipes": {},
        "kind": "",
        "pages": 0,
        "questions": [],
        "doubts": [],
        "versions": {},
    }
    about = {"name": file.source.name, "path": file.source.relative, "sha256": file.sha256, "engine": "", "published": ""}
    return {**empty, **about, "status": "waiting", "reason": None, "started": "", "finished": "", "original": "there"}


def _decisions(ledger: Ledger, file: FileRecord) -> dict[str, Any]:
    """``approval``: the decisions about the document, and ``comments`` on it; oldest first."""
    decisions = [asdict(decision) for decision in decision_history(ledger, file.key)]
    return {"approval": decisions, "comments": [asdict(comment) for comment in comments_on(ledger, file.key)]}


def _locks(ledger: Ledger, file: FileRecord) -> dict[str, Any]:
    """``lock``: whether the file needs a password, and its parts that do; ``locked``: documents inside of it that need one."""
    whole = ledger.file_by_name(file.part.file) if file.part else file
    if whole is not None and is_locked(ledger, whole):
        parts = [part.shown for part in parts_in(ledger, file.source.name) if part.reason == "needs_password"]
        return {"lock": {"parts": parts[:LINKS]}, "locked": []}
    inside = locked_inside(ledger, whole)[:LINKS] if whole else []
    return {"lock": None, "locked": [{"id": document_id(item.source.name), "file": item.source.name} for item in inside]}


def _orders(ledger: Ledger, file: FileRecord, words: ReviewWords) -> dict[str, Any]:
    """``questions``, oldest first, and ``reread``: the last order to read the document again, where it is open or has failed."""
    readings = orders_for_document(ledger, file.sha256, "reading")
    last, reread = readings[-1] if readings else None, None
    if last and last.id in {order.id for order in open_orders(ledger)}:
        reread = {"error": ""}
    elif last and (last.outcome or {}).get("error"):
        reread = {"error": words.detail((last.outcome or {})["error"])}
    questions = orders_for_document(ledger, file.sha256, "question")
    return {"questions": [_question(item, words) for item in questions], "reread": reread}


def _question(item: Order, words: ReviewWords) -> dict[str, Any]:
    notes = [flag_text(flag, {}, words) for flag in (item.outcome or {}).get("flags", ())]
    outcome = item.outcome
    if outcome and outcome.get("error"):
        outcome = {**outcome, "error": words.detail(str(outcome["error"]))}
    return {"id": item.id, **item.details, "outcome": outcome, "notes": notes}


def _split(ledger: Ledger, file: FileRecord, publication: Publication, words: ReviewWords) -> dict[str, Any]:
    if publication.document.pages < 2:
        return {"split": None, "doubts": []}
    doubts = []
    for cut in publication.doubts:
        if cut.is_cut:
            text = words.say("page %(page)s begins another document", page=cut.before)
        else:
            text = words.say("page %(page)s belongs to the page before", page=cut.before)
        doubts.append(f"{text} ({'; '.join(cut.reasons)})")
    return {"split": file_split(ledger, whole_file(ledger, file)).model_dump(), "doubts": doubts}


def _reader_problem(request: Request) -> str:
    """Why nothing is read at the moment; empty when something reads."""
    reader = server_context(request).supervisor.status()
    return "" if reader["state"] in ("working", "starting") else str(reader["why"])


@router.get("/documents/{id}/pages/{page}")
def page_size(request: Request, id: Id, page: PageNumber) -> PageSize:  # noqa: A002
    """The size of a page. Its image is drawn for this, and then there at once."""
    with open_file_record(request, id) as (ledger, file):
        rotation = ledger.page_rotation(file.sha256, page)
    try:
        image = server_context(request).page_images.get(file, page, rotation)
    except DocumentError as error:
        raise HTTPException(404, error.detail) from error
    return PageSize(width=image.width, height=image.height)


@router.get("/documents/{id}/pages/{page}/words")
def page_words(
    request: Request,
    id: Id,  # noqa: A002
    page: PageNumber,
    v: Annotated[str, Query(max_length=200, description="any text: another one is another address for caches")] = "",
) -> PageWords:
    """The words of a page with their boxes. They are read again; those of a scan take a second or two."""
    del v
    context = server_context(request)
    with open_file_record(request, id) as (ledger, file):
        publication = context.publication(ledger, file)
        view = document_view(publication, context.known_templates(ledger)) if publication else None
    try:
        found = context.page_images.words.get(file, page)
    except DocumentError as error:
        raise HTTPException(404, f"the page cannot be read: {error.detail}") from error
    return PageWords(
        width=found.width,
        height=found.height,
        source=found.source,
        words=[PageWord(text=_sendable(word.text), box=word.box, line=word.line) for word in found.words],
        cells=cell_boxes(view, found) if view else {},
        fields=corrected_boxes(view, found) if view else {},
    )


def _sendable(text: str) -> str:
    return text.encode(errors="replace").decode()
