"""Names lines that OCR cannot read, mostly handwriting, instead of giving the letters that it guessed.

The recogniser knows print. On print that a person can read its mean confidence is above 0.94, down to 60 dpi; below 0.9 nearly no word is
right. Handwriting has 0.8 to 0.9, and its words are inventions. Other scripts than Latin are read by another recogniser, whose confidence
means something else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.engines.embedded.transcript.word_runs import make_runs
from pipeline.records import Page, Word

MARK = "[handwriting?]"
"""What stands in the place of lines that cannot be read."""
FLAG = "handwriting"
MIN_CONFIDENCE = 0.9
"""Mean confidence of the words of a page, and of a line on a page below it, from which they are believed."""
MIN_LATIN = 0.5
"""Share of Latin letters among the letters of a page."""


def mark_handwriting(page: Page) -> Page:
    """Return the page; on a page that OCR could not read, the first word of each unread passage is ``MARK`` and its others have no text."""
    if page.source != "ocr" or not page.words or _mean(page.words) >= MIN_CONFIDENCE or not _is_latin(page.words):
        return page
    words = list(page.words)
    goes_on = False
    for run in make_runs(page.words, range(len(page.words))):
        unread = _mean([page.words[index] for index in run.words]) < MIN_CONFIDENCE
        for place, index in enumerate(run.words) if unread else ():
            words[index] = replace(words[index], text="" if place or goes_on else MARK)
        goes_on = unread
    return replace(page, words=tuple(words))


def _mean(words: Iterable[Word]) -> float:
    """The mean confidence of words, each with the weight of its letters; 1 without letters."""
    pairs = [(word.confidence, len(word.text)) for word in words]
    letters = sum(count for _, count in pairs)
    return sum(confidence * count for confidence, count in pairs) / letters if letters else 1.0


def _is_latin(words: Sequence[Word]) -> bool:
    letters = [letter for word in words for letter in word.text if letter.isalpha()]
    return sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters) >= MIN_LATIN * len(letters)
