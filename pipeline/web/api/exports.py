"""All documents in one file."""

from __future__ import annotations

from pathlib import Path as Path_
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import Field, StringConstraints
from starlette.background import BackgroundTask

from pipeline.publish.csv_dialect import DIALECTS, STANDARD
from pipeline.publish.overview import overview_csv
from pipeline.publish.own_files import OwnFiles
from pipeline.run.compose import publications
from pipeline.run.export_formats import NullSheetLedger, OutboxExport
from pipeline.settings import STATE_FOLDER
from pipeline.web.api.common import (
    ERROR_RESPONSES,
    StrictModel,
    server_context,
)
from pipeline.web.context import document_name
from pipeline.web.page_rendering import request_language

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
MAX_DOCUMENTS = 10_000
"""Documents of one request."""
EXPORTS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "sqlite": "application/vnd.sqlite3",
    "jsonl": "application/jsonl",
    "csv": "text/csv; charset=utf-8",
}

Kind = Literal["csv", "xlsx", "sqlite", "jsonl"]
COMMA_LANGUAGES = ("de", "es", "fr", "it", "nl", "pl")
"""Languages whose spreadsheets take a semicolon between cells and a comma before decimals."""


@router.get(
    "/exports/documents.{kind}",
    response_class=Response,
    responses={200: {"content": {media: {} for media in EXPORTS.values()}}},
)
def export(request: Request, kind: Kind) -> Response:
    """All documents in one file: a table with one line each, an Excel workbook, an SQLite database, or JSON Lines."""
    return _exported(request, kind, None)


class ExportRequest(StrictModel):
    """Documents to export, as in lists of documents."""

    kind: Kind
    ids: Annotated[list[Annotated[str, StringConstraints(max_length=2_000)]], Field(max_length=MAX_DOCUMENTS)]


@router.post("/exports", response_class=Response, responses={200: {"content": {media: {} for media in EXPORTS.values()}}})
def export_some(request: Request, wanted: ExportRequest) -> Response:
    """Some documents in one file; those that are not there, or not read yet, are left out."""
    names = frozenset(name for identifier in wanted.ids if (name := document_name(identifier)) and name.isprintable())
    return _exported(request, wanted.kind, names)


def _overview(request: Request, names: frozenset[str] | None) -> Response:
    """The table for people: in the form in which a spreadsheet in the language of the page opens it, unless the settings name one."""
    context, chosen = server_context(request), DIALECTS[server_context(request).settings.csv.dialect]
    dialect = DIALECTS["excel-de"] if chosen == STANDARD and request_language(request) in COMMA_LANGUAGES else chosen
    with context.ledger() as ledger:
        templates = context.known_templates(ledger)
        found = publications(ledger, templates, context.settings.review.accepted_error, names)
        content = b"".join(overview_csv(found, templates, dialect))
    headers = {"content-disposition": 'attachment; filename="overview.csv"'}
    return Response(content, media_type=EXPORTS["csv"], headers=headers)


def _exported(request: Request, kind: str, names: frozenset[str] | None) -> Response:
    if kind == "csv":
        return _overview(request, names)
    context = server_context(request)
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
