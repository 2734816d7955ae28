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
from pipeline.run.job import open_read_only_job
from pipeline.run.refresh import split_up_to_date
from pipeline.runtime.lock import locked
from pipeline.settings import LimitSettings, Settings
from tests.drawing import blank_pdf, encrypted_pdf, text_pdf
from tests.run.conftest import EchoEngine, LastFirstEngine, RunFolders


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
    folders: RunFolders,
    engine: EchoEngine | None = None,
    most: int = 40,
    seconds: float = 60,
    most_opened: int = 400,
    **changes: Any,
) -> Forecast:
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1, **changes)
    with open_read_only_job(settings, engine or folders.engine, "transcript") as job:
        todo, _ = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, lambda *_: None), job.file_records)
        engine = engine or folders.engine
        return make_forecast(job, engine, "transcript", todo, most=most, seconds=seconds, most_opened=most_opened)


def fill(folders: RunFolders, documents: int, pages: Callable[[int], int] = lambda number: 1 + number % 4) -> int:
    """Documents of some pages each; how many pages in all."""
    for number in range(documents):
        folders.put(f"{number:03}.pdf", text_pdf([f"Page {page} of document {number}" for page in range(pages(number))]))
    return sum(map(pages, range(documents)))


@pytest.mark.slow
@pytest.mark.parametrize("together", [1, 4])
def test_a_real_run_takes_as_long_as_predicted(folders: RunFolders, together: int) -> None:
    pages = fill(folders, 24)
    forecast = estimate(folders, SleepyEngine(0.1 * together, together, loading=1.0), most=8)
    assert forecast.pages
    assert forecast.seconds
    assert forecast.pages.range == (pages, pages), "so few files are all opened"
    assert forecast.sample.startup >= 1
    folders.engine = SleepyEngine(0.1 * together, together, loading=1.0)
    started = time.monotonic()
    folders.run()
    took = time.monotonic() - started
    low, high = forecast.seconds.range
    assert low / 1.2 <= took <= high * 1.2
    assert forecast.seconds.value < 3 * took


def test_nothing_is_written_and_another_run_may_be_at_work(folders: RunFolders) -> None:
    fill(folders, 2)
    forecast = estimate(folders)
    assert not forecast.is_shared
    assert not folders.outbox.exists()
    with locked(folders.outbox):
        before = sorted(folders.outbox.rglob("*"))
        forecast = estimate(folders)
        assert forecast.is_shared
        assert len(forecast.read) == 2
        assert sorted(folders.outbox.rglob("*")) == before


def test_failures_in_the_sample_are_listed_and_counted(folders: RunFolders) -> None:
    fill(folders, 3)
    folders.put("locked.pdf", encrypted_pdf())
    folders.put("empty.pdf", b"")
    folders.put("blank.pdf", blank_pdf(2))
    forecast = estimate(folders)
    assert {(file.source.name, file.reason) for file in forecast.failed} == {
        ("locked.pdf", "needs_password"),
        ("empty.pdf", "unreadable"),
    }
    assert forecast.pages
    assert forecast.pages.value == 1 + 2 + 3 + 2
    assert forecast.seconds


def test_only_the_first_pages_of_a_long_document_are_read_and_all_are_counted(folders: RunFolders) -> None:
    folders.put("long.pdf", text_pdf([f"Page {page}" for page in range(60)]))
    forecast = estimate(folders)
    assert folders.engine.units == [("transcript", page) for page in range(1, 6)]
    assert not forecast.failed
    assert forecast.pages
    assert forecast.pages.value == 60
    assert forecast.bytes
    folders.run()
    written = sum(path.stat().st_size for path in folders.outbox.rglob("*") if path.is_file())
    low, high = forecast.bytes.range
    assert low / 5 < written < high * 5


def test_pages_above_the_limit_and_files_above_it_are_not_counted(folders: RunFolders) -> None:
    fill(folders, 2, lambda number: 9)
    forecast = estimate(folders, limits=LimitSettings(pages=3))
    assert forecast.pages
    assert forecast.pages.value == 6


def test_pages_that_an_earlier_run_counted_are_known(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = fill(folders, 6)
    folders.run()
    monkeypatch.setattr(EchoEngine, "identity", "echo/2")
    forecast = estimate(folders, most=1, most_opened=1)
    assert forecast.files == forecast.opened == 6
    assert forecast.pages
    assert forecast.pages.range == (pages, pages)


def test_a_sample_ends_when_its_time_is_over(folders: RunFolders) -> None:
    fill(folders, 30)
    forecast = estimate(folders, SleepyEngine(0.5), seconds=4)
    assert 0 < len(forecast.read) < 20
    assert forecast.seconds
    low, high = forecast.seconds.range
    assert low < forecast.seconds.value < high


def test_a_page_that_comes_too_late_has_not_failed(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Alpha", "Beta"]))
    forecast = estimate(folders, LastFirstEngine(), seconds=0.001)
    assert not forecast.failed
    assert [file.pages for file in forecast.read] == [{1}]


def test_one_page_is_read_however_short_the_time(folders: RunFolders) -> None:
    fill(folders, 12)
    forecast = estimate(folders, SleepyEngine(0.1, loading=0.5), seconds=0.001)
    assert sum(len(file.pages) for file in forecast.read) == 1
    assert forecast.seconds
    low, high = (side - forecast.sample.startup for side in forecast.seconds.range)
    assert high > 8 * low, "a single page gives a wide range"


def test_a_twin_of_a_document_costs_next_to_nothing(folders: RunFolders) -> None:
    for number in range(4):
        folders.put(f"{number}.pdf", text_pdf(["Same"] * 3))
    forecast = estimate(folders, SleepyEngine(0.2))
    assert forecast.seconds
    assert forecast.seconds.value - forecast.sample.startup < 2 * 3 * 0.2
    assert len(forecast.read) == 4


class InterruptedEngine(EchoEngine):
    """A person presses Ctrl-C while it works on its sixth page."""

    def respond(self, request: Request) -> Answer:
        answer = super().respond(request)
        if len(self.units) > 5:
            raise KeyboardInterrupt
        return answer


def test_an_interrupted_estimate_has_what_is_known_so_far(folders: RunFolders) -> None:
    pages = fill(folders, 8)
    forecast = estimate(folders, InterruptedEngine())
    assert forecast.sample.interrupted
    assert sum(len(file.pages) for file in forecast.read) == 5
    assert forecast.pages
    assert forecast.pages.value == pages
    assert forecast.seconds
