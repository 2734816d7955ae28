"""Units of work (one page, one template, one recipe) in the ledger: results, attempts, and crashes of the program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from types import MappingProxyType
from typing import Any

from pipeline.ledger.page_mark_records import PageMarkRecords
from pipeline.ledger.page_text_records import PageTextRecords
from pipeline.records import Evidence, Reason, Result, UnitKey
from pipeline.split_records import PageMarks
from pipeline.values.times import utc_timestamp

RETRYABLE_REASONS: tuple[Reason, ...] = ("engine", "timeout")
"""Reasons of failures that a later attempt may not meet."""
_RETRYABLE = f"status = 'failed' AND reason IN ({', '.join(map(repr, RETRYABLE_REASONS))})"


class UnitRecords(PageMarkRecords, PageTextRecords):
    """The tables ``units`` and ``deaths``."""

    def commit(
        self, results: Sequence[Result], marks: Iterable[PageMarks] = (), texts: Mapping[int, str] = MappingProxyType({})
    ) -> None:
        """Commit the results of units in one transaction, with the marks and the words of their pages."""
        with self.transaction():
            self.insert_results(results)
            if results:
                self.insert_page_marks(results[0].key.sha256, marks)
                self.insert_page_texts(results[0].key.sha256, texts)

    def insert_results(self, results: Iterable[Result]) -> None:
        """Write the results of units as part of an open transaction."""
        rows = [
            (
                *(result.key.sha256, result.key.page, result.key.template, result.key.recipe),
                *(result.status, result.reason, result.detail, result.source),
                _stored(result.fields),
                *(result.seconds, utc_timestamp(), result.turned),
                f"[{', '.join(map(_stored, result.others))}]" if result.others else None,
            )
            for result in results
        ]
        self._db.executemany(
            """INSERT INTO units (sha256, page, template, recipe, status, reason, detail, source, fields, seconds, ended_at, turned,
               others) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET status = excluded.status, reason = excluded.reason, detail = excluded.detail,
               source = excluded.source, fields = excluded.fields, seconds = excluded.seconds, ended_at = excluded.ended_at,
               turned = excluded.turned, others = excluded.others, attempts = attempts + 1, stale = 0""",
            rows,
        )

    def answered_pages(self, sha256: str, template: str, recipe: str) -> set[int]:
        """Pages of a document whose unit has a result, other than those that are to be read again."""
        query = "SELECT page FROM units WHERE sha256 = ? AND template = ? AND recipe = ? AND NOT stale"
        return {row[0] for row in self._db.execute(query, [sha256, template, recipe])}

    def results(self, sha256: str, template: str, recipe: str, pages: Sequence[int] | None = None) -> list[Result]:
        """The results of a document's units under one template, by page; those of some ``pages`` only, where these are given."""
        query = """SELECT page, status, reason, detail, source, fields, seconds, turned, others FROM units
                   WHERE sha256 = ?1 AND template = ?2 AND recipe = ?3
                   AND (?4 IS NULL OR page IN (SELECT value FROM json_each(?4))) ORDER BY page"""
        return [
            Result(
                key=UnitKey(sha256, page, template, recipe),
                status=status,
                fields=_restored(json.loads(fields or "{}")),
                reason=reason,
                detail=detail,
                source=source,
                seconds=seconds,
                turned=turned,
                others=tuple(map(_restored, json.loads(others or "[]"))),
            )
            for page, status, reason, detail, source, fields, seconds, turned, others in self._db.execute(
                query, [sha256, template, recipe, None if pages is None else json.dumps(pages)]
            )
        ]

    def sheets(self, sha256: str) -> dict[int, int]:
        """How many documents a page shows, of the pages that show several."""
        query = "SELECT page, max(json_array_length(others)) FROM units WHERE sha256 = ? AND others IS NOT NULL GROUP BY page"
        return {page: 1 + others for page, others in self._db.execute(query, [sha256])}

    def processing_period(self, sha256: str, recipes: Mapping[str, str]) -> tuple[str, str] | None:
        """UTC timestamps at which the reading of a document under these recipes began and ended; None before it began."""
        marks = ",".join("?" * len(recipes))
        query = f"""SELECT min(strftime('%Y-%m-%dT%H:%M:%fZ', julianday(ended_at) - seconds / 86400.0)), max(ended_at)
                    FROM units WHERE sha256 = ? AND recipe IN ({marks})"""  # noqa: S608 - inserted are question marks and a constant
        first, last = self._db.execute(query, [sha256, *recipes.values()]).fetchone()
        return (first, last) if first else None

    def page_rotation(self, sha256: str, page: int) -> int | None:
        """Degrees clockwise by which a page was turned to stand upright; None for a page that was not read."""
        row = self._db.execute(
            "SELECT turned FROM units WHERE sha256 = ? AND page = ? AND status = 'done' ORDER BY ended_at DESC LIMIT 1",
            [sha256, page],
        ).fetchone()
        return row[0] if row else None

    def failure_reason(self, sha256: str) -> tuple[Reason | None, str]:
        """Reason and detail of a document's first failure: opening it, else its first page that failed."""
        row = self._db.execute(
            """SELECT reason, detail FROM documents WHERE sha256 = ?1 AND reason IS NOT NULL UNION ALL
               SELECT * FROM (SELECT reason, detail FROM units WHERE sha256 = ?1 AND reason IS NOT NULL ORDER BY page LIMIT 1)""",
            [sha256],
        ).fetchone()
        return (row[0], row[1]) if row else (None, "")

    # ---- retries ------------------------------------------------------------------------------

    def fewest_attempts(self, sha256: str, recipes: Iterable[str], limit: int) -> int | None:
        """The smallest number of attempts among units with a retryable failure and fewer attempts than ``limit``; None without any."""
        values = list(recipes)
        marks = ",".join("?" * len(values))
        query = f"SELECT min(attempts) FROM units WHERE sha256 = ? AND recipe IN ({marks}) AND {_RETRYABLE} AND attempts < ?"  # noqa: S608 - inserted are question marks and a constant
        attempts: int | None = self._db.execute(query, [sha256, *values, limit]).fetchone()[0]
        return attempts

    def mark_for_retry(self, sha256: str, limit: int) -> None:
        """Mark a document's units with a retryable failure and fewer attempts than ``limit`` to be read again."""
        self._db.execute(f"UPDATE units SET stale = 1 WHERE sha256 = ? AND {_RETRYABLE} AND attempts < ?", [sha256, limit])  # noqa: S608 - inserted are question marks and a constant

    def record_crash(self, keys: Iterable[UnitKey]) -> None:
        """Count one more crash of the program for each of these units, which the engine held at that time."""
        with self.transaction():
            self._db.executemany(
                "INSERT INTO deaths VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                [(key.sha256, key.page, key.template, key.recipe) for key in keys],
            )

    def crash_counts(self) -> dict[UnitKey, int]:
        """Crashes of the program by the unit that the engine held."""
        return {UnitKey(*key): count for *key, count in self._db.execute("SELECT * FROM deaths")}

    def clear_crashes(self, key: UnitKey) -> None:
        """Delete the crashes of a unit, because the engine answered it."""
        self._db.execute(
            "DELETE FROM deaths WHERE (sha256, page, template, recipe) = (?, ?, ?, ?)",
            [key.sha256, key.page, key.template, key.recipe],
        )


_EVIDENCE_PARTS = tuple(part.name for part in dataclass_fields(Evidence))


def _stored(fields: Mapping[str, Evidence]) -> str:
    # ``asdict`` would copy every value, which takes longer than writing it
    parts = {name: {part: getattr(evidence, part) for part in _EVIDENCE_PARTS} for name, evidence in fields.items()}
    return json.dumps(parts, ensure_ascii=False)


def _restored(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Evidence]:
    return {name: _evidence(value) for name, value in fields.items()}


def _evidence(value: Mapping[str, Any]) -> Evidence:
    box, flags, cells = value.get("box"), value.get("flags") or (), value.get("cells") or ()
    return Evidence(**{**value, "box": tuple(box) if box else None, "flags": tuple(flags), "cells": tuple(cells)})
