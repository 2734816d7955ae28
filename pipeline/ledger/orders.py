"""What people say and ask: corrections of values, and orders for the run at work.

Any process may write these; a run that holds the outbox looks at the open orders once a second and carries them out. All of it is
written to the journal first, from which ``mend`` fills a ledger that lacks it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

from pipeline.ledger.journal import note, noted
from pipeline.ledger.ledger import Ledger, now
from pipeline.records import Correction, Json

Kind = Literal["question", "reading", "publishing"]
KEPT_DAYS = 30
"""How long readings that are done are kept, and questions about documents that nobody knows any more."""
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
        if said.version != (before[-1].version if before else 0) + 1:
            raise NewerCorrectionError(before[-1] if before else None)
        note(ledger.path.parent, {"correction": asdict(said), "sha256": sha256})
        restore(ledger, sha256, [said])
        _add(ledger, "publishing", sha256, {}, said.by)


def restore(ledger: Ledger, sha256: str, said: Iterable[Correction]) -> int:
    """Write down corrections that are not there yet, as part of a transaction that is open; how many."""
    count = 0
    for item in said:
        key = [sha256, item.template, item.field, item.version]
        if any(ledger.rows("SELECT 1 FROM corrections WHERE (sha256, template, field, version) = (?, ?, ?, ?)", key)):
            continue
        value = None if item.withdrawn else json.dumps(item.value, ensure_ascii=False)
        before = json.dumps(item.before, ensure_ascii=False)
        ledger.change("INSERT INTO corrections VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*key, value, before, item.by, item.at])
        count += 1
    return count


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
        note(ledger.path.parent, {"order": asdict(found)})
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
    note(ledger.path.parent, {"ended": number, "at": now(), "outcome": dict(outcome)})
    _end(ledger, number, now(), outcome)


def drop_orders(ledger: Ledger, orders: Iterable[Order]) -> None:
    """They are done, and nobody asks what became of them."""
    for item in orders:
        ledger.change("DELETE FROM orders WHERE id = ?", [item.id])


def prune(ledger: Ledger) -> int:
    """Forget orders that nobody will look at again; how many. Conversations stay as long as their document is known."""
    return ledger.change(
        """DELETE FROM orders WHERE ended_at < ? AND
           (kind <> 'question' OR NOT EXISTS (SELECT 1 FROM files WHERE orders.sha256 IN (files.sha256, files.published)))""",
        [now(-timedelta(days=KEPT_DAYS))],
    )


def _end(ledger: Ledger, number: int, at: str, outcome: Mapping[str, Any]) -> None:
    told = json.dumps(dict(outcome), ensure_ascii=False)
    ledger.change("UPDATE orders SET ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL", [at, told, number])


def _order(row: Mapping[str, Any]) -> Order:
    outcome = None if row["ended_at"] is None else json.loads(row["outcome"] or "{}")
    return Order(row["id"], row["kind"], row["sha256"], json.loads(row["details"]), row["by"], row["at"], outcome)


# ---- from the journal -----------------------------------------------------------------------------


def mend(ledger: Ledger, *, conversations: bool) -> int:
    """Write down corrections that the journal has and the ledger lacks, and the orders, too, where asked; how many words.

    Of two corrections with one version, of which the ledger took one alone, the last holds.
    """
    said: dict[tuple[str, str, str, int], Correction] = {}
    orders: dict[int, dict[str, Any]] = {}
    ended: dict[int, dict[str, Any]] = {}
    for word in noted(ledger.path.parent):
        try:
            if "correction" in word:
                item = Correction(**word["correction"])
                said[word["sha256"], item.template, item.field, item.version] = item
            elif "order" in word:
                orders[word["order"]["id"]] = word["order"]
            elif "ended" in word:
                ended.setdefault(word["ended"], word)
        except (KeyError, TypeError):  # not ours, or damaged
            continue
    with ledger.transaction():
        added: dict[str, int] = defaultdict(int)
        for (sha256, *_), item in said.items():
            added[sha256] += restore(ledger, sha256, [item])
        asked = 0
        for number, told in orders.items() if conversations else ():
            asked += _reopen(ledger, told)
            if number in ended:
                _end(ledger, number, ended[number]["at"], ended[number]["outcome"])
        for sha256 in (sha256 for sha256, count in added.items() if count):
            _add(ledger, "publishing", sha256, {}, "")
        return sum(added.values()) + asked


def _reopen(ledger: Ledger, told: Mapping[str, Any]) -> bool:
    """An order as it was when it was given; whether it was not there."""
    if find_order(ledger, told["id"]):
        return False
    details = json.dumps(told["details"], ensure_ascii=False)
    ledger.change(
        "INSERT INTO orders (id, kind, sha256, details, by, at) VALUES (?, ?, ?, ?, ?, ?)",
        [told["id"], told["kind"], told["sha256"], details, told["by"], told["at"]],
    )
    return True
