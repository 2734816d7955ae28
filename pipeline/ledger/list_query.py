"""Questions to the index of documents: which documents match, in which order, page by page."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from pipeline.ledger.list_index import SORTED
from pipeline.ledger.search_terms import match_query

_SAME_NUMBER = (
    "(same_number IN (SELECT same_number FROM documents WHERE same_number IS NOT NULL GROUP BY 1 HAVING count(*) > 1))"
)
_SAME_TOTAL = "(same_total IN (SELECT same_total FROM documents WHERE same_total IS NOT NULL GROUP BY 1 HAVING count(*) > 1))"
_SAME_FILE = "(same_file IN (SELECT same_file FROM documents WHERE same_file IS NOT NULL GROUP BY 1 HAVING count(*) > 1))"
_NAMED = "EXISTS (SELECT 1 FROM json_each(templates) WHERE value = :template)"
_CONDITIONS = {
    "status": "status = :status",
    "state": "state = :state AND NOT (state = 'to_check' AND wrapper)",  # a mail or an archive has nothing to check but its parts
    "sha256": "sha256 = :sha256",
    "template": _NAMED,
    "since": "date >= :since",
    "until": "date <= :until",
    "at_least": "amount >= :at_least",
    "at_most": "amount <= :at_most",
}
_MARKED = {
    "review": "state = 'to_check' AND doubtful > 0",
    "corrected": "corrected <> '[]'",
    "duplicate": f"({_SAME_NUMBER} OR {_SAME_TOTAL} OR {_SAME_FILE})",
}


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which documents to list; an empty value filters nothing."""

    text: str = ""
    """Words of the pages, values and names, as people type them into a search box."""
    status: str = ""
    template: str = ""
    marked: str = ""
    """``review``, ``corrected`` or ``duplicate``."""
    sha256: str = ""
    state: str = ""
    since: str = ""
    """The earliest date of a document, in ISO 8601."""
    until: str = ""
    at_least: float | None = None
    """The smallest total, in any currency."""
    at_most: float | None = None

    def where(self, *, in_names: bool = True) -> tuple[str, dict[str, Any]]:
        """The condition in SQL, empty where nothing is filtered, and the values in it. ``in_names``: the text may be a part of a name."""
        values: dict[str, Any] = {}
        conditions = []
        for name, condition in _CONDITIONS.items():
            if (value := getattr(self, name)) not in ("", None):
                values[name] = value
                conditions.append(condition)
        if self.marked:
            conditions.append(_MARKED[self.marked])
        if self.text.strip():
            query = match_query(self.text)
            if query:
                values["words"] = query
            if in_names or not query:
                values["like"] = (
                    "%" + "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in self.text.strip()) + "%"
                )
            words = "id IN (SELECT rowid FROM words WHERE words MATCH :words)" if query else ""
            name = r"name LIKE :like ESCAPE '\'" if "like" in values else ""
            conditions.append(f"({' OR '.join(filter(None, (words, name)))})")
        return (f"WHERE {' AND '.join(conditions)}" if conditions else ""), values


def find_documents(
    db: sqlite3.Connection, wanted: ListFilter, sort: str, limit: int, offset: int, *, descending: bool = False
) -> tuple[int, list[dict[str, Any]]]:
    """The number of matching documents, and ``limit`` of them from ``offset`` on. An empty ``sort`` gives waiting ones first, then the
    latest results; otherwise documents without a value come last.

    Each has the columns of the index, lists as lists, and ``duplicate``: ``file``, ``number``, ``total`` or empty. Raises sqlite3.Error.
    """
    where, values = wanted.where()
    if "words" in values:  # names are looked through only where no word is found
        query = "SELECT 1 FROM words WHERE words MATCH :words LIMIT 1"
        where, values = wanted.where(in_names=db.execute(query, values).fetchone() is None)
    total = db.execute(f"SELECT count(*) FROM documents {where}", values).fetchone()[0]  # noqa: S608 - inserted are constants
    order = "published_at IS NOT NULL, published_at DESC, name"
    if sort:
        order = f"{SORTED[sort]} DESC, id" if descending else f"{SORTED[sort]} IS NULL, {SORTED[sort]}, id"
    query = f"""SELECT *, EXISTS (SELECT 1 FROM documents AS other WHERE other.same_number = found.same_number AND other.id <> found.id)
            AS is_same_number, EXISTS (SELECT 1 FROM documents AS other WHERE other.same_total = found.same_total AND other.id <> found.id)
            AS is_same_total,
            EXISTS (SELECT 1 FROM documents AS other WHERE other.same_file = found.same_file AND other.id <> found.id) AS is_same_file
        FROM (SELECT * FROM documents {where} ORDER BY {order} LIMIT :limit OFFSET :offset) AS found"""  # noqa: S608 - inserted are constants
    rows = db.execute(query, {**values, "limit": limit, "offset": offset})
    return int(total), list(map(_row, rows))


def _row(row: sqlite3.Row) -> dict[str, Any]:
    found = {key: row[key] for key in row.keys()}  # noqa: SIM118 - a row is no mapping
    kinds = [kind for kind in ("file", "number", "total") if found.pop(f"is_same_{kind}")]
    duplicate = kinds[0] if kinds else ""
    lists = {key: json.loads(found[key] or "[]") for key in ("templates", "review", "corrected")}
    return {**found, **lists, "duplicate": duplicate}
