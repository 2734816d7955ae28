"""Orders of people to the running process: answer a question, read a document in another way, publish a corrected one.

Any process may place one. The process that runs on the outbox checks the open orders once a second and carries them out. Each is written to
the journal first, from which ``recovery.replay_journal`` restores it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

from pipeline.ledger.journal import append_entry
from pipeline.ledger.ledger import Ledger
from pipeline.values.times import utc_timestamp

OrderKind = Literal["question", "reading", "publishing"]
RETENTION_DAYS = 30
"""How long closed readings are kept, and questions about documents without any file."""


@dataclass(frozen=True, slots=True)
class Order:
    """A task from a person for the running process. ``outcome`` is None while it is open."""

    id: int
    kind: OrderKind
    sha256: str
    details: Mapping[str, Any]
    by: str
    at: str
    outcome: Mapping[str, Any] | None = None


def place_order(ledger: Ledger, kind: OrderKind, sha256: str, details: Mapping[str, Any], by: str) -> Order:
    """Place an order about a document. ``details`` is JSON by kind; ``by`` names its author."""
    with ledger.transaction():
        number = insert_order(ledger, kind, sha256, details, by)
        order = find_order(ledger, number)
        assert order is not None  # noqa: S101 - just inserted
        append_entry(ledger.path.parent, {"order": asdict(order)})
    return order


def insert_order(ledger: Ledger, kind: OrderKind, sha256: str, details: Mapping[str, Any], by: str) -> int:
    """Write an order to the ledger without the journal, as part of an open transaction. Returns its number."""
    text = json.dumps(dict(details), ensure_ascii=False)
    return ledger.change(
        "INSERT INTO orders (kind, sha256, details, by, at) VALUES (?, ?, ?, ?, ?)", [kind, sha256, text, by, utc_timestamp()]
    )


def restore_order(ledger: Ledger, entry: Mapping[str, Any]) -> bool:
    """Write an order of the journal with its old number. Returns False where the ledger has it."""
    if find_order(ledger, entry["id"]):
        return False
    details = json.dumps(entry["details"], ensure_ascii=False)
    ledger.change(
        "INSERT INTO orders (id, kind, sha256, details, by, at) VALUES (?, ?, ?, ?, ?, ?)",
        [entry["id"], entry["kind"], entry["sha256"], details, entry["by"], entry["at"]],
    )
    return True


def find_order(ledger: Ledger, number: int) -> Order | None:
    """The order with this number."""
    return next((_order(row) for row in ledger.rows("SELECT * FROM orders WHERE id = ?", [number])), None)


def open_orders(ledger: Ledger, kind: OrderKind | None = None) -> list[Order]:
    """All open orders, or those of one kind, oldest first."""
    query = "SELECT * FROM orders WHERE ended_at IS NULL AND kind = coalesce(?, kind) ORDER BY id"
    return [_order(row) for row in ledger.rows(query, [kind])]


def open_readings(ledger: Ledger, *, unlocking: bool) -> list[Order]:
    """The open orders to read a document again, oldest first: those because a password was given, or all others."""
    return [order for order in open_orders(ledger, "reading") if bool(order.details.get("unlock")) is unlocking]


def orders_for_document(ledger: Ledger, sha256: str, kind: OrderKind) -> list[Order]:
    """All orders of a kind about a document, oldest first."""
    return [
        _order(row) for row in ledger.rows("SELECT * FROM orders WHERE sha256 = ? AND kind = ? ORDER BY id", [sha256, kind])
    ]


def close_order(ledger: Ledger, number: int, outcome: Mapping[str, Any]) -> None:
    """Close an order with its outcome, a JSON object by kind. The first outcome of an order holds."""
    append_entry(ledger.path.parent, {"ended": number, "at": utc_timestamp(), "outcome": dict(outcome)})
    update_outcome(ledger, number, utc_timestamp(), outcome)


def update_outcome(ledger: Ledger, number: int, at: str, outcome: Mapping[str, Any]) -> None:
    """Write the outcome of an open order to the ledger without the journal."""
    text = json.dumps(dict(outcome), ensure_ascii=False)
    ledger.change("UPDATE orders SET ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL", [at, text, number])


def delete_orders(ledger: Ledger, orders: Iterable[Order]) -> None:
    """Delete finished orders whose outcome has no reader."""
    for order in orders:
        ledger.change("DELETE FROM orders WHERE id = ?", [order.id])


def delete_old_orders(ledger: Ledger) -> int:
    """Delete orders that were closed more than RETENTION_DAYS ago. Returns how many.

    Questions stay as long as a file with their document is recorded.
    """
    return ledger.change(
        """DELETE FROM orders WHERE ended_at < ? AND
           (kind <> 'question' OR NOT EXISTS (SELECT 1 FROM files WHERE orders.sha256 IN (files.sha256, files.published)))""",
        [utc_timestamp(-timedelta(days=RETENTION_DAYS))],
    )


def _order(row: Mapping[str, Any]) -> Order:
    outcome = None if row["ended_at"] is None else json.loads(row["outcome"] or "{}")
    return Order(row["id"], row["kind"], row["sha256"], json.loads(row["details"]), row["by"], row["at"], outcome)
