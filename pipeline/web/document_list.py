"""Lists of documents as the API and the pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from pipeline.ledger.document_search import DocumentFilter, DocumentRow, first_page_values, search_documents
from pipeline.ledger.ledger import Ledger
from pipeline.web.context import document_id

PREVIEW_VALUES, MAX_VALUE_CHARACTERS = 3, 60


def list_documents(ledger: Ledger, query: DocumentFilter, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """The number of matching documents, and a page of them as JSON objects, latest first."""
    total, rows = search_documents(ledger, query, limit, offset)
    return total, [_json_object(row) for row in rows]


def _json_object(row: DocumentRow) -> dict[str, Any]:
    return {
        "id": document_id(row.name),
        "file": row.name,
        "path": row.relative,
        "sha256": row.sha256,
        "status": row.status,
        "reason": row.reason,
        "templates": list(row.templates),
        "pages": row.pages,
        "published": row.published_at,
        "review": list(row.review),
        "corrected": list(row.corrected),
        "state": row.state,
    }


def preview_text(ledger: Ledger, item: Mapping[str, Any]) -> str:
    """The first values of a listed document, in one line."""
    values = first_page_values(ledger, item["file"]).values()
    texts = (" ".join(value.split())[:MAX_VALUE_CHARACTERS] for value in values if isinstance(value, str) and value.strip())
    return " · ".join(islice(texts, PREVIEW_VALUES))
