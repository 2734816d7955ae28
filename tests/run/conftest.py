"""A world for the loop: an inbox, an outbox, and an engine that answers at once with what stands on the page."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.base import Request
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.records import Answer, Claim
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import only_new
from pipeline.settings import Settings
from pipeline.templates.model import Template

OLD = 1_000_000_000


class EchoEngine:
    """Answers every text field with the page's words; counts what it was asked."""

    identity = "echo/1"
    retries = 0
    needs_whole_page = False
    prefers_batches = False

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def wants_image(self, template: Template) -> bool:
        del template
        return False

    def answer(self, requests: Iterable[Request | None]) -> Iterator[Answer]:
        for request in filter(None, requests):
            self.asked.append((request.template.name, request.page.number))
            text = " ".join(word.text for word in request.page.words)
            claims = {name: Claim(text or None) for name, spec in request.template.fields.items() if spec.type == "text"}
            yield Answer(request.key, claims)


class LateEngine(EchoEngine):
    """Takes everything first and answers last things first, as an engine with a queue may."""

    def answer(self, requests: Iterable[Request | None]) -> Iterator[Answer]:
        yield from list(super().answer(requests))[::-1]


@dataclass
class World:
    """Folders and a way to run over them."""

    inbox: Path
    outbox: Path
    engine: EchoEngine = field(default_factory=EchoEngine)
    changes: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, content: bytes) -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (OLD, OLD))
        return path

    def run(self, template: str | None = "transcript", ask: str | None = None, limit: int | None = None) -> RunCounts:
        tally = RunCounts()
        settings = Settings(inbox=self.inbox, outbox=self.outbox, workers=1, **self.changes)
        with open_job(settings, template=template, ask=ask, engine=self.engine) as job, Loop(job, tally, shelve=True) as loop:
            todo, known = only_new(job, scan_inbox(job.inbox, job.namer, tally.file_skipped), job.known)
            tally.files_found(len(todo), len(known))
            loop.round(iter(todo[:limit]))
            loop.tidy()
            loop.put_away(known)
        return tally

    def json(self, name: str) -> Any:
        return json.loads((self.outbox / f"{name}.json").read_text(encoding="utf-8"))

    def csv(self, name: str) -> list[dict[str, str]]:
        with (self.outbox / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def texts(self, name: str) -> list[str]:
        return list(self.json(name)["results"]["transcript"]["fields"]["text"]["value"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty inbox and no outbox yet."""
    (tmp_path / "inbox").mkdir()
    return World(tmp_path / "inbox", tmp_path / "outbox")


MakeWorld = Callable[[], World]
