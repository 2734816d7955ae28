"""Lists of documents: filtered, searched in names and values, paged; one query of the ledger, nothing composed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipeline.ledger.ledger import Ledger
from pipeline.web.context import identifier

SHOWN_VALUES, LONGEST_VALUE = 3, 60
_HERE = r"""FROM files LEFT JOIN documents ON documents.sha256 = coalesce(files.published, files.sha256) WHERE
    (:status = '' OR coalesce(files.status, 'waiting') = :status)
    AND (:sha256 = '' OR files.sha256 = :sha256)
    AND (:template = '' OR EXISTS (SELECT 1 FROM json_each(files.recipes) WHERE key = :template))
    AND (:marked <> 'review' OR json_array_length(coalesce(files.review, '[]')) > 0)
    AND (:marked <> 'corrected' OR json_array_length(coalesce(files.corrected, '[]')) > 0)
    AND (:text = '' OR files.name LIKE :like ESCAPE '\' OR EXISTS (
        SELECT 1 FROM units, json_each(units.fields) AS field
        WHERE units.sha256 = files.published AND units.fields LIKE :like ESCAPE '\'
        AND units.recipe IN (SELECT value FROM json_each(files.recipes))
        AND json_extract(field.value, '$.value') LIKE :like ESCAPE '\'
    ) OR EXISTS (
        SELECT 1 FROM corrections WHERE corrections.sha256 = files.published AND corrections.value LIKE :like ESCAPE '\'
    ))"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents. ``marked`` is ``review`` (a value is to be looked at), ``corrected`` or nothing."""

    text: str = ""
    status: str = ""
    template: str = ""
    marked: str = ""
    sha256: str = ""


def listed(ledger: Ledger, wanted: Wanted, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """How many documents there are, and a page of them, the latest first."""
    like = "%" + "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in wanted.text) + "%"
    values = {
        "text": wanted.text,
        "like": like,
        "status": wanted.status,
        "template": wanted.template,
        "marked": wanted.marked,
        "sha256": wanted.sha256,
        "limit": limit,
        "offset": offset,
    }
    total = next(ledger.rows(f"SELECT count(*) AS n {_HERE}", values))["n"]
    rows = ledger.rows(
        f"""SELECT name, relative, files.sha256, status, files.reason, recipes, published_at, review, corrected,
            documents.pages {_HERE} ORDER BY published_at IS NOT NULL, published_at DESC, name LIMIT :limit OFFSET :offset""",
        values,
    )
    return total, [_told(row) for row in rows]


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": identifier(row["name"]),
        "file": row["name"],
        "path": row["relative"],
        "sha256": row["sha256"],
        "status": row["status"] or "waiting",
        "reason": row["reason"],
        "templates": list(json.loads(row["recipes"] or "{}")),
        "pages": row["pages"] or 0,
        "published": row["published_at"],
        "review": json.loads(row["review"] or "[]"),
        "corrected": json.loads(row["corrected"] or "[]"),
    }


def values_of(ledger: Ledger, item: Mapping[str, Any]) -> str:
    """The first values of a listed document in one line, to tell it by."""
    rows = ledger.rows(
        """SELECT units.fields FROM files JOIN units ON units.sha256 = files.published
           WHERE files.name = ? AND units.recipe IN (SELECT value FROM json_each(files.recipes)) AND units.fields IS NOT NULL
           ORDER BY units.page LIMIT 1""",
        [item["file"]],
    )
    fields = json.loads(next(iter(rows), {"fields": "{}"})["fields"])
    values = {name: field["value"] for name, field in fields.items()}
    said = ledger.rows(
        """SELECT field, value FROM corrections JOIN files ON files.published = corrections.sha256
           WHERE files.name = ? AND template IN (SELECT key FROM json_each(files.recipes)) ORDER BY version""",
        [item["file"]],
    )
    words = {row["field"]: row["value"] for row in said if row["field"] in values}
    values |= {name: json.loads(value) for name, value in words.items() if value is not None}
    plain = (" ".join(value.split())[:LONGEST_VALUE] for value in values.values() if isinstance(value, str) and value.strip())
    return " · ".join(islice(plain, SHOWN_VALUES))


def marker(ledger: Ledger) -> str:
    """Changes whenever a list or a document may look different."""
    row = next(
        ledger.rows(
            """SELECT (SELECT count(*) || '.' || coalesce(max(published_at), '') FROM files) || '.' ||
               (SELECT count(*) FROM corrections) || '.' || (SELECT count(ended_at) || '.' || count(*) FROM orders) AS mark"""
        )
    )
    return str(row["mark"])
