"""What OpenAI's API answers: completions, pieces of a stream, models, errors."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


class ErrorObject(BaseModel):
    """Why there is no answer."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorReply(BaseModel):
    """An error, in OpenAI's form."""

    error: ErrorObject


class ModelObject(BaseModel):
    """A model."""

    id: str
    object: str
    created: int
    owned_by: str


class ModelList(BaseModel):
    """The models that answer."""

    object: str
    data: list[ModelObject]


def error_object(status: int, message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """The object of an error."""
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion, as a whole or in pieces."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, text: str, end: dict[str, Any]) -> dict[str, Any]:
        """The completion with its whole text. ``end`` is a ChatEnd."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": end["finish"], "logprobs": None}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage(end)}

    def piece(self, delta: dict[str, str], finish: str | None = None) -> str:
        """A server-sent event with a piece of the text."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def usage_piece(self, end: dict[str, Any]) -> str:
        """A server-sent event with the number of tokens."""
        return event({**self._head("chat.completion.chunk"), "choices": [], "usage": usage(end)})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def usage(end: dict[str, Any]) -> dict[str, int]:
    """How many tokens a completion took."""
    prompt, answer = end["prompt_tokens"], end["tokens"]
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def event(value: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"data: {json.dumps(value)}\n\n"


DONE = "data: [DONE]\n\n"
