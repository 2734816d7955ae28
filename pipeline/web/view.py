"""A document as the report's script is told of it: plain data, cut to what a person reads, with nothing hidden in its texts."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import CURES
from pipeline.publish.chart_plot import plot_chart
from pipeline.publish.publication import Publication
from pipeline.publish.review_flags import flag_notes, review_reasons
from pipeline.records import Evidence
from pipeline.templates.model import Check, Template
from pipeline.web.originals import State
from pipeline.web.selection import Chosen

MOST_LETTERS = 2_000
"""Of one text; a cell of a table has a quarter."""
MOST_ROWS = 100
MOST_COLUMNS = 30
MOST_ITEMS = 50
"""Of a field that holds a list."""
MOST_REASONS = 12
MOST_PAGES = 200
"""Pages of a document that are listed; those that failed come first."""
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff\ud800-\udfff]")
"""What is not seen, or turns what stands beside it: a document must not show a reviewer another value than it has."""
_CELL = re.compile(r"^ungrounded:(\d{1,6})\.(.+)$")


def visible(text: Any, most: int = MOST_LETTERS) -> str:
    """A text cut to ``most`` letters, with what would not be seen of it spelled out."""
    whole = str(text)
    cut = whole if len(whole) <= most else f"{whole[:most]}… ({len(whole):,} letters in all)"
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", cut.replace("\r\n", "\n"))


def document_told(item: Chosen, templates: Mapping[str, Template], original: State) -> dict[str, Any]:
    """Everything the report shows of a document but its pictures."""
    found, file = item.publication, item.file
    stated, provenance = found.document, found.provenance
    return {
        "name": visible(found.source.name),
        "path": visible(found.source.relative),
        "status": found.status,
        **_problem(found.reason, found.detail.replace(str(found.source.path), found.source.relative)),
        "kind": stated.kind,
        "pages": stated.pages,
        "sha256": stated.sha256,
        "original": original,
        "read": file.published_at or "",
        "engine": visible(provenance.get("engine") or ""),
        "versions": {name: visible(version) for name, version in (provenance.get("versions") or {}).items()},
        "started": provenance.get("started") or "",
        "finished": provenance.get("finished") or "",
        "results": [_result_told(name, fields, found, templates) for name, fields in found.fields.items()],
        "recipes": dict(found.recipes),
        "sheets": _sheets(found.pages()),
    }


def chart_told(fields: Mapping[str, Evidence]) -> str | None:
    """A chart drawn anew from what was read, as a data URI: as a picture it can neither run nor load anything."""
    svg = plot_chart({name: evidence.value for name, evidence in fields.items()})
    return svg and "data:image/svg+xml;base64," + base64.b64encode(svg.encode(errors="replace")).decode()


def _problem(reason: str | None, detail: str) -> dict[str, str]:
    if not reason:
        return {}
    return {
        "reason": reason,
        "detail": visible(detail, 500).rstrip(". "),
        "cure": next((c for r, c in CURES.items() if r == reason), ""),
    }


def _sheets(pages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    listed = sorted(pages, key=lambda page: page["status"] not in ("failed", "skipped"))[:MOST_PAGES]
    return [
        {
            **{name: page[name] for name in ("page", "status", "source", "turned", "seconds")},
            **_problem(page.get("reason"), page.get("detail", "")),
        }
        for page in sorted(listed, key=lambda page: int(page["page"]))
    ]


def _result_told(
    name: str, fields: Mapping[str, Evidence], found: Publication, templates: Mapping[str, Template]
) -> dict[str, Any]:
    template = templates.get(name)
    checks = {check.name: check for check in template.checks} if template else {}
    chart = chart_told(fields) if template and template.reader == "chart" else None
    return {
        "template": name,
        **({"question": visible(found.questions[name])} if name in found.questions else {}),
        **({"chart": chart} if chart else {}),
        "fields": [_field_told(key, evidence, found.accepted_error, checks) for key, evidence in fields.items()],
    }


def _field_told(name: str, evidence: Evidence, accepted_error: float, checks: Mapping[str, Check]) -> dict[str, Any]:
    """Only what there is of it: a thousand documents have twenty thousand fields."""
    why, more = review_reasons(evidence, accepted_error, checks), flag_notes(evidence, checks)
    told = {
        "name": visible(name, 80),
        **_value(evidence),
        "printed": visible(evidence.printed) if evidence.printed not in (None, evidence.value) else "",
        "page": evidence.page,
        "box": [round(side, 1) for side in evidence.box] if evidence.box else None,
        "grounding": evidence.grounding,
        "confidence": evidence.confidence,
        "why": [visible(reason, 300) for reason in why[:MOST_REASONS]] + _left_out(why),
        "notes": [visible(note, 300) for note in more[:MOST_REASONS]] + _left_out(more),
    }
    return {key: value for key, value in told.items() if value not in (None, "", [])}


def _left_out(listed: Sequence[str]) -> list[str]:
    return [f"and {len(listed) - MOST_REASONS:,} more"] if len(listed) > MOST_REASONS else []


def _value(evidence: Evidence) -> dict[str, Any]:
    """``value`` for a text, ``items`` for a list of them, ``table`` for one of objects."""
    value = evidence.value
    if isinstance(value, list) and any(isinstance(row, dict) for row in value):
        return {"table": _table([row for row in value if isinstance(row, dict)], evidence.flags)}
    if isinstance(value, list):
        texts = [str(item) for item in value if item not in (None, "")]
        more = [f"… {len(texts):,} in all"] if len(texts) > MOST_ITEMS else []
        return {"items": [visible(text) for text in texts[:MOST_ITEMS]] + more}
    return {"value": "" if value is None else visible(value)}


def _table(rows: Sequence[Mapping[str, Any]], flags: Sequence[str]) -> dict[str, Any]:
    """Columns, rows of cells, and the cells that were not found on the page as pairs of row and column."""
    columns = list(dict.fromkeys(str(name) for row in rows for name in row))[:MOST_COLUMNS]
    doubted = {(int(match[1]) - 1, match[2]) for flag in flags if (match := _CELL.match(flag))}
    shown = rows[:MOST_ROWS]
    cells = [["" if row.get(name) is None else visible(row[name], MOST_LETTERS // 4) for name in columns] for row in shown]
    marks = [[n, columns.index(name)] for n, name in sorted(doubted) if n < len(shown) and name in columns]
    return {"columns": [visible(name, 80) for name in columns], "rows": cells, "doubted": marks, "of": len(rows)}
