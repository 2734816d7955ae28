"""Joins drop caps with their words: a large first letter that stands beside the first lines of its paragraph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.records import Word

MIN_SIZE, MAX_SIZE = 1.7, 8.0
"""Height of a drop cap, as a multiple of the letters beside it."""
MAX_GAP = 1.5
"""Most white space beside it, in heights of the letters beside it."""


def join_drop_caps(words: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words; that beside a drop cap begins with its letter, and the word that was the letter has no text."""
    capitals = [n for n, word in enumerate(words) if len(word.text) == 1 and word.text.isupper()]
    joined = list(words)
    for capital in capitals:
        if (first := _first_word(joined, capital)) is not None:
            joined[first] = replace(joined[first], text=joined[capital].text + joined[first].text)
            joined[capital] = replace(joined[capital], text="")
    return tuple(joined)


def _first_word(words: Sequence[Word], capital: int) -> int | None:
    """The number of the word that a capital begins: the highest of those close to its right, in small letters."""
    x0, y0, x1, y1 = words[capital].box
    beside = []
    for number, word in enumerate(words):
        left, top, _, bottom = word.box
        height = max(bottom - top, 0.1)
        level = y0 - 0.7 * height < top and bottom < y1 + 0.5 * height
        near = x0 < left and left - x1 < MAX_GAP * height
        if number != capital and word.text and level and near and MIN_SIZE <= (y1 - y0) / height <= MAX_SIZE:
            beside.append((top, left, number))
    if len({round(top) for top, _, _ in beside}) < 2:  # a large letter beside one line is no drop cap
        return None
    first = min(beside)[2]
    return first if words[first].text[0].isalpha() and (words[first].text[0].islower() or words[first].text.isupper()) else None
