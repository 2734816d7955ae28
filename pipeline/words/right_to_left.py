"""Puts lines of Arabic and Hebrew into reading order, and the letters of their words into the order in which they are written.

The rules are those of Unicode's bidirectional algorithm (UAX 9) for what documents print: words from right to left, and within them
numbers and names in Latin letters from left to right.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Protocol, TypeVar

from pipeline.records import Box, Word
from pipeline.values.directions import direction, has_right_to_left

PHRASE_GAP = 0.9
"""Words of one phrase stand closer than this many letter heights."""
_PRESENTATION_FORM = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]+")
_ISOLATES = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_LAM, _ALEFS = "\u0644", frozenset("\u0627\u0623\u0625\u0622")
_LTR = r"[^\W_\u0590-\u065f\u066e-\u06ef\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
_LEFT_TO_RIGHT = re.compile(rf"%?{_LTR}(?:{_LTR}|[.,:/'@&+_\u066b\u066c-](?={_LTR}))*%?")
"""Numbers, also in the digits of Arabic, and letters from left to right."""
NO_WIDTH = 0.05
"""Points below which a letter has no width of its own."""
MAX_LIGATURE_GAP = 1.0
"""Points between an alef without width and the edge of its lam."""


class _Positioned(Protocol):
    char: str
    box: Box


Letter = TypeVar("Letter", bound=_Positioned)


def in_reading_order(words: Sequence[Word]) -> list[Word]:
    """The words of a page line by line, those of lines from right to left in that order; other lines stay as they are."""
    if not any(has_right_to_left(word.text) for word in words):
        return list(words)
    lines = (list(line) for _, line in groupby(words, key=lambda word: word.line))
    return [word for line in lines for word in _ordered(line)]


def _ordered(line: list[Word]) -> Iterable[Word]:
    """The words of one line. A line of numbers between lines of Arabic stays from left to right: they may be columns."""
    if not any(has_right_to_left(word.text) for word in line):
        return line
    from_right = sum(direction(word.text) for word in line) <= 0
    phrases = list(_phrases(sorted(line, key=lambda word: word.box[0])))
    ordered = phrases[::-1] if from_right else phrases
    return [word for phrase in ordered for word in (phrase[::-1] if has_right_to_left(phrase[0].text) else phrase)]


def _phrases(line: Sequence[Word]) -> Iterator[list[Word]]:
    """Neighbours that are read in one direction: words of Arabic; Latin words with the numbers behind them; each other number alone."""
    phrase: list[Word] = []
    for word in line:
        foreign = has_right_to_left(word.text)
        if phrase:
            same = foreign == has_right_to_left(phrase[0].text)
            near = word.box[0] - phrase[-1].box[2] < PHRASE_GAP * max(word.box[3] - word.box[1], 1.0)
            if not same or (not foreign and not (near and direction(phrase[0].text) > 0)):
                yield phrase
                phrase = []
        phrase.append(word)
    if phrase:
        yield phrase


def printed_order(letters: Sequence[Letter]) -> list[Letter]:
    """The letters of a line from left to right as they stand on the page.

    Writers store them in either order. A letter without width belongs to a ligature (an alef to a lam) or is a mark over the letter
    before; it comes right before that one here, because ``written_order`` turns the letters round.
    """
    places = [(letter.box[0] + letter.box[2]) / 2 for letter in letters]
    for n, letter in enumerate(letters):
        if letter.box[2] - letter.box[0] < NO_WIDTH and not letter.char.isspace():
            partner = _partner(letters, n)
            places[n] = places[partner] - 0.01 if partner is not None else places[n]
    return [letters[n] for n in sorted(range(len(letters)), key=lambda n: places[n])]


def _partner(letters: Sequence[Letter], at: int) -> int | None:
    """The letter that shares a glyph with the one without width at ``at``."""
    if letters[at].char in _ALEFS:
        x = letters[at].box[0]
        lams = [n for n in (at - 1, at + 1) if 0 <= n < len(letters) and letters[n].char == _LAM]
        for side in (2, 0):  # it stands where the ligature begins; another lam may end there
            near = [n for n in lams if abs(x - letters[n].box[side]) < MAX_LIGATURE_GAP]
            if near:
                return min(near, key=lambda n: abs(x - letters[n].box[side]))
    return at - 1 if at else None


def is_ligature_alef(char: str, box: Box) -> bool:
    """Whether an alef has no width of its own, because it shares a glyph with a lam."""
    return char in _ALEFS and box[2] - box[0] < NO_WIDTH


def written_order(printed: str) -> str:
    """The letters of a word, given from left to right as they are printed, in the order in which they are written.

    Numbers and Latin letters within the word keep their order.
    """
    if not has_right_to_left(printed):
        return printed
    turned = _LEFT_TO_RIGHT.sub(lambda run: run[0][::-1], printed[::-1])
    return f"({turned[1:-1]})" if turned[0] == ")" and turned[-1] == "(" else turned


def plain_letters(text: str) -> str:
    """The text with ordinary letters instead of their presentation forms, and without invisible marks of direction."""
    if text.isascii() or not (has_right_to_left(text) or _ISOLATES.search(text)):
        return text
    text = _ISOLATES.sub("", text)
    return _PRESENTATION_FORM.sub(lambda forms: unicodedata.normalize("NFKC", forms[0]), text)
