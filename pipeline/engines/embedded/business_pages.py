"""Decides by its words whether a page is an invoice or a receipt.

Order confirmations, delivery notes, quotations, reminders and account statements print what invoices print: addressee, prices, bank
details, the number of an invoice. Booked as an invoice, one of them would be paid twice. So the title decides: the largest heading, else
the line that names the document. Words that any business letter has (IBAN, VAT number) do not count as evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from statistics import median
from typing import Literal

from pipeline.engines.embedded.business_terms import Terms, terms, without_accents
from pipeline.languages import Languages, from_words
from pipeline.languages.evidence import language_weights, weight
from pipeline.records import Page, Word
from pipeline.values.digits import ascii_digits

RECEIPT_CHARACTERS = 55
"""Characters across a receipt, at most: receipt printers print 24 to 48, letters have 80 and more."""
LARGE = 1.3
"""Height of a heading's letters, in those of the page's usual letters."""
TITLE_WORDS = 6
"""Words of a title, at most. A longer line is a sentence that mentions a document."""
_AMOUNT = re.compile(r"(?<![\d.,/'])\d+(?:[.,']\d{3})*\s?[.,]\d{2}(?![./,:-]?\d)")
"""An amount with two decimals, in which OCR may leave a blank; no date or time."""
_WHOLE_AMOUNT = re.compile(r"(?<![\d.,/'])[1-9]\d{0,2}(?:[.,]\d{3})+(?![./,:-]?\d)")
"""An amount without decimals, in groups of thousands."""


@from_words
def _total_with_amount(languages: Languages) -> re.Pattern[str]:
    """A total and its amount, as OCR reads them in one line."""
    del languages
    return re.compile(rf"(?:{terms().totals.pattern})\D{{0,12}}{_AMOUNT.pattern}")


def business_page_kind(page: Page) -> Literal["invoice", "receipt", "other"] | None:
    """Invoice, receipt, another business document, or None where the words do not decide."""
    text = without_accents(ascii_digits(" ".join(word.text for word in page.words)))
    vocabulary = terms()
    invoice, receipt = vocabulary.find(text)
    amounts = len(_amounts(page, text))
    narrow = 0 < characters_across(page) <= RECEIPT_CHARACTERS
    if narrow and amounts and _is_receipt_print(page, text, len(invoice), len(receipt), amounts):
        return "receipt"
    usual = _usual_size(page)
    titles = page_titles(page)
    headed, (names, asks, bears) = _headed(page, usual, vocabulary), vocabulary.invoice_evidence(invoice)
    numbered = any(vocabulary.numbered_titles.match(text) and text.count(" ") < TITLE_WORDS for text, _ in titles)
    names += numbered
    if _titled(vocabulary.reminder_titles, titles) or (
        not headed and _titled(vocabulary.other_titles, titles, only_large=names > 0)
    ):
        return "other"
    if amounts and not headed and any(large and vocabulary.receipt_titles.match(text) for text, large in titles):
        return "receipt"
    score = names + asks + min(1, bears)
    if names and (headed or numbered or amounts >= 3 or score >= 3 or (score >= 2 and amounts)):
        return "invoice"
    if asks >= 3 and amounts:
        return "invoice"
    return "receipt" if len(receipt) >= 3 and amounts >= 2 else None


def _amounts(page: Page, text: str) -> list[str]:
    """The amounts in a text, also those without decimals where that is how its language prints them."""
    amounts = find_amounts(text)
    if amounts or not _WHOLE_AMOUNT.search(text):
        return amounts
    weights = language_weights(word.text for word in page.words)
    return _WHOLE_AMOUNT.findall(text) if weight(_languages_with_whole_amounts(), weights) == 1.0 else []


@from_words
def _languages_with_whole_amounts(languages: Languages) -> frozenset[str]:
    return frozenset(code for code, language in languages.by_code.items() if language.numbers.whole_amounts)


def find_amounts(text: str) -> list[str]:
    """The amounts in a text, as printed. Dates, times and percentages are none."""
    return _AMOUNT.findall(text)


def _is_receipt_print(page: Page, text: str, invoice: int, receipt: int, amounts: int) -> bool:
    """Whether narrow print with amounts is a receipt."""
    if page.height > 0.9 * page.width and (receipt >= 2 or (receipt and amounts >= 2)) and receipt >= invoice - 1:
        return True
    if page.source != "ocr":
        return False
    if page.height > 1.5 * page.width and amounts >= 4 and invoice < 3:
        return True
    return (
        not invoice and amounts >= 3 and bool(_total_with_amount().search(text))
    )  # a photograph may be wider than the receipt in it is high


def page_titles(page: Page) -> list[tuple[str, bool]]:
    """The texts of the upper 60 % of a page that may be titles, folded, and whether their letters are large."""
    return [(without_accents(" ".join(word.text for word in run)), large) for run, large in _runs(page, _usual_size(page))]


def _usual_size(page: Page) -> float:
    sizes = sorted(word.box[3] - word.box[1] for word in page.words)
    return sizes[len(sizes) // 2] if sizes else 0.0


def _runs(page: Page, usual: float) -> Iterator[tuple[list[Word], bool]]:
    """Words of one line that stand together in one size, from the upper 60 % of the page; whether they are large."""
    for _, line in groupby(page.words, lambda word: word.line):
        words = [word for word in line if word.box[1] < 0.6 * page.height]
        for large, run in groupby(words, lambda word: word.box[3] - word.box[1] > LARGE * usual):
            part: list[Word] = []
            for word in run:
                if part and word.box[0] - part[-1].box[2] > 2 * (word.box[3] - word.box[1]):
                    yield part, large
                    part = []
                part.append(word)
            yield part, large


def _titled(names: re.Pattern[str], titles: list[tuple[str, bool]], *, only_large: bool = False) -> bool:
    """Whether a title holds one of the names: anywhere in a large title, at the start of any other."""
    for text, large in titles:
        if text.count(" ") >= TITLE_WORDS:
            continue
        match = names.search(text) if large else None if only_large else names.match(text.lstrip("0123456789.#- "))
        if match and (large or not re.match(r"[\w\s.°#/-]*:", match.string[match.end() :])):
            return True
    return False


def _headed(page: Page, usual: float, vocabulary: Terms) -> bool:
    """Whether a word of the upper half is an invoice's heading: larger than the rest."""
    upper = [word for word in page.words if word.box[1] < page.height / 2 and word.box[3] - word.box[1] > LARGE * usual]
    return any(vocabulary.headings.fullmatch(without_accents(word.text)) for word in upper)


def characters_across(page: Page) -> float:
    """How many characters of the page's usual width fit between the leftmost and the rightmost word."""
    words = [word for word in page.words if len(word.text) >= 2]
    if not words:
        return 0.0
    width = median((word.box[2] - word.box[0]) / len(word.text) for word in words)
    edges = sorted(word.box[0] for word in words), sorted(word.box[2] for word in words)
    spare = len(words) // 50
    return (edges[1][-1 - spare] - edges[0][spare]) / width if width > 0 else 0.0
