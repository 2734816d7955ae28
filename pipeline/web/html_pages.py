"""The pages for people, rendered on the server: the list with progress, a document beside its page image, and the boxes on the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path as File
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.engines.registry import ENGINE_NAMES
from pipeline.errors import DocumentError
from pipeline.ledger.contained_records import parts_in
from pipeline.ledger.corrections import corrected_templates
from pipeline.ledger.counts import recorded_templates
from pipeline.ledger.document_search import DocumentFilter
from pipeline.ledger.orders import Order, open_orders, orders_for_document
from pipeline.publish.review_flags import flag_text
from pipeline.publish.rows import DOCUMENTS, sheet_names
from pipeline.run.rebuilt_records import recorded_stay
from pipeline.run.unlocking import is_locked, locked_inside
from pipeline.values.times import format_duration
from pipeline.web.api.common import Id, open_file_record, require_publication, server_context
from pipeline.web.api.files import run_status
from pipeline.web.api.split import file_split, whole_file
from pipeline.web.context import document_id
from pipeline.web.correction_input import input_kind
from pipeline.web.document_list import list_documents, preview_text
from pipeline.web.view import DocumentView, document_view, value_text

LIST_ROWS = 50
LINKS = 20
MAX_TO_REVIEW = 1_000
"""Documents among which the next one to review is looked up."""
STATIC_FILES = {"serve.css": "text/css", "serve.js": "text/javascript"}
_FOLDER = File(__file__).parent
router = APIRouter(include_in_schema=False)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    environment.filters["value_text"] = value_text
    environment.filters["duration"] = format_duration
    environment.filters["code_markup"] = code_markup
    return environment


def _render(request: Request, template: str, values: Mapping[str, Any]) -> Response:
    text = _environment().get_template(template).render(nonce=request.state.nonce, **values)
    return Response(text.encode(errors="replace"), media_type="text/html; charset=utf-8")


def code_markup(text: str) -> Markup:
    """A message as markup: the parts between backticks are code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(text.split("`"))
    )


# ---- the list of documents --------------------------------------------------------------------------


@router.get("/")
def document_list_page(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    template: Annotated[str, Query(max_length=63)] = "",
    marked: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Uploads, progress and results."""
    context = server_context(request)
    filters = DocumentFilter(q, status, template, marked)
    with context.ledger() as ledger:
        total, documents = list_documents(ledger, filters, LIST_ROWS, (page - 1) * LIST_ROWS)
        recorded, corrected = recorded_templates(ledger), corrected_templates(ledger)
        previews = {item["id"]: preview_text(ledger, item) for item in documents}
    sheets = [name for key in context.templates if key in recorded for name in sheet_names(context.templates[key])]
    sheets = [name for name in [DOCUMENTS, *sheets] if (context.settings.outbox / f"{name}.csv").is_file()]
    parameters = {"q": q, "status": status, "template": template, "marked": marked}
    return _render(
        request,
        "home.html",
        {
            "state": run_status(context),
            "filters": filters,
            "total": total,
            "documents": documents,
            "previews": previews,
            "page": page,
            "pages": max(1, -(-total // LIST_ROWS)),
            "query": "&".join(f"{key}={quote(value, safe='')}" for key, value in parameters.items() if value),
            "templates": list(context.templates),
            "sheets": sheets,
            "has_results": bool(recorded),
            "corrected_templates": corrected,
            "megabytes": context.settings.limits.megabytes,
        },
    )


# ---- one document -----------------------------------------------------------------------------------


@router.get("/documents/{id}")
def document_page(request: Request, id: Id, page: Annotated[int | None, Query(ge=1, le=100_000)] = None) -> Response:  # noqa: A002
    """The fields of a document, one of its pages, and the questions about this page."""
    context = server_context(request)
    with open_file_record(request, id) as (ledger, file):
        page = page or (min(file.part.pages.pages) if file.part else 1)
        publication = context.publication(ledger, file)
        view = document_view(publication, context.known_templates(ledger)) if publication else None
        questions = [
            _question(item) for item in orders_for_document(ledger, file.sha256, "question") if item.details["page"] == page
        ]
        to_review = list_documents(ledger, DocumentFilter(marked="review"), MAX_TO_REVIEW, 0)[1]
        whole = ledger.file_by_name(file.part.file) if file.part else file
        locked = whole is not None and is_locked(ledger, whole)
        inside = [] if locked or whole is None else locked_inside(ledger, whole)
        locked_parts = [part.shown for part in parts_in(ledger, file.source.name) if part.reason == "needs_password"]
        rereads = orders_for_document(ledger, file.sha256, "reading")
        split = file_split(ledger, whole_file(ledger, file)) if publication and publication.document.pages > 1 else None
        open_numbers = {item.id for item in open_orders(ledger)}
    return _render(
        request,
        "document.html",
        {
            "id": id,
            "name": file.source.name,
            "view": view,
            "status": publication.status if publication else "waiting",
            "page": page,
            "pages": publication.document.pages if publication else 0,
            "split": split,
            "is_split": file.is_split,
            "is_locked": locked,
            "locked_parts": locked_parts,
            "locked_inside": [(document_id(item.source.name), item.source.name) for item in inside[:LINKS]],
            "doubts": publication.doubts if publication else [],
            "input_kind": input_kind,
            "questions": questions,
            "last_question": questions[-1]["id"] if questions else "",
            "reread": rereads[-1] if rereads else None,
            "open_orders": open_numbers,
            "templates": list(context.templates),
            "engines": ENGINE_NAMES,
            "state": run_status(context),
            "next_document": _next_document(to_review, id),
        },
    )


def _next_document(documents: Sequence[Mapping[str, Any]], id: str) -> Mapping[str, Any] | None:  # noqa: A002
    """The document after this one in the list, or the list's first; None when there is no other."""
    index = next((n for n, item in enumerate(documents) if item["id"] == id), -1)
    following = documents[(index + 1) % len(documents)] if documents else None
    return following if following and following["id"] != id else None


def _question(item: Order) -> dict[str, Any]:
    return {
        "id": item.id,
        "question": item.details["question"],
        "follows": item.details.get("follows"),
        "outcome": item.outcome,
        "notes": [flag_text(flag, {}) for flag in (item.outcome or {}).get("flags", ())],
    }


@router.get("/documents/{id}/pages/{page}")
def page_with_boxes(request: Request, id: Id, page: Annotated[int, Path(ge=1, le=100_000)]) -> Response:  # noqa: A002
    """A page's image with a box around every value that is printed on it."""
    context = server_context(request)
    with open_file_record(request, id) as (ledger, file):
        publication = context.publication(ledger, file)
        view = document_view(publication, context.known_templates(ledger)) if publication else None
        questions = [item for item in orders_for_document(ledger, file.sha256, "question") if item.details["page"] == page]
        rotation = ledger.page_rotation(file.sha256, page)
    values: dict[str, Any] = {"id": id, "page": page, "image": None, "error": "", "boxes": [], "version": file.sha256[:12]}
    try:
        values["image"] = context.page_images.get(file, page, rotation)
    except DocumentError as error:
        values["error"] = error.detail
    else:
        values["boxes"] = [*_answer_boxes(questions), *(_field_boxes(view, page) if view else [])]
    return _render(request, "page_image.html", values)


def _field_boxes(view: DocumentView, page: int) -> list[dict[str, Any]]:
    """Largest first, so that no box is hidden under another."""
    boxes = []
    for result in view.results:
        for field in result.fields:
            evidence = field.evidence
            if evidence.page == page and evidence.box:
                kind = "review" if field.review_reasons else ""
                key = f"{result.template}.{field.name}"
                boxes.append((evidence.box, _box(key, evidence.box, kind, field.name, value_text(evidence.value))))
    boxes.sort(key=lambda pair: -(pair[0][2] - pair[0][0]) * (pair[0][3] - pair[0][1]))
    return [box for _, box in boxes]


def _answer_boxes(questions: Sequence[Order]) -> list[dict[str, Any]]:
    """The boxes of the answers. All but the last one appear only while the person points at their question."""
    answered = [(item, item.outcome) for item in questions if item.outcome and item.outcome.get("box")]
    kinds = [*["answer past"] * (len(answered) - 1), "answer"]
    return [
        _box(f"question.{item.id}", outcome["box"], kind, item.details["question"], value_text(outcome["answer"]))
        for kind, (item, outcome) in zip(kinds, answered, strict=False)
    ]


def _box(field: str, box: Sequence[float], kind: str, name: str, value: str) -> dict[str, Any]:
    x0, y0, x1, y1 = box
    size = {"x": x0, "y": y0, "w": max(1.0, x1 - x0), "h": max(1.0, y1 - y0)}
    return {"field": field, "kind": kind, "name": name, "value": value[:200], **size}


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
    """The style sheet or the script."""
    if name not in STATIC_FILES:
        raise HTTPException(404, "there is no such file")
    return Response((_FOLDER / name).read_bytes(), media_type=f"{STATIC_FILES[name]}; charset=utf-8")


@router.get("/favicon.ico")
def no_icon() -> Response:
    """An empty response: there is no icon."""
    return Response(status_code=204)
