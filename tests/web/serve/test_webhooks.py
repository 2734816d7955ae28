"""Webhooks of several hosts: none waits for another one's, nor for documents that are never read."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")

from pipeline.settings_sections import WebhookSettings
from pipeline.web.webhook_sender import WebhookSender
from tests.drawing import text_pdf
from tests.web.serve.in_process import InProcess, in_process


class Host:
    """A host that takes calls, and answers each with 204, or with a letter every tenth of a second that never ends."""

    def __init__(self, *, is_slow: bool = False) -> None:
        self.bodies: list[bytes] = []
        self.calls = 0
        self._is_slow, self._closing = is_slow, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as request:
            self.calls += 1
            length = 0
            while (line := request.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.bodies.append(request.read(length))
            if not self._is_slow:
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                return
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
                while not self._closing.wait(0.1):
                    connection.sendall(b"x")
            except OSError:
                pass


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    slow, quick = Host(is_slow=True), Host()
    yield slow, quick
    slow.close()
    quick.close()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcess]:
    monkeypatch.setenv("PIPELINE_WEBHOOK_KEY", "a-key-of-this-test-0123")
    monkeypatch.setattr("pipeline.web.webhook_sender.POLL_SECONDS", 0.05)
    (tmp_path / "inbox").mkdir()
    for number in range(8):
        (tmp_path / "inbox" / f"{number}.pdf").write_bytes(text_pdf([f"Page {number}"]))
    hooks = WebhookSettings(hosts=("127.0.0.1", "localhost"), private_addresses=True)
    with in_process(tmp_path, webhooks=hooks) as served:
        served.read()
        yield served


def sha256_of(served: InProcess) -> Callable[[int], str]:
    listed = served.client.get("/api/documents").json()["documents"]
    by_name = {item["file"]: item["sha256"] for item in listed}
    return lambda number: by_name[f"{number}.pdf"]


def wait_until(condition: Callable[[], Any]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_slow_host_delays_no_other_and_its_calls_end(
    served: InProcess, hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = hosts
    sha256 = sha256_of(served)
    monkeypatch.setattr("pipeline.web.webhook_call.TIMEOUT_SECONDS", 3.0)
    slow_tasks = [served.context.tasks.add(f"{n}.pdf", sha256(n), f"http://127.0.0.1:{slow.port}/{n}") for n in range(6)]
    task = served.context.tasks.add("6.pdf", sha256(6), f"http://localhost:{quick.port}/")
    find = served.context.tasks.find
    with WebhookSender(served.context):
        wait_until(lambda: (found := find(task.id)) and found.delivered_at)
        assert slow.calls == 2, "two calls at once to a host; none of them has ended"
        wait_until(lambda: any((found := find(item.id)) and found.attempts for item in slow_tasks))
    assert json.loads(quick.bodies[0])["task"]["id"] == task.id


def test_documents_that_are_never_read_stand_in_no_ones_way(
    served: InProcess, hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, quick = hosts
    tasks, url = served.context.tasks, f"http://localhost:{quick.port}/"
    with tasks._open() as database:  # as many as are looked at in one go, and some more
        rows = [
            (f"{n:032x}", "absent.pdf", "0" * 64, "2026-01-01T00:00:00.000Z", url, "2026-01-01T00:00:00.000Z")
            for n in range(1_100)
        ]
        database.executemany("INSERT INTO tasks (id, file, sha256, at, webhook, next_at) VALUES (?, ?, ?, ?, ?, ?)", rows)
    monkeypatch.setattr("pipeline.web.task_store.RETENTION_DAYS", 10_000)
    task = tasks.add("1.pdf", sha256_of(served)(1), url)
    with WebhookSender(served.context):
        wait_until(lambda: (found := tasks.find(task.id)) and found.delivered_at)
    assert len(quick.bodies) == 1


def test_a_result_that_cannot_be_made_does_not_stop_the_webhooks_of_others(
    served: InProcess, hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, quick = hosts
    sha256, tasks, url = sha256_of(served), served.context.tasks, f"http://localhost:{quick.port}/"
    publication = type(served.context).publication

    def damaged(self: Any, ledger: Any, file: Any) -> Any:
        if file.source.relative == "0.pdf":
            raise KeyError("damaged")
        return publication(self, ledger, file)

    monkeypatch.setattr(type(served.context), "publication", damaged)
    added = [tasks.add(f"{n}.pdf", sha256(n), url) for n in range(2)]
    with WebhookSender(served.context):
        wait_until(lambda: (found := tasks.find(added[1].id)) and found.delivered_at)
    damaged_task = tasks.find(added[0].id)
    assert damaged_task
    assert damaged_task.next_at, "it is tried again"
