"""Fixtures for the loop: an inbox, an outbox, and an engine that answers at once with the text of the page."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.base import Request, SequentialEngine
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.records import Answer, Claim
from pipeline.run.changed_files import ChangedFiles
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.templates.template import Template

OLD = 1_000_000_000


class EchoEngine(SequentialEngine):
    """Answers every text field with the page's words. ``units`` are the requests by template and page."""

    identity = "echo/1"
    retries = 0
    needs_whole_page = False
    prefers_batches = False

    def __init__(self) -> None:
        super().__init__()
        self.units: list[tuple[str, int]] = []

    def wants_image(self, template: Template) -> bool:
        del template
        return False

    def respond(self, request: Request) -> Answer:
        self.units.append((request.template.name, request.page.number))
        text = " ".join(word.text for word in request.page.words)
        claims = {name: Claim(text or None) for name, spec in request.template.fields.items() if spec.type == "text"}
        return Answer(request.key, claims)


class LastFirstEngine(EchoEngine):
    """Collects requests as long as more come, then answers the last one first."""

    room = True

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[Request] = []
        self.loads = (0, 0)

    @property
    def load(self) -> int:
        return len(self.stack)

    def submit(self, request: Request) -> None:
        self.stack.append(request)

    def poll(self, timeout: float) -> list[Answer]:
        self.loads = self.loads[1], self.load
        if self.loads[0] < self.load:  # more may come
            time.sleep(min(timeout, 0.02))
            return []
        return [self.respond(self.stack.pop())] if self.stack else []

    def reset(self) -> None:
        self.stack.clear()


@dataclass
class RunFolders:
    """An inbox and an outbox, and a way to run over them in this process."""

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
        with (
            open_job(settings, template=template, ask=ask, engine=self.engine) as job,
            Loop(job, tally, archive_files=True) as loop,
        ):
            todo, known = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, tally.file_skipped), job.file_records)
            if loop.recognise_moves(todo, known):
                todo, known = split_up_to_date(job, [*todo, *known], job.file_records)
            todo += ChangedFiles(job).changed()
            tally.files_found(len(todo), len(known))
            loop.round(iter(todo[:limit]))
            loop.publisher.tidy()
            loop.publisher.archive_published(known)
        return tally

    def json(self, name: str) -> Any:
        return json.loads((self.outbox / f"{name}.json").read_text(encoding="utf-8"))

    def csv(self, name: str) -> list[dict[str, str]]:
        with (self.outbox / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def texts(self, name: str) -> list[str]:
        return list(self.json(name)["results"]["transcript"]["fields"]["text"]["value"])


@pytest.fixture
def folders(tmp_path: Path) -> RunFolders:
    """An empty inbox and no outbox yet."""
    (tmp_path / "inbox").mkdir()
    return RunFolders(tmp_path / "inbox", tmp_path / "outbox")


@pytest.fixture
def other_file_system() -> Iterator[Path]:
    """A folder on a file system other than that of the temporary files."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)
