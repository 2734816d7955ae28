"""The data of the interface: a document's view as plain JSON, cut to what a person reads, with invisible characters spelled out."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.publish.review_words import ReviewWords
from pipeline.records import Evidence
from pipeline.web.originals import OriginalState
from pipeline.web.view import DocumentView, FieldView, ResultView, cure, value_text

MAX_CHARACTERS = 2_000
"""Of one text; a cell of a table has a quarter."""
MAX_ROWS = 100
MAX_COLUMNS = 30
MAX_ITEMS = 50
"""Of a list field."""
MAX_REASONS = 12
MAX_PAGES = 200
"""Pages of a document that are listed; failed pages come first."""
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff\ud800-\udfff]")
"""Characters without a shape, and those that change the direction of the text around them: a document must not show a reviewer another
value than it has."""
_UNGROUNDED_CELL = re.compile(r"^ungrounded:(\d{1,6})\.(.+)$")


def visible_text(text: Any, max_characters: int = MAX_CHARACTERS) -> str:
    """A text cut to ``max_characters``, with its invisible characters as ``⟨U+202E⟩``."""
    whole = text if isinstance(text, str) else value_text(text)
    cut = whole if len(whole) <= max_characters else f"{whole[:max_characters]}… ({len(whole):,} letters in all)"
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", cut.replace("\r\n", "\n"))


MoreOfField = Callable[[ResultView, FieldView], Mapping[str, Any]]
"""What else is to be known about a field."""


def document_data(
    view: DocumentView, published_at: str | None, original: OriginalState, more: MoreOfField | None = None
) -> dict[str, Any]:
    """Everything that the interface shows of a document except its page images. ``more`` adds to the data of each field."""
    publication, document, provenance = view.publication, view.publication.document, view.publication.provenance
    return {
        "name": visible_text(publication.source.name),
        "path": visible_text(publication.source.relative),
        "status": publication.status,
        **_failure(publication.reason, view.detail, publication.source.name, view.words),
        "kind": document.kind,
        "pages": document.pages,
        "sha256": document.sha256,
        "original": original,
        "published": published_at or "",
        "engine": visible_text(view.engine),
        "versions": {name: visible_text(version) for name, version in (provenance.get("versions") or {}).items()},
        "started": provenance.get("started") or "",
        "finished": provenance.get("finished") or "",
        "results": [_result_data(result, more, view.words) for result in view.results],
        "recipes": dict(publication.recipes),
        "page_list": _page_list(publication.pages(), publication.source.name, view.words),
    }


def _failure(reason: str | None, detail: str, name: str, words: ReviewWords) -> dict[str, str]:
    if not reason:
        return {}
    shown = words.detail(visible_text(detail, 500).rstrip(". "))
    return {"reason": reason, "detail": shown, "cure": cure(reason, name, words)}


def _page_list(pages: Sequence[Mapping[str, Any]], name: str, words: ReviewWords) -> list[dict[str, Any]]:
    most_urgent = sorted(pages, key=lambda page: page["status"] not in ("failed", "skipped"))[:MAX_PAGES]
    return [
        {
            **{key: page[key] for key in ("page", "status", "source", "turned", "seconds")},
            **_failure(page.get("reason"), page.get("detail", ""), name, words),
        }
        for page in sorted(most_urgent, key=lambda page: int(page["page"]))
    ]


def _result_data(result: ResultView, more: MoreOfField | None, words: ReviewWords) -> dict[str, Any]:
    svg = result.chart_svg() if more is None else None  # a server draws it when it is shown
    return {
        "template": result.template,
        **({"question": visible_text(result.question)} if result.question else {}),
        **({"chart": _data_uri(svg)} if svg else {}),
        **({"has_chart": True} if more and result.has_chart else {}),
        "fields": [{**_field_data(field, words), **(more(result, field) if more else {})} for field in result.fields],
    }


def _data_uri(svg: str) -> str:
    """A drawing as an image, which can neither run nor load anything."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode(errors="replace")).decode()


def _field_data(field: FieldView, words: ReviewWords) -> dict[str, Any]:
    """A field without its empty keys: a thousand documents have twenty thousand fields."""
    evidence = field.evidence
    data = {
        "name": visible_text(field.name, 80),
        **_value_data(evidence),
        "printed": visible_text(evidence.printed) if evidence.printed not in (None, evidence.value) else "",
        "page": evidence.page,
        "box": [round(side, 1) for side in evidence.box] if evidence.box else None,
        "grounding": evidence.grounding,
        "confidence": evidence.confidence,
        "confidence_percent": field.confidence_percent,
        "reasons": _first_texts(field.review_reasons, words),
        "minor": (bool(field.review_reasons) and not field.is_urgent) or None,
        "notes": _first_texts(field.notes, words),
    }
    return {key: value for key, value in data.items() if value not in (None, "", [])}


def _first_texts(texts: Sequence[str], words: ReviewWords) -> list[str]:
    rest = [words.say("and %(count)s more", count=len(texts) - MAX_REASONS)] if len(texts) > MAX_REASONS else []
    return [visible_text(text, 300) for text in texts[:MAX_REASONS]] + rest


def _value_data(evidence: Evidence) -> dict[str, Any]:
    """``value`` for a text, ``items`` for a list of texts, ``table`` for a list of objects."""
    value = evidence.value
    if isinstance(value, list) and any(isinstance(row, dict) for row in value):
        return {"table": _table([row for row in value if isinstance(row, dict)], evidence.flags)}
    if isinstance(value, list):
        texts = [value_text(item) for item in value if item not in (None, "")]
        rest = [f"… {len(texts):,} in all"] if len(texts) > MAX_ITEMS else []
        return {"items": [visible_text(text) for text in texts[:MAX_ITEMS]] + rest}
    return {"value": "" if value is None else visible_text(value)}


def _table(rows: Sequence[Mapping[str, Any]], flags: Sequence[str]) -> dict[str, Any]:
    """``columns``, ``rows`` of cells, ``ungrounded`` cells as pairs of row and column from 0, and the number of all rows."""
    columns = list(dict.fromkeys(str(name) for row in rows for name in row))[:MAX_COLUMNS]
    ungrounded = {(int(match[1]) - 1, match[2]) for flag in flags if (match := _UNGROUNDED_CELL.match(flag))}
    first = rows[:MAX_ROWS]
    cells = [
        ["" if row.get(name) is None else visible_text(row[name], MAX_CHARACTERS // 4) for name in columns] for row in first
    ]
    marks = [[n, columns.index(name)] for n, name in sorted(ungrounded) if n < len(first) and name in columns]
    return {"columns": [visible_text(name, 80) for name in columns], "rows": cells, "ungrounded": marks, "row_count": len(rows)}
