"""Pages for an engine that computes on the readers' cores are read in batches and answered in batches. A reader that hangs delays none."""

from __future__ import annotations

import signal
from collections.abc import Callable

import psutil
import pytest

from pipeline.engines.base import Request
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.records import Answer, Page
from pipeline.run import batching
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, RunFolders

ROOM = 4


class BatchingEngine(EchoEngine):
    """Works on up to ``ROOM`` answers, of which each poll completes one. ``steps`` are the loads at each poll."""

    prefers_batches = True

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []

    @property
    def room(self) -> bool:
        return self.load < ROOM

    def poll(self, timeout: float) -> list[Answer]:
        if not self.load:
            return []
        self.steps.append(self.load)
        answers = super().poll(timeout)
        self.stepped()
        return answers

    def stepped(self) -> None:
        """Called after every poll."""


class StoppedReaderEngine(BatchingEngine):
    """Stops the readers after the first answer and continues them after the first batch."""

    def stepped(self) -> None:
        if len(self.steps) in (1, ROOM):
            for reader in psutil.Process().children():
                reader.send_signal(signal.SIGSTOP if len(self.steps) == 1 else signal.SIGCONT)


def test_the_engine_gets_as_many_requests_as_it_has_room_for(folders: RunFolders) -> None:
    folders.engine = engine = BatchingEngine()
    for number in range(40):
        folders.put(f"{number}.pdf", text_pdf([f"Page {number}"]))
    assert folders.run().documents == {"done": 40}
    assert engine.steps == [ROOM] * 37 + [3, 2, 1]


def test_pages_of_one_document_fill_the_batch_again(folders: RunFolders) -> None:
    folders.engine = engine = BatchingEngine()
    folders.put("long.pdf", text_pdf([f"Page {number}" for number in range(1, 21)]))
    assert folders.run().documents == {"done": 1}
    assert engine.steps == [ROOM] * 17 + [3, 2, 1]
    assert folders.texts("long.pdf") == [f"Page {number}" for number in range(1, 21)]


class OneRequestAPollEngine(BatchingEngine):
    """Has room for one request between two polls, as an engine that reads one prompt a step."""

    def __init__(self, pages_read: Callable[[], int]) -> None:
        super().__init__()
        self.pages_read = pages_read
        self.pages_at_step: list[int] = []
        self.submitted = False

    @property
    def room(self) -> bool:
        return self.load < ROOM and not self.submitted

    def submit(self, request: Request) -> None:
        super().submit(request)
        self.submitted = True

    def stepped(self) -> None:
        self.submitted = False
        self.pages_at_step.append(self.pages_read())


class PageCounts(RunCounts):
    """Counts the pages that readers have delivered."""

    pages = 0

    def page_read(self, sha256: str, page: Page) -> None:
        self.pages += 1


def test_the_engine_pauses_once_a_batch_and_not_for_every_page(folders: RunFolders) -> None:
    for number in range(40):
        folders.put(f"{number}.pdf", text_pdf([f"Page {number}"]))
    counts = PageCounts()
    engine = OneRequestAPollEngine(lambda: counts.pages)
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, template="transcript", engine=engine) as job, Loop(job, counts) as loop:
        loop.round(scan_inbox(job.inbox, job.outbox_names, counts.file_skipped))
    assert sorted(set(engine.pages_at_step)) == [16, 32, 40]


def test_a_reader_that_hangs_delays_no_answers(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "READER_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(batching, "BATCH_PAGES", ROOM)
    folders.engine = engine = StoppedReaderEngine()
    for number in range(8):
        folders.put(f"{number}.pdf", text_pdf([f"Page {number}"]))
    assert folders.run().documents == {"done": 8}
    assert engine.steps[:ROOM] == [4, 3, 2, 1], "the batch is answered while the next page does not come"
