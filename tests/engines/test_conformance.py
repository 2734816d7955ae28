"""Every engine meets the contract of pipeline/engines/base.py. A new one is a line in ENGINES."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.engines.server import ServerEngine
from pipeline.settings import Settings
from pipeline.settings_sections import ServerSettings, VlmSettings
from tests.engines.conformance import Conformance, MakeEngine
from tests.engines.scripted import Call, Handler, ScriptedServer, behave_well, sample

MESSY = {"1234.50": "1.234,50", "2025-03-24": "24.3.2025", "EUR": "eur", "as printed": " as\n printed ", "14:05": None}
"""How models write these values without a grammar."""


@contextmanager
def embedded() -> Iterator[MakeEngine]:
    yield lambda: EmbeddedEngine()


@contextmanager
def server() -> Iterator[MakeEngine]:
    turns = itertools.cycle([behave_well, messy, prose, cut_off])
    with ScriptedServer(lambda handler, call: next(turns)(handler, call)) as script:
        yield lambda: ServerEngine(Settings(server=ServerSettings(url=script.url, request_attempts=1)))


@contextmanager
def blind_server() -> Iterator[MakeEngine]:
    with ScriptedServer() as script:
        yield lambda: ServerEngine(Settings(server=ServerSettings(url=script.url, accepts_images=False)))


@contextmanager
def vlm() -> Iterator[MakeEngine]:
    from pipeline.engines.vlm.vlm_engine import VlmEngine
    from tests.engines.vlm.tiny import random_checkpoint

    with tempfile.TemporaryDirectory() as folder:
        model = str(random_checkpoint(Path(folder) / "tiny"))
        yield lambda: VlmEngine(Settings(model=model, vlm=VlmSettings(dtype="float32")))


ENGINES: dict[str, Callable[[], AbstractContextManager[MakeEngine]]] = {
    "embedded": embedded,
    "server": server,
    "blind server": blind_server,
    "vlm": vlm,
}


class TestConformance(Conformance):
    @pytest.fixture(params=ENGINES)
    def make(self, request: pytest.FixtureRequest) -> Iterator[MakeEngine]:
        with ENGINES[request.param]() as make:
            yield make


def messy(handler: Handler, call: Call) -> None:
    text = json.dumps(sample(call.schema) if call.schema else {})
    for clean, written in MESSY.items():
        text = text.replace(json.dumps(clean), json.dumps(written))
    handler.complete(f'Here you are:\n```json\n{text[:-1]}, "extra": [1, 2]}}\n```\nAnything else?' if call.schema else text)


def prose(handler: Handler, call: Call) -> None:
    handler.complete("I am sorry, I cannot read this.")


def cut_off(handler: Handler, call: Call) -> None:
    text = json.dumps(sample(call.schema)) if call.schema else "What stands"
    handler.complete(text[: len(text) // 2], finish="length")
