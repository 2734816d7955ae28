"""Draft tokens for speculative decoding: an answer copies values from the page, so the page predicts much of it.

This is prompt lookup (Saxena 2023, "Prompt lookup decoding"). A step that reads several tokens costs hardly more than a step that reads
one, and the decoder drops draft tokens that the model would not have chosen. The lookup compares letters, not tokens: a word has other
tokens after a quotation mark than after a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LENGTHS = (64, 48, 32, 24, 16, 12, 9, 6, 4)
"""How many letters at the end of the answer are looked up, the longest first: a longer match predicts better."""
LETTERS_PER_TOKEN = 8
INITIAL_LENGTH, MAX_LENGTH = 6, 32
"""Tokens of the first draft, and of the longest."""
MAX_SOURCE_LETTERS = 40_000
"""Letters of a page that are searched; the rest of a denser page is ignored."""


class Draft:
    """Drafts for one answer.

    ``sources`` are texts that the answer probably copies, the most probable first: the embedded engine's answer in the same JSON form,
    then the page.
    """

    def __init__(self, tokenizer: Any, *sources: str) -> None:
        self._tokenizer = tokenizer
        text = "\n".join(sources)[:MAX_SOURCE_LETTERS]
        self._text = text.encode(errors="replace").decode()  # tokenizers refuse single surrogates
        self._tail = ""
        self._decoded = 0
        self._draft_length = INITIAL_LENGTH

    def propose(self, tokens: Sequence[int], most: int) -> list[int]:
        """At most ``most`` tokens that may follow ``tokens``, which is the whole answer so far; empty where the sources hold no match.

        Each call must extend the tokens of the call before.
        """
        if len(tokens) > self._decoded:
            self._tail = (self._tail + self._tokenizer.decode(tokens[self._decoded :]))[-LENGTHS[0] :]
            self._decoded = len(tokens)
        most = min(most, self._draft_length)
        start = self._match_end() if most > 0 else -1
        if start < 0:
            return []
        text = self._text[start : start + most * LETTERS_PER_TOKEN]
        draft: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return draft[:most]

    def _match_end(self) -> int:
        """Index in the text behind the longest match of the answer's end; -1 without a match."""
        if not self._tail:
            return 0
        for length in LENGTHS:
            start = self._text.find(self._tail[-length:]) if length <= len(self._tail) else -1
            if start >= 0:
                return start + length
        return -1

    def record_outcome(self, proposed: int, confirmed: int) -> None:
        """Lengthen or shorten the next draft by how many tokens of the last one the model confirmed."""
        if confirmed == proposed:
            self._draft_length = min(MAX_LENGTH, 2 * self._draft_length)
        elif confirmed * 2 < proposed:
            self._draft_length = max(1, self._draft_length // 2)
