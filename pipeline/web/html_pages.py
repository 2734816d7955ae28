"""The pages for people, rendered here: the list with progress, a document beside its page, and what stands on it."""

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
from pipeline.errors import CURES, DocumentError
from pipeline.evaluate.expected import is_list
from pipeline.ledger.corrections import corrected_templates
from pipeline.ledger.counts import recorded_templates
from pipeline.ledger.document_search import DocumentFilter
from pipeline.ledger.orders import Order, open_orders, orders_for_document
from pipeline.publish.chart_plot import plot_chart
from pipeline.publish.chart_values import chart_values
from pipeline.publish.publication import Publication
from pipeline.publish.review_flags import flag_notes, flag_text, review_reasons
from pipeline.publish.rows import DOCUMENTS, sheet_names
from pipeline.records import Evidence
from pipeline.templates.model import Template, TemplateField
from pipeline.web.api import Id, document, house, published, state
from pipeline.web.document_list import listed, values_of

ROWS = 50
MOST_FOLLOWING = 1_000
STATIC = {"serve.css": "text/css", "serve.js": "text/javascript"}
_HERE = File(__file__).parent
_SHEETS = {"csv": "text/csv; charset=utf-8"}
router = APIRouter(include_in_schema=False)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    made.filters["told"] = told
    made.filters["coded"] = coded
    return made


def _page(request: Request, name: str, values: Mapping[str, Any]) -> Response:
    text = _environment().get_template(name).render(nonce=request.state.nonce, **values)
    return Response(text.encode(errors="replace"), media_type="text/html; charset=utf-8")


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Style sheet and script."""
    if name not in STATIC:
        raise HTTPException(404, "there is no such file")
    return Response((_HERE / name).read_bytes(), media_type=f"{STATIC[name]}; charset=utf-8")


@router.get("/favicon.ico")
def icon() -> Response:
    """There is none."""
    return Response(status_code=204)


@router.get("/")
def home(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    template: Annotated[str, Query(max_length=63)] = "",
    marked: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Files in, progress, results."""
    owner = house(request)
    wanted = DocumentFilter(q, status, template, marked)
    with owner.ledger() as ledger:
        total, found = listed(ledger, wanted, ROWS, (page - 1) * ROWS)
        used = recorded_templates(ledger)
        spoken = corrected_templates(ledger)
        shown = {item["id"]: values_of(ledger, item) for item in found}
    sheets = [name for key in owner.templates if key in used for name in sheet_names(owner.templates[key])]
    sheets = [name for name in [DOCUMENTS, *sheets] if (owner.settings.outbox / f"{name}.csv").is_file()]
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in _asked(wanted).items() if value)
    return _page(
        request,
        "home.html",
        {
            "state": state(owner),
            "wanted": wanted,
            "total": total,
            "documents": found,
            "shown": shown,
            "page": page,
            "pages": max(1, -(-total // ROWS)),
            "query": query,
            "templates": list(owner.templates),
            "sheets": sheets,
            "used": used,
            "spoken": spoken,
            "megabytes": owner.settings.limits.megabytes,
        },
    )


def _asked(wanted: DocumentFilter) -> dict[str, str]:
    return {"q": wanted.text, "status": wanted.status, "template": wanted.template, "marked": wanted.marked}


@router.get("/sheets/{name}.csv")
def sheet(request: Request, name: str) -> Response:
    """A spreadsheet of the outbox."""
    owner = house(request)
    if name not in {DOCUMENTS, *(sheet for template in owner.templates.values() for sheet in sheet_names(template))}:
        raise HTTPException(404, "there is no such sheet")
    try:
        content = (owner.settings.outbox / f"{name}.csv").read_bytes()
    except OSError as error:
        raise HTTPException(404, "it is not written yet") from error
    return Response(content, media_type=_SHEETS["csv"], headers={"content-disposition": f'attachment; filename="{name}.csv"'})


@router.get("/documents/{id}/result.json")
def result(request: Request, id: Id) -> Response:  # noqa: A002 - the address's own word
    """A document's JSON, to keep."""
    with document(request, id) as (ledger, file):
        content = published(request, ledger, file).as_bytes()
    name = quote(f"{file.source.path.name}.json".encode(errors="replace"), safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(content, media_type="application/json", headers=headers)


@router.get("/documents/{id}")
def one(request: Request, id: Id, page: Annotated[int, Query(ge=1, le=100_000)] = 1) -> Response:  # noqa: A002
    """A document: its fields, its page, the talk about it."""
    owner = house(request)
    with document(request, id) as (ledger, file):
        found = owner.publication(ledger, file)
        templates = owner.known_templates(ledger)
        talk = [_talk(item) for item in orders_for_document(ledger, file.sha256, "question") if item.details["page"] == page]
        to_look_at = listed(ledger, DocumentFilter(marked="review"), MOST_FOLLOWING, 0)[1]
        readings = orders_for_document(ledger, file.sha256, "reading")
        waits = {item.id for item in open_orders(ledger)}
    reason = found.reason if found else None
    return _page(
        request,
        "document.html",
        {
            "id": id,
            "name": file.source.name,
            "status": found.status if found else "waiting",
            "reason": reason,
            "detail": found.detail if found else "",
            "cure": CURES[reason] if reason else "",
            "page": page,
            "pages": found.document.pages if found else 0,
            "results": _results(found, templates) if found else [],
            "engine": (found.provenance["engine"] or "") if found else "",
            "talk": talk,
            "last": talk[-1]["id"] if talk else "",
            "reading": next((item for item in reversed(readings)), None),
            "open": waits,
            "templates": list(owner.templates),
            "engines": ENGINE_NAMES,
            "state": state(owner),
            "following": _following(to_look_at, id),
        },
    )


def _following(documents: Sequence[Mapping[str, Any]], id: str) -> Mapping[str, Any] | None:  # noqa: A002
    """The one behind a document in the list, the first one where it is not in it; None where there is no other."""
    at = next((n for n, item in enumerate(documents) if item["id"] == id), -1)
    found = documents[(at + 1) % len(documents)] if documents else None
    return found if found and found["id"] != id else None


def _talk(item: Order) -> dict[str, Any]:
    return {
        "id": item.id,
        "question": item.details["question"],
        "follows": item.details.get("follows"),
        "outcome": item.outcome,
        "notes": [flag_text(flag, {}) for flag in (item.outcome or {}).get("flags", ())],
    }


def _results(found: Publication, templates: Mapping[str, Template]) -> list[dict[str, Any]]:
    told_ = []
    for template, fields in found.fields.items():
        spec = templates.get(template)
        in_review, checks = found.fields_to_review(template), {check.name: check for check in spec.checks} if spec else {}
        rows = [
            {
                **_row(found, template, name, evidence, spec.fields.get(name) if spec else None),
                "why": review_reasons(evidence, found.accepted_error, checks) if name in in_review else [],
                "notes": flag_notes(evidence, checks),
            }
            for name, evidence in fields.items()
        ]
        told_.append(
            {
                "template": template,
                "question": found.questions.get(template, ""),
                "fields": rows,
                "redrawn": spec is not None and spec.reader == "chart" and _has_chart_values(fields),
            }
        )
    return told_


def _has_chart_values(fields: Mapping[str, Evidence]) -> bool:
    return "data" in fields and bool(chart_values(fields["data"].value))


def _row(found: Publication, template: str, name: str, evidence: Evidence, spec: TemplateField | None) -> dict[str, Any]:
    words = found.corrections.get((template, name), ())
    held = words[-1] if words and not words[-1].withdrawn else None
    return {
        "name": name,
        "value": evidence.value,
        "kind": _kind(spec, evidence.value),
        "columns": list(spec.columns) if spec else [],
        "choices": list(spec.values) if spec else [],
        "page": evidence.page,
        "printed": evidence.printed,
        "confidence": evidence.confidence,
        "version": words[-1].version if words else 0,
        "held": held,
        "words": words,
        "read": found.uncorrected[template][name].value if held and template in found.uncorrected else None,
    }


def _kind(spec: TemplateField | None, value: Any) -> str:
    """How a value is put down: ``one``, ``many`` (a line each), ``texts`` (one a page), ``table``; nothing where it cannot be."""
    if spec is None:
        return ""
    if spec.type == "table":
        return "table"
    if spec.type == "text" and spec.merge == "all" and not spec.many:
        return "texts" if isinstance(value, list) else ""
    return "many" if is_list(spec) else "one"


def told(value: Any) -> str:
    """A value in words."""
    if value is None:
        return "—"
    if isinstance(value, list) and not any(isinstance(item, dict) for item in value):
        return " · ".join(str(item) for item in value if item not in (None, "")) or "—"
    return str(value)


def coded(text: str) -> Markup:
    """A message with what stands between backticks as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(text.split("`"))
    )


@router.get("/documents/{id}/redrawn/{template}.svg")
def chart(request: Request, id: Id, template: str) -> Response:  # noqa: A002
    """A chart as it was read, as a picture."""
    with document(request, id) as (ledger, file):
        fields = published(request, ledger, file).fields.get(template, {})
    svg = plot_chart({name: evidence.value for name, evidence in fields.items()})
    if svg is None:
        raise HTTPException(404, "there is no such chart")
    return Response(svg.encode(errors="replace"), media_type="image/svg+xml")


@router.get("/documents/{id}/pages/{page}")
def sheet_of_paper(request: Request, id: Id, page: Annotated[int, Path(ge=1, le=100_000)]) -> Response:  # noqa: A002
    """A page with a box on every value that stands on it."""
    owner = house(request)
    with document(request, id) as (ledger, file):
        found = owner.publication(ledger, file)
        answers = [item for item in orders_for_document(ledger, file.sha256, "question") if item.details["page"] == page]
        turned = ledger.page_rotation(file.sha256, page)
    try:
        drawn = owner.drawing.draw(file, page, turned)
    except DocumentError as error:
        return _page(
            request, "paper.html", {"id": id, "page": page, "drawn": None, "why": error.detail, "boxes": [], "mark": ""}
        )
    boxes = [*_answers(answers), *(_boxes(found, page) if found else [])]
    values = {"id": id, "page": page, "drawn": drawn, "why": "", "boxes": boxes, "mark": file.sha256[:12]}
    return _page(request, "paper.html", values)


def _boxes(found: Publication, page: int) -> Sequence[Mapping[str, Any]]:
    """The largest first, so that none lies hidden under another."""
    boxes = []
    for template, fields in found.fields.items():
        review = found.fields_to_review(template)
        for name, evidence in fields.items():
            if evidence.page == page and evidence.box:
                x0, y0, x1, y1 = evidence.box
                area = (x1 - x0) * (y1 - y0)
                kind = "look" if name in review else ""
                boxes.append({**_box(f"{template}.{name}", evidence.box, kind, name, told(evidence.value)), "area": area})
    return sorted(boxes, key=lambda box: -box["area"])


def _answers(talk: Sequence[Order]) -> list[Mapping[str, Any]]:
    """Where the answers to questions stand; those before the last one are shown while they are in hand only."""
    answered = [(item, item.outcome) for item in talk if item.outcome and item.outcome.get("box")]
    kinds = [*["answer past"] * (len(answered) - 1), "answer"]
    return [
        _box(f"question.{item.id}", outcome["box"], kind, item.details["question"], told(outcome["answer"]))
        for kind, (item, outcome) in zip(kinds, answered, strict=False)
    ]


def _box(field: str, box: Sequence[float], kind: str, name: str, value: str) -> dict[str, Any]:
    x0, y0, x1, y1 = box
    size = {"x": x0, "y": y0, "w": max(1.0, x1 - x0), "h": max(1.0, y1 - y0)}
    return {"field": field, "kind": kind, "name": name, "value": value[:200], **size}
