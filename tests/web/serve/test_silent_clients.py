"""Clients without the token take no room from those that have it, whatever they do with their connections."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from pipeline.web.connections import MAX_KNOWN, MAX_STRANGERS, Connections
from tests.drawing import text_pdf
from tests.silent_clients import silent_clients
from tests.web.serve.conftest import Served, wait_for


def port_of(served: Served) -> int:
    return urlsplit(served.base).port or 0


@pytest.mark.slow
def test_the_owner_is_answered_while_strangers_hold_connections(served: Served) -> None:
    assert served.process
    files = psutil.Process(served.process.pid).num_fds()
    with silent_clients(port_of(served)):
        for _ in range(20):
            with (
                served.client() as client
            ):  # a new connection each time; it does not wait until those of strangers end, after 10 s
                assert client.get("/api/status", timeout=8).status_code == 200
        assert psutil.Process(served.process.pid).num_fds() <= files + MAX_STRANGERS + MAX_KNOWN + 32
        upload = served.submit("in the middle.pdf", text_pdf(["In the middle"]))
        assert served.read(upload["sha256"])["status"] == "done"
    wait_for(lambda: psutil.Process(served.process.pid).num_fds() < files + 8, 60)  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_connection_with_the_token_stays_while_strangers_come_and_go(served: Served) -> None:
    with served.client() as client:
        client.get("/api/status")
        with silent_clients(port_of(served)):
            stream = client.get("/api/status").extensions["network_stream"]
            for _ in range(5):
                time.sleep(0.2)
                answer = client.get("/api/status")
                assert answer.extensions["network_stream"] is stream, "it is the same connection"


@pytest.mark.slow
def test_a_refused_request_ends_its_connection(served: Served) -> None:
    with httpx.Client(base_url=served.base) as client:
        answer = client.get("/api/status")
    assert (answer.status_code, answer.headers["connection"]) == (401, "close")


@pytest.mark.slow
def test_readers_of_page_images_outlive_the_threads_of_requests(served: Served) -> None:
    """A burst of requests makes many threads. Those that have had nothing to do for ten seconds end at a later request."""
    assert served.process
    server = psutil.Process(served.process.pid)
    document = served.read(served.submit("pages.pdf", text_pdf([f"Page {number}" for number in range(16)]))["sha256"])

    def draw(page: int) -> None:
        with served.client() as client:
            assert client.get(f"/api/documents/{document['id']}/pages/{page}.webp").status_code == 200

    def readers() -> set[int]:
        return {
            child.pid
            for child in server.children()
            if child.status() != psutil.STATUS_ZOMBIE and "watch" not in child.cmdline()
        }

    with ThreadPoolExecutor(15) as browsers:
        list(browsers.map(draw, range(1, 16)))
    first, threads = readers(), server.num_threads()
    assert first
    with served.client() as client:  # one request at a time keeps one thread
        wait_for(lambda: client.get("/api/status") and server.num_threads() < threads - 4, 60)
    assert readers() == first, "a reader was lost"
    draw(16)


class Idle:
    """A connection of a list."""

    def __init__(self, *, is_idle: bool = True) -> None:
        self.is_idle, self.aborted = is_idle, False

    def abort(self) -> None:
        self.aborted = True


def test_known_clients_that_work_are_never_closed_for_others() -> None:
    connections = Connections()
    busy, idle = [Idle(is_idle=False) for _ in range(MAX_KNOWN - 1)], Idle()
    for known in [*busy, idle]:
        connections.add(known)
        connections.has_token(known)
    newcomers = [Idle(is_idle=False) for _ in range(3)]
    for newcomer in newcomers:
        connections.add(newcomer)
        connections.has_token(newcomer)
    assert idle.aborted
    assert not any(client.aborted for client in [*busy, *newcomers])
    strangers = [Idle() for _ in range(MAX_STRANGERS)]
    for stranger in strangers:
        connections.add(stranger)
    assert not any(client.aborted for client in busy)
    assert [client.aborted for client in newcomers] == [False, True, True], "the oldest strangers go first"
