"""What people say and ask: corrections of values, and orders for the run at work.

Any process may write these; a run that holds the outbox looks at the open orders once a second and carries them out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.ledger.ledger import Ledger, now
from pipeline.records import Correction, Json

Kind = Literal["question", "reading", "publishing"]
_CORRECTIONS = "SELECT template, field, version, value, before, by, at FROM corrections WHERE sha256 = ?"


class NewerCorrectionError(Exception):
    """Somebody corrected the field since: ``latest`` is what they said."""

    def __init__(self, latest: Correction | None) -> None:
        super().__init__("somebody corrected this field since")
        self.latest = latest


@dataclass(frozen=True, slots=True)
class Order:
    """Something that somebody waits for. ``outcome`` is None while it is open."""

    id: int
    kind: Kind
    sha256: str
    details: Mapping[str, Any]
    by: str
    at: str
    outcome: Mapping[str, Any] | None = None


# ---- corrections ----------------------------------------------------------------------------------


def history(ledger: Ledger, sha256: str) -> dict[tuple[str, str], list[Correction]]:
    """All that people said about a document's fields, by template and field, the first one first."""
    found: dict[tuple[str, str], list[Correction]] = defaultdict(list)
    for row in ledger.rows(f"{_CORRECTIONS} ORDER BY template, field, version", [sha256]):
        found[row["template"], row["field"]].append(_correction(row))
    return dict(found)


def correct(ledger: Ledger, sha256: str, said: Correction) -> None:
    """Keep a correction and ask for the document to be published again.

    Its ``version`` is the one after that which its author saw. Raises NewerCorrectionError when there is another one since.
    """
    with ledger.transaction():
        before = history(ledger, sha256).get((said.template, said.field), [])
        if said.version != len(before) + 1:
            raise NewerCorrectionError(before[-1] if before else None)
        restore(ledger, sha256, [said])
        _add(ledger, "publishing", sha256, {}, said.by)


def restore(ledger: Ledger, sha256: str, said: Iterable[Correction]) -> None:
    """Write corrections down, as part of a transaction that is open."""
    for item in said:
        value = None if item.withdrawn else json.dumps(item.value, ensure_ascii=False)
        before = json.dumps(item.before, ensure_ascii=False)
        ledger.change(
            "INSERT INTO corrections VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [sha256, item.template, item.field, item.version, value, before, item.by, item.at],
        )


def _correction(row: Mapping[str, Any]) -> Correction:
    withdrawn = row["value"] is None
    value: Json = None if withdrawn else json.loads(row["value"])
    return Correction(
        row["template"], row["field"], row["version"], value, withdrawn, json.loads(row["before"]), row["by"], row["at"]
    )


# ---- orders ---------------------------------------------------------------------------------------


def order(ledger: Ledger, kind: Kind, sha256: str, details: Mapping[str, Any], by: str) -> Order:
    """Ask the run at work for something."""
    with ledger.transaction():
        number = _add(ledger, kind, sha256, details, by)
    found = find_order(ledger, number)
    assert found is not None  # noqa: S101 - just added
    return found


def _add(ledger: Ledger, kind: Kind, sha256: str, details: Mapping[str, Any], by: str) -> int:
    told = json.dumps(dict(details), ensure_ascii=False)
    return ledger.change(
        "INSERT INTO orders (kind, sha256, details, by, at) VALUES (?, ?, ?, ?, ?)", [kind, sha256, told, by, now()]
    )


def find_order(ledger: Ledger, number: int) -> Order | None:
    """One order by its number."""
    return next((_order(row) for row in ledger.rows("SELECT * FROM orders WHERE id = ?", [number])), None)


def open_orders(ledger: Ledger, kind: Kind | None = None) -> list[Order]:
    """What is still to be done, the oldest first."""
    query = "SELECT * FROM orders WHERE ended_at IS NULL AND kind = coalesce(?, kind) ORDER BY id"
    return [_order(row) for row in ledger.rows(query, [kind])]


def orders_about(ledger: Ledger, sha256: str, kind: Kind) -> list[Order]:
    """All orders of a kind about a document, the oldest first."""
    return [
        _order(row) for row in ledger.rows("SELECT * FROM orders WHERE sha256 = ? AND kind = ? ORDER BY id", [sha256, kind])
    ]


def end_order(ledger: Ledger, number: int, outcome: Mapping[str, Any]) -> None:
    """It is done, or never will be; the first word holds."""
    told = json.dumps(dict(outcome), ensure_ascii=False)
    ledger.change("UPDATE orders SET ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL", [now(), told, number])


def _order(row: Mapping[str, Any]) -> Order:
    outcome = None if row["ended_at"] is None else json.loads(row["outcome"] or "{}")
    return Order(row["id"], row["kind"], row["sha256"], json.loads(row["details"]), row["by"], row["at"], outcome)
