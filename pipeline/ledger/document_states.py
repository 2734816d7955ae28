"""What people decide about whole documents: approved, exported, or to be checked again; and their comments.

All decisions are kept; the latest one of a document holds. Each is written to the journal first, as corrections are, from which
``recovery.replay_journal`` restores it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.ledger.journal import append_entry
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import insert_order
from pipeline.split_records import contents_of
from pipeline.values.times import utc_timestamp

Decision = Literal["to_check", "approved", "exported"]
LATEST = "(SELECT state FROM document_states WHERE document_states.key = results.key ORDER BY version DESC LIMIT 1)"
"""SQL: the latest decision about a row of ``results``; NULL without one."""
STATE = f"CASE WHEN results.published IS NULL THEN 'new' ELSE coalesce({LATEST}, 'to_check') END"
"""SQL: the state of a row of ``results``: ``new`` before it is read, then ``to_check``, ``approved``, ``exported``."""


@dataclass(frozen=True, slots=True)
class DocumentDecision:
    """One decision about a document. ``by`` is empty where the program made it, because its values changed."""

    version: int
    """1 for the first one of a document."""
    state: Decision
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A person's comment on a document."""

    number: int
    """1 for the first one of a document."""
    text: str
    by: str
    at: str


def latest_decision(ledger: Ledger, key: str) -> DocumentDecision | None:
    """The decision that holds. ``key`` is the document's (see ``document_key``)."""
    decisions = decision_history(ledger, key)
    return decisions[-1] if decisions else None


def decision_history(ledger: Ledger, key: str) -> list[DocumentDecision]:
    """All decisions about a document, oldest first."""
    query = "SELECT version, state, by, at FROM document_states WHERE key = ? ORDER BY version"
    return [DocumentDecision(**row) for row in ledger.rows(query, [key])]


def decide(ledger: Ledger, key: str, state: Decision, by: str) -> DocumentDecision:
    """Record a decision, and order the document to be published with it; the one that holds already is not repeated. Raises OutboxError."""
    with ledger.transaction():
        latest = latest_decision(ledger, key)
        if latest and latest.state == state:
            return latest
        decision = insert_decision(ledger, key, state, by)
        insert_order(ledger, "publishing", contents_of(key), {}, by)
        return decision


def insert_decision(ledger: Ledger, key: str, state: Decision, by: str) -> DocumentDecision:
    """Record a decision as part of an open transaction. Raises OutboxError."""
    latest = latest_decision(ledger, key)
    decision = DocumentDecision(latest.version + 1 if latest else 1, state, by, utc_timestamp())
    append_entry(ledger.path.parent, {"state": asdict(decision), "sha256": key})
    restore_decision(ledger, key, decision)
    return decision


def is_settled(ledger: Ledger, key: str) -> DocumentDecision | None:
    """The decision by which a document needs no check any more; None where it does."""
    latest = latest_decision(ledger, key)
    return latest if latest and latest.state != "to_check" else None


def restore_decision(ledger: Ledger, key: str, decision: DocumentDecision) -> int:
    """Write a decision that the ledger lacks, as part of an open transaction. Returns how many it lacked."""
    if any(ledger.rows("SELECT 1 FROM document_states WHERE (key, version) = (?, ?)", [key, decision.version])):
        return 0
    row = [key, decision.version, decision.state, decision.by, decision.at]
    ledger.change("INSERT INTO document_states VALUES (?, ?, ?, ?, ?)", row)
    return 1


def comments_on(ledger: Ledger, key: str) -> list[Comment]:
    """All comments on a document, oldest first."""
    query = "SELECT number, text, by, at FROM comments WHERE key = ? ORDER BY number"
    return [Comment(**row) for row in ledger.rows(query, [key])]


def add_comment(ledger: Ledger, key: str, text: str, by: str) -> Comment:
    """Record a comment. Raises OutboxError."""
    with ledger.transaction():
        earlier = comments_on(ledger, key)
        comment = Comment(earlier[-1].number + 1 if earlier else 1, text, by, utc_timestamp())
        append_entry(ledger.path.parent, {"comment": asdict(comment), "sha256": key})
        restore_comment(ledger, key, comment)
        return comment


def restore_comment(ledger: Ledger, key: str, comment: Comment) -> int:
    """Write a comment that the ledger lacks, as part of an open transaction. Returns how many it lacked."""
    if any(ledger.rows("SELECT 1 FROM comments WHERE (key, number) = (?, ?)", [key, comment.number])):
        return 0
    ledger.change("INSERT INTO comments VALUES (?, ?, ?, ?, ?)", [key, comment.number, comment.text, comment.by, comment.at])
    return 1


def state_counts(ledger: Ledger) -> dict[str, int]:
    """Number of documents by state."""
    rows = ledger.rows(f"SELECT {STATE} AS state, count(*) AS n FROM results WHERE NOT is_split GROUP BY 1")  # noqa: S608 - STATE is a constant of this module
    return {row["state"]: row["n"] for row in rows}


def journal_entry(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of the journal that restores a row of ``document_states`` or ``comments``."""
    kind = "state" if table == "document_states" else "comment"
    return {kind: {column: value for column, value in row.items() if column != "key"}, "sha256": row["key"]}
