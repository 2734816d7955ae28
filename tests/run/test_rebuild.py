"""A damaged ledger: noticed, put aside, made anew from the outbox; nothing is read again."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

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
