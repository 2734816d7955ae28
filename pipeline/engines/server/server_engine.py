"""The engine ``server``: requests become chat completions of an OpenAI-compatible server; completions become answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.engines.answers import empty_answer, failed_answer, make_answer, shorten
from pipeline.engines.base import Request
from pipeline.engines.prompting import make_prompt
from pipeline.engines.server.address import find_address
from pipeline.engines.server.chat_request import FORMS, Form, answer_form, chat
from pipeline.engines.server.client import RefusedError, RetryingClient
from pipeline.engines.server.dispatcher import Dispatcher
from pipeline.engines.server.http import check_packages, make_client
from pipeline.engines.server.model_list import only_model
from pipeline.engines.server.reply import read_completion, without_thought
from pipeline.errors import DocumentError, EngineUnavailableError
from pipeline.records import Answer
from pipeline.settings import Settings
from pipeline.templates.template import Template

if TYPE_CHECKING:
    import httpx

VERSION = 3
"""Part of every recipe: raise it when questions or the reading of answers change."""
_FORM_REFUSED = (400, 415, 422, 501)
"""Statuses of servers that do not support a ``response_format``."""


class ServerEngine:
    """Sends as many requests at once as ``server.concurrency`` allows.

    Raises EngineUnavailableError: on creation when the address or the key cannot be used, or when no model is named and the server
    lists none; by ``submit`` and ``poll`` when the server is gone or rejects everything. Units without an answer then stay unread.
    """

    needs_whole_page = False
    prefers_batches = False

    def __init__(self, settings: Settings) -> None:
        check_packages()
        self._settings = settings.server
        self._address = find_address(settings.server)
        self._model = settings.model or only_model(self._address)
        self._client = RetryingClient(self._address, settings.server)
        self._dispatcher: Dispatcher | None = None
        self._forms: dict[str, Form] = {}
        """By template: the strictest form that the server accepts."""
        words_only = "" if settings.server.accepts_images else " (words only)"
        self.identity = f"server/{VERSION} {shorten(self._model)}@{self._address.place}{words_only}"
        self.retries = settings.retry.answer_attempts - 1

    def wants_image(self, template: Template) -> bool:
        """True for every template where the settings say that the model accepts images."""
        del template
        return self._settings.accepts_images

    @property
    def load(self) -> int:
        """See Engine."""
        return self._dispatcher.load if self._dispatcher else 0

    @property
    def room(self) -> bool:
        """See Engine."""
        return self.load < self._settings.concurrency

    def submit(self, request: Request) -> None:
        """See Engine."""
        if self._dispatcher is None:
            self._dispatcher = Dispatcher(make_client(self._address, self._settings.concurrency), self._answer)
        self._dispatcher.submit(request)

    def poll(self, timeout: float) -> list[Answer]:
        """See Engine. Answers that were complete before an error are returned first."""
        return self._dispatcher.poll(timeout) if self._dispatcher else []

    def reset(self) -> None:
        """See Engine. Also closes the connections."""
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher:
            dispatcher.close()

    async def _answer(self, client: httpx.AsyncClient, request: Request) -> Answer:
        """An error fails this unit only, unless the server itself cannot be used."""
        started = time.perf_counter()
        try:
            answer = await self._read(client, request)
        except EngineUnavailableError:
            raise
        except DocumentError as error:
            answer = failed_answer(request, error.detail, error.reason)
        except TimeoutError:
            answer = failed_answer(request, f"not answered within {self._settings.seconds:g} s (server.seconds)", "timeout")
        except RefusedError as error:
            answer = failed_answer(request, str(error), "too_large" if error.too_long else "engine")
        except Exception as error:
            answer = failed_answer(request, self._address.censored(str(error) or type(error).__name__))
        return replace(answer, seconds=round(time.perf_counter() - started, 4))

    async def _read(self, client: httpx.AsyncClient, request: Request) -> Answer:
        if answer := empty_answer(request):
            return answer
        prompt = await asyncio.to_thread(make_prompt, request)
        body = await asyncio.to_thread(chat, request, prompt, self._model)
        completion = read_completion(await self._answer_body(client, request, prompt.schema, body))
        return make_answer(request, completion.text, complete=completion.complete)

    async def _answer_body(
        self, client: httpx.AsyncClient, request: Request, schema: dict[str, Any] | None, body: dict[str, Any]
    ) -> bytes:
        """The body of a completion, in pieces where the request has a listener and the server can."""
        name, listen = request.template.name, request.listen
        if listen is None:
            return await self._complete(client, name, schema, body)
        try:
            follow = partial(_listen_behind_thought, listen)
            return await self._complete(client, name, schema, body | {"stream": True}, follow)
        except RefusedError as error:
            if error.too_long or error.status not in _FORM_REFUSED:
                raise
        return await self._complete(client, name, schema, body)

    async def _complete(
        self,
        client: httpx.AsyncClient,
        name: str,
        schema: dict[str, Any] | None,
        body: dict[str, Any],
        listen: Callable[[str], None] | None = None,
    ) -> bytes:
        """The body of a completion, requested in the strictest form that the server accepts for this template."""
        first = FORMS.index(self._forms.get(name, FORMS[0]))
        for form in FORMS[first:]:
            response_format = answer_form(name, schema, form)
            try:
                completion = await self._client.send(client, body | response_format, listen)
            except RefusedError as error:
                if error.too_long or not response_format or error.status not in _FORM_REFUSED:
                    raise
            else:
                self._forms[name] = form
                return completion
        raise AssertionError("the last form has no response_format that a server could refuse")


def _listen_behind_thought(listen: Callable[[str], None], text: str) -> None:
    listen(without_thought(text))
