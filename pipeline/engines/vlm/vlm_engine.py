"""The engine ``vlm`` behind the Protocol: requests become prompts, answers become claims."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from pipeline.engines.answers import failed, make_answer, nothing_to_read
from pipeline.engines.base import Request
from pipeline.engines.prompting import pose
from pipeline.engines.vlm.machine_capacity import give_back
from pipeline.engines.vlm.model_load import load_model, make_plan
from pipeline.engines.vlm.model_store import DEFAULT_MODEL, find_model
from pipeline.errors import DocumentError
from pipeline.records import Answer
from pipeline.settings import Settings
from pipeline.templates.model import Template

if TYPE_CHECKING:
    from pipeline.engines.vlm.decode import Decoder, Task, Written

VERSION = 2
"""Part of every recipe: raise it when prompts, decoding or the reading of answers change."""


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    started: float
    settled: Answer | None = None
    """The answer, where none is needed from the model."""


class VlmEngine:
    """One model in this process. Finding it is quick; it is loaded when the first request comes."""

    needs_whole_page = False
    prefers_batches = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model = find_model(settings.model or DEFAULT_MODEL, settings.vlm.revision)
        self._plan = make_plan(self._model, settings.vlm)
        self.identity = f"vlm/{VERSION} {self._model.name}@{self._model.revision} {self._plan.dtype}"
        self.retries = settings.retry.answer_attempts - 1

    def wants_image(self, template: Template) -> bool:
        """A model that sees is shown every page."""
        del template
        return self._model.vision

    def answer(self, requests: Iterable[Request | None]) -> Iterator[Answer | None]:
        """See Engine."""
        source = iter(requests)
        for first in source:
            if first is not None:
                break
            yield None
        else:
            return
        decoder = self._loaded.decoder
        yield None
        for written in decoder.steps(self._tasks(chain((first,), source))):
            yield self._answer(written) if written else None

    @cached_property
    def _loaded(self) -> _Loaded:
        return _load(self._settings, self._model, self._plan)

    def _tasks(self, requests: Iterable[Request | None]) -> Iterator[Task[_Asked] | Written[_Asked] | None]:
        from pipeline.engines.vlm.decode import Written

        for request in requests:
            if request is None:
                yield None
                continue
            asked = _Asked(request, time.perf_counter())
            if settled := nothing_to_read(request):
                yield Written(replace(asked, settled=settled))
                continue
            try:
                yield self._task(asked)
            except DocumentError as error:
                yield Written(replace(asked, settled=failed(request, error.detail, error.reason)))
            except Exception as error:  # a mistake costs one unit, never the run
                yield Written(replace(asked, settled=failed(request, f"{type(error).__name__}: {error}")))

    def _task(self, asked: _Asked) -> Task[_Asked]:
        from pipeline.engines.vlm.decode import Task
        from pipeline.engines.vlm.speculation import Draft

        request, template = asked.request, asked.request.template
        question = pose(request)
        chat = self._loaded.chat
        again = partial(chat.encode, question, request.image)
        prompt = again()
        most = min(self._loaded.context, self._plan.tokens) - template.answer.tokens
        if prompt.tokens > most:
            raise DocumentError(
                "too_large",
                f"its prompt has {prompt.tokens:,} tokens; {max(0, most):,} fit beside answer.tokens of `{template.name}`",
            )
        constraint = None if question.schema is None else self._loaded.grammars.start(question.schema)
        draft = Draft(chat.tokenizer, *question.likely)
        return Task(asked, prompt, template.answer.tokens, constraint, request.temperature, question.seed, draft, again)

    def _answer(self, written: Written[_Asked]) -> Answer:
        request, seconds = written.tag.request, time.perf_counter() - written.tag.started
        return replace(written.tag.settled or self._read(request, written), seconds=round(seconds, 4))

    def _read(self, request: Request, written: Written[_Asked]) -> Answer:
        if written.ending == "broken":
            return failed(request, written.error)
        try:
            text = self._loaded.chat.tokenizer.decode(written.tokens, skip_special_tokens=True)
            answer = make_answer(request, text, complete=written.ending == "complete")
        except Exception as error:  # a mistake costs one unit, never the run
            return failed(request, f"{type(error).__name__}: {error}")
        if written.ending == "repeated":
            return failed(request, "the model repeated itself without end", claims=answer.claims)
        return answer


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is made once the model is in memory."""

    chat: Any
    grammars: Any
    decoder: Decoder
    context: int
    """Tokens that the model can attend to."""


def _load(settings: Settings, model: Any, plan: Any) -> _Loaded:
    from pipeline.engines.vlm.chat_template import Chat
    from pipeline.engines.vlm.constraint import Grammars
    from pipeline.engines.vlm.decode import Decoder
    from pipeline.engines.vlm.runner import make_runner

    loaded = load_model(model, plan)
    gc.collect()
    gc.freeze()  # a model is a million objects that never die; looking through them again and again took a fifth of the time
    give_back()
    text = loaded.config.get_text_config()
    chat = Chat(model, loaded.config)
    limits = {"most": settings.vlm.batch, "memory": plan.tokens, "rows": plan.rows}
    decoder = Decoder(make_runner(loaded), _stops(loaded, chat), **limits)
    return _Loaded(chat, Grammars(chat.tokenizer, text.vocab_size), decoder, getattr(text, "max_position_embeddings", 1 << 20))


def _stops(loaded: Any, chat: Any) -> set[int]:
    """Tokens that end an answer, by the checkpoint's generation settings and its tokenizer."""
    named = getattr(loaded.generation_config, "eos_token_id", None)
    found = set(named) if isinstance(named, list) else {named}
    return {token for token in (*found, chat.tokenizer.eos_token_id) if token is not None}
