"""The engine ``server`` behind the Protocol: requests become chats, completions become claims."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.engines.answers import failed, make_answer, nothing_to_read, shortened
from pipeline.engines.base import Request
from pipeline.engines.prompting import pose
from pipeline.engines.server.address import find_address
from pipeline.engines.server.chat_request import FORMS, Form, answer_form, chat
from pipeline.engines.server.client import Asker, RefusedError
from pipeline.engines.server.dispatcher import Flight
from pipeline.engines.server.http import check_packages, make_client
from pipeline.engines.server.model_list import only_model
from pipeline.engines.server.reply import read_completion
from pipeline.errors import DocumentError, EngineUnavailableError
from pipeline.records import Answer
from pipeline.settings import Settings
from pipeline.templates.model import Template

if TYPE_CHECKING:
    import httpx

VERSION = 2
"""Part of every recipe: raise it when questions or the reading of answers change."""
PAUSE_SECONDS = 0.02
"""How long to wait for an answer when no request is ready."""
_NOT_TAKEN = (400, 415, 422, 501)
"""Statuses of servers that do not know the form asked for."""


class ServerEngine:
    """Keeps as many requests under way as the settings allow.

    Raises EngineUnavailableError: at once when the address or the key cannot be used, or when no model is named and the server lists
    none; while answering when the server is gone or turns everything away. Units without an answer are then simply not read yet.
    """

    needs_whole_page = False
    prefers_batches = False

    def __init__(self, settings: Settings) -> None:
        check_packages()
        self._settings = settings.server
        self._address = find_address(settings.server)
        self._model = settings.model or only_model(self._address)
        self._asker = Asker(self._address, settings.server)
        self._forms: dict[str, Form] = {}
        blind = "" if settings.server.accepts_images else " (words only)"
        self.identity = f"server/{VERSION} {shortened(self._model)}@{self._address.place}{blind}"
        self.retries = settings.retry.answer_attempts - 1

    def wants_image(self, template: Template) -> bool:
        """A model that sees is shown every page."""
        del template
        return self._settings.accepts_images

    def answer(self, requests: Iterable[Request | None]) -> Iterator[Answer]:
        """See Engine."""
        most = self._settings.concurrency
        with Flight(make_client(self._address, connections=most), self._answer) as flight:
            for request in requests:
                if request is None:
                    yield from flight.landed(PAUSE_SECONDS)
                    continue
                flight.send(request)
                yield from flight.landed(None if flight.load >= most else 0)
            while flight.load:
                yield from flight.landed(None)

    async def _answer(self, client: httpx.AsyncClient, request: Request) -> Answer:
        """Whatever goes wrong here costs this unit only, unless the server itself is of no use."""
        started = time.perf_counter()
        try:
            answer = await self._read(client, request)
        except EngineUnavailableError:
            raise
        except DocumentError as error:
            answer = failed(request, error.detail, error.reason)
        except TimeoutError:
            answer = failed(request, f"not answered within {self._settings.seconds:g} s (server.seconds)", "timeout")
        except RefusedError as error:
            answer = failed(request, str(error), "too_large" if error.too_long else "engine")
        except Exception as error:
            answer = failed(request, self._address.censored(str(error) or type(error).__name__))
        return replace(answer, seconds=round(time.perf_counter() - started, 4))

    async def _read(self, client: httpx.AsyncClient, request: Request) -> Answer:
        if answer := nothing_to_read(request):
            return answer
        question = await asyncio.to_thread(pose, request)
        body = await asyncio.to_thread(chat, request, question, self._model)
        written = read_completion(await self._completion(client, request.template.name, question.schema, body))
        return make_answer(request, written.text, complete=written.complete)

    async def _completion(
        self, client: httpx.AsyncClient, name: str, schema: dict[str, Any] | None, body: dict[str, Any]
    ) -> bytes:
        """Ask in the strictest form that the server takes for this template."""
        first = FORMS.index(self._forms.get(name, FORMS[0]))
        for form in FORMS[first:]:
            asked = answer_form(name, schema, form)
            try:
                found = await self._asker.ask(client, body | asked)
            except RefusedError as error:
                if error.too_long or not asked or error.status not in _NOT_TAKEN:
                    raise
            else:
                self._forms[name] = form
                return found
        raise AssertionError("the last form asks for nothing that could be refused")
