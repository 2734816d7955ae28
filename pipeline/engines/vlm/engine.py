"""The engine ``vlm`` behind the Protocol: requests become prompts, answers become claims."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.engines.asking import is_text, read_answer
from pipeline.engines.base import Request
from pipeline.engines.hints import unannounced
from pipeline.engines.printed import printed_values
from pipeline.engines.vlm.load import load_model, make_plan
from pipeline.engines.vlm.store import DEFAULT_MODEL, find_model
from pipeline.errors import DocumentError
from pipeline.records import Answer, Claim
from pipeline.settings import Settings
from pipeline.templates.model import Template
from pipeline.templates.schema import Printed

if TYPE_CHECKING:
    from pipeline.engines.vlm.decode import Decoder, Task, Written

VERSION = 1
"""Part of every recipe: raise it when prompts, decoding or the reading of answers change."""


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    started: float


class VlmEngine:
    """One model in this process. Finding it is quick; it is loaded when the first request comes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model = find_model(settings.model or DEFAULT_MODEL, settings.vlm.revision)
        self._plan = make_plan(self._model, settings.vlm)
        self.identity = f"vlm/{VERSION} {self._model.name}@{self._model.revision} {self._plan.dtype}"
        self.retries = settings.retries

    def wants_image(self, template: Template) -> bool:
        """A model that sees is shown every page."""
        del template
        return self._model.vision

    def answer(self, requests: Iterable[Request | None]) -> Iterator[Answer]:
        """See Engine."""
        refused: list[Answer] = []
        for written in self._loaded.decoder.write(self._tasks(requests, refused)):
            yield from refused
            refused.clear()
            yield self._answer(written)
        yield from refused

    @cached_property
    def _loaded(self) -> _Loaded:
        return _load(self._settings, self._model, self._plan)

    def _tasks(self, requests: Iterable[Request | None], refused: list[Answer]) -> Iterator[Task[_Asked] | None]:
        for request in requests:
            if request is None:
                yield None
                continue
            asked = _Asked(request, time.perf_counter())
            if request.image is None and not request.page.words:  # nothing to read: a model would only invent
                refused.append(Answer(request.key, {name: Claim(None) for name in request.template.fields}))
                continue
            try:
                task = self._task(asked)
            except DocumentError as error:
                refused.append(Answer(request.key, status="failed", reason=error.reason, detail=error.detail))
            except Exception as error:  # a mistake costs one unit, never the run
                refused.append(_defect(request, error))
            else:
                yield task

    def _task(self, asked: _Asked) -> Task[_Asked]:
        from pipeline.engines.vlm.decode import Task

        request = self._to_ask(asked.request)
        template = request.template
        prompt = self._loaded.chat.encode(request)
        most = min(self._loaded.context, self._plan.tokens) - template.answer.tokens
        if prompt.tokens > most:
            raise DocumentError(
                "too_large",
                f"its prompt has {prompt.tokens:,} tokens; {max(0, most):,} fit beside answer.tokens of `{template.name}`",
            )
        constraint = None if is_text(template) else self._loaded.grammars.start(template, self._printed(request))
        seed = int.from_bytes(hashlib.sha256(f"{request.key}{request.temperature}".encode()).digest()[:6])
        return Task(asked, prompt, template.answer.tokens, constraint, request.temperature, seed)

    def _to_ask(self, request: Request) -> Request:
        """Without the fields that cannot be on the page, for a model that is given words alone; their claims will be None."""
        if not self._blind(request) or request.pages == 1:
            return request
        absent = unannounced(request.page, request.template)
        fields = {name: field for name, field in request.template.fields.items() if name not in absent}
        return replace(request, template=request.template.model_copy(update={"fields": fields})) if fields else request

    def _blind(self, request: Request) -> bool:
        return request.image is None and request.template.reader == "fields"

    def _printed(self, request: Request) -> Printed | None:
        """What a model may choose from that is given words alone; readings of a chart's marks are nowhere printed."""
        return printed_values(request.page) if self._blind(request) else None

    def _answer(self, written: Written[_Asked]) -> Answer:
        request = written.tag.request
        template = request.template
        answer = Answer(request.key, seconds=round(time.perf_counter() - written.tag.started, 4))
        if written.ending == "broken":
            return replace(answer, status="failed", reason="engine", detail=written.error)
        try:
            text = self._loaded.chat.tokenizer.decode(written.tokens, skip_special_tokens=True)
            claims = read_answer(template, text, complete=written.ending == "complete")
        except ValueError as error:
            return replace(answer, status="failed", reason="engine", detail=f"the answer cannot be read: {error}"[:300])
        except Exception as error:
            return _defect(request, error)
        if written.ending == "truncated":
            detail = f"the answer is longer than answer.tokens of `{template.name}` ({template.answer.tokens})"
            return replace(answer, claims=claims, status="failed", reason="too_large", detail=detail)
        if written.ending == "repeated":
            return replace(
                answer, claims=claims, status="failed", reason="engine", detail="the model repeated itself without end"
            )
        return replace(answer, claims=claims)


def _defect(request: Request, error: Exception) -> Answer:
    return Answer(
        request.key, status="failed", reason="engine", detail=" ".join(f"{type(error).__name__}: {error}".split())[:500]
    )


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is made once the model is in memory."""

    chat: Any
    grammars: Any
    decoder: Decoder
    context: int
    """Tokens that the model can attend to."""


def _load(settings: Settings, model: Any, plan: Any) -> _Loaded:
    from pipeline.engines.vlm.chat import Chat
    from pipeline.engines.vlm.constraint import Grammars
    from pipeline.engines.vlm.decode import Decoder
    from pipeline.engines.vlm.runner import make_runner

    loaded = load_model(model, plan)
    gc.collect()
    gc.freeze()  # a model is a million objects that never die; looking through them again and again took a fifth of the time
    text = loaded.config.get_text_config()
    chat = Chat(model, loaded.config)
    decoder = Decoder(make_runner(loaded), _stops(loaded, chat), most=settings.vlm.batch, memory=plan.tokens)
    return _Loaded(chat, Grammars(chat.tokenizer, text.vocab_size), decoder, getattr(text, "max_position_embeddings", 1 << 20))


def _stops(loaded: Any, chat: Any) -> set[int]:
    """Tokens that end an answer, by the checkpoint's generation settings and its tokenizer."""
    named = getattr(loaded.generation_config, "eos_token_id", None)
    found = set(named) if isinstance(named, list) else {named}
    return {token for token in (*found, chat.tokenizer.eos_token_id) if token is not None}
