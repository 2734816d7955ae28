"""Decisions about documents and comments on them: kept, restored from the journal, and taken along when a document is forgotten."""

from __future__ import annotations

from pathlib import Path

from pipeline.ledger.document_states import (
    add_comment,
    comments_on,
    decide,
    decision_history,
    is_settled,
    state_counts,
)
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.recovery import replay_journal


def test_decisions_are_kept_and_the_latest_holds(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        for state in ("approved", "approved", "exported", "to_check"):
            decide(ledger, "a" * 64, state, "Anna")
        history = decision_history(ledger, "a" * 64)
        assert [(item.version, item.state, item.by) for item in history] == [
            (1, "approved", "Anna"),
            (2, "exported", "Anna"),
            (3, "to_check", "Anna"),
        ]
        assert is_settled(ledger, "a" * 64) is None
        assert state_counts(ledger) == {}


def test_a_rebuilt_ledger_has_decisions_and_comments_again(tmp_path: Path) -> None:
    key = f"{'b' * 64}#3"
    with Ledger(tmp_path) as ledger:
        decide(ledger, key, "approved", "Anna")
        add_comment(ledger, key, "Paid in March.", "Ben")
        add_comment(ledger, key, "Asked again.", "Anna")
    for path in tmp_path.glob("ledger*"):
        path.unlink()
    with Ledger(tmp_path) as ledger:
        assert decision_history(ledger, key) == []
        replay_journal(ledger, with_orders=False)
        settled = is_settled(ledger, key)
        assert settled
        assert (settled.state, settled.by) == ("approved", "Anna")
        assert [comment.text for comment in comments_on(ledger, key)] == ["Paid in March.", "Asked again."]
        assert replay_journal(ledger, with_orders=False) == 0, "nothing is restored twice"
