"""The forecast against the real thing: files really opened and read, engines whose cost is a sleep, then the run itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.engines.base import Request
from pipeline.estimate.forecast import Forecast, make_forecast
from pipeline.intake.scan import scan_inbox
from pipeline.records import Answer
from pipeline.run.job import looking_job
from pipeline.run.refresh import only_new
from pipeline.runtime.lock import locked
from pipeline.settings import LimitSettings, Settings
from tests.drawing import blank_pdf, encrypted_pdf, text_pdf
from tests.run.conftest import EchoEngine, LastFirstEngine, World


class SleepyEngine(EchoEngine):
    """Loads for a while, then answers ``together`` pages in ``seconds``."""

    def __init__(self, seconds: float, together: int = 1, loading: float = 0.0) -> None:
        super().__init__()
        self.seconds, self.together, self.loading = seconds, together, loading

    @property
    def room(self) -> bool:
        return self.load < self.together

    def poll(self, timeout: float) -> list[Answer]:
        time.sleep(self.loading)
        self.loading = 0.0
        if self._requests:
            time.sleep(self.seconds)
        batch = [answer for _ in range(self.load) for answer in super(SleepyEngine, self).poll(timeout)]
        return [replace(answer, seconds=self.seconds) for answer in batch]


def estimate(
    world: World, engine: EchoEngine | None = None, most: int = 40, seconds: float = 60, most_opened: int = 400, **changes: Any
) -> Forecast:
    settings = Settings(inbox=world.inbox, outbox=world.outbox, workers=1, **changes)
    with looking_job(settings, engine or world.engine, "transcript") as job:
        todo, _ = only_new(job, scan_inbox(job.inbox, job.namer, lambda *_: None), job.known)
        engine = engine or world.engine
        return make_forecast(job, engine, "transcript", todo, most=most, seconds=seconds, most_opened=most_opened)


def fill(world: World, documents: int, pages: Callable[[int], int] = lambda number: 1 + number % 4) -> int:
    """Documents of some pages each; how many pages in all."""
    for number in range(documents):
        world.put(f"{number:03}.pdf", text_pdf([f"Page {page} of document {number}" for page in range(pages(number))]))
    return sum(map(pages, range(documents)))


@pytest.mark.slow
@pytest.mark.parametrize("together", [1, 4])
def test_a_real_run_takes_as_long_as_predicted(world: World, together: int) -> None:
    pages = fill(world, 24)
    forecast = estimate(world, SleepyEngine(0.1 * together, together, loading=1.0), most=8)
    assert forecast.pages
    assert forecast.seconds
    assert forecast.pages.range == (pages, pages), "so few files are all opened"
    assert forecast.sample.startup >= 1
    world.engine = SleepyEngine(0.1 * together, together, loading=1.0)
    started = time.monotonic()
    world.run()
    took = time.monotonic() - started
    low, high = forecast.seconds.range
    assert low / 1.2 <= took <= high * 1.2
    assert forecast.seconds.value < 3 * took


def test_nothing_is_written_and_another_run_may_be_at_work(world: World) -> None:
    fill(world, 2)
    forecast = estimate(world)
    assert not forecast.is_shared
    assert not world.outbox.exists()
    with locked(world.outbox):
        before = sorted(world.outbox.rglob("*"))
        forecast = estimate(world)
        assert forecast.is_shared
        assert len(forecast.read) == 2
        assert sorted(world.outbox.rglob("*")) == before


def test_failures_in_the_sample_are_listed_and_counted(world: World) -> None:
    fill(world, 3)
    world.put("locked.pdf", encrypted_pdf())
    world.put("empty.pdf", b"")
    world.put("blank.pdf", blank_pdf(2))
    forecast = estimate(world)
    assert {(file.source.name, file.reason) for file in forecast.failed} == {
        ("locked.pdf", "needs_password"),
        ("empty.pdf", "unreadable"),
    }
    assert forecast.pages
    assert forecast.pages.value == 1 + 2 + 3 + 2
    assert forecast.seconds


def test_only_the_first_pages_of_a_long_document_are_read_and_all_are_counted(world: World) -> None:
    world.put("long.pdf", text_pdf([f"Page {page}" for page in range(60)]))
    forecast = estimate(world)
    assert world.engine.asked == [("transcript", page) for page in range(1, 6)]
    assert not forecast.failed
    assert forecast.pages
    assert forecast.pages.value == 60
    assert forecast.bytes
    world.run()
    written = sum(path.stat().st_size for path in world.outbox.rglob("*") if path.is_file())
    low, high = forecast.bytes.range
    assert low / 5 < written < high * 5


def test_pages_above_the_limit_and_files_above_it_are_not_counted(world: World) -> None:
    fill(world, 2, lambda number: 9)
    forecast = estimate(world, limits=LimitSettings(pages=3))
    assert forecast.pages
    assert forecast.pages.value == 6


def test_pages_that_an_earlier_run_counted_are_known(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = fill(world, 6)
    world.run()
    monkeypatch.setattr(EchoEngine, "identity", "echo/2")
    forecast = estimate(world, most=1, most_opened=1)
    assert forecast.files == forecast.opened == 6
    assert forecast.pages
    assert forecast.pages.range == (pages, pages)


def test_a_sample_ends_when_its_time_is_over(world: World) -> None:
    fill(world, 30)
    forecast = estimate(world, SleepyEngine(0.5), seconds=4)
    assert 0 < len(forecast.read) < 20
    assert forecast.seconds
    low, high = forecast.seconds.range
    assert low < forecast.seconds.value < high


def test_a_page_that_comes_too_late_has_not_failed(world: World) -> None:
    world.put("a.pdf", text_pdf(["Alpha", "Beta"]))
    forecast = estimate(world, LastFirstEngine(), seconds=0.001)
    assert not forecast.failed
    assert [file.pages for file in forecast.read] == [{1}]


def test_one_page_is_read_however_short_the_time(world: World) -> None:
    fill(world, 12)
    forecast = estimate(world, SleepyEngine(0.1, loading=0.5), seconds=0.001)
    assert sum(len(file.pages) for file in forecast.read) == 1
    assert forecast.seconds
    low, high = (side - forecast.sample.startup for side in forecast.seconds.range)
    assert high > 8 * low, "a single page gives a wide range"


def test_a_twin_of_a_document_costs_next_to_nothing(world: World) -> None:
    for number in range(4):
        world.put(f"{number}.pdf", text_pdf(["Same"] * 3))
    forecast = estimate(world, SleepyEngine(0.2))
    assert forecast.seconds
    assert forecast.seconds.value - forecast.sample.startup < 2 * 3 * 0.2
    assert len(forecast.read) == 4


class InterruptedEngine(EchoEngine):
    """A person presses Ctrl-C while it works on its sixth page."""

    def respond(self, request: Request) -> Answer:
        answer = super().respond(request)
        if len(self.asked) > 5:
            raise KeyboardInterrupt
        return answer


def test_an_interrupted_estimate_has_what_is_known_so_far(world: World) -> None:
    pages = fill(world, 8)
    forecast = estimate(world, InterruptedEngine())
    assert forecast.sample.interrupted
    assert sum(len(file.pages) for file in forecast.read) == 5
    assert forecast.pages
    assert forecast.pages.value == pages
    assert forecast.seconds
