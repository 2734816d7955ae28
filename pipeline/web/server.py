"""The server itself: one socket, uvicorn on it, clients that may not dawdle, and an end when somebody asks for it."""

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
from pipeline.web.access import Guard

HEAD_SECONDS = 10.0
"""How long a client may take to say what it wants."""
IDLE_SECONDS = 75.0
"""And how long until it wants something else: closing earlier meets requests that are on their way."""
CONNECTIONS = 64
END_SECONDS = 3


class _Impatient(H11Protocol):
    """Hangs up on clients that open a connection and say nothing, or never come to the end of it."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)

    def on_response_complete(self) -> None:
        """See H11Protocol; the connection is kept for another request."""
        super().on_response_complete()
        self._wait(IDLE_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self._patience:
            self._patience.cancel()
        super().connection_lost(exc)

    def _wait(self, seconds: float) -> None:
        if self._patience:
            self._patience.cancel()
        self._patience = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it; set ``should_exit`` to end it."""

    def __init__(self, app: Guard) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Impatient,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=round(IDLE_SECONDS),
                timeout_graceful_shutdown=END_SECONDS,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing of the kind."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any that is free. Raises SettingsError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(CONNECTIONS)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error}", "choose another --port; 0 is any that is free"
        ) from error
    return opened


def is_loopback(host: str) -> bool:
    """Whether only this machine can get there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hosts(host: str, port: int, names: tuple[str, ...]) -> frozenset[str]:
    """What a Host header may say: this machine's names and addresses as far as it listens there, and ``names``."""
    found = {"127.0.0.1", "localhost", "[::1]"}
    if not is_loopback(host):
        found |= {host, socket.gethostname().lower(), socket.getfqdn().lower()}
        found |= {address.address for addresses in psutil.net_if_addrs().values() for address in addresses}
    bracketed = {f"[{name.partition('%')[0]}]" if ":" in name and not name.startswith("[") else name for name in found}
    with_port = {f"{name}:{port}" for name in bracketed} | (bracketed if port == 80 else set())
    return frozenset(with_port | {name.lower() for name in names})
