"""Notices a model that repeats a phrase endlessly, so that its answer ends early."""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_PHRASE_TOKENS = 200
"""Tokens of the longest phrase whose repetition is noticed: a row of a table."""
MIN_TOKENS, MIN_TIMES = 96, 6
"""A phrase is a loop once its repetitions fill this many tokens and are this many: rows of dots and equal table rows are no loops."""


class RepetitionCheck:
    """Gets every token of an answer. ``length`` is the number of tokens in the repeated phrase, 0 while there is none."""

    def __init__(self) -> None:
        self._tail: Any = np.full(MAX_PHRASE_TOKENS, -1, np.int64)
        self._equal: Any = np.zeros(MAX_PHRASE_TOKENS, np.int64)
        self._enough: Any = np.maximum(MIN_TOKENS, MIN_TIMES * np.arange(1, MAX_PHRASE_TOKENS + 1))
        self.length = 0

    def add(self, token: int) -> None:
        """Add the next token. ``_equal[p - 1]`` counts how many of the last tokens equal the token ``p`` places before them."""
        self._equal = (self._equal + 1) * (self._tail[::-1] == token)
        self._tail = np.append(self._tail[1:], token)
        if not self.length:
            looping = np.flatnonzero(self._equal >= self._enough)
            self.length = int(looping[0]) + 1 if len(looping) else 0

    @property
    def surplus(self) -> int:
        """Tokens at the end that only repeat earlier ones."""
        return int(self._equal[self.length - 1]) if self.length else 0
