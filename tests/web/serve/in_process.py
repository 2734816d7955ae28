"""The application with its access control in this process, and a run over the same outbox that a test drives itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from pipeline.ledger.orders import open_orders
from pipeline.monitoring.events import Observer
from pipeline.run.job import Job, all_templates, open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from pipeline.web.app import make_app, with_access_control
from pipeline.web.context import ServerContext
from pipeline.web.image_cache import PageImageCache
from pipeline.web.supervisor import Supervisor
from pipeline.web.task_store import TaskStore
from tests.run.processes import wait_for

HOST = "127.0.0.1:8420"
TOKEN = "a-token-of-this-test-only"


@dataclass
class InProcess:
    """A server and a run. The run reads when ``read`` is called, never by itself."""

    settings: Settings
    context: ServerContext
    client: TestClient
    job: Job
    loop: Loop

    def read(self) -> None:
        """One round over the whole inbox, and what is ordered by then. The loop looks for orders once a second."""
        self.loop.round(self.job.scan(lambda name, reason: None))
        wait_for(self._has_no_order)
        self.loop.publisher.tidy()

    def _has_no_order(self) -> bool:
        self.loop.answer_questions()
        return not open_orders(self.job.ledger, "publishing")


@contextmanager
def in_process(folder: Path, **values: Any) -> Iterator[InProcess]:
    """The application for ``folder/inbox`` and ``folder/outbox``. ``values`` are settings."""
    (folder / "inbox").mkdir(exist_ok=True)
    settings = Settings(inbox=folder / "inbox", outbox=folder / "outbox", engine="embedded", workers=1, **values)
    with ExitStack() as stack:
        job = stack.enter_context(open_job(settings))
        loop = stack.enter_context(Loop(job, Observer()))
        images = stack.enter_context(PageImageCache(settings))
        tasks = TaskStore(settings.outbox / ".pipeline")
        context = ServerContext(settings, all_templates(settings), images, Supervisor([], settings.outbox), tasks)
        app = with_access_control(make_app(context), TOKEN, frozenset({HOST}), 8420, settings.limits.megabytes * 1_000_000)
        headers = {"authorization": f"Bearer {TOKEN}"}
        client = stack.enter_context(TestClient(app, base_url=f"http://{HOST}", headers=headers, raise_server_exceptions=False))
        yield InProcess(settings, context, client, job, loop)
