"""Lists of documents, their results and the images of their pages."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel

from pipeline.errors import DocumentError
from pipeline.ledger.list_query import ListFilter
from pipeline.web.api.common import (
    ERROR_RESPONSES,
    Id,
    open_file_record,
    require_publication,
    server_context,
)
from pipeline.web.document_list import find_in_index

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
SortColumn = Literal["", "vendor", "date", "number", "total", "name", "pages", "doubtful", "status", "state", "read", "added"]


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
    state: Literal["new", "to_check", "approved", "exported"]
    vendor: str | None
    date: str | None
    number: str | None
    total: str | None
    currency: str | None
    doubtful: int
    """How many values a person should look at, details that nothing proves apart; 0 once somebody has decided about the document."""
    duplicate: Literal["", "file", "number", "total"]
    """Whether another document is the same file, has the same vendor and number, or the same date and total."""


class DocumentList(BaseModel):
    """One page of the list of documents."""

    total: int
    behind: int
    """How many changes are not in the list yet, after a start with many documents; it catches up with every request."""
    documents: list[DocumentSummary]


@router.get("/documents")
def documents(
    request: Request,
    q: Annotated[
        str, Query(max_length=200, description="words of the pages, values and names; the last letters may be missing")
    ] = "",
    status: Literal["", "waiting", "done", "partial", "failed", "skipped"] = "",
    template: Annotated[str, Query(max_length=63)] = "",
    marked: Literal["", "review", "corrected", "duplicate"] = "",
    sha256: Annotated[str, Query(max_length=64)] = "",
    state: Literal["", "new", "to_check", "approved", "exported"] = "",
    since: Annotated[str, Query(max_length=10, description="the earliest date on the document")] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    sort: SortColumn = "",
    descending: bool = False,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> DocumentList:
    """All documents that match: waiting ones first, then the latest results, unless another order is asked for."""
    wanted = ListFilter(q, status, template, marked, sha256, state, since, until)
    total, items, behind = find_in_index(server_context(request), wanted, limit, offset, sort, descending=descending)
    return DocumentList(total=total, behind=behind, documents=[DocumentSummary(**item) for item in items])


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
