"""Lists of documents as the API and the pages show them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any

from pipeline.errors import PipelineError
from pipeline.ledger.document_search import DocumentRow, first_page_values, latest_documents
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.list_query import ListFilter, find_documents
from pipeline.ledger.orders import open_readings
from pipeline.web.context import ServerContext, document_id

PAUSE_SECONDS = 0.05
FOLLOW_SECONDS = 0.5
"""How long a request brings the index up to the ledger; the next one goes on."""

PREVIEW_VALUES, MAX_VALUE_CHARACTERS = 3, 60


def list_latest(ledger: Ledger, status: str, limit: int, offset: int) -> list[dict[str, Any]]:
    """Documents with a status as JSON objects, latest first."""
    return [_json_object(row) for row in latest_documents(ledger, status, limit, offset)]


def find_in_index(
    context: ServerContext, wanted: ListFilter, limit: int, offset: int, sort: str = "", *, descending: bool = False
) -> tuple[int, list[dict[str, Any]], int]:
    """The number of matching documents, a page of them as JSON objects, and how many changes the index is behind the ledger.

    Raises sqlite3.Error, LedgerError.
    """
    with context.ledger() as ledger:
        behind = context.index.follow(ledger, partial(context.values_in_list, ledger), FOLLOW_SECONDS)
        unlocked = {str(order.details["name"]) for order in open_readings(ledger, unlocking=True)}
    with context.index.opened() as db:
        total, rows = find_documents(db, wanted, sort, limit, offset, descending=descending)
    return total, [_from_index(row, unlocked) for row in rows], behind


def follow_ledger(context: ServerContext) -> None:
    """Bring the index up to the ledger. An error leaves it to the requests, which report it."""
    with suppress(sqlite3.Error, PipelineError), context.ledger() as ledger:
        while context.index.follow(ledger, partial(context.values_in_list, ledger), FOLLOW_SECONDS):
            time.sleep(PAUSE_SECONDS)  # requests follow, too


def _from_index(row: Mapping[str, Any], unlocked: Collection[str]) -> dict[str, Any]:
    """A row of the index. One whose password was given waits to be read, and needs none any more."""
    waits = {"status": "waiting", "reason": None, "state": "new"} if row["name"] in unlocked else {}
    shown = (
        "sha256",
        "status",
        "reason",
        "templates",
        "pages",
        "review",
        "corrected",
        "state",
        "vendor",
        "date",
        "number",
        "total",
    )
    return {
        "id": document_id(row["name"]),
        "file": row["name"],
        "path": row["relative"],
        "published": row["published_at"],
        **{key: row[key] for key in (*shown, "currency", "doubtful", "duplicate", "wrapper")},
        **waits,
    }


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
