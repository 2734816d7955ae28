"""Documents that failed for a reason that may pass are read again later, a few times. An engine that always fails ends the run."""

from __future__ import annotations

import sqlite3

import pytest

from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Answer
from pipeline.settings_sections import RetrySettings
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, RunFolders


class FailingEngine(EchoEngine):
    """Fails on every page until ``good`` is set."""

    good = False

    def respond(self, request: Request) -> Answer:
        answer = super().respond(request)
        return answer if self.good else failed_answer(request, "refused")


@pytest.fixture
def failing_engine(folders: RunFolders) -> FailingEngine:
    """An engine that fails; the inbox has one document."""
    engine = folders.engine = FailingEngine()
    folders.put("a.pdf", text_pdf(["Hello"]))
    return engine


def let_time_pass(folders: RunFolders) -> None:
    """Make every waiting retry due."""
    with sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite") as db:
        db.execute("UPDATE files SET retry_at = '2001-01-01T00:00:00.000Z' WHERE retry_at IS NOT NULL")


def test_a_failed_document_is_read_again_when_it_is_due_and_not_before(
    folders: RunFolders, failing_engine: FailingEngine
) -> None:
    assert folders.run().documents == {"failed": 1}
    failing_engine.good = True
    assert folders.run().to_read == 0
    let_time_pass(folders)
    assert folders.run().documents == {"done": 1}
    assert folders.texts("a.pdf") == ["Hello"]
    assert len(folders.csv("documents")) == 1
    let_time_pass(folders)
    assert folders.run().to_read == 0


def test_a_failed_document_is_read_a_limited_number_of_times(folders: RunFolders, failing_engine: FailingEngine) -> None:
    folders.changes.update(retry=RetrySettings(page_attempts=3))
    for _ in range(6):
        folders.run()
        let_time_pass(folders)
    assert len(failing_engine.units) == 3


def test_pauses_between_retries_grow(folders: RunFolders, failing_engine: FailingEngine) -> None:
    due = []
    for _ in range(2):
        folders.run()
        with sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite") as db:
            query = "SELECT 1440 * (julianday(retry_at) - julianday(published_at)) FROM files"
            due.append(round(db.execute(query).fetchone()[0]))
        let_time_pass(folders)
    assert due == [10, 40]


def test_a_retry_too_far_in_the_future_is_due_at_once(folders: RunFolders, failing_engine: FailingEngine) -> None:
    folders.run()
    failing_engine.good = True
    with sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite") as db:
        db.execute("UPDATE files SET retry_at = '2999-01-01T00:00:00.000Z'")
    assert folders.run().documents == {"done": 1}


def test_a_permanent_failure_is_not_retried(folders: RunFolders) -> None:
    folders.put("bad.pdf", b"%PDF-1.7 nothing more")
    folders.run()
    let_time_pass(folders)
    assert folders.run().to_read == 0


def test_a_file_stays_in_the_inbox_until_its_last_retry(folders: RunFolders, failing_engine: FailingEngine) -> None:
    folders.changes.update(after="move", retry=RetrySettings(page_attempts=2))
    folders.run()
    assert (folders.inbox / "a.pdf").exists()
    let_time_pass(folders)
    folders.run()
    assert not (folders.inbox / "a.pdf").exists()
    assert (folders.inbox.parent / "failed" / "a.pdf").exists()


def test_an_engine_that_fails_on_several_documents_in_a_row_ends_the_run(
    folders: RunFolders, failing_engine: FailingEngine
) -> None:
    folders.changes.update(retry=RetrySettings(stop_after_failures=5))
    for number in range(30):
        folders.put(f"{number}.pdf", text_pdf([f"Page {number}"]))
    with pytest.raises(EngineUnavailableError, match="refused"):
        folders.run()
    assert len(failing_engine.units) == 5
    failing_engine.good = True
    assert folders.run().documents == {"done": 26}
    let_time_pass(folders)
    assert folders.run().documents == {"done": 5}


def test_one_document_with_many_failed_pages_does_not_end_the_run(folders: RunFolders, failing_engine: FailingEngine) -> None:
    folders.changes.update(retry=RetrySettings(stop_after_failures=5))
    folders.put("a.pdf", text_pdf([f"Page {number}" for number in range(20)]))
    assert folders.run().documents == {"failed": 1}
