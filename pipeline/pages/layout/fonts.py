"""Widths of letters, and the font in which a word is drawn.

The fonts are those inside MuPDF: Helvetica and Courier (Latin, Greek, Cyrillic), Droid Sans Fallback (Chinese, Japanese, Korean). Words of
other scripts are drawn by MuPDF's HTML writer, which joins and orders letters; their widths are estimates.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import Any

from pipeline.runtime.pymupdf_import import pymupdf

ASCENT, DESCENT = 0.95, 0.3
"""Height of a word's box above and below its baseline, as shares of the font size; the same as those of text layers."""
FIXED_ADVANCE = 0.6
"""Width of a letter of Courier as a share of the font size."""
_UNKNOWN_ADVANCE = 0.56
FALLBACK = "cjk"
MAX_CACHED = 64
"""Letters of a word whose width is remembered."""


@cache
def font(name: str) -> Any:
    """A font of MuPDF by its short name."""
    return pymupdf.Font(name)


_ADVANCES: dict[str, dict[str, float]] = {}
"""Widths of letters as shares of the font size, by font."""


def _advance(letter: str, name: str) -> float:
    known = _ADVANCES.setdefault(name, {})
    if (advance := known.get(letter)) is None:
        code = ord(letter)
        chosen = name if font(name).has_glyph(code) else FALLBACK if font(FALLBACK).has_glyph(code) else ""
        if chosen:
            advance = float(font(chosen).glyph_advance(code))
        elif unicodedata.combining(letter):
            advance = 0.0
        else:
            advance = 1.0 if unicodedata.east_asian_width(letter) in "WF" else _UNKNOWN_ADVANCE
        known[letter] = advance
    return advance


@lru_cache(50_000)
def _width(text: str, name: str) -> float:
    return sum([_advance(letter, name) for letter in text])


def base_font(*, bold: bool, fixed: bool) -> str:
    """The short name of the font for Latin letters."""
    return ("cobo" if bold else "cour") if fixed else ("hebo" if bold else "helv")


def text_width(text: str, size: float, *, bold: bool = False, fixed: bool = False) -> float:
    """Width in points."""
    name = base_font(bold=bold, fixed=fixed)
    return (_width(text, name) if len(text) <= MAX_CACHED else sum([_advance(letter, name) for letter in text])) * size


def font_for(text: str, *, bold: bool, fixed: bool) -> str | None:
    """The font that has all letters of a word; None where none has."""
    for name in (base_font(bold=bold, fixed=fixed), FALLBACK):
        if all(font(name).has_glyph(ord(letter)) for letter in text):
            return name
    return None


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction belongs to a script that is written from right to left (Unicode annex 9, P2)."""
    for letter in text:
        if (kind := unicodedata.bidirectional(letter)) in ("L", "R", "AL"):
            return kind != "L"
    return False


def breaks_anywhere(letter: str) -> bool:
    """Whether a line may end before or behind a letter without a blank: Chinese, Japanese, Thai and their like."""
    return unicodedata.east_asian_width(letter) in "WF" or "\u0e00" <= letter <= "\u0eff"
