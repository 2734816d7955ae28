"""What is done with many documents at once: have them read again, download their originals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path as Path_
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field, StringConstraints
from starlette.background import BackgroundTask

from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.settings import STATE_FOLDER
from pipeline.web.api.common import ERROR_RESPONSES, StrictModel, author, server_context
from pipeline.web.api.orders import RereadRequest, order_reading
from pipeline.web.context import document_name
from pipeline.web.originals_zip import TooLargeError, write_originals
from pipeline.web.selection import SelectedDocument

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
MAX_DOCUMENTS = 1_000
"""Documents of one request."""
Ids = Annotated[list[Annotated[str, StringConstraints(max_length=2_000)]], Field(max_length=MAX_DOCUMENTS)]


class ReadingsRequest(RereadRequest):
    """Documents to read again."""

    ids: Ids


class ReadingsOrdered(BaseModel):
    """The numbers of the orders, and the documents that are not there."""

    orders: list[int]
    left: list[str]


class OriginalsRequest(StrictModel):
    """Documents whose original files are wanted."""

    ids: Ids


@router.post("/readings", status_code=202)
def reread_many(request: Request, wanted: ReadingsRequest) -> ReadingsOrdered:
    """Have documents read again, with another template or engine; each is an order of its own."""
    context, by = server_context(request), author(request, wanted.by)
    with context.ledger() as ledger:
        found = dict(records_by_identifier(ledger, wanted.ids))
        orders = [order_reading(context, ledger, file, wanted, by).id for file in found.values()]
    left = [identifier.encode(errors="replace").decode() for identifier in wanted.ids if identifier not in found]
    return ReadingsOrdered(orders=orders, left=left)


@router.post("/originals", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
def originals(request: Request, wanted: OriginalsRequest) -> Response:
    """The original files of documents in one zip file, in the folders of the inbox; `missing.txt` names those that are gone."""
    context = server_context(request)
    scratch = TemporaryDirectory(prefix=".export-", dir=context.settings.outbox / STATE_FOLDER, ignore_cleanup_errors=True)
    path = Path_(scratch.name) / "originals.zip"
    try:
        with context.ledger() as ledger:
            chosen = [
                SelectedDocument(file, publication)
                for _, file in records_by_identifier(ledger, wanted.ids)
                if (publication := context.publication(ledger, file))
            ]
            if not chosen:
                raise HTTPException(404, "none of these documents is there")
            write_originals(path, context.settings, ledger, chosen)
    except BaseException as error:
        scratch.cleanup()
        if isinstance(error, TooLargeError):
            raise HTTPException(413, str(error)) from error
        raise
    return FileResponse(path, media_type="application/zip", filename=path.name, background=BackgroundTask(scratch.cleanup))


def records_by_identifier(ledger: Ledger, identifiers: Iterable[str]) -> Iterator[tuple[str, FileRecord]]:
    """The documents that are there, each once, by identifier."""
    for identifier in dict.fromkeys(identifiers):
        name = document_name(identifier)
        file = ledger.file_by_name(name) if name and name.isprintable() else None
        if file:
            yield identifier, file
