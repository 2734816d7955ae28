"""One request and its response over HTTP: bounded in time and size, redirects not followed."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.engines.server.address import Address
from pipeline.errors import EngineUnavailableError
from pipeline.install_hint import install_hint

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 16_000_000
"""A response with more bytes is not read to its end."""
CONNECT_SECONDS = 10.0


class TooLargeError(Exception):
    """A response is larger than ``MAX_BYTES``."""


class NoConnectionError(Exception):
    """There was no connection to the server, so that nothing was sent."""


class BrokenError(Exception):
    """The connection ended before the response was complete."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response of any status."""

    status: int
    body: bytes
    retry_after: str = ""


def check_packages() -> None:
    """Raises EngineUnavailableError when the package httpx is not installed."""
    if importlib.util.find_spec("httpx") is None:
        raise EngineUnavailableError(
            "the engine `server` needs the package httpx", f"{install_hint('server')}, or choose another engine"
        )


def make_client(address: Address, connections: int) -> httpx.AsyncClient:
    """A client that uses the environment's proxies, except for this machine itself. Raises EngineUnavailableError."""
    import httpx

    try:
        return httpx.AsyncClient(
            headers=address.headers(),
            trust_env=not address.loopback,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )
    except (ValueError, OSError, httpx.InvalidURL) as error:
        raise EngineUnavailableError(
            f"the connection to {address.place} cannot be prepared ({type(error).__name__})",
            "check the variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE of the environment",
        ) from error


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    seconds: float,
    body: dict[str, Any] | None = None,
    receive: Callable[[bytes], None] | None = None,
) -> Response:
    """The response to a request; ``seconds`` is the time for all of it, however slowly it arrives. ``receive`` gets its parts as they come.

    Raises TimeoutError, NoConnectionError, BrokenError, TooLargeError.
    """
    import httpx

    received = bytearray()
    try:
        async with asyncio.timeout(seconds), client.stream(method, url, json=body) as response:
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > MAX_BYTES:
                    raise TooLargeError(f"the server's response is larger than {MAX_BYTES // 1_000_000} MB")
                if receive:
                    receive(chunk)
            return Response(response.status_code, bytes(received), response.headers.get("retry-after", ""))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise NoConnectionError(f"no connection ({str(error)[:200] or type(error).__name__})") from error
    except httpx.HTTPError as error:
        raise BrokenError(f"the connection broke off ({type(error).__name__})") from error
