"""Joins accents that a text layer has as signs of their own with the letters that they stand over.

TeX's older fonts have no accented letters: an accent is drawn first, then the letter below it. An accent beside its letter, as an
apostrophe that was typed so ("l´ami"), stays what it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise

MARKS: Mapping[str, str] = {
    "\u00b4": "\u0301",
    "`": "\u0300",
    "\u02c6": "\u0302",
    "^": "\u0302",
    "\u02dc": "\u0303",
    "~": "\u0303",
    "\u00a8": "\u0308",
    "\u00af": "\u0304",
    "\u02c7": "\u030c",
    "\u02d8": "\u0306",
    "\u02d9": "\u0307",
    "\u02da": "\u030a",
    "\u02dd": "\u030b",
    "\u00b8": "\u0327",
    "\u02db": "\u0328",
}
"""Accents as signs of their own, with the combining mark of the same form."""
DOTLESS: Mapping[str, str] = {"\u0131": "i", "\u0237": "j"}
MIN_OVERLAP = 0.6
"""Share of the narrower of accent and letter that stands over or under the other."""

Span = tuple[float, float]
"""Left and right edge."""


def has_accents(text: str) -> bool:
    """Whether a text has accents as signs of their own."""
    return not MARKS.keys().isdisjoint(text)


def join_accents(letters: Sequence[str], spans: Sequence[Span]) -> str:
    """Return the letters of a word as text, with accents joined that are drawn over a neighbour. ``spans`` are the letters' edges."""
    if not has_accents("".join(letters)):
        return "".join(letters)
    joined = list(letters)
    for (before, a), (after, b) in pairwise(enumerate(spans)):
        if not _overlap(a, b) or not joined[before] or not joined[after]:
            continue
        for accent, letter in ((before, after), (after, before)):
            composed = _composed(joined[accent], joined[letter])
            if composed:
                joined[accent], joined[letter] = "", composed
                break
    return "".join(joined)


def _overlap(a: Span, b: Span) -> bool:
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return shared >= MIN_OVERLAP * min(a[1] - a[0], b[1] - b[0]) and shared > 0


def _composed(accent: str, letter: str) -> str:
    """The letter with the accent as one letter; empty where there is none."""
    if accent not in MARKS or not letter.isalpha():
        return ""
    text = unicodedata.normalize("NFC", DOTLESS.get(letter, letter) + MARKS[accent])
    return text if len(text) == 1 else ""
