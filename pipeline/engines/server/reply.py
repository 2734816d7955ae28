"""What the server wrote: the text of a chat completion, how it ended, and the messages of errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pydantic_core

from pipeline.engines.answers import shortened

_THOUGHT = re.compile(r"\A\s*<think>.*?(</think>|\Z)", re.DOTALL)
"""What some models think aloud before they answer, where the server leaves it in."""
_LONGEST = 300
_TOO_LONG = re.compile(
    r"exceed_context|context_length|context (length|size|window)|maximum context|too many tokens", re.IGNORECASE
)
"""How vLLM, llama.cpp, Ollama and OpenAI say that a question does not fit."""


@dataclass(frozen=True, slots=True)
class Written:
    """A model's answer. ``complete`` is False when it ran into ``max_tokens``."""

    text: str
    complete: bool = True


def read_completion(body: bytes) -> Written:
    """The first choice of a chat completion. Raises ValueError, in words for people, when there is none."""
    found = _json(body)
    choices = found.get("choices") if isinstance(found, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ValueError(f"the server's response holds no answer: {message_of(body)}")
    complete = choice.get("finish_reason") != "length"
    text = _THOUGHT.sub("", _text(message.get("content")))
    if text.strip() or not complete:
        return Written(text, complete)
    if message.get("refusal"):
        raise ValueError(f"the model refused: {shortened(str(message['refusal']))}")
    if choice.get("finish_reason") == "content_filter":
        raise ValueError("the server's content filter held the answer back")
    raise ValueError("the model's answer is empty")


def _text(content: Any) -> str:
    """Content is a text, or a list of parts of which some are text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))


def first_model(body: bytes) -> str:
    """The name of the first model that a server lists; empty when it lists none."""
    found = _json(body)
    models = found.get("data") if isinstance(found, dict) else None
    first = models[0] if isinstance(models, list) and models else None
    return str(first.get("id") or "") if isinstance(first, dict) else ""


def message_of(body: bytes) -> str:
    """What the body of an error says, in one short line."""
    found = _json(body)
    told = found.get("error", found) if isinstance(found, dict) else found
    if isinstance(told, dict):
        told = told.get("message") or told.get("detail") or told
    return shortened(str(told) if told else body[: _LONGEST * 4].decode("utf-8", "replace"))


def is_too_long(body: bytes) -> bool:
    """Whether an error says that the question does not fit into the model's context."""
    return bool(_TOO_LONG.search(body[:4000].decode("utf-8", "replace")))


def _json(body: bytes) -> Any:
    try:
        return pydantic_core.from_json(body)
    except ValueError:
        return None
