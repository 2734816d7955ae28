"""A real server process on loopback, with the reading process that it starts, and clients with the token."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.drawing import invoice, invoice_pdf

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """The first true result of the condition."""
    until = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < until, "the condition did not become true in time"
        time.sleep(0.1)
    return result


@dataclass
class Served:
    """A folder with an inbox and an outbox, and a server for them."""

    folder: Path
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    token: str = ""
    base: str = ""
    process: subprocess.Popen[str] | None = None

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    def start(self) -> Served:
        environment = {**os.environ, "PIPELINE_WORKERS": "1", "PIPELINE_INTAKE__UNCHANGED_SECONDS": "0.3", **self.environment}
        command = [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--engine", "embedded", *self.arguments]
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout
        address = re.match(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)", self.process.stdout.readline())
        assert address, "the server did not print its address"
        self.base, self.token = address[1], address[2]
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(number)
        code = self.process.wait(90)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.base, headers={"authorization": f"Bearer {self.token}", **headers}, timeout=180)

    def submit(self, name: str, content: bytes, **query: str) -> dict[str, Any]:
        with self.client() as client:
            answer = client.put(f"/api/files/{name}", content=content, params=query)
        assert answer.status_code == 201, answer.text
        uploaded: dict[str, Any] = answer.json()
        return uploaded

    def read(self, sha256: str) -> dict[str, Any]:
        """Wait until the document with these contents has been read, and return it."""

        def finished_document() -> dict[str, Any] | None:
            documents = client.get("/api/documents", params={"sha256": sha256}).json()["documents"]
            return next((item for item in documents if item["status"] != "waiting"), None)

        with self.client() as client:
            document: dict[str, Any] = wait_for(finished_document)
        return document

    def outcome(self, order: dict[str, Any]) -> dict[str, Any]:
        """Wait for the outcome of a question or of a request to read again."""
        with self.client() as client:
            outcome: dict[str, Any] = wait_for(lambda: client.get(f"/api/orders/{order['id']}").json()["outcome"])
        return outcome

    def published(self, name: str) -> dict[str, Any]:
        published: dict[str, Any] = json.loads((self.outbox / f"{name}.json").read_text(encoding="utf-8"))
        return published


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests of a module."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "inbox").mkdir()
    running = Served(folder, environment={"PIPELINE_LIMITS__MEGABYTES": "1"}).start()
    yield running
    if running.process and running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    """An invoice that was uploaded and read."""
    uploaded = served.submit("invoice.pdf", invoice_pdf(invoice("en")))
    return served.read(uploaded["sha256"])
