"""All documents in one file."""

from __future__ import annotations

from pathlib import Path as Path_
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import Field, StringConstraints
from starlette.background import BackgroundTask

from pipeline.publish.own_files import OwnFiles
from pipeline.run.export_formats import NullSheetLedger, OutboxExport
from pipeline.settings import STATE_FOLDER
from pipeline.web.api.common import (
    ERROR_RESPONSES,
    StrictModel,
    server_context,
)
from pipeline.web.context import ServerContext, document_name

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
MAX_DOCUMENTS = 10_000
"""Documents of one request."""
EXPORTS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "sqlite": "application/vnd.sqlite3",
    "jsonl": "application/jsonl",
}


@router.get(
    "/exports/documents.{kind}",
    response_class=Response,
    responses={200: {"content": {media: {} for media in EXPORTS.values()}}},
)
def export(request: Request, kind: Literal["xlsx", "sqlite", "jsonl"]) -> Response:
    """All documents in one file: an Excel workbook, an SQLite database, or JSON Lines."""
    return _exported(server_context(request), kind, None)


class ExportRequest(StrictModel):
    """Documents to export, as in lists of documents."""

    kind: Literal["xlsx", "sqlite", "jsonl"]
    ids: Annotated[list[Annotated[str, StringConstraints(max_length=2_000)]], Field(max_length=MAX_DOCUMENTS)]


@router.post("/exports", response_class=Response, responses={200: {"content": {media: {} for media in EXPORTS.values()}}})
def export_some(request: Request, wanted: ExportRequest) -> Response:
    """Some documents in one file; those that are not there, or not read yet, are left out."""
    names = frozenset(name for identifier in wanted.ids if (name := document_name(identifier)) and name.isprintable())
    return _exported(server_context(request), wanted.kind, names)


def _exported(context: ServerContext, kind: str, names: frozenset[str] | None) -> Response:
    scratch = TemporaryDirectory(prefix=".export-", dir=context.settings.outbox / STATE_FOLDER, ignore_cleanup_errors=True)
    try:
        folder = Path_(scratch.name)
        with context.ledger() as ledger:
            templates = context.known_templates(ledger)
            nothing_kept = NullSheetLedger()
            files = OwnFiles(nothing_kept, folder, lambda _: None)
            accepted = context.settings.review.accepted_error
            exporting = OutboxExport([ledger], templates, folder, nothing_kept, files, accepted, folder, names=names)
            path = next(iter(exporting.write(kind)))
    except BaseException:
        scratch.cleanup()
        raise
    return FileResponse(path, media_type=EXPORTS[kind], filename=path.name, background=BackgroundTask(scratch.cleanup))
