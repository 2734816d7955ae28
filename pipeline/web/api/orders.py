"""Questions and orders to read again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel, Field, StringConstraints

from pipeline.engines.registry import ENGINE_NAMES
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import Order, find_order, orders_for_document, place_order
from pipeline.templates.question_template import MAX_CHARACTERS
from pipeline.web.api.common import (
    ERROR_RESPONSES,
    Author,
    Id,
    StrictModel,
    author,
    open_file_record,
    require_template,
    server_context,
)
from pipeline.web.context import ServerContext

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)


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
        return order_json(place_order(ledger, "question", file.sha256, details, author(request, question.by)))


@router.get("/documents/{id}/questions")
def questions(request: Request, id: Id) -> list[OrderStatus]:  # noqa: A002
    """All questions about a document with their answers, oldest first."""
    with open_file_record(request, id) as (ledger, file):
        return [order_json(item) for item in orders_for_document(ledger, file.sha256, "question")]


@router.post("/documents/{id}/readings", status_code=202)
def reread(request: Request, id: Id, reading: RereadRequest) -> OrderStatus:  # noqa: A002
    """Have a document read again, with another template or engine."""
    with open_file_record(request, id) as (ledger, file):
        return order_json(order_reading(server_context(request), ledger, file, reading, author(request, reading.by)))


def order_reading(context: ServerContext, ledger: Ledger, file: FileRecord, reading: RereadRequest, by: str) -> Order:
    """Place the order to read a document again. Raises HTTPException 400 for an unknown template or engine."""
    require_template(context, reading.template)
    if reading.engine and reading.engine not in ENGINE_NAMES:
        raise HTTPException(400, f"engines: {', '.join(ENGINE_NAMES)}")
    name = file.part.file if file.part else file.source.name
    details = {"name": name, "template": reading.template or None, "engine": reading.engine or None}
    return place_order(ledger, "reading", file.sha256, details, by)


@router.get("/orders/{number}")
def order_status(request: Request, number: Annotated[int, Path(ge=1, le=2**62)]) -> OrderStatus:
    """A question or a request to read again, with its outcome when it is carried out."""
    with server_context(request).ledger() as ledger:
        order = find_order(ledger, number)
    if order is None or order.kind == "publishing":
        raise HTTPException(404, "there is no such order")
    return order_json(order)


def order_json(item: Order) -> OrderStatus:
    """An order as the API gives it."""
    outcome = None if item.outcome is None else dict(item.outcome)
    return OrderStatus(id=item.id, at=item.at, by=item.by, details=dict(item.details), outcome=outcome)
