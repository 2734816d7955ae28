"""Pages for an engine that works on the readers' own cores: read together, answered together, and held up by no reader that hangs."""

from __future__ import annotations

import signal

import psutil
import pytest

from pipeline.records import Answer
from pipeline.run import batching
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, World

ROOM = 4


class GatheringEngine(EchoEngine):
    """Writes up to ``ROOM`` answers at once, of which one ends at every step; notes how many were under way."""

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
        """After every step."""


class HungReader(GatheringEngine):
    """Stops the reader after the first step, until all answers are written that were under way."""

    def stepped(self) -> None:
        if len(self.steps) in (1, ROOM):
            for reader in psutil.Process().children():
                reader.send_signal(signal.SIGSTOP if len(self.steps) == 1 else signal.SIGCONT)


def test_answers_are_written_as_many_at_once_as_there_is_room_for(world: World) -> None:
    world.engine = engine = GatheringEngine()
    for number in range(40):
        world.put(f"{number}.pdf", text_pdf([f"Page {number}"]))
    assert world.run().documents == {"done": 40}
    assert engine.steps == [ROOM] * 37 + [3, 2, 1]


def test_a_page_that_comes_while_others_are_answered_joins_them(world: World) -> None:
    world.engine = engine = GatheringEngine()
    world.put("long.pdf", text_pdf([f"Page {number}" for number in range(1, 21)]))
    assert world.run().documents == {"done": 1}
    assert engine.steps == [ROOM] * 17 + [3, 2, 1]
    assert world.texts("long.pdf") == [f"Page {number}" for number in range(1, 21)]


def test_a_reader_that_hangs_holds_up_no_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "READER_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(batching, "BATCH_PAGES", ROOM)
    world.engine = engine = HungReader()
    for number in range(8):
        world.put(f"{number}.pdf", text_pdf([f"Page {number}"]))
    assert world.run().documents == {"done": 8}
    assert engine.steps[:ROOM] == [4, 3, 2, 1], "those under way are answered while the next page does not come"
