"""An engine in a process of its own: what its callers get when it dies, hangs, or cannot start."""

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
from pipeline.settings import Settings, configs_folder
from pipeline.settings_sections import RetrySettings
from pipeline.templates.load import load_templates
from pipeline.templates.template import Template
from tests.cluster.faulty_engine import ENGINE_FACTORY

TEMPLATE = load_templates([configs_folder() / "templates"])["transcript"]


def request(text: str, number: int = 1, template: Template = TEMPLATE) -> Request:
    words = tuple(Word(word, (0, 0, 9, 9), 0) for word in text.split())
    return Request(UnitKey("f" * 64, number, template.name, "recipe"), Page(number, 100, 100, words), template)


def start_engine(factory: str = ENGINE_FACTORY, seconds: float = 600, **changes: object) -> EngineProcess:
    settings = Settings(inbox=Path("inbox"), retry=RetrySettings(watchdog_seconds=seconds), **changes)  # type: ignore[arg-type]
    return EngineProcess(settings, factory)


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    started = start_engine()
    yield started
    started.close()


def test_requests_of_many_threads_each_get_their_own_answer(engine: EngineProcess) -> None:
    assert engine.describe().identity == "echo/1"
    assert engine.wants_image(TEMPLATE) is True
    texts: dict[int, object] = {}

    def ask(number: int) -> None:
        texts[number] = engine.answer(request(f"page {number}", number)).claims["text"].value

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert texts == {number: f"page {number}" for number in range(5)}


def test_calls_that_wait_raise_when_the_process_dies_and_another_process_takes_its_place(engine: EngineProcess) -> None:
    with pytest.raises(EngineDiedError, match="SIGKILL"):
        engine.answer(request("KILL"))
    assert engine.answer(request("still here")).claims["text"].value == "still here"


def test_an_engine_that_hangs_is_killed() -> None:
    engine = start_engine(seconds=10)
    engine.describe()
    begun = time.monotonic()
    with pytest.raises(EngineDiedError, match="no sign of life"):
        engine.answer(request("HANG"))
    assert time.monotonic() - begun < 60
    engine.close()


def test_the_time_limit_of_a_page_holds_in_the_process() -> None:
    """It is a signal of the main thread, which is why the engine has that thread to itself."""
    engine = start_engine("tests.cluster.test_engine_process:make_endless")
    answer = engine.answer(request("anything"))
    assert (answer.status, answer.reason) == ("failed", "timeout")
    engine.close()


def make_endless(settings: Settings) -> object:
    """The embedded engine with a reader that never comes to an end."""
    from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
    from pipeline.engines.embedded.transcript import transcript_reader

    def read_for_ever(page: Page, template: Template) -> object:
        del page, template
        while True:
            pass

    transcript_reader.read_transcript = read_for_ever  # type: ignore[assignment]
    return EmbeddedEngine(0.5)


def test_an_engine_that_cannot_start_gives_the_cause() -> None:
    engine = start_engine(DEFAULT_FACTORY, engine="vlm", model=os.fspath(Path("no") / "such" / "model"))
    with pytest.raises(EngineUnavailableError) as caught:
        engine.describe()
    assert "no/such/model" in caught.value.message
    assert caught.value.cure
