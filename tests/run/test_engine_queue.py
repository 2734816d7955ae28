"""The order in which the engine gets requests, and the units that an earlier run died over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

import pytest

from pipeline.engines.base import Request
from pipeline.ledger.ledger import Ledger
from pipeline.records import Page, UnitKey
from pipeline.run.engine_queue import EngineQueue
from pipeline.run.in_flight import InFlightFile, interrupted_units
from pipeline.run.job import Job, all_templates
from pipeline.settings import STATE_FOLDER, Settings
from tests.run.conftest import EchoEngine


def request(page: int) -> Request:
    template = all_templates(Settings())["transcript"]
    return Request(UnitKey("f" * 64, page, template.name, "recipe"), Page(page, 1, 1), template)


@contextmanager
def queue(outbox: Path, *crashed: int) -> Iterator[EngineQueue]:
    """A queue after a run that died while the engine had these pages."""
    folder = outbox / STATE_FOLDER
    folder.mkdir(exist_ok=True)
    for page in crashed:
        InFlightFile(folder).add(request(page).key)
    settings = Settings(inbox=outbox, outbox=outbox)
    with Ledger(folder) as ledger, EngineQueue(Job(settings, all_templates(settings), EchoEngine(), ledger)) as engine_queue:
        yield engine_queue


def page(request: Request | None) -> int | None:
    return request.page.number if request else None


def test_a_retry_comes_before_all_other_requests(tmp_path: Path) -> None:
    with queue(tmp_path) as waiting:
        waiting.add(request(1))
        waiting.add(request(2))
        waiting.add_first(request(3))
        assert [page(waiting.next(ending=False)) for _ in range(4)] == [3, 1, 2, None]
        assert waiting.in_flight == 3


def test_a_suspect_has_the_engine_to_itself_when_nothing_else_waits(tmp_path: Path) -> None:
    with queue(tmp_path, 1) as waiting:
        waiting.add(request(1))
        waiting.add(request(2))
        assert page(waiting.next(ending=False)) == 2
        assert not waiting.has_next(ending=False), "the engine still has another unit"
        waiting.answered()
        waiting.discard(request(2).key)
        assert not waiting.has_next(ending=True), "a run that ends leaves the suspect to the next one"
        assert page(waiting.next(ending=False)) == 1
        waiting.add(request(3))
        waiting.add_first(request(4))
        assert waiting.next(ending=False) is None, "the engine gets nothing beside the suspect"
        waiting.answered()
        waiting.add_first(request(1))
        assert page(waiting.next(ending=False)) == 1, "the suspect itself may be retried"
        waiting.answered()
        waiting.discard(request(1).key)
        assert [page(waiting.next(ending=False)) for _ in range(3)] == [4, 3, None]


def test_a_suspect_whose_file_is_skipped_delays_no_other(tmp_path: Path) -> None:
    with queue(tmp_path, 1) as waiting:
        waiting.add(request(1))
        waiting.discard(request(1).key)
        assert waiting.waiting == 0
        waiting.add(request(2))
        assert page(waiting.next(ending=False)) == 2


@pytest.mark.parametrize("file_name", ["in_flight", "underway"])
def test_interrupted_units_count_as_one_crash_also_from_the_file_of_an_earlier_version(tmp_path: Path, file_name: str) -> None:
    folder = tmp_path / STATE_FOLDER
    folder.mkdir()
    lines = [f"{sign}{json.dumps(astuple(request(page).key))}\n" for sign, page in (("+", 1), ("+", 2), ("-", 1))]
    (folder / file_name).write_text("".join([*lines, "+[torn"]))
    assert interrupted_units(folder) == [request(2).key]
    for _ in range(2):
        with queue(tmp_path):
            pass
    assert interrupted_units(folder) == []
    with Ledger(folder) as ledger:
        assert ledger.crash_counts() == {request(2).key: 1}


def test_a_second_queue_leaves_the_file_of_the_first_in_place(tmp_path: Path) -> None:
    """A document that a person wants read again gets a loop of its own beside the watcher's."""
    with queue(tmp_path) as first:
        with Ledger(tmp_path / STATE_FOLDER) as ledger:
            settings = Settings(inbox=tmp_path, outbox=tmp_path)
            with EngineQueue(Job(settings, all_templates(settings), EchoEngine(), ledger)):
                pass
        first.add(request(1))
        assert page(first.next(ending=False)) == 1
        assert [key.page for key in interrupted_units(tmp_path / STATE_FOLDER)] == [1]
