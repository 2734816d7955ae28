"""Regular expressions made of the words in language files.

A word is matched whole. ``*`` at its beginning or end stands for any letters: ``*weg`` also matches "Kirchweg". ``$`` at its end
means that nothing follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

NEVER = "(?!)"
"""An expression that matches nothing."""
_END = ""


def any_of(words: Iterable[str]) -> str:
    """An expression for any of the words; one that never matches where there are none.

    Words with the same ends stand in one group, since a test for each word at each letter of a page takes time.
    """
    groups: dict[tuple[str, str], list[list[str]]] = {}
    for word in _longest_first(words):
        bare = word.strip("*").removesuffix("$")
        left = "" if word.startswith("*") or not bare[:1].isalnum() else r"\b"
        right = "$" if word.endswith("$") else "" if word.endswith("*") or not bare[-1:].isalnum() else r"\b"
        groups.setdefault((left, right), []).append(_letters(bare))
    return "|".join(f"{left}{one_of(bare)}{right}" for (left, right), bare in groups.items()) or NEVER


def plain_any_of(words: Iterable[str]) -> str:
    """An expression for any of the words, the longest first, also within longer words."""
    return one_of(map(_letters, words))


def loose_any_of(words: Iterable[str]) -> str:
    """An expression for any of the words, in which dots and blanks are optional: ``e. k.`` also matches "eK"."""
    return one_of(map(_loose, words))


def one_of(words: Iterable[Sequence[str]]) -> str:
    """An expression for one of the words, each given as the expressions of its letters; the longest that fits.

    Beginnings that words share stand in it once: a thousand words take hardly more time at a letter of a page than ten.
    """
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for letter in word:
            node = node.setdefault(letter, {})
        if word:
            node[_END] = {}
    return f"(?:{_branches(tree)})" if tree else NEVER


def _branches(node: dict[str, Any]) -> str:
    return "|".join(letter + _rest(node[letter]) for letter in sorted(node, key=lambda letter: (letter == _END, letter)))


def _rest(node: dict[str, Any]) -> str:
    """The expression behind a letter: nothing at the end of the last word, else the letters that may follow."""
    if node.keys() <= {_END}:
        return ""
    return _branches(node) if len(node) == 1 else f"(?:{_branches(node)})"


def _letters(word: str) -> list[str]:
    return [re.escape(char) for char in word]


def _loose(word: str) -> list[str]:
    return [r"\.?" if char == "." else r"\s?" if char == " " else re.escape(char) for char in word]


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(set(words), key=lambda word: (-len(word), word))
