"""The engine ``vlm``: a model in this process. Requests become prompts; generated tokens become answers."""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.engines.answers import empty_answer, failed_answer, make_answer
from pipeline.engines.base import Request
from pipeline.engines.chat import Chat
from pipeline.engines.prompting import is_text, make_prompt
from pipeline.engines.value_probabilities import value_probabilities
from pipeline.engines.vlm.chats import begin_chat, end_chat
from pipeline.engines.vlm.loaded_model import LoadedModel, Started, StartedChat, StartedRequest
from pipeline.engines.vlm.machine_capacity import release_freed_memory
from pipeline.engines.vlm.model_load import load_model, make_plan
from pipeline.engines.vlm.model_store import DEFAULT_MODEL, find_model
from pipeline.errors import DocumentError
from pipeline.records import Answer
from pipeline.settings import Settings
from pipeline.templates.template import Template

if TYPE_CHECKING:
    from pipeline.engines.vlm.decode import Decoder, DecodeTask, Generation

VERSION = 3
"""Part of every recipe: raise it when prompts, decoding or the reading of answers change."""


class VlmEngine:
    """One model in this process. Finding its files is quick; it is loaded by the first ``poll`` after the first request."""

    needs_whole_page = False
    prefers_batches = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model = find_model(settings.model or DEFAULT_MODEL, settings.vlm.revision)
        self._plan = make_plan(self._model, settings.vlm)
        self._requests: deque[Request] = deque()
        self._chats: deque[Chat] = deque()
        self.model_name, self.accepts_images = self._model.name, self._model.vision
        self._loaded: LoadedModel | None = None
        self.identity = f"vlm/{VERSION} {self._model.name}@{self._model.revision} {self._plan.dtype}"
        self.retries = settings.retry.answer_attempts - 1

    def wants_image(self, template: Template) -> bool:
        """True for every template where the model accepts images."""
        del template
        return self._model.vision

    @property
    def load(self) -> int:
        """See Engine."""
        return len(self._requests) + len(self._chats) + (self._loaded.decoder.load if self._loaded else 0)

    @property
    def room(self) -> bool:
        """See Engine."""
        return not self._requests and not self._chats and (self._loaded is None or self._loaded.decoder.room)

    def submit(self, request: Request) -> None:
        """See Engine."""
        self._requests.append(request)

    def submit_chat(self, chat: Chat) -> None:
        """See ChatEngine."""
        self._chats.append(chat)

    def poll(self, timeout: float) -> list[Answer]:
        """See Engine. One call loads the model, reads one prompt, or appends tokens to all answers."""
        del timeout
        if not self.load:
            return []
        if self._loaded is None:
            self._loaded = _load(self._settings, self._model, self._plan)
            return []  # a sign of life
        decoder = self._loaded.decoder
        if self._chats and decoder.room:
            begin_chat(self._chats.popleft(), self._loaded, self._plan.tokens)
            return []
        if self._requests and decoder.room:
            request = self._requests.popleft()
            started = time.perf_counter()
            if answer := self._begin(request, started):
                return [_timed(answer, started)]
        answers = []
        for generation in decoder.step():
            if isinstance(generation.tag, StartedChat):
                end_chat(generation.tag, generation, self._loaded)
            else:
                answers.append(_timed(self.make_answer(generation), generation.tag.started))
        return answers

    def reset(self) -> None:
        """See Engine. The model stays loaded."""
        self._requests.clear()
        self._chats.clear()
        if self._loaded:
            self._loaded.decoder.reset()

    @property
    def loaded_model(self) -> LoadedModel:
        """The model with all that belongs to it; loads it where that has not happened yet."""
        if self._loaded is None:
            self._loaded = _load(self._settings, self._model, self._plan)
        return self._loaded

    def _begin(self, request: Request, started: float) -> Answer | None:
        """Give a request to the decoder; the answer, where it gets one without the model."""
        if answer := empty_answer(request):
            return answer
        try:
            self.loaded_model.decoder.submit(self.make_task(request, started))
        except DocumentError as error:
            return failed_answer(request, error.detail, error.reason)
        except Exception as error:  # an error costs one unit, never the run
            return failed_answer(request, f"{type(error).__name__}: {error}")
        return None

    def make_task(self, request: Request, started: float = 0.0) -> DecodeTask[Started]:
        """What the decoder gets for a request. Raises DocumentError ``too_large`` when prompt and answer exceed the context."""
        from pipeline.engines.vlm.decode import DecodeTask
        from pipeline.engines.vlm.speculation import Draft

        template, loaded = request.template, self.loaded_model
        prompt = make_prompt(request)
        encode = partial(loaded.chat.encode, prompt, request.local_image)
        encoded = encode()
        limit = min(loaded.context, self._plan.tokens) - template.answer.tokens
        if encoded.tokens > limit:
            raise DocumentError(
                "too_large",
                f"its prompt has {encoded.tokens:,} tokens; {max(0, limit):,} fit beside answer.tokens of `{template.name}`",
            )
        constraint = None if prompt.schema is None else loaded.grammars.start(prompt.schema)
        return DecodeTask(
            StartedRequest(request, started),
            encoded,
            template.answer.tokens,
            constraint,
            request.temperature,
            prompt.seed,
            Draft(loaded.chat.tokenizer, *prompt.likely_texts),
            encode,
            partial(_follow, request.listen, loaded) if request.listen else None,
        )

    def make_answer(self, generation: Generation[Started]) -> Answer:
        """The answer that a generation is."""
        assert isinstance(generation.tag, StartedRequest)  # noqa: S101 - conversations end elsewhere
        request = generation.tag.request
        if generation.ending == "broken":
            return failed_answer(request, generation.error)
        try:
            text = self.loaded_model.text(generation.tokens)
            pieces = self.loaded_model.pieces(generation.tokens)
            likely = {} if is_text(request.template) else value_probabilities(pieces, generation.probabilities)
            answer = make_answer(request, text, complete=generation.ending == "complete", probabilities=likely)
        except Exception as error:  # an error costs one unit, never the run
            return failed_answer(request, f"{type(error).__name__}: {error}")
        if generation.ending == "repeated":
            return failed_answer(request, "the model repeated itself without end", claims=answer.claims)
        return answer


def _follow(listen: Callable[[str], None], loaded: LoadedModel, tokens: Sequence[int]) -> bool:
    """Pass on the text so far, without a last letter that is not complete. False: the answer goes on."""
    listen(loaded.text(tokens).rstrip("\ufffd"))
    return False


def _timed(answer: Answer, started: float) -> Answer:
    return replace(answer, seconds=round(time.perf_counter() - started, 4))


def _load(settings: Settings, model: Any, plan: Any) -> LoadedModel:
    from pipeline.engines.vlm.chat_template import ChatTemplate
    from pipeline.engines.vlm.constraint import Grammars
    from pipeline.engines.vlm.decode import Decoder
    from pipeline.engines.vlm.runner import make_runner

    loaded = load_model(model, plan)
    gc.collect()
    gc.freeze()  # a model is a million objects that live until the end; examining them again and again took a fifth of the time
    release_freed_memory()
    text = loaded.config.get_text_config()
    chat = ChatTemplate(model, loaded.config)
    stop_tokens = _stop_tokens(loaded, chat)
    decoder: Decoder[Started] = Decoder(
        make_runner(loaded), stop_tokens, batch=settings.vlm.batch, memory=plan.tokens, rows=plan.rows
    )
    grammars = Grammars(chat.tokenizer, text.vocab_size)
    return LoadedModel(chat, grammars, decoder, getattr(text, "max_position_embeddings", 1 << 20))


def _stop_tokens(loaded: Any, chat: Any) -> set[int]:
    """Tokens that end an answer, by the checkpoint's generation settings and its tokenizer."""
    named = getattr(loaded.generation_config, "eos_token_id", None)
    tokens = set(named) if isinstance(named, list) else {named}
    return {token for token in (*tokens, chat.tokenizer.eos_token_id) if token is not None}
