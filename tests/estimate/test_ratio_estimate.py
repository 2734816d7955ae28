"""The estimate against the real thing: files really opened and read, engines whose cost is a sleep, then the run itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.engines.base import Request
from pipeline.estimate.ratio_estimate import DRIVER_DOCUMENT_SECONDS, DRIVER_PAGE_SECONDS, Estimate, Total, make_estimate
from pipeline.estimate.sample import Sample
from pipeline.intake.scan import scan_inbox
from pipeline.publish.publication import Publication
from pipeline.records import Answer
from pipeline.run.job import open_read_only_job
from pipeline.run.refresh import split_up_to_date
from pipeline.runtime.lock import locked
from pipeline.settings import Settings
from pipeline.settings_sections import LimitSettings
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
    folders: RunFolders, engine: EchoEngine | None = None, most: int = 40, seconds: float = 60, **changes: Any
) -> Estimate:
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1, **changes)
    with open_read_only_job(settings, engine or folders.engine, "transcript") as job:
        new, _ = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, lambda *_: None), job.file_records)
        return make_estimate(job, engine or folders.engine, "transcript", new, most, seconds)


def failed(result: Estimate) -> list[Publication]:
    """Documents of the sample that failed, wholly or in part."""
    return [file.publication for file in result.read.values() if file.publication and file.publication.reason]


def fill(folders: RunFolders, documents: int, pages: Callable[[int], int] = lambda number: 1 + number % 4) -> int:
    """Documents of some pages each; how many pages in all."""
    for number in range(documents):
        folders.put(f"{number:03}.pdf", text_pdf([f"Page {page} of document {number}" for page in range(pages(number))]))
    return sum(map(pages, range(documents)))


@pytest.mark.slow
@pytest.mark.parametrize("together", [1, pytest.param(4, marks=pytest.mark.proof)])
def test_a_real_run_takes_as_long_as_predicted(folders: RunFolders, together: int) -> None:
    pages = fill(folders, 24)
    result = estimate(folders, SleepyEngine(0.1 * together, together, loading=1.0), most=8)
    assert result.pages
    assert result.seconds
    assert result.pages.range == pytest.approx((pages, pages)), "so few files are all opened"
    assert result.sample.startup >= 1
    folders.engine = SleepyEngine(0.1 * together, together, loading=1.0)
    started = time.monotonic()
    folders.run()
    took = time.monotonic() - started
    low, high = result.seconds.range
    assert low / 1.2 <= took <= high * 1.2
    assert result.seconds.value < 3 * took


def test_nothing_is_written_and_another_run_may_be_at_work(folders: RunFolders) -> None:
    fill(folders, 2)
    result = estimate(folders)
    assert len(result.read) == 2
    assert not folders.outbox.exists()
    with locked(folders.outbox):
        before = sorted(folders.outbox.rglob("*"))
        result = estimate(folders)
        assert len(result.read) == 2
        assert sorted(folders.outbox.rglob("*")) == before


def test_failures_in_the_sample_are_listed_and_counted(folders: RunFolders) -> None:
    fill(folders, 3)
    folders.put("locked.pdf", encrypted_pdf())
    folders.put("cut.pdf", b"%PDF-1.7 cut off")
    folders.put("blank.pdf", blank_pdf(2))
    result = estimate(folders)
    assert {(file.source.name, file.reason) for file in failed(result)} == {
        ("locked.pdf", "needs_password"),
        ("cut.pdf", "unreadable"),
    }
    assert result.pages
    assert result.pages.value == pytest.approx(1 + 2 + 3 + 2)
    assert result.seconds


def test_only_the_first_pages_of_a_long_document_are_read_and_all_are_counted(folders: RunFolders) -> None:
    folders.put("long.pdf", text_pdf([f"Page {page}" for page in range(60)]))
    result = estimate(folders)
    assert folders.engine.units == [("transcript", page) for page in range(1, 6)]
    assert not failed(result)
    assert result.pages
    assert result.pages.value == pytest.approx(60)
    assert result.bytes
    folders.run()
    written = sum(path.stat().st_size for path in folders.outbox.rglob("*") if path.is_file())
    low, high = result.bytes.range
    assert low / 5 < written < high * 5


def test_pages_above_the_limit_and_files_above_it_are_not_counted(folders: RunFolders) -> None:
    fill(folders, 2, lambda number: 9)
    result = estimate(folders, limits=LimitSettings(pages=3))
    assert result.pages
    assert result.pages.value == pytest.approx(6)


def test_a_sample_ends_when_its_time_is_over(folders: RunFolders) -> None:
    fill(folders, 30)
    result = estimate(folders, SleepyEngine(0.5), seconds=4)
    assert 0 < len(result.read) < 20
    assert result.seconds
    low, high = result.seconds.range
    assert low < result.seconds.value < high


def test_a_page_that_comes_too_late_has_not_failed(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Alpha", "Beta"]))
    result = estimate(folders, LastFirstEngine(), seconds=0.001)
    assert not failed(result)
    assert [file.pages for file in result.read.values()] == [{1}]


def test_one_page_is_read_however_short_the_time(folders: RunFolders) -> None:
    fill(folders, 12)
    result = estimate(folders, SleepyEngine(0.1, loading=0.5), seconds=0.001)
    assert sum(len(file.pages) for file in result.read.values()) == 1
    assert result.seconds
    low, high = (side - result.sample.startup for side in result.seconds.range)
    assert high > 8 * low, "a single page gives a wide range"


def test_a_twin_of_a_document_costs_next_to_nothing(folders: RunFolders) -> None:
    for number in range(4):
        folders.put(f"{number}.pdf", text_pdf(["Same"] * 3))
    result = estimate(folders, SleepyEngine(0.2))
    assert result.seconds
    assert result.seconds.value - result.sample.startup < 2 * 3 * 0.2
    assert len(result.read) == 4


class InterruptedEngine(EchoEngine):
    """A person presses Ctrl-C while it works on its sixth page."""

    def respond(self, request: Request) -> Answer:
        answer = super().respond(request)
        if len(self.units) > 5:
            raise KeyboardInterrupt
        return answer


def test_an_interrupted_estimate_has_what_is_known_so_far(folders: RunFolders) -> None:
    pages = fill(folders, 8)
    result = estimate(folders, InterruptedEngine())
    assert result.interrupted
    assert sum(len(file.pages) for file in result.read.values()) == 5
    assert result.pages
    assert result.pages.value == pytest.approx(pages)
    assert result.seconds


def numbers(files: int, pages: float, seconds: float) -> Estimate:
    """An estimate in which the start takes ten seconds."""
    outcomes, sample = np.array([0.8, 1.0, 1.2]), Sample(60)
    sample.startup = 10.0
    return Estimate(files, sample, {}, pages=Total(pages, pages * outcomes), seconds=Total(seconds, seconds * outcomes))


def test_actors_share_the_work_but_not_the_start() -> None:
    divided = numbers(100, 1_000, 8_010.0).divide(2 / 16)
    assert divided.seconds
    assert divided.seconds.value == pytest.approx(1_010.0)
    assert not divided.driver_is_limit


def test_the_drivers_own_part_is_not_divided() -> None:
    divided = numbers(10_000, 100_000, 50_010.0).divide(2 / 2_000)
    least = 10_000 * DRIVER_DOCUMENT_SECONDS + 100_000 * DRIVER_PAGE_SECONDS
    assert divided.driver_is_limit
    assert divided.seconds
    assert divided.seconds.value == pytest.approx(least + 10.0)
    assert divided.seconds.outcomes.min() > 10.0 + 10_000 * DRIVER_DOCUMENT_SECONDS


def test_without_a_time_there_is_nothing_to_share() -> None:
    assert Estimate(3, Sample(60), {}).divide(2.0).seconds is None
