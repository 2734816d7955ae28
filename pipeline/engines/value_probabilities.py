"""How likely a language model thought each value of its answer: the product of the probabilities of the tokens that write it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from json import JSONDecodeError, JSONDecoder
from math import prod

_DECODER = JSONDecoder(strict=False)
_BLANKS = " \t\r\n"


def value_probabilities(pieces: Sequence[str], probabilities: Sequence[float]) -> dict[str, float]:
    """The probability of the value of each key of the JSON object that the pieces of text make together.

    ``pieces`` are the texts of the tokens, ``probabilities`` (0 to 1) are theirs. A value that was cut off has none. A token that writes
    a value and something else counts for the value. Empty where the text is no JSON object.
    """
    text, ends = "".join(pieces), list(accumulate(map(len, pieces)))
    found = {}
    for key, start, end in _members(text):
        first, last = bisect_right(ends, start), bisect_left(ends, end)
        found[key] = prod(probabilities[first : last + 1])
    return found


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Each key of a JSON object with the place of its value in the text, up to where the text is no JSON."""
    at = text.find("{") + 1
    while at > 0:
        try:
            key, at = _DECODER.raw_decode(text, _next(text, at, "{,"))
            start = _next(text, at, ":")
            _, end = _DECODER.raw_decode(text, start)
        except (JSONDecodeError, RecursionError):
            return
        if not isinstance(key, str):
            return
        yield key, start, end
        at = end


def _next(text: str, at: int, marks: str) -> int:
    """The place behind blanks and these marks."""
    while at < len(text) and text[at] in _BLANKS + marks:
        at += 1
    return at
