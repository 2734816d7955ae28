"""The part of the JSON API about files that hold several documents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, StringConstraints

from pipeline.checks.split.page_list import parse_split
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.person_splits import place_split
from pipeline.split_records import Split, page_list, pages_text
from pipeline.web.api.common import ERROR_RESPONSES, Author, Id, StrictModel, author, open_file_record
from pipeline.web.context import document_id

MAX_TEXT = 20_000
"""Letters of a split of some thousand pages."""
router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)


class SplitRequest(StrictModel):
    """Which pages belong together: documents between commas, as in ``1-3,4,5-6``; ``1+4`` for pages that do not follow each other;
    ``whole`` for one document."""

    pages: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, strip_whitespace=True)]
    by: Author = ""


class JudgedPlace(BaseModel):
    """A place between two pages, and what the program says about it."""

    before_page: int
    cut: bool
    probability: float
    reasons: list[str]
    review: bool


class FileDocument(BaseModel):
    """A document of a file."""

    id: str
    file: str
    pages: str


class FileSplit(BaseModel):
    """Which documents a file holds. ``source`` is ``person`` where somebody has said it, else how the program found it."""

    id: str
    file: str
    source: str | None
    pages: str
    """The whole split, as ``PUT`` takes it."""
    page_count: int
    """Pages of the file."""
    documents: list[FileDocument]
    cuts: list[JudgedPlace]


@router.get("/documents/{id}/split")
def split(request: Request, id: Id) -> FileSplit:  # noqa: A002 - the name in the URL
    """Which documents the file of a document holds."""
    with open_file_record(request, id) as (ledger, record):
        return file_split(ledger, whole_file(ledger, record))


@router.put("/documents/{id}/split", status_code=202)
def change_split(request: Request, id: Id, change: SplitRequest) -> FileSplit:  # noqa: A002
    """Split the file in another way. Nothing is read again; the results follow within a second while a run is at work."""
    with open_file_record(request, id) as (ledger, record):
        file = whole_file(ledger, record)
        try:
            wanted = parse_split(change.pages, _page_count(ledger, file), ledger.sheets(file.sha256))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return _place(ledger, file, wanted, author(request, change.by))


@router.delete("/documents/{id}/split", status_code=202)
def withdraw_split(request: Request, id: Id, by: Annotated[str, Query(max_length=80)] = "") -> FileSplit:  # noqa: A002
    """Let the program decide again which documents the file holds."""
    with open_file_record(request, id) as (ledger, record):
        return _place(ledger, whole_file(ledger, record), None, author(request, by))


def _place(ledger: Ledger, file: FileRecord, wanted: Split | None, by: str) -> FileSplit:
    place_split(ledger, file.sha256, wanted, by)
    return file_split(ledger, file)


def whole_file(ledger: Ledger, record: FileRecord) -> FileRecord:
    """The file of a document. Raises HTTPException 404 before it is read."""
    file = ledger.file_by_name(record.part.file) if record.part else record
    if file is None or file.published_sha256 is None:
        raise HTTPException(404, "it has not been read yet")
    return file


def file_split(ledger: Ledger, file: FileRecord) -> FileSplit:
    """Which documents a file holds."""
    found = ledger.split_of_file(file.source.name, file.sha256)
    documents = [
        FileDocument(id=document_id(record.source.name), file=record.source.name, pages=pages_text(record.part.pages))
        for record in ledger.documents_of(file.source.name)
        if record.part
    ]
    count = _page_count(ledger, file)
    ranges = [page_list(one.pages) for one in found.documents] if found else [page_list(range(1, count + 1))]
    cuts = [
        JudgedPlace(
            before_page=cut.before,
            cut=cut.is_cut,
            probability=cut.probability,
            reasons=list(cut.reasons),
            review=cut.is_doubtful,
        )
        for cut in (found.cuts if found else ())
    ]
    return FileSplit(
        id=document_id(file.source.name),
        file=file.source.name,
        source=found.source if found else None,
        pages=",".join(dict.fromkeys(ranges)),
        page_count=count,
        documents=documents,
        cuts=cuts,
    )


def _page_count(ledger: Ledger, file: FileRecord) -> int:
    document = ledger.document(file.sha256, stale=True)
    return document.pages if document else 0
