"""A chat server on loopback that behaves as a test defines: well by default, wrongly where the test needs it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MODEL = "scripted"


@dataclass(frozen=True)
class Call:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The user's message without its picture."""
        content = self.body["messages"][-1]["content"]
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)

    @property
    def picture(self) -> str:
        """The URL of the user's picture; empty without one."""
        content = self.body["messages"][-1]["content"]
        parts = [] if isinstance(content, str) else content
        return "".join(part["image_url"]["url"] for part in parts if part["type"] == "image_url")

    @property
    def schema(self) -> dict[str, Any]:
        """The schema that the answer must meet; empty where the request has none."""
        found: dict[str, Any] = self.body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        return found


Behave = Callable[["Handler", Call], None]


class Handler(BaseHTTPRequestHandler):
    """Reads a request, notes it, and lets the script answer."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.respond(200, {"object": "list", "data": [{"id": MODEL}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        call = Call(self.path, dict(self.headers), body)
        self.server.script.calls.append(call)
        try:
            self.server.script.behave(self, call)
        except OSError:  # the client has gone
            self.close_connection = True

    def respond(self, status: int, body: Any, **headers: str) -> None:
        """A whole response; ``body`` as JSON unless it is bytes. Underscores in names of headers are hyphens."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content_Type": "application/json", "Content_Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def complete(self, text: Any, finish: str = "stop", **message: Any) -> None:
        """A chat completion with this content."""
        choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        self.respond(200, {"object": "chat.completion", "choices": [choice]})

    def begin_pieces(self) -> None:
        """The head of a chat completion that comes in pieces, up to the end of the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True

    def piece(self, text: str = "", finish: str | None = None) -> None:
        """A piece of it."""
        choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
        self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    script: ScriptedServer

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection, so that it ends with the server."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every connection."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may leave."""


def behave_well(handler: Handler, call: Call) -> None:
    """An answer that meets the schema, or a line of text where the request has none."""
    handler.complete(json.dumps(sample(call.schema)) if call.schema else "What stands here.")


SAMPLES = {"-?": "1234.50", "(0[1-9]|1": "2025-03-24", "([01]": "14:05", "[A-Z]": "EUR"}
"""Values by how the pattern of their type goes on after ^ and years."""


def sample(schema: dict[str, Any]) -> Any:
    """A value that meets a schema."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
    if kind == "object":
        return {name: sample(item) for name, item in schema["properties"].items()}
    if kind == "array":
        return [sample(schema["items"])] * min(2, schema.get("maxItems", 2))
    pattern = schema.get("pattern", "").removeprefix("^").removeprefix("[0-9]{4}-")
    return next((value for start, value in SAMPLES.items() if pattern.startswith(start)), "as printed")


class ScriptedServer:
    """The server, listening while the context lasts."""

    def __init__(self, behave: Behave = behave_well, port: int = 0) -> None:
        self.behave = behave
        self.calls: list[Call] = []
        self._server = _Server(("127.0.0.1", port), Handler)
        self._server.script = self
        self._closed = False
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._closed:
            self._closed = True
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
