"""Makes texts comparable: only letters and digits, case folded, with the positions at which a word may begin or end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.values.digits import ascii_digits

_NUMERIC_MARKS = ".,'’"
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Key:
    """The letters and digits of a sequence of texts. ``owner[i]`` is the number of the text that contains letter ``i``.

    ``edges`` are the positions at which a value may begin or end: not between two letters or two digits of a text, and not at the marks
    inside a number.
    """

    text: str
    owner: tuple[int, ...]
    edges: frozenset[int]

    def occurrences(self, needle: str) -> Iterator[tuple[int, int]]:
        """Start and end of every occurrence of ``needle`` (the text of a key) between two edges."""
        start = self.text.find(needle) if needle else -1
        while start >= 0:
            end = start + len(needle)
            if start in self.edges and end in self.edges:
                yield start, end
            start = self.text.find(needle, start + 1)

    def owners(self, start: int, end: int) -> tuple[int, ...]:
        """The numbers of the texts that contain the letters from ``start`` to ``end``, in order."""
        return tuple(dict.fromkeys(self.owner[start:end]))


def letters_and_digits(text: str) -> str:
    """Letters and digits of a text, case folded."""
    return _NO_LETTERS.sub("", _normal(text).casefold())


def digits(text: str) -> str:
    """The digits of a text, in order."""
    return "".join(c for c in _normal(text) if c.isdigit())


def _normal(text: str) -> str:
    """The text in one form: no presentation forms of letters, digits of all scripts as 0 to 9."""
    return text if text.isascii() else ascii_digits(unicodedata.normalize("NFKC", text))


def make_key(texts: Sequence[str]) -> Key:
    """The key of texts in order. Every start of a text is an edge."""
    letters: list[str] = []
    owner: list[int] = []
    edges = {0}
    for number, text in enumerate(texts):
        edges.add(len(letters))
        before, gap = "", ""
        normal = _normal(text).casefold()
        if normal.isascii() and (normal.isalpha() or normal.isdigit()):  # most words: no edge within
            letters += normal
            owner += [number] * len(normal)
            continue
        for char in normal:
            if not char.isalnum():
                gap += char
                continue
            if _is_edge(before, gap, char):
                edges.add(len(letters))
            letters.append(char)
            owner.append(number)
            before, gap = char, ""
    edges.add(len(letters))
    return Key("".join(letters), tuple(owner), frozenset(edges))


def _is_edge(before: str, gap: str, after: str) -> bool:
    if before.isdigit() and after.isdigit():
        return bool(gap) and not (len(gap) == 1 and gap in _NUMERIC_MARKS)
    if gap or before.isdigit() != after.isdigit():
        return True
    return any(unicodedata.category(c) == "Lo" for c in before + after)


_NUMBER_PIECES = re.compile(r"[^\W\d_]+|[:;=*@#%|/]+")


def numeric_pieces(text: str) -> list[str]:
    """The possible numbers inside a joined word: "2x5.00" gives "2" and "5.00"; dates and codes give nothing.

    A number beside a slash belongs to a date or fraction, and a number between letters to a code.
    """
    if "/" in text or not any(map(str.isdigit, text)):
        return []
    text = ascii_digits(text)
    return [piece for piece in (p.strip() for p in _NUMBER_PIECES.split(text)) if any(map(str.isdigit, piece))]
