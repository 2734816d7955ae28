"""A damaged ledger: noticed, put aside, made anew from the outbox; nothing is read again."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.corrections import correction_history, record_correction
from pipeline.ledger.journal import JOURNAL_FILE
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import close_order, delete_old_orders, find_order, open_orders, orders_for_document, place_order
from pipeline.records import Correction
from tests.drawing import blank_pdf, encrypted_pdf, invoice, invoice_pdf, text_pdf
from tests.run.conftest import EchoEngine, World


def ledger(world: World) -> Path:
    return world.outbox / ".pipeline" / "ledger.sqlite"


def settled(published: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without the times of its making."""
    return {key: value for key, value in published.items() if key not in ("provenance", "pages")} | {
        "pages": [{name: value for name, value in page.items() if name != "seconds"} for page in published["pages"]]
    }


def overwrite(path: Path, at: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * length)


@pytest.fixture
def full(world: World) -> World:
    """A world in which several kinds of documents were read."""
    world.put("a.pdf", text_pdf(["One", "Two"]))
    world.put("sub/b.pdf", invoice_pdf(invoice("de")))
    world.put("sealed.pdf", encrypted_pdf())
    world.put("blank.pdf", blank_pdf(2))
    world.put("broken.pdf", b"%PDF-1.7 broken off")
    world.run()
    return world


NAMES = ("a.pdf", "sub/b.pdf", "sealed.pdf", "blank.pdf", "broken.pdf")


def test_a_ledger_that_is_no_database_is_made_anew(full: World) -> None:
    before = {name: settled(full.json(name)) for name in NAMES}
    rows = sorted(map(str, full.csv("documents")))
    for path in ledger(full).parent.glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)
    engine = full.engine = EchoEngine()
    full.run()
    assert engine.asked == []
    assert {name: settled(full.json(name)) for name in NAMES} == before
    assert sorted(map(str, full.csv("documents"))) == rows
    assert full.run().to_read == 0
    assert list(ledger(full).parent.glob("damaged-*/ledger.sqlite"))


def test_damage_in_the_middle_is_found_when_the_last_run_died(full: World) -> None:
    with sqlite3.connect(ledger(full)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(ledger(full), 3 * 4096, 4096)
    (ledger(full).parent / "unclean").touch()
    engine = full.engine = EchoEngine()
    full.run()
    assert engine.asked == []
    assert list(ledger(full).parent.glob("damaged-*/ledger.sqlite"))


def test_a_sound_ledger_survives_a_run_that_died(full: World) -> None:
    (ledger(full).parent / "unclean").touch()
    assert full.run().to_read == 0
    assert not list(ledger(full).parent.glob("damaged-*"))
    assert not (ledger(full).parent / "unclean").exists()


# ---- what people said and asked -------------------------------------------------------------------


def said(template: str, field: str, version: int, value: object) -> Correction:
    return Correction(template, field, version, value, False, None, "Anna", "2026-01-01T00:00:00Z")


def spoil(world: World) -> None:
    for path in ledger(world).parent.glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)


def values(book: Ledger, sha256: str) -> dict[tuple[str, str], list[object]]:
    return {place: [word.value for word in words] for place, words in correction_history(book, sha256).items()}


def read_one(world: World, text: str) -> str:
    """Read ``a.pdf``, which says this; the hash of its contents."""
    world.put("a.pdf", text_pdf([text]))
    world.run()
    with Ledger(ledger(world).parent) as book:
        return next(book.published_files()).sha256


@pytest.mark.parametrize("how", ["damaged", "gone", "behind"])
def test_no_correction_is_lost_published_or_not_with_its_template_or_without(world: World, how: str) -> None:
    sha256 = read_one(world, "As read")
    with Ledger(ledger(world).parent) as book:
        record_correction(book, sha256, said("transcript", "text", 1, ["First"]))
    world.run()
    with Ledger(ledger(world).parent) as book:
        record_correction(book, sha256, said("transcript", "text", 2, ["Second"]))  # in no JSON yet
        record_correction(book, sha256, said("receipt", "total", 1, "5.00"))  # a template that reads it no more
        wanted = values(book, sha256)
        if how == "behind":  # the power was cut before the ledger's log was on the disk
            book.change("DELETE FROM corrections WHERE version = 2 OR template = 'receipt'")
    assert world.json("a.pdf")["results"]["transcript"]["fields"]["text"]["value"] == ["First"]
    if how == "damaged":
        spoil(world)
    if how == "gone":
        for path in ledger(world).parent.glob("ledger.sqlite*"):
            path.unlink()
    world.run()
    world.run()
    with Ledger(ledger(world).parent) as book:
        assert values(book, sha256) == wanted
        assert open_orders(book) == []
        record_correction(book, sha256, said("transcript", "text", 3, ["Third"]))
    assert world.json("a.pdf")["results"]["transcript"]["fields"]["text"]["value"] == ["Second"]


def test_a_line_that_was_broken_off_costs_itself_only(world: World) -> None:
    sha256 = read_one(world, "As read")
    with Ledger(ledger(world).parent) as book:
        record_correction(book, sha256, said("transcript", "text", 1, ["First"]))
        with (ledger(world).parent / JOURNAL_FILE).open("ab") as journal:
            journal.write(b'\n{"correction": {"templ')
        record_correction(book, sha256, said("transcript", "text", 2, ["Second"]))
    spoil(world)
    world.run()
    with Ledger(ledger(world).parent) as book:
        assert values(book, sha256) == {("transcript", "text"): [["First"], ["Second"]]}


def test_conversations_and_readings_that_were_asked_for_survive(world: World) -> None:
    sha256 = read_one(world, "Harrow Lane")
    with Ledger(ledger(world).parent) as book:
        first = place_order(book, "question", sha256, {"page": 1, "question": "Who?", "follows": None}, "Anna")
    world.run()
    with Ledger(ledger(world).parent) as book:
        second = place_order(book, "question", sha256, {"page": 1, "question": "Where?", "follows": first.id}, "Ben")
        reading = place_order(book, "reading", sha256, {"name": "a.pdf", "template": "transcript", "engine": None}, "Ben")
        close_order(book, reading.id, {"status": "done", "engine": "echo/1", "templates": ["transcript"]})
    spoil(world)
    world.run()
    world.run()
    with Ledger(ledger(world).parent) as book:
        talk = orders_for_document(book, sha256, "question")
        assert [(item.id, item.by, (item.outcome or {})["answer"]) for item in talk] == [
            (first.id, "Anna", "Harrow Lane"),
            (second.id, "Ben", "Harrow Lane"),
        ]
        assert next(book.rows("SELECT pinned FROM files"))["pinned"] == 1


def test_orders_nobody_looks_at_any_more_are_forgotten(world: World) -> None:
    sha256 = read_one(world, "Harrow Lane")
    with Ledger(ledger(world).parent) as book:
        kept = place_order(book, "question", sha256, {"page": 1, "question": "Who?", "follows": None}, "Anna")
        strange = place_order(book, "question", "0" * 64, {"page": 1, "question": "Who?", "follows": None}, "Anna")
        done = place_order(book, "reading", sha256, {"name": "a.pdf", "template": None, "engine": None}, "Anna")
        waits = place_order(book, "reading", sha256, {"name": "a.pdf", "template": None, "engine": None}, "Anna")
        for item in (kept, strange, done):
            close_order(book, item.id, {"answer": "x"})
        assert delete_old_orders(book) == 0
        book.change("UPDATE orders SET ended_at = '2025-01-01T00:00:00Z' WHERE ended_at IS NOT NULL")
        assert delete_old_orders(book) == 2
        assert [find_order(book, item.id) is not None for item in (kept, strange, done, waits)] == [True, False, False, True]
