"""Constrains generated JSON to the template's schema, token by token, with llguidance.

Of llguidance, xgrammar and outlines-core, llguidance was the fastest on our schemas, and the only one that reports which tokens the
schema forces (benchmarks/constraints.py, docs/decisions.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

_STYLE: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""How models write JSON without a constraint: on one line, with a blank after each colon and comma."""


class Constraint:
    """The state of one answer under its schema. ``matcher`` is llguidance's LLMatcher."""

    def __init__(self, matcher: Any) -> None:
        self.matcher = matcher

    def allowed(self, size: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which tokens may come next, as booleans of shape (size,)."""
        bits = np.frombuffer(self.matcher.compute_bitmask(), np.uint8)
        known = np.unpackbits(bits, bitorder="little")[:size].astype(bool)
        return known if len(known) == size else np.pad(known, (0, size - len(known)))

    def accept(self, token: int) -> None:
        """Append a token. Raises ValueError when it is not allowed."""
        if not self.matcher.consume_token(token):
            raise ValueError(f"token {token} is not allowed here: {self.matcher.get_error()}")

    def forced(self) -> list[int]:
        """Tokens that the schema allows as the only continuation; they are appended."""
        tokens: list[int] = list(self.matcher.compute_ff_tokens())
        if tokens and not self.matcher.consume_tokens(tokens):
            raise ValueError(f"forced tokens are not allowed: {self.matcher.get_error()}")
        return tokens

    @property
    def finished(self) -> bool:
        """Whether the answer is complete."""
        return bool(self.matcher.is_stopped())


class Grammars:
    """Compiles schemas for one tokenizer, each once."""

    def __init__(self, tokenizer: Any, vocabulary: int) -> None:
        from llguidance.hf import from_tokenizer

        self._tokenizer = from_tokenizer(tokenizer, n_vocab=max(vocabulary, len(tokenizer)))
        self._compiled = lru_cache(maxsize=64)(_compile)

    def start(self, schema: Mapping[str, Any]) -> Constraint:
        """The constraint of a new answer to a JSON Schema. Raises ValueError when the schema cannot be compiled."""
        from llguidance import LLMatcher

        matcher = LLMatcher(self._tokenizer, self._compiled(json.dumps(schema)))
        if matcher.is_error():
            raise ValueError(f"the schema cannot be compiled: {matcher.get_error()}")
        return Constraint(matcher)


def _compile(schema: str) -> str:
    from llguidance import LLMatcher

    return str(LLMatcher.grammar_from_json_schema(schema, overrides=_STYLE))
