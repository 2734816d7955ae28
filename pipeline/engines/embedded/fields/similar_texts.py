"""Finds the text of a list that a misread text is most like."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process


class SimilarTexts:
    """Texts that others are compared with by rapidfuzz's ``ratio``, 0 to 100, of which ``least`` is alike.

    Texts whose lengths differ too much to be so alike are not compared.
    """

    def __init__(self, texts: Iterable[str], least: float) -> None:
        self._texts, self._least = list(texts), least
        self._of_length: dict[int, list[str]] = {}
        """The texts that one of some length may be like."""

    def best(self, text: str) -> str | None:
        """The text that is most like this one, the first of several; None where none is alike."""
        length = len(text)
        if length not in self._of_length:
            self._of_length[length] = [other for other in self._texts if self._may_be_like(length, len(other))]
        close = process.extractOne(text, self._of_length[length], scorer=fuzz.ratio, score_cutoff=self._least)
        return close[0] if close else None

    def _may_be_like(self, length: int, other: int) -> bool:
        """Whether texts of two lengths may be alike: each letter that only the longer one has counts against it."""
        return abs(length - other) * 100 <= (100 - self._least) * (length + other)
