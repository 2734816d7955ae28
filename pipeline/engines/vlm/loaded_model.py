"""A model in memory, and what its decoder works on: pages and conversations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.engines.base import Request
from pipeline.engines.chat import Chat

if TYPE_CHECKING:
    from pipeline.engines.vlm.decode import Decoder


@dataclass(frozen=True, slots=True)
class StartedRequest:
    """A request that the decoder has."""

    request: Request
    started: float
    """``time.perf_counter()`` before its prompt was encoded."""


@dataclass(frozen=True, slots=True)
class StartedChat:
    """A conversation that the decoder has."""

    chat: Chat


Started = StartedRequest | StartedChat


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory, with its tokenizer, grammars and decoder."""

    chat: Any
    grammars: Any
    decoder: Decoder[Started]
    context: int
    """Tokens that the model can attend to."""

    def text(self, tokens: Any) -> str:
        """The text of generated tokens."""
        return str(self.chat.tokenizer.decode(tokens, skip_special_tokens=True))

    def pieces(self, tokens: Any) -> list[str]:
        """The text of each token. Parts of a letter are replacement characters."""
        return [str(self.chat.tokenizer.decode([token], skip_special_tokens=True)) for token in tokens]
