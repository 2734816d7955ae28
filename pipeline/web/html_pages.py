"""The pages for people: the list with progress, rendered on the server, and the interface with its documents; downloads; static files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path as File
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request, Response
from jinja2.utils import htmlsafe_json_dumps

from pipeline.engines.registry import ENGINE_NAMES, engine_name
from pipeline.ledger.corrections import corrected_templates
from pipeline.ledger.counts import recorded_templates
from pipeline.ledger.list_query import ListFilter
from pipeline.publish.rows import DOCUMENTS, sheet_names
from pipeline.run.rebuilt_records import recorded_stay
from pipeline.web.accounts.roles import may
from pipeline.web.api.common import Id, open_file_record, require_publication, server_context
from pipeline.web.api.documents import SortColumn
from pipeline.web.api.files import run_status
from pipeline.web.document_list import find_in_index
from pipeline.web.identity import Person
from pipeline.web.interface_files import interface_script, interface_style, list_script
from pipeline.web.page_languages import field_names, marked, script_texts
from pipeline.web.page_rendering import render, request_language, request_words
from pipeline.web.view import document_view

LIST_ROWS = 50
COLUMNS = {
    "name": marked("Document"),
    "vendor": marked("Vendor"),
    "date": marked("Date"),
    "number": marked("Number"),
    "total": marked("Total"),
    "state": marked("State"),
    "doubtful": marked("Doubtful"),
    "pages": marked("Pages"),
}
"""Headings of the list by the column that they sort by."""
_FOLDER = File(__file__).parent
STATIC_FILES: Mapping[str, tuple[str, Callable[[], str]]] = {
    "interface.css": ("text/css", interface_style),
    "interface.js": ("text/javascript", interface_script),
    "list.js": ("text/javascript", list_script),
    "serve.css": ("text/css", partial((_FOLDER / "serve.css").read_text, encoding="utf-8")),
}
"""Media type and content of each by its name."""
router = APIRouter(include_in_schema=False)


# ---- the list of documents --------------------------------------------------------------------------


@router.get("/")
def document_list_page(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    template: Annotated[str, Query(max_length=63)] = "",
    marked: Annotated[str, Query(pattern="^(review|corrected|duplicate|)$")] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    sort: SortColumn = "",
    descending: bool = False,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Uploads, progress and the list of documents."""
    context = server_context(request)
    filters = ListFilter(q, status, template, marked, state=state, since=since, until=until)
    total, documents, behind = find_in_index(context, filters, LIST_ROWS, (page - 1) * LIST_ROWS, sort, descending=descending)
    with context.ledger() as ledger:
        recorded, corrected = recorded_templates(ledger), corrected_templates(ledger)
    sheets = [name for key in context.templates if key in recorded for name in sheet_names(context.templates[key])]
    sheets = [name for name in [DOCUMENTS, *sheets] if (context.settings.outbox / f"{name}.csv").is_file()]
    filtered = {
        "q": q,
        "state": state,
        "status": status,
        "template": template,
        "marked": marked,
        "since": since,
        "until": until,
    }
    order = {"sort": sort, "descending": "true" if descending else ""}
    return render(
        request,
        "home.html",
        {
            "progress": run_status(context),
            "filters": filters,
            "total": total,
            "behind": behind,
            "documents": documents,
            "page": page,
            "pages": max(1, -(-total // LIST_ROWS)),
            "filter_query": _query(filtered),
            "query": _query(filtered | order),
            "sort": sort,
            "descending": descending,
            "columns": COLUMNS,
            "templates": list(context.templates),
            "sheets": sheets,
            "has_results": bool(recorded),
            "corrected_templates": corrected,
            "remote_inbox": context.settings.inbox_url or "",
            "megabytes": context.settings.limits.megabytes,
            "may_change": _may_change(request),
            "trash_days": context.settings.serve.trash_days,
            "data": htmlsafe_json_dumps({"may_change": _may_change(request), **_texts(request)}),
        },
    )


def _query(parameters: Mapping[str, str]) -> str:
    return "&".join(f"{key}={quote(value, safe='')}" for key, value in parameters.items() if value)


# ---- documents in three panes -----------------------------------------------------------------------


@router.get("/documents")
def interface_page(request: Request) -> Response:
    """The queue, with its first document."""
    return _interface(request, {"name": "", "id": "", "view": None, "status": "", "page": 0, "pages": 0})


@router.get("/documents/{id}")
def document_page(request: Request, id: Id) -> Response:  # noqa: A002
    """A document in the interface. Without a script its values and its first page are there."""
    context = server_context(request)
    with open_file_record(request, id) as (ledger, file):
        publication = context.publication(ledger, file)
        known = context.known_templates(ledger)
        view = document_view(publication, known, request_words(request)) if publication else None
    return _interface(
        request,
        {
            "name": file.source.name,
            "id": id,
            "view": view,
            "status": publication.status if publication else "waiting",
            "page": min(file.part.pages.pages) if file.part else 1,
            "pages": publication.document.pages if publication else 0,
        },
    )


def _interface(request: Request, values: Mapping[str, Any]) -> Response:
    served = {
        "templates": list(server_context(request).templates),
        "engines": list(ENGINE_NAMES),
        "looks_up": engine_name(server_context(request).settings) == "embedded",
        "may_change": _may_change(request),
    }
    data = {"served": served, **_texts(request)}
    return render(request, "document.html", {**values, "data": htmlsafe_json_dumps(data)})


def _may_change(request: Request) -> bool:
    person: Person | None = getattr(request.state, "person", None)
    return person is None or may(person.role, "correct")


def _texts(request: Request) -> dict[str, Any]:
    """The language of a page, and what its script says in it."""
    language = request_language(request)
    return {"language": language, "texts": script_texts(language), "names": field_names(language)}


# ---- downloads and static files ---------------------------------------------------------------------


@router.get("/documents/{id}/result.json")
def result_file(request: Request, id: Id) -> Response:  # noqa: A002 - the name in the URL
    """A document's JSON as a download."""
    with open_file_record(request, id) as (ledger, file):
        stay = recorded_stay(server_context(request).settings.outbox, file.source.name)
        content = require_publication(request, ledger, file).as_bytes(stay)
    name = quote(f"{file.source.path.name}.json".encode(errors="replace"), safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(content, media_type="application/json", headers=headers)


@router.get("/documents/{id}/redrawn/{template}.svg")
def chart_image(request: Request, id: Id, template: str) -> Response:  # noqa: A002
    """A chart drawn from the values that were read."""
    with open_file_record(request, id) as (ledger, file):
        templates = server_context(request).known_templates(ledger)
        view = document_view(require_publication(request, ledger, file), templates)
    svg = next((result.chart_svg() for result in view.results if result.template == template), None)
    if svg is None:
        raise HTTPException(404, "there is no such chart")
    return Response(svg.encode(errors="replace"), media_type="image/svg+xml")


@router.get("/sheets/{name}.csv")
def csv_sheet(request: Request, name: str) -> Response:
    """A CSV file of the outbox."""
    context = server_context(request)
    if name not in {DOCUMENTS, *(sheet for template in context.templates.values() for sheet in sheet_names(template))}:
        raise HTTPException(404, "there is no such sheet")
    try:
        content = (context.settings.outbox / f"{name}.csv").read_bytes()
    except OSError as error:
        raise HTTPException(404, "it is not written yet") from error
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/static/{name}")
def static_file(name: str) -> Response:
    """A style sheet or a script."""
    if name not in STATIC_FILES:
        raise HTTPException(404, "there is no such file")
    media_type, content = STATIC_FILES[name]
    return Response(content(), media_type=f"{media_type}; charset=utf-8")


@router.get("/favicon.ico")
def no_icon() -> Response:
    """An empty response: there is no icon."""
    return Response(status_code=204)
