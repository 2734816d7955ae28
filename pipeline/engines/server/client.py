"""Sends a request until the server answers it: again after a temporary error, not after a final one, not once the server is gone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipeline.engines.server.address import Address
from pipeline.engines.server.completion_stream import CompletionStream
from pipeline.engines.server.http import BrokenError, NoConnectionError, Response, exchange
from pipeline.engines.server.reply import error_message, is_too_long
from pipeline.engines.server.retry import is_temporary, retry_seconds
from pipeline.errors import EngineUnavailableError
from pipeline.settings_sections import ServerSettings

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

MAX_TIMEOUTS = 2
"""How often a request is sent that times out: a model that is too slow once is mostly too slow again."""
MAX_GIVEN_UP = 3
"""After so many requests in a row without an answer, the server counts as broken."""
RUN_AGAIN = "then run the same command again: pages without an answer stay unread until then"


class RefusedError(Exception):
    """The server does not accept this request: its status and its own message."""

    def __init__(self, status: int, message: str, *, too_long: bool = False) -> None:
        super().__init__(f"the server answered {status}: {message}")
        self.status = status
        self.too_long = too_long
        """The prompt does not fit into the model's context."""


class BusyError(Exception):
    """The server answered that it cannot answer now."""


class RetryingClient:
    """Sends requests, and remembers over all of them when the server last answered one."""

    def __init__(self, address: Address, settings: ServerSettings) -> None:
        self._address, self._settings = address, settings
        self._last_response = float("-inf")
        """``time.monotonic()`` of the last response that was no temporary error."""
        self._has_answered = False
        self._given_up = 0
        """Requests in a row that were given up on."""

    async def send(self, client: httpx.AsyncClient, body: dict[str, Any], listen: Callable[[str], None] | None = None) -> bytes:
        """The body of a successful response. ``listen`` gets the text so far of one that comes in pieces; another attempt begins anew.

        Raises RefusedError, and after the last attempt BusyError, BrokenError or TimeoutError; TooLargeError;
        EngineUnavailableError when the server is gone, broken, or rejects everything.
        """
        failures, timeouts, away_since = 0, 0, float("inf")
        while True:
            started, retry_after = time.monotonic(), ""
            try:
                response = await self._send_once(client, body, listen)
                if not is_temporary(response.status):
                    return self._body(response)
                retry_after = response.retry_after
                error: Exception = BusyError(f"the server answered {response.status}: {self._message(response)}")
                away = response.status in (429, 503)
            except (NoConnectionError, BrokenError, TimeoutError) as caught:
                error, away = caught, isinstance(caught, NoConnectionError)
                timeouts += isinstance(caught, TimeoutError)
            failures += 1
            away_since = min(away_since, started) if away else float("inf")
            if failures >= self._settings.request_attempts or timeouts >= MAX_TIMEOUTS:
                raise self._final_error(error, away_since)
            wait = retry_seconds(failures, retry_after)
            fields = {"detail": str(error), "attempt": failures, "again_in_seconds": round(wait, 1)}
            log.info("engine_retry", extra={"fields": fields})
            await asyncio.sleep(wait)

    async def _send_once(
        self, client: httpx.AsyncClient, body: dict[str, Any], listen: Callable[[str], None] | None
    ) -> Response:
        url = f"{self._address.url}/chat/completions"
        receive = CompletionStream(listen).feed if listen else None
        return await exchange(client, "POST", url, seconds=self._settings.seconds, body=body, receive=receive)

    def _body(self, response: Response) -> bytes:
        """The body of a final response. Raises what its status means."""
        if is_rejection(response.status) or (response.status == 403 and not self._has_answered):
            raise rejection(self._address, response)
        self._last_response, self._given_up = time.monotonic(), 0
        if response.status >= 300:
            raise RefusedError(response.status, self._message(response), too_long=is_too_long(response.body))
        self._has_answered = True
        return response.body

    def _message(self, response: Response) -> str:
        return self._address.censored(error_message(response.body))

    def _final_error(self, error: Exception, away_since: float) -> Exception:
        """The error after the last attempt: the request's own, or that the server cannot be used."""
        if isinstance(error, TimeoutError):
            return error
        self._given_up += 1
        if self._last_response < away_since < float("inf") or self._given_up >= MAX_GIVEN_UP:
            return EngineUnavailableError(
                f"the server at {self._address.place} does not answer: {error}", f"start it or correct server.url, {RUN_AGAIN}"
            )
        return error


def is_rejection(status: int) -> bool:
    """Whether a status is about the address or the key rather than about one request."""
    return 300 <= status < 400 or status in (401, 404, 405, 407)


def rejection(address: Address, response: Response) -> EngineUnavailableError:
    """What to do about a server that accepts no request at all."""
    if 300 <= response.status < 400:
        return EngineUnavailableError(
            f"the server at {address.place} sends requests on to another address ({response.status})",
            f"set server.url to that address, {RUN_AGAIN}",
        )
    message = address.censored(error_message(response.body))
    cure = "check the key in the variable that server.key_variable names"
    if response.status in (404, 405):
        cure = "check server.url (it mostly ends in /v1) and the model's name"
    return EngineUnavailableError(
        f"the server at {address.place} answered {response.status}: {message}", f"{cure}, {RUN_AGAIN}"
    )
