"""The model that a server runs, where the settings name none."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from pipeline.engines.server.address import Address
from pipeline.engines.server.client import rejection
from pipeline.engines.server.http import BrokenError, NoConnectionError, Response, TooLargeError, exchange, make_client
from pipeline.engines.server.reply import error_message, first_model
from pipeline.errors import EngineUnavailableError

TIMEOUT_SECONDS = 10.0
"""Time for the server's list of models."""


def only_model(address: Address) -> str:
    """The first model that the server lists. Raises EngineUnavailableError when there is no answer or the list is empty."""
    try:
        # In a thread of its own, because notebooks and web applications already run an event loop in theirs.
        with ThreadPoolExecutor(1) as thread:
            response = thread.submit(lambda: asyncio.run(_request_models(address))).result()
    except (NoConnectionError, BrokenError, TimeoutError, TooLargeError) as error:
        reason = str(error) or f"not within {TIMEOUT_SECONDS:g} s"
        raise EngineUnavailableError(
            f"no server answers at {address.place}: {reason}",
            "start it, or set server.url (PIPELINE_SERVER__URL) to where it is",
        ) from error
    if response.status in (401, 403, 404) or 300 <= response.status < 400:
        raise rejection(address, response)
    name = first_model(response.body) if response.status == 200 else ""
    if not name:
        reply = "no model" if response.status == 200 else f"{response.status}: {address.censored(error_message(response.body))}"
        raise EngineUnavailableError(
            f"the server at {address.place}, asked for its models, answered {reply}",
            "set `model` to the name of the model it runs",
        )
    return name


async def _request_models(address: Address) -> Response:
    async with make_client(address, 1) as client:
        return await exchange(client, "GET", f"{address.url}/models", seconds=TIMEOUT_SECONDS)
