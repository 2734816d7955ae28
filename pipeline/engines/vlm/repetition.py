"""Notices a model that says the same over and over, so that a page costs no endless answer."""

from __future__ import annotations

from typing import Any

import numpy as np

LONGEST = 200
"""Tokens of the longest phrase whose repetition is noticed: a row of a table."""
MIN_TOKENS, LEAST_TIMES = 96, 6
"""A phrase must fill this many tokens again, and come again this often: rows of dots and equal lines of a table are legitimate."""


class RepetitionCheck:
    """Fed with every token written; ``length`` is the phrase's once it loops, else 0."""

    def __init__(self) -> None:
        self._tail: Any = np.full(LONGEST, -1, np.int64)
        self._equal: Any = np.zeros(LONGEST, np.int64)
        self._enough: Any = np.maximum(MIN_TOKENS, LEAST_TIMES * np.arange(1, LONGEST + 1))
        self.length = 0

    def add(self, token: int) -> None:
        """One more token. ``_equal[p - 1]`` counts how many of the last tokens equal the one ``p`` before them."""
        self._equal = (self._equal + 1) * (self._tail[::-1] == token)
        self._tail = np.append(self._tail[1:], token)
        if not self.length:
            looping = np.flatnonzero(self._equal >= self._enough)
            self.length = int(looping[0]) + 1 if len(looping) else 0

    @property
    def surplus(self) -> int:
        """How many tokens at the end only say again what was said before."""
        return int(self._equal[self.length - 1]) if self.length else 0
