"""Corrections of values by people. All of them are kept; the latest one of a field holds.

Any process may record one. Each is written to the journal first, from which ``recovery.replay_journal`` restores it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pipeline.ledger.journal import append_entry
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import insert_order
from pipeline.records import Correction, Json
from pipeline.split_records import contents_of


class NewerCorrectionError(Exception):
    """Another person corrected the field in the meantime; ``latest`` is that correction."""

    def __init__(self, latest: Correction | None) -> None:
        super().__init__("somebody corrected this field since")
        self.latest = latest


def correction_history(ledger: Ledger, key: str) -> dict[tuple[str, str], list[Correction]]:
    """All corrections of a document by template and field, oldest first. ``key`` is the document's (see ``document_key``)."""
    query = """SELECT template, field, version, value, before, by, at FROM corrections WHERE sha256 = ?
               ORDER BY template, field, version"""
    history: dict[tuple[str, str], list[Correction]] = defaultdict(list)
    for row in ledger.rows(query, [key]):
        history[row["template"], row["field"]].append(_correction(row))
    return dict(history)


def corrected_templates(ledger: Ledger) -> list[str]:
    """Templates of whose fields at least one was corrected, by name."""
    return [row["template"] for row in ledger.rows("SELECT DISTINCT template FROM corrections ORDER BY template")]


def record_correction(ledger: Ledger, key: str, correction: Correction) -> None:
    """Record a correction and order the document to be published again.

    Its ``version`` is the version that its author saw, plus one. Raises NewerCorrectionError when a later version exists.
    """
    with ledger.transaction():
        earlier = correction_history(ledger, key).get((correction.template, correction.field), [])
        if correction.version != (earlier[-1].version if earlier else 0) + 1:
            raise NewerCorrectionError(earlier[-1] if earlier else None)
        append_entry(ledger.path.parent, {"correction": asdict(correction), "sha256": key})
        restore_corrections(ledger, key, [correction])
        insert_order(ledger, "publishing", contents_of(key), {}, correction.by)


def restore_corrections(ledger: Ledger, key: str, corrections: Iterable[Correction]) -> int:
    """Write corrections that the ledger lacks, as part of an open transaction. Returns how many it lacked."""
    count = 0
    for correction in corrections:
        place = [key, correction.template, correction.field, correction.version]
        if any(ledger.rows("SELECT 1 FROM corrections WHERE (sha256, template, field, version) = (?, ?, ?, ?)", place)):
            continue
        value = None if correction.withdrawn else json.dumps(correction.value, ensure_ascii=False)
        before = json.dumps(correction.before, ensure_ascii=False)
        ledger.change(
            "INSERT INTO corrections VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*place, value, before, correction.by, correction.at]
        )
        count += 1
    return count


def _correction(row: Mapping[str, Any]) -> Correction:
    withdrawn = row["value"] is None
    value: Json = None if withdrawn else json.loads(row["value"])
    return Correction(
        row["template"], row["field"], row["version"], value, withdrawn, json.loads(row["before"]), row["by"], row["at"]
    )
