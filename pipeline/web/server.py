"""The HTTP server: uvicorn on one socket, with time limits for slow clients.

Settings of uvicorn end silent connections between requests (``timeout_keep_alive``), limit the number of connections
(``limit_concurrency``) and the time for requests in progress at the end (``timeout_graceful_shutdown``); h11 limits the size of a
request's head. No setting limits the time for a head: see ``_HeadDeadline``. The body's limits are in ``access``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.errors import SettingsError
from pipeline.web.access import AccessControl

HEAD_SECONDS = 10.0
"""Time from the connection to the complete head of its first request."""
KEEP_ALIVE_SECONDS = 75
"""Time between two requests of a connection. With a shorter one, clients send requests on connections that are just being closed."""
MAX_CONNECTIONS = 64
SHUTDOWN_SECONDS = 3


class _HeadDeadline(H11Protocol):
    """Closes a connection that sends no complete request head in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._set_deadline(HEAD_SECONDS)

    def on_response_complete(self) -> None:
        """See H11Protocol."""
        super().on_response_complete()
        self._set_deadline(KEEP_ALIVE_SECONDS + HEAD_SECONDS)

    def _set_deadline(self, seconds: float) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._close_without_request)

    def _close_without_request(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class WebServer(uvicorn.Server):
    """Leaves signals to its caller; set ``should_exit`` to end it."""

    def __init__(self, app: AccessControl) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_HeadDeadline,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )

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
        opened.listen(MAX_CONNECTIONS)
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
