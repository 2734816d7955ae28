"""Regular expressions made of the words in language files.

A word is matched whole. ``*`` at its beginning or end stands for any letters: ``*weg`` also matches "Kirchweg". ``$`` at its end
means that nothing follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NEVER = "(?!)"
"""An expression that matches nothing."""


def any_of(words: Iterable[str]) -> str:
    """An expression for any of the words; one that never matches where there are none.

    Words with the same ends stand in one group, since a test for each word at each letter of a page takes time.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for word in _longest_first(words):
        bare = word.strip("*").removesuffix("$")
        left = "" if word.startswith("*") or not bare[:1].isalnum() else r"\b"
        right = "$" if word.endswith("$") else "" if word.endswith("*") or not bare[-1:].isalnum() else r"\b"
        groups.setdefault((left, right), []).append(re.escape(bare))
    return "|".join(f"{left}(?:{'|'.join(bare)}){right}" for (left, right), bare in groups.items()) or NEVER


def plain_any_of(words: Iterable[str]) -> str:
    """An expression for any of the words, the longest first, also within longer words."""
    return "|".join(re.escape(word) for word in _longest_first(words)) or NEVER


def loose_any_of(words: Iterable[str]) -> str:
    """An expression for any of the words, in which dots and blanks are optional: ``e. k.`` also matches "eK"."""
    return "|".join(_loose(word) for word in _longest_first(words)) or NEVER


def _loose(word: str) -> str:
    return "".join(r"\.?" if char == "." else r"\s?" if char == " " else re.escape(char) for char in word)


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(set(words), key=lambda word: (-len(word), word))
