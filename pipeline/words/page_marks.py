"""What a page shows about the document that it belongs to: its printed page number, its head and foot, a sketch of its words.

It is made once, when the page is read, and kept with the page's units, so that a file can be split again without being read again.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from itertools import groupby

from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import any_of, plain_any_of
from pipeline.records import Page, Word
from pipeline.split_records import Barcode, PageMarks
from pipeline.values.carried_sums import is_carried_sum

HEAD, FOOT = 0.22, 0.88
"""Where the head of a page ends and its foot begins, as shares of its height."""
SKETCH = 48
"""Hashes in a sketch."""
MAX_HEAD = 60
"""Words of the head, and of the foot, that are kept."""
MAX_PAGES = 300
"""A larger number of pages is another number."""
MAX_CARRIED_LETTERS = 60
"""A longer line is a sentence and no row with a sum."""
EAST_ASIAN = "\u2e80"
"""The first letter of the scripts that are written without blanks between words."""
MAX_COPY_WORDS = 6
"""Words of a line that heads a copy, at most."""


def page_marks(page: Page, barcodes: Sequence[Barcode] = ()) -> PageMarks:
    """The marks of a page. It takes less than half a millisecond for a page of 400 words."""
    words = page.words
    head = [word for word in words if word.box[3] < HEAD * page.height]
    foot = [word for word in words if word.box[1] > FOOT * page.height]
    hashes = {_hash(word.text) for word in words if len(word.text) > 1}
    number, pages = _printed_page(foot, head)
    return PageMarks(
        page.number,
        page.width,
        page.height,
        len(words),
        page.source == "ocr",
        number,
        pages,
        _is_copy(head) or _is_copy(foot),
        _is_carried_on(words),
        _some(head),
        _some(foot),
        tuple(sorted(hashes)[:SKETCH]),
        tuple(barcodes),
    )


def _some(words: Iterable[Word]) -> tuple[int, ...]:
    """Hashes of words with letters: numbers and dates differ between the pages of one sender."""
    return tuple(sorted({_hash(word.text) for word in words if any(map(str.isalpha, word.text))})[:MAX_HEAD])


def _hash(text: str) -> int:
    return zlib.crc32(text.casefold().encode(errors="replace"))


def _lines(words: Sequence[Word]) -> list[str]:
    return [" ".join(word.text for word in line) for _, line in groupby(words, key=lambda word: word.line)]


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


# ---- page numbers --------------------------------------------------------------------------------------


@from_words
def _page_patterns(languages: Languages) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A page number with a word beside it anywhere in a line, and two numbers alone on a line."""
    words = languages.words.page_numbers
    page = plain_any_of(sorted({_plain(word) for word in (*words.page, *words.letter_page, *words.isolated_page)}))
    of = r"(?:/|\||-|\(|[^\W\d_]{1,9}\.?|)"
    named = rf"(?<![^\W\d_])(?:{page})\s{{0,2}}[:.#]?\s{{0,2}}(\d{{1,3}})(?!\d|[.,]\d)(?:\s?{of}\s?(\d{{1,3}})(?![\d.,]\d|\d))?"
    behind = rf"(?<![\d.,])(\d{{1,3}})\s?(?:/|[^\W\d_]{{1,9}}|)\s?(\d{{1,3}})?\.?\s?(?:{page})(?![^\W\d_])"
    alone = r"\W{0,3}(\d{1,3})\s?(?:/|of|von|de|sur|di|van|z|ze|od|av|iz|из|от|från)\s?(\d{1,3})\W{0,3}"
    return re.compile(f"{named}|{behind}"), re.compile(alone)


def _printed_page(*places: Sequence[Word]) -> tuple[int, int]:
    """The printed page number and number of pages; 0 for what is not printed. The foot comes before the head."""
    named, alone = _page_patterns()
    single = (0, 0)
    for words in places:
        for line in _lines(words):
            if not any(map(str.isdigit, line)):
                continue
            plain = _plain(line)
            for match in [*named.finditer(plain), *filter(None, [alone.fullmatch(plain)])]:
                numbers = [int(group) for group in match.groups() if group]
                if len(numbers) == 2 and 0 < numbers[0] <= numbers[1] <= MAX_PAGES:
                    return numbers[0], numbers[1]
                if len(numbers) == 1 and 0 < numbers[0] <= MAX_PAGES and single == (0, 0):
                    single = numbers[0], 0
    return single


# ---- copies and carried sums ---------------------------------------------------------------------------


@from_words
def _copy_pattern(languages: Languages) -> re.Pattern[str]:
    return re.compile(any_of(sorted({_plain(word) for word in languages.words.documents.copies})))


def _is_copy(head: Sequence[Word]) -> bool:
    """Whether a short line in a page's head says that the page is a copy."""
    pattern = _copy_pattern()
    return any(len(line.split()) <= MAX_COPY_WORDS and pattern.search(_plain(line)) for line in _lines(head))


@from_words
def _first_words(languages: Languages) -> frozenset[str]:
    """The words with which a row for a carried sum may begin: most lines have none of them, and need no closer look."""
    return frozenset(phrase.casefold().split()[0] for phrase in languages.words.carry_forward if phrase.strip())


def _is_carried_on(words: Sequence[Word]) -> bool:
    """Whether a line carries a sum to another page."""
    first = _first_words()
    lines = {word.line for word in words if word.text.casefold().strip(".:,") in first or word.text[:1] >= EAST_ASIAN}
    if not lines:
        return False
    texts = _lines([word for word in words if word.line in lines])
    return any(len(text) <= MAX_CARRIED_LETTERS and is_carried_sum(text) for text in texts)
