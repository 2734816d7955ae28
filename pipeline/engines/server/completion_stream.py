"""Reads a chat completion that comes in pieces: server-sent events, as OpenAI's API sends them where a request has ``stream``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pydantic_core

MAX_LINE = 1_000_000
"""Bytes of an event; a longer one is passed over while it arrives."""
MAX_FOLLOWED = 20_000
"""Letters of an answer of which pieces are passed on."""


class CompletionStream:
    """Takes the bytes of a response as they arrive. ``listen`` gets the text so far, each time that it has grown."""

    def __init__(self, listen: Callable[[str], None] | None = None) -> None:
        self._listen = listen
        self._left = b""
        self._texts: list[str] = []
        self._letters = 0
        self._refusals: list[str] = []
        self._finish: str | None = None
        self._error: Any = None
        self._has_begun, self._has_ended = False, False

    def feed(self, received: bytes) -> None:
        """Take more bytes."""
        *lines, self._left = (self._left + received).split(b"\n")
        if len(self._left) > MAX_LINE:
            self._left = b""
        before = self._letters
        for line in lines:
            if line.startswith(b"data:"):
                self._take(line.removeprefix(b"data:").strip())
        if self._listen and before < self._letters <= MAX_FOLLOWED:
            self._listen("".join(self._texts))

    def choice(self) -> dict[str, Any] | None:
        """The choice that the pieces are, as a completion in one piece has it; None where the response holds no pieces.

        Raises ValueError where the stream says an error or has no end.
        """
        self.feed(b"\n")
        if not self._has_begun:
            return None
        if self._error is not None:
            message = self._error.get("message") if isinstance(self._error, dict) else self._error
            raise ValueError(f"the server ended its answer with an error: {str(message)[:300]}")
        if not self._has_ended:
            raise ValueError("the server's answer ends in the middle")
        refusal = "".join(self._refusals) or None
        return {"finish_reason": self._finish, "message": {"content": "".join(self._texts), "refusal": refusal}}

    def _take(self, data: bytes) -> None:
        self._has_begun = True
        if data == b"[DONE]":
            self._has_ended = True
            return
        try:
            event = pydantic_core.from_json(data)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        self._error = event.get("error", self._error)
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return
        if finish := choice.get("finish_reason"):
            self._finish, self._has_ended = str(finish), True
        delta = choice.get("delta")
        if isinstance(delta, dict):
            for name, texts in (("content", self._texts), ("refusal", self._refusals)):
                if isinstance(text := delta.get(name), str) and text:
                    texts.append(text)
                    self._letters += len(text)


def streamed_choice(body: bytes) -> dict[str, Any] | None:
    """The choice in the body of a response that came in pieces; None for any other body. Raises ValueError."""
    stream = CompletionStream()
    stream.feed(body)
    return stream.choice()
