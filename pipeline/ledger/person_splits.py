"""People's decisions about which documents a file holds. Any process may record one; the run on the outbox publishes it."""

from __future__ import annotations

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import insert_order
from pipeline.split_records import Split

DECIDE = "decide"
"""In the details of a publishing order: whether the program finds out anew how the file is split."""


def place_split(ledger: Ledger, sha256: str, split: Split | None, by: str) -> None:
    """Record how a person splits files with these contents, and order them to be published again. Nothing is read again.

    With None the program decides, from what it has read. Raises OutboxError.
    """
    with ledger.transaction():
        ledger.record_person_split(sha256, split, by)
        insert_order(ledger, "publishing", sha256, {} if split else {DECIDE: True}, by)
