"""Asks the server until it answers: again after what may pass, not after what will not, and never again once it is plainly gone."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from pipeline.engines.server.address import Address
from pipeline.engines.server.http import BrokenError, Response, UnreachableError, exchange
from pipeline.engines.server.reply import is_too_long, message_of
from pipeline.engines.server.retry import may_pass, pause
from pipeline.errors import EngineUnavailableError
from pipeline.settings import ServerSettings

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

MOST_TIMEOUTS = 2
"""How often a request is sent that runs out of time: a model that needs too long once mostly needs too long again."""
SEVERAL = 3
"""After so many requests in a row that were given up on, the server counts as broken."""
GO_ON = "then run the same command again: pages without an answer stay unread until then"


class RefusedError(Exception):
    """The server does not take this request: its status and its own words."""

    def __init__(self, status: int, message: str, *, too_long: bool = False) -> None:
        super().__init__(f"the server answered {status}: {message}")
        self.status = status
        self.too_long = too_long
        """The question does not fit into the model's context."""


class BusyError(Exception):
    """The server answered that it cannot answer now."""


class Asker:
    """Sends requests; remembers, over all of them, when the server last showed that it works."""

    def __init__(self, address: Address, settings: ServerSettings) -> None:
        self._address, self._settings = address, settings
        self._alive = float("-inf")
        self._answered = False
        self._given_up = 0

    async def ask(self, client: httpx.AsyncClient, body: dict[str, Any]) -> bytes:
        """The body of a successful response.

        Raises RefusedError, and after the last attempt BusyError, BrokenError or TimeoutError; TooLargeError;
        EngineUnavailableError when the server is gone, broken, or turns everything away.
        """
        failures, timeouts, away_since = 0, 0, float("inf")
        while True:
            begun, retry_after = time.monotonic(), ""
            try:
                response = await self._send(client, body)
                if not may_pass(response.status):
                    return self._settled(response)
                retry_after = response.retry_after
                error: Exception = BusyError(f"the server answered {response.status}: {self._said(response)}")
                away = response.status in (429, 503)
            except (UnreachableError, BrokenError, TimeoutError) as caught:
                error, away = caught, isinstance(caught, UnreachableError)
                timeouts += isinstance(caught, TimeoutError)
            failures += 1
            away_since = min(away_since, begun) if away else float("inf")
            if failures >= self._settings.request_attempts or timeouts >= MOST_TIMEOUTS:
                raise self._last(error, away_since)
            wait = pause(failures, retry_after)
            fields = {"detail": str(error), "attempt": failures, "again_in_seconds": round(wait, 1)}
            log.info("engine_retry", extra={"fields": fields})
            await asyncio.sleep(wait)

    async def _send(self, client: httpx.AsyncClient, body: dict[str, Any]) -> Response:
        url = f"{self._address.url}/chat/completions"
        return await exchange(client, "POST", url, seconds=self._settings.seconds, body=body)

    def _settled(self, response: Response) -> bytes:
        """A response that will not change by asking again."""
        if is_turned_away(response.status) or (response.status == 403 and not self._answered):
            raise turned_away(self._address, response)
        self._alive, self._given_up = time.monotonic(), 0
        if response.status >= 300:
            raise RefusedError(response.status, self._said(response), too_long=is_too_long(response.body))
        self._answered = True
        return response.body

    def _said(self, response: Response) -> str:
        return self._address.censored(message_of(response.body))

    def _last(self, error: Exception, away_since: float) -> Exception:
        """What a request ends with after its last attempt: its own error, or that there is no use in asking on."""
        if isinstance(error, TimeoutError):
            return error
        self._given_up += 1
        if self._alive < away_since < float("inf") or self._given_up >= SEVERAL:
            return EngineUnavailableError(
                f"the server at {self._address.place} does not answer: {error}", f"start it or correct server.url, {GO_ON}"
            )
        return error


def is_turned_away(status: int) -> bool:
    """Whether a status is about the address or the key rather than about one request."""
    return 300 <= status < 400 or status in (401, 404, 405, 407)


def turned_away(address: Address, response: Response) -> EngineUnavailableError:
    """What to do about a server that takes no request at all."""
    if 300 <= response.status < 400:
        return EngineUnavailableError(
            f"the server at {address.place} sends requests on to another address ({response.status})",
            f"set server.url to that address, {GO_ON}",
        )
    said = address.censored(message_of(response.body))
    cure = "check the key in the variable that server.key_variable names"
    if response.status in (404, 405):
        cure = "check server.url (it mostly ends in /v1) and the model's name"
    return EngineUnavailableError(f"the server at {address.place} answered {response.status}: {said}", f"{cure}, {GO_ON}")
