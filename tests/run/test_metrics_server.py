"""The metrics' port of a real watcher: clients that send nothing, too little or nonsense cost the run nothing."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.monitoring.metrics_server import HEAD_SECONDS, MAX_CONNECTIONS, MetricsServer
from tests.llama_server import free_port
from tests.run.processes import Workspace, wait_for
from tests.run.test_metrics import scrape
from tests.silent_clients import silent_clients

FILES = 256
"""Files that the watcher may open. It is quarter of the usual limit, so that fewer clients are needed."""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Workspace, int, int]]:
    """A watcher with metrics: its workspace, its process and its port."""
    workspace, port = Workspace(tmp_path), free_port()
    workspace.put("first.pdf")
    command = [sys.executable, "-m", "pipeline", "watch", "--quiet", "--engine", "embedded", "--template", "transcript"]
    process = subprocess.Popen(
        [*command, "--inbox", workspace.inbox, "--outbox", workspace.outbox, "--metrics-port", str(port)],
        env={**os.environ, "PIPELINE_WORKERS": "1", "PIPELINE_INTAKE__UNCHANGED_SECONDS": "0.1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)),
    )
    wait_for(lambda: (workspace.outbox / "first.pdf.json").exists())
    yield workspace, process.pid, port
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


@pytest.mark.slow
def test_a_run_reads_on_and_is_scraped_while_clients_hold_connections(watched: tuple[Workspace, int, int]) -> None:
    workspace, pid, port = watched
    files = psutil.Process(pid).num_fds()
    with silent_clients(port, 2 * FILES):
        for number in range(3):
            workspace.put(f"{number}.pdf")
            started = time.monotonic()
            assert scrape(port)["pipeline_documents_total,status=done"] >= 1
            assert time.monotonic() - started < 1
            wait_for(lambda number=number: (workspace.outbox / f"{number}.pdf.json").exists(), 30)  # type: ignore[misc]
            assert psutil.Process(pid).num_fds() <= files + MAX_CONNECTIONS + 32
            assert psutil.Process(pid).num_threads() < 40
    wait_for(lambda: psutil.Process(pid).num_fds() < files + 8, 60)


@pytest.fixture
def port() -> Iterator[int]:
    number = free_port()
    server = MetricsServer("127.0.0.1", number, lambda: b"page 1\n" * 1_000_000, "text/plain")
    yield number
    server.close()


def ask(port: int, request: bytes, seconds: float = 20, *, half_closed: bool = False) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        answer = b""
        try:
            client.sendall(request)
            if half_closed:
                client.shutdown(socket.SHUT_WR)
            while part := client.recv(1 << 20):
                answer += part
        except ConnectionError:
            pass
    return answer


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /metrics HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n", 200),
        (b"HEAD / HTTP/1.0\r\n\r\n", 200),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", 405),
        (b"GET /\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\xff\xed\xa0\x80\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", 431),
    ],
)
@pytest.mark.parametrize("half_closed", [False, True])
def test_every_request_gets_one_answer_of_the_right_kind(
    port: int, request_bytes: bytes, status: int, half_closed: bool
) -> None:
    head, _, body = ask(port, request_bytes, half_closed=half_closed).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), head
    if status != 200:
        assert json.loads(body)["detail"]
    elif request_bytes.startswith(b"GET"):
        assert body == b"page 1\n" * 1_000_000


@pytest.mark.slow
def test_a_head_that_does_not_end_gets_an_answer_in_time(port: int) -> None:
    started = time.monotonic()
    assert ask(port, b"GET / HTTP/1.1\r\n").startswith(b"HTTP/1.1 408 ")
    assert HEAD_SECONDS - 1 < time.monotonic() - started < HEAD_SECONDS + 5


def test_a_burst_drives_out_no_client_that_asks(port: int) -> None:
    answers: list[bytes] = []
    with silent_clients(port, 200):
        threads = [threading.Thread(target=lambda: answers.append(ask(port, b"HEAD / HTTP/1.1\r\n\r\n"))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 20


def connections_at(port: int) -> int:
    """Connections that the server has open."""
    connections = psutil.Process().net_connections()
    return sum(entry.status == "ESTABLISHED" and entry.laddr.port == port for entry in connections)


@pytest.mark.slow
def test_a_client_that_does_not_read_is_let_go(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        wait_for(lambda: ask(port, b"HEAD / HTTP/1.1\r\n\r\n"), 5)
        kept = [
            entry for entry in psutil.Process().net_connections() if entry.status == "ESTABLISHED" and entry.laddr.port == port
        ]
        assert kept
        wait_for(
            lambda: (
                not [
                    entry
                    for entry in psutil.Process().net_connections()
                    if entry.status == "ESTABLISHED" and entry.laddr.port == port
                ]
            ),
            30,
        )
