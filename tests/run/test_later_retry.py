"""What failed for a reason that may pass: read again after a while, not for ever; an engine out of order ends the run."""

from __future__ import annotations

import sqlite3

import pytest

from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer
from pipeline.settings import RetrySettings
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, World


class FailingEngine(EchoEngine):
    """Fails on every page until ``good`` is set."""

    good = False

    def respond(self, request: Request) -> Answer:
        answer = super().respond(request)
        return answer if self.good else failed_answer(request, "refused")


@pytest.fixture
def moody(world: World) -> FailingEngine:
    """A world with one document and such an engine."""
    engine = world.engine = FailingEngine()
    world.put("a.pdf", text_pdf(["Hello"]))
    return engine


def let_time_pass(world: World) -> None:
    """Make everything due that waits."""
    with sqlite3.connect(world.outbox / ".pipeline" / "ledger.sqlite") as db:
        db.execute("UPDATE files SET retry_at = '2001-01-01T00:00:00.000Z' WHERE retry_at IS NOT NULL")


def test_it_is_read_again_when_its_time_has_come_and_not_before(world: World, moody: FailingEngine) -> None:
    assert world.run().documents == {"failed": 1}
    moody.good = True
    assert world.run().to_read == 0
    let_time_pass(world)
    assert world.run().documents == {"done": 1}
    assert world.texts("a.pdf") == ["Hello"]
    assert len(world.csv("documents")) == 1
    let_time_pass(world)
    assert world.run().to_read == 0


def test_it_is_not_read_for_ever(world: World, moody: FailingEngine) -> None:
    world.changes.update(retry=RetrySettings(page_attempts=3))
    for _ in range(6):
        world.run()
        let_time_pass(world)
    assert len(moody.asked) == 3


def test_pauses_grow(world: World, moody: FailingEngine) -> None:
    due = []
    for _ in range(2):
        world.run()
        with sqlite3.connect(world.outbox / ".pipeline" / "ledger.sqlite") as db:
            query = "SELECT 1440 * (julianday(retry_at) - julianday(published_at)) FROM files"
            due.append(round(db.execute(query).fetchone()[0]))
        let_time_pass(world)
    assert due == [10, 40]


def test_a_time_that_lies_too_far_ahead_is_not_believed(world: World, moody: FailingEngine) -> None:
    world.run()
    moody.good = True
    with sqlite3.connect(world.outbox / ".pipeline" / "ledger.sqlite") as db:
        db.execute("UPDATE files SET retry_at = '2999-01-01T00:00:00.000Z'")
    assert world.run().documents == {"done": 1}


def test_what_cannot_pass_is_not_tried_again(world: World) -> None:
    world.put("bad.pdf", b"%PDF-1.7 nothing more")
    world.run()
    let_time_pass(world)
    assert world.run().to_read == 0


def test_a_file_waits_in_the_inbox_while_it_will_be_tried_again(world: World, moody: FailingEngine) -> None:
    world.changes.update(after="move", retry=RetrySettings(page_attempts=2))
    world.run()
    assert (world.inbox / "a.pdf").exists()
    let_time_pass(world)
    world.run()
    assert not (world.inbox / "a.pdf").exists()
    assert (world.inbox.parent / "failed" / "a.pdf").exists()


def test_an_engine_that_fails_on_one_document_after_the_other_ends_the_run(world: World, moody: FailingEngine) -> None:
    world.changes.update(retry=RetrySettings(stop_after_failures=5))
    for number in range(30):
        world.put(f"{number}.pdf", text_pdf([f"Page {number}"]))
    with pytest.raises(EngineUnavailableError, match="refused"):
        world.run()
    assert len(moody.asked) == 5
    moody.good = True
    assert world.run().documents == {"done": 26}
    let_time_pass(world)
    assert world.run().documents == {"done": 5}


def test_one_document_with_many_bad_pages_does_not(world: World, moody: FailingEngine) -> None:
    world.changes.update(retry=RetrySettings(stop_after_failures=5))
    world.put("a.pdf", text_pdf([f"Page {number}" for number in range(20)]))
    assert world.run().documents == {"failed": 1}
