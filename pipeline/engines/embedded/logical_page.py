"""The page as readers of fields and transcripts work with it: always from left to right, with digits from 0 to 9.

A page in Arabic or Hebrew is mirrored: its first word of a line is on the left, a label is left of its value, and a table's first
column is the left one. The words keep their numbers, so claims point to the words of the page itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from pipeline.records import Box, Claim, Page, Region, Word
from pipeline.templates.template import TemplateField
from pipeline.values.digits import ascii_digits
from pipeline.values.directions import direction, has_right_to_left

WORD_GAP = 0.9
"""Words of one phrase from left to right stand closer than this many letter heights."""
_TEXTS = frozenset({"text", "party"})
"""Types of fields whose value is a text as printed."""


def logical_page(page: Page) -> Page:
    """The page mirrored where it runs from right to left, with ordinary digits; the page itself where neither is needed."""
    mirrored = mirrored_page(page)
    texts = [ascii_digits(word.text) for word in page.words]
    if all(text == word.text for text, word in zip(texts, page.words, strict=True)):
        return mirrored
    words = (replace(word, text=text) for word, text in zip(mirrored.words, texts, strict=True))
    return replace(mirrored, words=tuple(words))


def mirrored_page(page: Page) -> Page:
    """The page mirrored where most of its letters run from right to left, else the page itself."""
    directions = [direction(word.text) for word in page.words]
    if sum(directions) >= 0:
        return page
    boxes = dict(_mirrored(page, directions))
    words = tuple(replace(word, box=boxes[n]) for n, word in enumerate(page.words))
    return replace(page, words=words, regions=tuple(_mirrored_region(region, page.width) for region in page.regions))


def _mirrored_region(region: Region, width: float) -> Region:
    x0, y0, x1, y1 = region.box
    return replace(region, box=(width - x1, y0, width - x0, y1), columns=tuple(width - x for x in reversed(region.columns)))


def _mirrored(page: Page, directions: Sequence[int]) -> Iterator[tuple[int, Box]]:
    """The new box of each word. Neighbours from left to right, as a name in Latin letters, keep their order."""
    for phrase in _phrases(page.words, directions):
        left, right = min(page.words[n].box[0] for n in phrase), max(page.words[n].box[2] for n in phrase)
        together = len(phrase) > 1
        for n in phrase:
            x0, y0, x1, y1 = page.words[n].box
            shift = page.width - right - left
            yield n, (x0 + shift, y0, x1 + shift, y1) if together else (page.width - x1, y0, page.width - x0, y1)


def _phrases(words: Sequence[Word], directions: Sequence[int]) -> Iterator[list[int]]:
    """Words that are mirrored as one: those from left to right with the numbers between and behind them, each other word alone."""
    for _, line in groupby(range(len(words)), key=lambda n: words[n].line):
        phrase: list[int] = []
        for n in sorted(line, key=lambda n: words[n].box[0]):
            is_foreign = has_right_to_left(words[n].text)
            if phrase and (is_foreign or not _near(words[phrase[-1]], words[n]) or directions[phrase[0]] <= 0):
                yield phrase
                phrase = []
            if is_foreign:
                yield [n]
            else:
                phrase.append(n)
        if phrase:
            yield phrase


def _near(before: Word, word: Word) -> bool:
    height = min(before.box[3] - before.box[1], word.box[3] - word.box[1])
    return word.box[0] - before.box[2] < WORD_GAP * max(height, 1.0)


def as_printed(claims: Mapping[str, Claim], fields: Mapping[str, TemplateField], page: Page) -> dict[str, Claim]:
    """The claims that were read of ``logical_page(page)``, with the digits of texts as the page prints them."""
    return {name: _as_printed(claim, fields[name].type, page) if name in fields else claim for name, claim in claims.items()}


def _as_printed(claim: Claim, kind: str, page: Page) -> Claim:
    if claim.printed is None or not claim.words:
        return claim
    printed = _with_digits(claim.printed, claim.words, page)
    if kind in _TEXTS and isinstance(claim.value, str):
        return replace(claim, printed=printed, value=_with_digits(claim.value, claim.words, page))
    return replace(claim, printed=printed)


def _with_digits(text: str, words: Sequence[int], page: Page) -> str:
    """The text with each token as the words print it."""
    tokens = {ascii_digits(page.words[n].text): page.words[n].text for n in words}
    return " ".join(tokens.get(token, token) for token in text.split(" "))
