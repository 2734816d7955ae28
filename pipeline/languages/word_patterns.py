"""Regular expressions made of the words in language files.

A word is matched whole. ``*`` at its beginning or end stands for any letters: ``*weg`` also matches "Kirchweg". ``$`` at its end
means that nothing follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

LETTER = r"[^\W_]"
"""A letter or a digit, to which a whole word may not be joined."""


def any_of(words: Iterable[str], *, letter: str = LETTER, escape: Callable[[str], str] = re.escape) -> str:
    """An expression for any of the words, the longest first; one that never matches where there are none.

    ``letter`` matches the characters that may not touch a whole word. ``escape`` writes a word as an expression.
    """
    return "|".join(_whole_word(word, letter, escape) for word in _longest_first(words)) or "(?!)"


def plain_any_of(words: Iterable[str]) -> str:
    """The same, where words may be parts of longer words."""
    return "|".join(re.escape(word) for word in _longest_first(words)) or "(?!)"


def loose(word: str) -> str:
    """An expression in which the dots and blanks of the word are optional: ``e. k.`` also matches "eK"."""
    return "".join(r"\.?" if char == "." else r"\s?" if char == " " else re.escape(char) for char in word)


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(set(words), key=lambda word: (-len(word), word))


def _whole_word(word: str, letter: str, escape: Callable[[str], str]) -> str:
    bare = word.strip("*").removesuffix("$")
    left = "" if word.startswith("*") or not bare[:1].isalnum() else f"(?<!{letter})"
    right = "" if word.endswith(("*", "$")) or not bare[-1:].isalnum() else f"(?!{letter})"
    return f"{left}{escape(bare)}{'$' if word.endswith('$') else right}"
