"""The states of documents (new, to check, approved, exported), of one or of many, and comments on them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from pipeline.ledger.document_states import Decision, add_comment, comments_on, decide, state_counts
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.web.api.common import (
    ERROR_RESPONSES,
    Author,
    Id,
    StrictModel,
    author,
    open_file_record,
    require_publication,
    server_context,
)
from pipeline.web.context import document_name

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
MAX_DOCUMENTS = 1_000
"""Documents of one request."""


class StateRequest(StrictModel):
    """What a person decides about a document."""

    state: Decision
    by: Author = ""


class StatesRequest(StateRequest):
    """What a person decides about many documents. ``doubtless``: only about those without a value to review."""

    ids: Annotated[list[Annotated[str, StringConstraints(max_length=2_000)]], Field(max_length=MAX_DOCUMENTS)]
    doubtless: bool = False


class DocumentDecided(BaseModel):
    """The decision that holds; ``by`` is empty where the program made it, because values have changed."""

    version: int
    state: Decision
    by: str
    at: str


class DocumentsDecided(BaseModel):
    """The documents that have the state now, and those that were left as they are."""

    decided: list[str]
    left: list[str]


class CommentRequest(StrictModel):
    """A comment on a document."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
    by: Author = ""


class CommentEntry(BaseModel):
    """A comment on a document."""

    number: int
    text: str
    by: str
    at: str


@router.put("/documents/{id}/state")
def set_state(request: Request, id: Id, wanted: StateRequest) -> DocumentDecided:  # noqa: A002 - the name in the URL
    """Approve a document, mark it as exported, or have it checked again. A value that changes later makes it `to_check`."""
    with open_file_record(request, id) as (ledger, file):
        require_publication(request, ledger, file)
        made = decide(ledger, file.key, wanted.state, author(request, wanted.by))
        return DocumentDecided(version=made.version, state=made.state, by=made.by, at=made.at)


@router.put("/states")
def set_states(request: Request, wanted: StatesRequest) -> DocumentsDecided:
    """Approve many documents at once, mark them as exported, or have them checked again."""
    decided, left = [], []
    with server_context(request).ledger() as ledger:
        for identifier in dict.fromkeys(wanted.ids):
            file = _file(ledger, identifier)
            doubtful = file is None or (wanted.doubtless and _is_doubtful(request, ledger, file))
            if file is None or doubtful:
                left.append(_sendable(identifier))
                continue
            decide(ledger, file.key, wanted.state, author(request, wanted.by))
            decided.append(identifier)
    return DocumentsDecided(decided=decided, left=left)


@router.get("/states")
def states(request: Request) -> dict[str, int]:
    """The number of documents in each state."""
    with server_context(request).ledger() as ledger:
        return state_counts(ledger)


def _file(ledger: Ledger, identifier: str) -> FileRecord | None:
    """A read document; None where there is none."""
    name = document_name(identifier)
    file = ledger.file_by_name(name) if name and name.isprintable() else None
    return file if file and file.published_sha256 and not file.is_split else None


def _is_doubtful(request: Request, ledger: Ledger, file: FileRecord) -> bool:
    publication = server_context(request).publication(ledger, file)
    return publication is None or publication.needs_review


@router.post("/documents/{id}/comments", status_code=201)
def comment(request: Request, id: Id, given: CommentRequest) -> CommentEntry:  # noqa: A002
    """Comment on a document."""
    with open_file_record(request, id) as (ledger, file):
        made = add_comment(ledger, file.key, _sendable(given.text), author(request, given.by))
        return CommentEntry(number=made.number, text=made.text, by=made.by, at=made.at)


@router.get("/documents/{id}/comments")
def comments(request: Request, id: Id) -> list[CommentEntry]:  # noqa: A002
    """The comments on a document, oldest first."""
    with open_file_record(request, id) as (ledger, file):
        return [CommentEntry(number=c.number, text=c.text, by=c.by, at=c.at) for c in comments_on(ledger, file.key)]


def _sendable(text: str) -> str:
    return text.encode(errors="replace").decode()
