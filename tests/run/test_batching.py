"""Pages for an engine that computes on the readers' cores are read in batches and answered in batches. A reader that hangs delays none."""

from __future__ import annotations

import signal

import psutil
import pytest

from pipeline.records import Answer
from pipeline.run import batching
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


def test_a_reader_that_hangs_delays_no_answers(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "READER_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(batching, "BATCH_PAGES", ROOM)
    folders.engine = engine = StoppedReaderEngine()
    for number in range(8):
        folders.put(f"{number}.pdf", text_pdf([f"Page {number}"]))
    assert folders.run().documents == {"done": 8}
    assert engine.steps[:ROOM] == [4, 3, 2, 1], "the batch is answered while the next page does not come"
