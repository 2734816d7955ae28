"""Documents that people delete, and bring back. The process that reads carries it out within a second or two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel

from pipeline.ledger.contained_records import part_of
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.run.trash_records import Deletion, DeletionState, deletions, request_deletion, request_undoing
from pipeline.web.api.bulk import Ids, records_by_identifier
from pipeline.web.api.common import ERROR_RESPONSES, Author, ErrorDetail, StrictModel, author, server_context

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
DeletionId = Annotated[str, Path(max_length=40, pattern=r"^\d{8}T\d{6}-[0-9a-f]{4}$")]
LISTED = 100
"""Deletions of one answer, and names of one deletion."""


class DeletionRequest(StrictModel):
    """Documents to delete."""

    ids: Ids
    by: Author = ""


class DeletionOrdered(BaseModel):
    """The deletion, the documents that it takes, and those that stay: not there, or part of a container of which another one stays."""

    id: str | None
    decided: list[str]
    left: list[str]


class DeletionStatus(BaseModel):
    """A deletion. While it is ``deleting`` or ``restoring``, the process that reads has not carried it out."""

    id: str
    state: DeletionState
    by: str
    at: str
    documents: int
    names: list[str]
    kept: dict[str, str]
    """Documents that were not deleted, and why."""
    error: str
    """Why they could not be brought back."""


@router.post("/deletions", status_code=202)
def delete_documents(request: Request, wanted: DeletionRequest) -> DeletionOrdered:
    """Delete documents: originals and results go to the trash, from where they come back until it is emptied.

    A document of a stack of which others stay leaves the list and the tables; its pages stay in the file.
    """
    context, by = server_context(request), author(request, wanted.by)
    with context.ledger() as ledger:
        chosen = dict(records_by_identifier(ledger, wanted.ids))
        files = _whole_files(ledger, chosen.values())
        parts = {record.source.name for record in chosen.values() if record.part and _file_of(ledger, record) not in files}
        taken = [key for key, record in chosen.items() if _file_of(ledger, record) in files or record.source.name in parts]
    deletion = request_deletion(context.settings.outbox, sorted(files | parts), by) if taken else None
    left = [key.encode(errors="replace").decode() for key in dict.fromkeys(wanted.ids) if key not in taken]
    return DeletionOrdered(id=deletion.id if deletion else None, decided=taken, left=left)


@router.get("/deletions")
def list_deletions(request: Request) -> list[DeletionStatus]:
    """The latest deletions first, until the trash is emptied."""
    return [_status(item) for item in deletions(server_context(request).settings.outbox)[: -LISTED - 1 : -1]]


@router.post("/deletions/{deletion}/undo", status_code=202, responses={409: {"model": ErrorDetail}})
def undo_deletion(request: Request, deletion: DeletionId) -> DeletionStatus:
    """Bring the documents of a deletion back, to where they were."""
    asked = request_undoing(server_context(request).settings.outbox, deletion)
    if asked is None:
        raise HTTPException(409, "it cannot be undone: it is not complete, is undone already, or the trash was emptied")
    return _status(asked)


def _file_of(ledger: Ledger, record: FileRecord) -> str:
    """The name of the file in which a document lies: its own, that of the stack, or that of the outermost container."""
    name = record.part.file if record.part else record.source.name
    origin = part_of(ledger, name)
    return origin.root if origin else name


def _whole_files(ledger: Ledger, chosen: Iterable[FileRecord]) -> set[str]:
    """Files that are chosen themselves, or of which all documents are."""
    names: dict[str, set[str]] = {}
    for record in chosen:
        names.setdefault(_file_of(ledger, record), set()).add(record.source.name)
    return {
        file
        for file, own in names.items()
        if file in own or own >= {part.source.name for part in ledger.documents_of(file)} != set()
    }


def _status(item: Deletion) -> DeletionStatus:
    def sendable(text: str) -> str:
        return text.encode(errors="replace").decode()

    return DeletionStatus(
        id=item.id,
        state=item.state,
        by=item.by,
        at=item.at,
        documents=len(item.names) - len(set(item.names) & set(item.kept)),
        names=[sendable(name) for name in item.names[:LISTED]],
        kept={sendable(name): sendable(reason) for name, reason in item.kept.items()},
        error=sendable(item.error),
    )
