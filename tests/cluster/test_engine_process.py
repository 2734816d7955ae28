"""An engine in a process of its own: what becomes of those who wait when it dies, hangs, or cannot start."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cluster.messages import ENGINE_FACTORY as DEFAULT_FACTORY
from pipeline.engines.base import Request
from pipeline.errors import EngineUnavailableError
from pipeline.records import Page, UnitKey, Word
from pipeline.runtime.engine_process import EngineDiedError, EngineProcess
from pipeline.settings import RetrySettings, Settings, configs_folder
from pipeline.templates.load import load_templates
from pipeline.templates.model import Template
from tests.cluster.faulty_engine import ENGINE_FACTORY

TEMPLATE = load_templates([configs_folder() / "templates"])["transcript"]


def request(text: str, number: int = 1, template: Template = TEMPLATE) -> Request:
    words = tuple(Word(word, (0, 0, 9, 9), 0) for word in text.split())
    return Request(UnitKey("f" * 64, number, template.name, "recipe"), Page(number, 100, 100, words), template)


def apart(factory: str = ENGINE_FACTORY, seconds: float = 600, **changes: object) -> EngineProcess:
    settings = Settings(inbox=Path("inbox"), retry=RetrySettings(watchdog_seconds=seconds), **changes)  # type: ignore[arg-type]
    return EngineProcess(settings, factory)


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    found = apart()
    yield found
    found.close()


def test_it_answers_many_at_the_same_time_each_its_own(engine: EngineProcess) -> None:
    assert engine.describe().identity == "echo/1"
    assert engine.wants_image(TEMPLATE) is True
    told: dict[int, object] = {}

    def ask(number: int) -> None:
        told[number] = engine.answer(request(f"page {number}", number)).claims["text"].value

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert told == {number: f"page {number}" for number in range(5)}


def test_its_death_is_told_to_those_who_wait_and_another_process_takes_its_place(engine: EngineProcess) -> None:
    with pytest.raises(EngineDiedError, match="SIGKILL"):
        engine.answer(request("KILL"))
    assert engine.answer(request("still here")).claims["text"].value == "still here"


def test_one_that_hangs_is_killed() -> None:
    engine = apart(seconds=2)
    engine.describe()
    begun = time.monotonic()
    with pytest.raises(EngineDiedError, match="no sign of life"):
        engine.answer(request("HANG"))
    assert time.monotonic() - begun < 30
    engine.close()


def test_a_time_limit_for_a_page_holds_there_too() -> None:
    """It is a signal of the main thread, which is why the engine has that thread to itself."""
    engine = apart("tests.cluster.test_engine_process:make_endless")
    answer = engine.answer(request("anything"))
    assert (answer.status, answer.reason) == ("failed", "timeout")
    engine.close()


def make_endless(settings: Settings) -> object:
    """The embedded engine with a reader that never comes to an end."""
    from pipeline.engines.embedded import embedded_engine

    def endless(request: Request) -> object:
        del request
        while True:
            pass

    embedded_engine._read = endless  # type: ignore[assignment]
    return embedded_engine.EmbeddedEngine(0.5)


def test_an_engine_that_is_not_there_says_why() -> None:
    engine = apart(DEFAULT_FACTORY, engine="vlm", model=os.fspath(Path("no") / "such" / "model"))
    with pytest.raises(EngineUnavailableError) as caught:
        engine.describe()
    assert "no/such/model" in caught.value.message
    assert caught.value.cure
