"""The latest documents by status as the ledger has them, and when any list may look different. People search in ``ledger.list_index``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.ledger.document_states import STATE
from pipeline.ledger.ledger import Ledger

_OF_PART = "(results.part IS NULL OR units.page IN (SELECT value FROM json_each(results.part, '$.pages')))"
_MATCHES = """FROM results LEFT JOIN documents ON documents.sha256 = coalesce(results.published, results.sha256) WHERE NOT is_split
    AND coalesce(results.status, 'waiting') = :status"""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document of a list."""

    name: str
    relative: str
    """Path below the inbox."""
    sha256: str
    status: str
    """``waiting`` before a result is published."""
    reason: str | None
    templates: tuple[str, ...]
    pages: int
    published_at: str | None
    review: tuple[str, ...]
    """Fields that a person should review."""
    corrected: tuple[str, ...]
    """Fields that a person corrected."""
    state: str
    """``new``, ``to_check``, ``approved`` or ``exported``."""


def latest_documents(ledger: Ledger, status: str, limit: int, offset: int) -> list[DocumentRow]:
    """``limit`` documents with a status from ``offset`` on, the latest results first."""
    values = {"status": status, "limit": limit, "offset": offset}
    rows = ledger.rows(
        f"""SELECT name, relative, results.sha256, status, results.reason, recipes, published_at, review, corrected, {STATE} AS state,
            coalesce(json_array_length(results.part, '$.pages'), documents.pages) AS pages {_MATCHES}
            ORDER BY published_at DESC, name LIMIT :limit OFFSET :offset""",
        values,
    )
    return [_document_row(row) for row in rows]


def _document_row(row: Mapping[str, Any]) -> DocumentRow:
    return DocumentRow(
        name=row["name"],
        relative=row["relative"],
        sha256=row["sha256"],
        status=row["status"] or "waiting",
        reason=row["reason"],
        templates=tuple(json.loads(row["recipes"] or "{}")),
        pages=row["pages"] or 0,
        published_at=row["published_at"],
        review=tuple(json.loads(row["review"] or "[]")),
        corrected=tuple(json.loads(row["corrected"] or "[]")),
        state=row["state"],
    )


def first_page_values(ledger: Ledger, name: str) -> dict[str, Any]:
    """Value by field of the first page of a published document, with corrections applied."""
    rows = ledger.rows(
        f"""SELECT units.fields FROM results JOIN units ON units.sha256 = results.published AND {_OF_PART}
           WHERE results.name = ? AND units.recipe IN (SELECT value FROM json_each(results.recipes)) AND units.fields IS NOT NULL
           ORDER BY units.page LIMIT 1""",  # noqa: S608 - inserted is a constant
        [name],
    )
    fields = json.loads(next(iter(rows), {"fields": "{}"})["fields"])
    values = {field: evidence["value"] for field, evidence in fields.items()}
    corrections = ledger.rows(
        """SELECT field, value FROM corrections JOIN results ON corrections.sha256 = results.key
           WHERE results.name = ? AND template IN (SELECT key FROM json_each(results.recipes)) ORDER BY version""",
        [name],
    )
    latest = {row["field"]: row["value"] for row in corrections if row["field"] in values}
    return values | {field: json.loads(value) for field, value in latest.items() if value is not None}


def change_marker(ledger: Ledger) -> str:
    """A text that changes whenever a list or a document may look different."""
    row = next(
        ledger.rows(
            """SELECT (SELECT count(*) || '.' || coalesce(max(published_at), '') FROM results) || '.' ||
               (SELECT count(*) FROM corrections) || '.' || (SELECT count(*) FROM document_states) || '.' ||
               (SELECT count(*) FROM comments) || '.' || (SELECT count(ended_at) || '.' || count(*) FROM orders) AS mark"""
        )
    )
    return str(row["mark"])
