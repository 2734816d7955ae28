"""Which way letters run: from right to left in Arabic and Hebrew, from left to right in other scripts."""

from __future__ import annotations

import re

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def has_right_to_left(text: str) -> bool:
    """Whether a text has a letter, digit or sign of Arabic, Hebrew or a script that is written like them."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def direction(text: str) -> int:
    """Letters from left to right less letters from right to left: positive, negative, or 0 for a text of digits and signs."""
    if not has_right_to_left(text):
        return sum(map(str.isalpha, text))
    return sum((-1 if _RIGHT_TO_LEFT.match(char) else 1) for char in text if char.isalpha())
