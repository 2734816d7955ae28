"""The HTTP server of the metrics: one thread, few connections, short deadlines, so that no client can take anything from the run.

The server of prometheus_client has a thread for each connection and waits for ever. A thousand clients that send nothing would use up the
files that the program may open, and the run could not open documents any more.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus

MAX_CONNECTIONS = 64
"""Open at the same time. When another client comes, the oldest connection is closed."""
ACCEPTED_AT_ONCE = 8
"""Connections that are accepted before their first bytes are looked at."""
WAITING_CONNECTIONS = 128
"""Connections that the operating system keeps until they are accepted."""
HEAD_SECONDS, RESPONSE_SECONDS = 5.0, 10.0
"""Time for the head of a request, and for sending the response."""
MAX_HEAD_BYTES = 16_384
LINGER_SECONDS = 1.0
"""Time in which the client may read the response before what it still sends breaks the connection."""


class MetricsServer:
    """Answers GET with what ``render`` returns, until ``close``. ``render`` runs in the server's thread."""

    def __init__(self, host: str, port: int, render: Callable[[], bytes], content_type: str) -> None:
        """Raises OSError when the address cannot be used."""
        self._render, self._content_type = render, content_type
        self._connections: dict[asyncio.StreamWriter, None] = {}
        """Oldest first."""
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        dual = host == "::" and socket.has_dualstack_ipv6()
        self._listener = socket.create_server((host, port), family=family, backlog=WAITING_CONNECTIONS, dualstack_ipv6=dual)
        self._listener.setblocking(False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the server and all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._listener.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(
                asyncio.start_server(self._serve, sock=self._listener, backlog=ACCEPTED_AT_ONCE, limit=MAX_HEAD_BYTES)
            )
            self._listener.listen(WAITING_CONNECTIONS)  # asyncio has set it to the number that it accepts at once
            self._loop.run_forever()
        finally:
            for writer in list(self._connections):
                writer.transport.abort()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = None
        if len(self._connections) > MAX_CONNECTIONS:
            oldest = next(iter(self._connections))
            del self._connections[oldest]
            oldest.transport.abort()
        try:
            status, body = await self._request(reader)
            async with asyncio.timeout(RESPONSE_SECONDS):
                await self._send(reader, writer, status, body)
        except (OSError, EOFError, TimeoutError):
            pass
        finally:
            writer.transport.abort()
            self._connections.pop(writer, None)

    async def _request(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, bytes]:
        """Wait for a request; returns the response's status and body. Raises OSError, EOFError when the client is gone."""
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"a head of more than {MAX_HEAD_BYTES:,} bytes")
        except TimeoutError:
            return _refusal(HTTPStatus.REQUEST_TIMEOUT, f"no complete request within {HEAD_SECONDS:g} s")
        try:
            return self._respond(head)
        except Exception as error:
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, f"a defect in pipeline: {type(error).__name__}: {error}")

    def _respond(self, head: bytes) -> tuple[HTTPStatus, bytes]:
        """The response to a request's head. Nothing of it but its first line is looked at."""
        words = head.partition(b"\r\n")[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _refusal(HTTPStatus.BAD_REQUEST, "this is no request of HTTP/1.1")
        if words[0] not in (b"GET", b"HEAD"):
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "only GET is answered")
        body = self._render()
        return HTTPStatus.OK, b"" if words[0] == b"HEAD" else body

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: HTTPStatus, body: bytes) -> None:
        kind = self._content_type if status == HTTPStatus.OK else "application/json"
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        writer.write_eof()
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while await reader.read(MAX_HEAD_BYTES):
                    pass
        except TimeoutError:
            pass


def _refusal(status: HTTPStatus, detail: str) -> tuple[HTTPStatus, bytes]:
    return status, json.dumps({"detail": detail}).encode()
