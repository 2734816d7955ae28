"""Conversations with the language model of an engine, beside the pages that it reads: requests of programs (docs/api.md).

A conversation is decoded in the same batch as pages. Its text comes back piece by piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from pipeline.records import PageImage

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length"]
"""Why an answer ended: by itself or at a stop text; or at its limit, also where the model repeated itself without end."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message: texts and images in their order."""

    role: Role
    parts: tuple[str | PageImage, ...]

    @property
    def images(self) -> list[PageImage]:
        """The images of the message."""
        return [part for part in self.parts if isinstance(part, PageImage)]

    @property
    def text(self) -> str:
        """The texts of the message, joined by line breaks."""
        return "\n".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation that the model is to continue."""

    messages: tuple[ChatMessage, ...]
    limit: int
    """Tokens that the answer may have."""
    temperature: float = 0.0
    seed: int = 0
    schema: Mapping[str, Any] | None = None
    """JSON Schema that the answer must meet; None for any text."""
    stop: tuple[str, ...] = ()
    """Texts before which the answer ends."""


@dataclass(frozen=True, slots=True)
class ChatEnd:
    """The end of an answer, or why there is none (``error``)."""

    finish: Finish = "stop"
    prompt_tokens: int = 0
    tokens: int = 0
    error: str = ""
    code: str = ""
    """Of an error, as OpenAI names it; empty for an error of the engine."""


@dataclass(slots=True)
class Chat:
    """A conversation on its way. ``listen`` gets pieces of text, then one ChatEnd, from the engine's thread."""

    request: ChatRequest
    listen: Callable[[str | ChatEnd], None]
    cancelled: bool = False
    """Set by any thread: its reader has gone. The engine then drops it with its next step."""
    sent: int = field(default=0)
    """Letters that ``listen`` has got."""

    def more(self, text: str, *, final: bool) -> bool:
        """Pass on what is new in ``text``, the whole answer so far. Returns whether a stop text ends it.

        Before the end, a last letter that is not complete is kept back, and what may be the beginning of a stop text.
        """
        found = [place for stop in self.request.stop if (place := text.find(stop)) >= 0]
        end = min(found, default=len(text))
        if not found and not final:
            end = len(text.rstrip("\ufffd"))
            end -= max((_overlap(text[:end], stop) for stop in self.request.stop), default=0)
        if end > self.sent:
            self.listen(text[self.sent : end])
            self.sent = end
        return bool(found)


def _overlap(text: str, stop: str) -> int:
    """How many letters at the end of a text are the beginning of ``stop``."""
    return next((count for count in range(min(len(text), len(stop)), 0, -1) if text.endswith(stop[:count])), 0)


@runtime_checkable
class ChatEngine(Protocol):
    """An engine with a language model that also takes conversations."""

    model_name: str
    accepts_images: bool

    def submit_chat(self, chat: Chat) -> None:
        """Queue a conversation. It counts in ``load``, and takes one of the places of ``room``."""
        ...
