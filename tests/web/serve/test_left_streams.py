"""A client that leaves ends its conversation with the reading process, whenever it leaves."""

from __future__ import annotations

import asyncio
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")

from starlette.requests import ClientDisconnect

from pipeline.settings import Settings
from pipeline.web import server
from pipeline.web.api.common import server_context
from pipeline.web.app import make_app, with_access_control
from pipeline.web.context import ServerContext
from pipeline.web.openai import openai_routes
from tests.web.serve.in_process import TOKEN, in_process

BODY = json.dumps({"messages": [{"role": "user", "content": "hello"}], "stream": True}).encode()


class ReadingProcess(socketserver.ThreadingUnixStreamServer):
    """Says which model it has. Every conversation gets ``pieces`` and no end; ``left`` is set when its other side has closed."""

    daemon_threads = True

    def __init__(self, path: Path, pieces: int) -> None:
        self.asked, self.left = threading.Event(), threading.Event()
        outer = self

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                if json.loads(self.rfile.readline()).get("ask"):
                    self.wfile.write(b'{"model": "small", "images": false}\n')
                    return
                for n in range(pieces):
                    self.wfile.write(json.dumps({"text": f"word {n} "}).encode() + b"\n")
                outer.asked.set()
                if self.rfile.read(1) == b"":
                    outer.left.set()

        super().__init__(str(path), Conversation)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    with in_process(tmp_path) as inner, ExitStack() as stack:
        settings = Settings(inbox=inner.settings.inbox, outbox=inner.settings.outbox, engine="vlm", model="small")

        def start(pieces: int) -> tuple[ReadingProcess, ServerContext]:
            process = stack.enter_context(ReadingProcess(tmp_path / "chat", pieces))
            stack.callback(process.shutdown)
            return process, replace(inner.context, settings=settings, chat_socket=tmp_path / "chat")

        yield start


@pytest.mark.parametrize("pieces", [0, 3])
def test_a_client_that_leaves_before_or_amid_the_answer(served: Any, pieces: int) -> None:
    process, context = served(pieces)
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        app = with_access_control(make_app(context), TOKEN, frozenset({f"127.0.0.1:{port}"}), port, 1_000)
        web_server = server.WebServer(app)
        thread = threading.Thread(target=web_server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with socket.create_connection(("127.0.0.1", port)) as client:
                head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {TOKEN}\r\n"
                client.sendall(f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY)
                assert process.asked.wait(60)
                if pieces:
                    assert b"200 OK" in client.recv(1_000)
            assert process.left.wait(20)
        finally:
            web_server.should_exit = True
            thread.join()


def test_an_answer_that_is_never_sent_ends_its_conversation(served: Any) -> None:
    process, context = served(3)

    async def send(_: Any) -> None:
        raise OSError("the client has gone")

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def answer() -> None:
        request = type("Request", (), {"app": make_app(context), "is_disconnected": staticmethod(asyncio.sleep)})()
        assert server_context(request) is context
        request.body = lambda: asyncio.sleep(0, BODY)
        request.is_disconnected = lambda: asyncio.sleep(0, False)
        response = await openai_routes.chat_completions(request)
        scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
        with pytest.raises(ClientDisconnect):
            await response(scope, receive, send)
        assert await asyncio.to_thread(process.left.wait, 60)

    with ThreadPoolExecutor(1) as pool:  # this thread may have a loop of the browser's
        pool.submit(asyncio.run, answer()).result()
