"""Guesses how an answer goes on, for the model to confirm: values are copied from the page, so much of an answer is known beforehand.

Speculative decoding with prompt lookup (Saxena 2023, "Prompt lookup decoding"): a step that reads several tokens at once costs hardly more
than a step that reads one, and what the model would not have written itself is thrown away. Looked up are letters, not tokens: the same
word has other tokens behind a quotation mark than behind a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LENGTHS = (64, 48, 32, 24, 16, 12, 9, 6, 4)
"""Letters at an answer's end that are looked up, the longest first: the more agree, the likelier what follows them does too."""
LETTERS_PER_TOKEN = 8
FIRST, MOST = 6, 32
"""Tokens guessed at first, and at most."""
LONGEST_SOURCE = 40_000
"""Letters of a page that are searched; a denser one gets guesses from its beginning only."""


class Draft:
    """Guesses for one answer. ``sources`` are texts that it is likely to copy, the likeliest first: what another reader answers, in
    the form of this answer, then the page."""

    def __init__(self, tokenizer: Any, *sources: str) -> None:
        self._tokenizer = tokenizer
        text = "\n".join(sources)[:LONGEST_SOURCE]
        self._text = text.encode(errors="replace").decode()  # tokenizers refuse halves of surrogates
        self._tail = ""
        self._seen = 0
        self._trust = FIRST

    def propose(self, tokens: Sequence[int], most: int) -> list[int]:
        """Up to ``most`` tokens that may follow ``tokens``, the whole answer so far (only ever added to); none where nothing is alike."""
        if len(tokens) > self._seen:
            self._tail = (self._tail + self._tokenizer.decode(tokens[self._seen :]))[-LENGTHS[0] :]
            self._seen = len(tokens)
        most = min(most, self._trust)
        place = self._place() if most > 0 else -1
        if place < 0:
            return []
        guess = self._text[place : place + most * LETTERS_PER_TOKEN]
        found: list[int] = self._tokenizer.encode(guess, add_special_tokens=False)
        return found[:most]

    def _place(self) -> int:
        """Where the text goes on behind what the answer ends with; -1 where that does not stand there."""
        if not self._tail:
            return 0
        for length in LENGTHS:
            found = self._text.find(self._tail[-length:]) if length <= len(self._tail) else -1
            if found >= 0:
                return found + length
        return -1

    def record_outcome(self, proposed: int, confirmed: int) -> None:
        """How many of the last guess's tokens the model wrote, too."""
        if confirmed == proposed:
            self._trust = min(MOST, 2 * self._trust)
        elif confirmed * 2 < proposed:
            self._trust = max(1, self._trust // 2)
