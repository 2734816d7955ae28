"""Which kind of document a page is that is no invoice and no receipt: an order, a bank statement, a letter, ….

Titles decide, as for invoices. A page of which no word says that it is a business document must say its kind more plainly: in a large
title that says nothing else. A letter has no title: it has a salutation and a closing.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Literal

from pipeline.engines.embedded.business_pages import TITLE_WORDS, page_titles
from pipeline.engines.embedded.business_terms import without_accents
from pipeline.engines.embedded.letter_words import closings, salutations
from pipeline.languages import Languages, from_words
from pipeline.languages.language import DocumentKind
from pipeline.languages.word_patterns import plain_any_of
from pipeline.records import Page

Kind = Literal[DocumentKind, "letter"]
LONG_TITLE = 9
"""Letters from which the title of a kind may also be the end of a longer title: "Rental agreement"."""
MOST_OTHER_LETTERS = 3
"""Letters beside the title of a kind that say nothing else: those of "No." and of a number."""
MOST_TEXT = 6000
"""Letters of a page of a letter, at most: books have letters in them, too."""
_LABEL = re.compile(r"[\w\s.\u00b0#/-]*:")


@from_words
def _titles(languages: Languages) -> tuple[tuple[DocumentKind, re.Pattern[str]], ...]:
    words = languages.words.documents.kinds
    return tuple(
        (kind, re.compile(rf"(?<![^\W\d_])(?:{plain_any_of(map(without_accents, words[kind]))})(?![^\W\d_])")) for kind in words
    )


def document_kind(page: Page, *, is_business: bool) -> Kind | None:
    """The kind by the page's titles, large ones first; ``is_business``: its words are those of a business document. None for other text."""
    titles = [(text, large) for text, large in page_titles(page) if text.count(" ") < TITLE_WORDS]
    for wants_large in (True, False) if is_business else (True,):
        for text, large in titles:
            if large == wants_large and (kind := _titled(text, large=large, is_business=is_business)):
                return kind
    return "letter" if _is_letter(page) else None


def _titled(text: str, *, large: bool, is_business: bool) -> DocumentKind | None:
    plain = text.strip("0123456789.#-\u2013: ")
    found: list[tuple[int, int, DocumentKind]] = []
    for kind, pattern in _titles():
        for match in pattern.finditer(plain):
            rest = plain[: match.start()] + plain[match.end() :]
            others = sum(char.isalpha() for char in rest)
            ends = match.end() == len(plain) and len(match[0]) >= LONG_TITLE
            says_it = others <= MOST_OTHER_LETTERS or ends or (is_business and large)
            begins = match.start() == 0 and not _LABEL.match(plain[match.end() :])
            if says_it if large else begins and (others <= MOST_OTHER_LETTERS or is_business):
                found.append((others, -len(match[0]), kind))
    return min(found)[2] if found else None


def _is_letter(page: Page) -> bool:
    """Whether lines begin with a salutation and, below it, with a closing."""
    if sum(len(word.text) for word in page.words) > MOST_TEXT:
        return False
    lines = [without_accents(" ".join(word.text for word in line)) for _, line in groupby(page.words, lambda word: word.line)]
    greeted = next((at for at, line in enumerate(lines) if salutations().match(line)), None)
    return greeted is not None and any(closings().match(line) for line in lines[greeted + 1 :])
