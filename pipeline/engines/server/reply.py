"""Parses response bodies: the text of a chat completion, whether it is complete, the names of models, the messages of errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pydantic_core

from pipeline.engines.answers import shorten
from pipeline.engines.server.completion_stream import streamed_choice

_THOUGHT = re.compile(r"\A\s*<think>.*?(</think>|\Z)", re.DOTALL)
"""Reasoning that some models write before their answer, where the server does not remove it."""
_LONGEST = 300
_TOO_LONG = re.compile(
    r"exceed_context|context_length|context (length|size|window)|maximum context|too many tokens", re.IGNORECASE
)
"""How vLLM, llama.cpp, Ollama and OpenAI say that a prompt does not fit into the context."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer. ``complete`` is False when it ran into ``max_tokens``."""

    text: str
    complete: bool = True


def read_completion(body: bytes) -> Completion:
    """The first choice of a chat completion, whole or in pieces. Raises ValueError with a message for people when there is none."""
    choice = streamed_choice(body) or _first_choice(body)
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ValueError(f"the server's response holds no answer: {error_message(body)}")
    complete = choice.get("finish_reason") != "length"
    text = without_thought(_text(message.get("content")))
    if text.strip() or not complete:
        return Completion(text, complete)
    if message.get("refusal"):
        raise ValueError(f"the model refused: {shorten(str(message['refusal']))}")
    if choice.get("finish_reason") == "content_filter":
        raise ValueError("the server's content filter held the answer back")
    raise ValueError("the model's answer is empty")


def without_thought(text: str) -> str:
    """The text behind the reasoning; empty as long as a model still thinks."""
    return _THOUGHT.sub("", text)


def _first_choice(body: bytes) -> Any:
    parsed = _json(body)
    choices = parsed.get("choices") if isinstance(parsed, dict) else None
    return choices[0] if isinstance(choices, list) and choices else None


def _text(content: Any) -> str:
    """Content is a text, or a list of parts of which some are text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))


def first_model(body: bytes) -> str:
    """The name of the first model that a server lists; empty when it lists none."""
    parsed = _json(body)
    models = parsed.get("data") if isinstance(parsed, dict) else None
    first = models[0] if isinstance(models, list) and models else None
    return str(first.get("id") or "") if isinstance(first, dict) else ""


def error_message(body: bytes) -> str:
    """The message in the body of an error, as one short line."""
    parsed = _json(body)
    message = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
    if isinstance(message, dict):
        message = message.get("message") or message.get("detail") or message
    return shorten(str(message) if message else body[: _LONGEST * 4].decode("utf-8", "replace"))


def is_too_long(body: bytes) -> bool:
    """Whether an error says that the prompt does not fit into the model's context."""
    return bool(_TOO_LONG.search(body[:4000].decode("utf-8", "replace")))


def _json(body: bytes) -> Any:
    try:
        return pydantic_core.from_json(body)
    except ValueError:
        return None
