"""The index of documents follows the ledger, through kills, and finds what people look for."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.document_states import decide
from pipeline.ledger.forgotten import delete_documents
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.list_index import INDEX_FILE, ListIndex
from pipeline.ledger.list_query import ListFilter, find_documents
from pipeline.records import DocumentInfo, Evidence, Result, Source, UnitKey

FOLLOWING = """
import sys
from pathlib import Path
from pipeline.ledger import list_index
from pipeline.ledger.ledger import Ledger
list_index.BATCH = 20
with Ledger(Path(sys.argv[1])) as ledger:
    list_index.ListIndex(Path(sys.argv[1])).follow(ledger, lambda name: {})
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path) as opened:
        yield opened


def put(ledger: Ledger, name: str, text: str = "", review: tuple[str, ...] = (), **listed: str) -> str:
    """A document of one page as a run leaves it; returns its key."""
    sha256 = name.encode().hex().rjust(64, "0")
    with ledger.transaction():
        ledger.record_document(DocumentInfo(sha256, "pdf", 1))
        ledger.record_file(Source(Path("/inbox") / name, name, name), sha256, 1, 1)
        ledger.insert_results([Result(UnitKey(sha256, 1, "bill", "r"), "done", {"note": Evidence(value=f"value of {name}")})])
        ledger.insert_page_texts(sha256, {1: text})
        ledger.record_publication(name, sha256, {"bill": "r"}, "done", None, review=review, listed=listed)
    return sha256


def found(ledger: Ledger, sort: str = "name", *, descending: bool = False, **wanted: Any) -> list[str]:
    """Names of the documents that the index finds."""
    index = ListIndex(ledger.path.parent)
    assert index.follow(ledger, lambda _: {}) == 0
    with index.opened() as db:
        total, rows = find_documents(db, ListFilter(**wanted), sort, 100, 0, descending=descending)
    assert total == len(rows)
    return [row["name"] for row in rows]


def test_words_are_found_by_their_beginning_without_accents_and_in_scripts_without_blanks(ledger: Ledger) -> None:
    put(ledger, "a.pdf", "Zahlung an Müller Söhne, Betrag 1.400,40")
    put(ledger, "b.pdf", "Betrag der Zahlung")
    put(ledger, "scan 7.pdf", "東京都の請求書です")
    assert found(ledger, text="mull zahl") == ["a.pdf"]
    assert found(ledger, text='"Zahlung an"') == ["a.pdf"]
    assert found(ledger, text="1.400,40") == ["a.pdf"]
    assert found(ledger, text="value of b.pdf") == ["b.pdf"]
    assert found(ledger, text="請求書") == ["scan 7.pdf"]
    assert found(ledger, text="can 7") == ["scan 7.pdf"], "a part of a name, where no word begins so"
    assert found(ledger, text='NEAR( "') == []
    assert found(ledger, text="betrag") == ["a.pdf", "b.pdf"]


def test_amounts_sort_as_numbers_and_what_is_absent_comes_last(ledger: Ledger) -> None:
    for name, total in (("a", "1200.00"), ("b", "90.5"), ("c", ""), ("d", "-3")):
        put(ledger, name, total=total)
    assert found(ledger, "total") == ["d", "b", "a", "c"]
    assert found(ledger, "total", descending=True) == ["a", "b", "d", "c"]


def test_documents_of_one_vendor_and_number_or_one_date_and_total_are_duplicates(ledger: Ledger) -> None:
    put(ledger, "a", vendor="Alder Ltd", number="R-1", date="2025-01-01", total="5.00")
    put(ledger, "b", vendor="ALDER LTD", number="r-1", date="2025-01-02", total="6.00")
    put(ledger, "c", vendor="Birch", number="R-1", date="2025-01-02", total="6.0")
    put(ledger, "d", vendor="Cedar", number="R-2", date="2025-01-02", total="7.00")
    assert found(ledger, marked="duplicate") == ["a", "b", "c"]


def test_the_index_follows_decisions_repeated_readings_and_removals(ledger: Ledger) -> None:
    key = put(ledger, "a", "first words", review=("total",))
    put(ledger, "b")
    assert found(ledger, marked="review") == ["a"]
    decide(ledger, key, "approved", "Anna")
    assert (found(ledger, marked="review"), found(ledger, state="approved")) == ([], ["a"])
    put(ledger, "a", "other words")
    assert (found(ledger, text="first"), found(ledger, text="other")) == ([], ["a"])
    delete_documents(ledger, ["a"], [])
    assert found(ledger) == ["b"]
    (ledger.path.parent / INDEX_FILE).write_bytes(b"no database" * 1000)
    assert found(ledger) == ["b"], "a damaged index is made anew"


def test_a_change_that_is_not_committed_is_not_listed(ledger: Ledger) -> None:
    put(ledger, "a")
    assert found(ledger) == ["a"]

    def change_and_fail() -> None:
        with ledger.transaction():
            ledger.change("UPDATE files SET name = 'b'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert found(ledger) == ["a"]


def test_another_ledger_at_the_same_place_has_an_index_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for file in tmp_path.glob("ledger.sqlite*"):
            file.unlink()
        with Ledger(tmp_path) as ledger:
            put(ledger, name)
            assert found(ledger) == [name]


def test_kills_at_any_instant_leave_an_index_that_catches_up(ledger: Ledger) -> None:
    folder, names = ledger.path.parent, [f"{n:04}" for n in range(600)]
    for name in names:
        put(ledger, name, f"word{name}")
    seen: list[int] = []
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", FOLLOWING, str(folder)])
        until = time.monotonic() + 60
        before = seen[-1] if seen else 0
        while process.poll() is None and _indexed(folder) <= before + 20 and time.monotonic() < until:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen.append(_indexed(folder))
    assert seen == sorted(seen)
    assert 0 < seen[0] < len(names), "the kills must fall into the work"
    assert [row["name"] for row in _all(ledger)] == names
    assert found(ledger, text="word0321") == ["0321"]


def _all(ledger: Ledger) -> list[dict[str, Any]]:
    index = ListIndex(ledger.path.parent)
    index.follow(ledger, lambda _: {})
    with index.opened() as db:
        return find_documents(db, ListFilter(), "name", 1_000, 0)[1]


def _indexed(folder: Path) -> int:
    """How many documents the index has."""
    try:
        with ListIndex(folder).opened() as db:
            return int(db.execute("SELECT count(*) FROM documents").fetchone()[0])
    except sqlite3.Error:
        return 0


def test_the_same_file_twice_is_a_duplicate_also_without_values(ledger: Ledger) -> None:
    sha256 = put(ledger, "a")
    put(ledger, "other")
    with ledger.transaction():
        ledger.record_file(Source(Path("/inbox/mail/a"), "mail/a", "mail/a"), sha256, 1, 1)
        ledger.record_publication("mail/a", sha256, {"bill": "r"}, "done", None, review=(), listed={})
    assert found(ledger, marked="duplicate") == ["a", "mail/a"]


def test_details_that_nothing_proves_are_named_last_and_not_counted(ledger: Ledger) -> None:
    put(ledger, "a", review=("vendor_phone", "total"), urgent="total")
    put(ledger, "b", review=("vendor_phone",), urgent="")
    put(ledger, "older", review=("vendor_phone", "total"))
    assert found(ledger, marked="review") == ["a", "older"]
    with ListIndex(ledger.path.parent).opened() as db:
        rows = {row["name"]: row for row in find_documents(db, ListFilter(), "name", 9, 0)[1]}
    assert (rows["a"]["review"], rows["a"]["doubtful"]) == (["total", "vendor_phone"], 1)
    assert (rows["b"]["doubtful"], rows["older"]["doubtful"]) == (0, 2)
