"""Which model a server runs, when the settings name none."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from pipeline.engines.server.address import Address
from pipeline.engines.server.client import turned_away
from pipeline.engines.server.http import BrokenError, Response, TooLargeError, UnreachableError, exchange, make_client
from pipeline.engines.server.reply import first_model, message_of
from pipeline.errors import EngineUnavailableError

SECONDS = 10.0
"""Time for the server's list."""


def only_model(address: Address) -> str:
    """The first model that the server lists. Raises EngineUnavailableError when nobody answers or nothing is listed."""
    try:
        # On a thread of its own: notebooks and web applications that load an engine run an event loop on theirs.
        with ThreadPoolExecutor(1) as thread:
            response = thread.submit(lambda: asyncio.run(_listed(address))).result()
    except (UnreachableError, BrokenError, TimeoutError, TooLargeError) as error:
        why = str(error) or f"not within {SECONDS:g} s"
        raise EngineUnavailableError(
            f"no server answers at {address.place}: {why}", "start it, or set server.url (PIPELINE_SERVER__URL) to where it is"
        ) from error
    if response.status in (401, 403, 404) or 300 <= response.status < 400:
        raise turned_away(address, response)
    name = first_model(response.body) if response.status == 200 else ""
    if not name:
        said = "no model" if response.status == 200 else f"{response.status}: {address.censored(message_of(response.body))}"
        raise EngineUnavailableError(
            f"the server at {address.place}, asked for its models, answered {said}",
            "set `model` to the name of the model it runs",
        )
    return name


async def _listed(address: Address) -> Response:
    async with make_client(address, connections=1) as client:
        return await exchange(client, "GET", f"{address.url}/models", seconds=SECONDS)
