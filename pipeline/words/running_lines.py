"""Finds the words of a page that stand in the same place on a page near it: running heads and feet."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from pipeline.records import Box, Word

EDGE = 0.2
"""Share of the page's height, from both ends, in which lines are compared."""
SAME_HEIGHT, SAME_SIDE = 2.0, 12.0
"""Most distance in points of a word from its place on the other page: along the height, and along the line, where numbers grow."""
MIN_SHARE = 0.7
"""Share of the letters of a line that are repeated, from which the line is."""
_DIGITS = re.compile(r"\d+")
PlacedText = tuple[Box, str]
"""A word of another page: its box in points, and its text."""


def running_words(words: Sequence[Word], height: float, others: Sequence[Sequence[PlacedText]]) -> tuple[int, ...]:
    """Return the words of lines near both ends of the page that one of the ``others`` repeats, as indices. Numbers may differ.

    ``height`` of the page is in points. Text along the sides is left out.
    """
    places: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for x, y, text in (((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, text) for other in others for box, text in other):
        if _is_at_edge(y, height):
            places[_masked(text)].append((x, y))
    lines: defaultdict[int, list[int]] = defaultdict(list)
    for number, word in enumerate(words):
        if _is_at_edge((word.box[1] + word.box[3]) / 2, height):
            lines[word.line].append(number)
    return tuple(number for line in lines.values() if _is_repeated([words[n] for n in line], places) for number in line)


def _is_repeated(line: Sequence[Word], places: dict[str, list[tuple[float, float]]]) -> bool:
    repeated = sum(len(word.text) for word in line if _has_place(word, places.get(_masked(word.text), ())))
    return repeated >= MIN_SHARE * sum(len(word.text) for word in line)


def _has_place(word: Word, places: Sequence[tuple[float, float]]) -> bool:
    x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
    return any(abs(x - other_x) <= SAME_SIDE and abs(y - other_y) <= SAME_HEIGHT for other_x, other_y in places)


def _is_at_edge(y: float, height: float) -> bool:
    return not EDGE * height < y < (1 - EDGE) * height


def _masked(text: str) -> str:
    return _DIGITS.sub("0", text.casefold())
