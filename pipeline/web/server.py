"""The HTTP server: uvicorn on one socket, with time limits for slow clients and room for known ones.

Settings of uvicorn end silent connections between requests (``timeout_keep_alive``) and limit the time for requests in progress at the
end (``timeout_graceful_shutdown``); h11 limits the size of a request's head. The time for a head is limited here, the number of
connections in ``connections``, the body in ``access``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import h11
import psutil
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.errors import SettingsError
from pipeline.web.access import AccessControl
from pipeline.web.connections import ACCEPTED_AT_ONCE, Connections

HEAD_SECONDS = 10.0
"""Time from the connection to the complete head of its first request."""
KEEP_ALIVE_SECONDS = 75
"""Time between two requests of a connection. With a shorter one, clients send requests on connections that are just being closed."""
WAITING_CONNECTIONS = 1_024
"""Connections that the operating system keeps until they are accepted."""
SHUTDOWN_SECONDS = 3


class GuardedProtocol(H11Protocol):
    """A connection that must send complete request heads in time, and that makes room for others."""

    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, open_connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._open_connections, application = open_connections, self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["has_token"] = lambda: open_connections.has_token(self)
            await application(scope, receive, send)

        self.app = app

    @property
    def is_idle(self) -> bool:
        """See connections.Connection."""
        return self.cycle is None or self.cycle.response_complete

    def abort(self) -> None:
        """See connections.Connection."""
        self.transport.abort()

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._open_connections.add(self)
        self._set_deadline(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._open_connections.remove(self)
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """See H11Protocol."""
        super().on_response_complete()
        refused = self.conn.their_state is h11.SEND_BODY  # the client sends on what was answered already
        self._set_deadline(HEAD_SECONDS if refused else KEEP_ALIVE_SECONDS + HEAD_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP. See H11Protocol."""
        body = json.dumps({"detail": msg}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        with contextlib.suppress(h11.LocalProtocolError):  # a response has begun already
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _set_deadline(self, seconds: float) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._close_without_request)

    def _close_without_request(self) -> None:
        if self.is_idle:
            self.transport.abort()


class WebServer(uvicorn.Server):
    """Leaves signals to its caller; set ``should_exit`` to end it. With a certificate it speaks TLS. Raises SettingsError."""

    def __init__(self, app: AccessControl, certificate: Path | None = None, key: Path | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=partial(GuardedProtocol, Connections()),  # type: ignore[arg-type] # it is called like the class
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=ACCEPTED_AT_ONCE,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
                ssl_certfile=certificate,
                ssl_keyfile=key,
            )
        )
        try:
            self.config.load()
        except OSError as error:  # also one of TLS
            raise SettingsError(
                f"serve.certificate: {certificate}: cannot be used: {error.strerror or error}",
                "name files in PEM form: the certificate with those that signed it, and its key without a password",
            ) from error

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        if self.config.is_ssl:
            loop: Any = asyncio.get_running_loop()
            loop.create_server = partial(loop.create_server, ssl_handshake_timeout=HEAD_SECONDS)
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(WAITING_CONNECTIONS)  # asyncio has set it to the number that it accepts at once

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: no setting of uvicorn switches its signal handlers off."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free port. Raises SettingsError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(WAITING_CONNECTIONS)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error}", "choose another --port; 0 is any that is free"
        ) from error
    return opened


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can connect to the host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def permitted_hosts(host: str, port: int, names: tuple[str, ...]) -> frozenset[str]:
    """The permitted values of the Host header: the names and addresses at which the server listens, and ``names``."""
    own = {"127.0.0.1", "localhost", "[::1]"}
    if not is_loopback(host):
        own |= {host, socket.gethostname().lower(), socket.getfqdn().lower()}
        own |= {address.address for addresses in psutil.net_if_addrs().values() for address in addresses}
    bracketed = {f"[{name.partition('%')[0]}]" if ":" in name and not name.startswith("[") else name for name in own}
    with_port = {f"{name}:{port}" for name in bracketed} | (bracketed if port == 80 else set())
    return frozenset(with_port | {name.lower() for name in names})
