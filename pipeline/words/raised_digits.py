"""Raised digits: the number of a footnote is a word of its own, and raised cents belong to their amount.

``320¹`` is an amount and a mark; ``12⁹⁹`` on a shelf label or a till slip is 12.99.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Word

MAX_RAISED_SIZE = 0.8
"""Largest size of a raised digit, as a share of the size of the digits before it."""
MIN_RAISED_SIZE = 0.4
"""Smallest height of a raised digit in a picture, as a share of the digits before it; less is a mark or a rule."""
MAX_DRAWN_SIZE, MIN_DRAWN_RAISE = 0.75, 0.3
"""As MAX_RAISED_SIZE and MIN_RAISE, for digits in a picture, as shares of the height of the digits before."""
MAX_OVERSHOOT = 0.35
"""How far a raised digit in a picture stands out above the digits before it, as a share of their height."""
MIN_RAISE = 0.12
"""Smallest height of its baseline above theirs, as a share of their size."""
MAX_GAP = 0.25
"""Widest gap between an amount and its raised cents, as a share of the amount's size."""
REACH = 0.7
"""How far the ink of a digit is from its centre at most, in distances between letters: the rule of a table is farther away."""
MAX_SPREAD = 0.2
"""How much the lower ends of the digits before a raised one differ, as a share of their height."""
MIN_AREA = 3
"""Pixels of a part of a letter; smaller ones are dirt."""
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
Extent = tuple[float, float]
"""Top and bottom, as shares of the height of a line."""
_CENTS = re.compile(r"[0-9]{2}|[⁰¹²³⁴-⁹]{2}")
_WHOLE_AMOUNT = re.compile(r"\D?(?:[0-9]{1,3}(?:[ .,'’][0-9]{3})*|[0-9]+)[.,]?")
"""An amount without decimals: ``12``, ``1,234``, ``€12``, ``12.``."""
_DIGITS = str.maketrans(SUPERSCRIPTS, "0123456789")
_DIGIT_PAIR = re.compile(r"[0-9][.,]?[0-9⁰¹²³⁴-⁹]")


def join_raised_cents(words: Sequence[Word]) -> list[Word]:
    """The words, with two raised digits right behind a whole amount joined to it as its decimals."""
    joined: list[Word] = []
    for word in words:
        if joined and _are_cents(joined[-1], word):
            amount = joined[-1]
            mark = "" if amount.text[-1] in ".," else "."
            box = (amount.box[0], min(amount.box[1], word.box[1]), word.box[2], max(amount.box[3], word.box[3]))
            joined[-1] = replace(amount, text=amount.text + mark + word.text.translate(_DIGITS), box=box)
        else:
            joined.append(word)
    return joined


def _are_cents(amount: Word, cents: Word) -> bool:
    if amount.line != cents.line or not _CENTS.fullmatch(cents.text) or not _WHOLE_AMOUNT.fullmatch(amount.text):
        return False
    if not -MAX_GAP * amount.size <= cents.box[0] - amount.box[2] <= MAX_GAP * amount.size:
        return False
    if not cents.text.isascii():
        return True
    return cents.size <= MAX_RAISED_SIZE * amount.size and cents.box[3] < amount.box[3] - MIN_RAISE * amount.size


def find_raised_digits(picture: NDArray[np.uint8], text: str, columns: Sequence[float]) -> dict[int, Extent]:
    """The raised digits of a line that OCR has read, counted without blanks, with the part of the line's height where they stand.

    ``picture`` is the line in BGR; ``columns`` are the centres of the letters from 0 (left) to 1 (right).
    """
    letters = [c for c in text if not c.isspace()]
    if len(letters) != len(columns) or not _DIGIT_PAIR.search(text):
        return {}
    parts = _parts(picture)
    edges = [0.0, *((a + b) / 2 for a, b in pairwise(columns)), 1.0]
    reach = REACH * median(b - a for a, b in pairwise(columns))
    extents = {
        n: extent
        for n, (letter, centre) in enumerate(zip(letters, columns, strict=True))
        if (letter.isdecimal() or letter in SUPERSCRIPTS)
        and (extent := _extent(parts, max(edges[n], centre - reach), min(edges[n + 1], centre + reach)))
    }
    raised: dict[int, Extent] = {}
    for n in extents:
        before = [extents[m] for m in range(n) if m in extents and m not in raised]
        follows = n and (letters[n - 1].isdecimal() or n - 1 in raised or letters[n - 1] in ".,")
        if before and follows and (letters[n] in SUPERSCRIPTS or _stands_higher(extents[n], before[-4:])):
            raised[n] = extents[n]
    ends = _word_ends(text)
    raised = {n: extent for n, extent in raised.items() if all(m in raised for m in range(n, ends[n] + 1))}
    return {n: extent for n, extent in raised.items() if letters[n] in SUPERSCRIPTS or _is_behind_number(n, letters, raised)}


def _is_behind_number(n: int, letters: Sequence[str], raised: Collection[int]) -> bool:
    """Whether a raised digit stands behind two digits, or is one of two behind an amount: one small digit may be a blot."""
    first, last = n, n
    while first - 1 in raised:
        first -= 1
    while last + 1 in raised:
        last += 1
    digits = 0
    while digits < first and (letters[first - 1 - digits].isdecimal() or letters[first - 1 - digits] in ".,"):
        digits += 1
    return digits >= 2 or last - first == 1


def _word_ends(text: str) -> list[int]:
    """For each letter, counted without blanks, the number of the last letter or digit of its word. Other signs do not count."""
    ends: list[int] = []
    for word in text.split():
        last = max((n for n, c in enumerate(word) if c.isalnum()), default=len(word) - 1)
        ends += [len(ends) + last] * len(word)
    return ends


def _parts(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The connected parts of the ink of a line, one a row: middle, top and bottom as shares of its length and height.

    Ink is the rarer of the dark and the light parts of the picture.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    dark = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1]
    statistics = cv2.connectedComponentsWithStats(dark if dark.mean() <= 0.5 else 1 - dark)[2][1:].astype(np.float64)
    rules = statistics[:, cv2.CC_STAT_HEIGHT] >= len(picture)
    left, top, width, height, _ = statistics[(statistics[:, cv2.CC_STAT_AREA] >= MIN_AREA) & ~rules].T
    return np.stack([(left + width / 2) / picture.shape[1], top / len(picture), (top + height) / len(picture)], axis=1)


def _extent(parts: NDArray[np.float64], left: float, right: float) -> Extent | None:
    """Top and bottom of the ink whose middle is in a part of the line's length; None without ink."""
    inside = parts[(parts[:, 0] >= left) & (parts[:, 0] < right)]
    return (float(inside[:, 1].min()), float(inside[:, 2].max())) if len(inside) else None


def _stands_higher(extent: Extent, before: Sequence[Extent]) -> bool:
    """Whether a digit is smaller than the digits before it, ends well above their baseline and begins at about their height."""
    height = median(bottom - top for top, bottom in before)
    ends = [bottom for _, bottom in before]
    baseline = median(ends)
    if max(ends) - min(ends) > MAX_SPREAD * height or max(ends) >= 1:
        return False
    top = median(top for top, _ in before)
    size = (extent[1] - extent[0]) / height
    return (
        MIN_RAISED_SIZE <= size <= MAX_DRAWN_SIZE
        and baseline - extent[1] >= MIN_DRAWN_RAISE * height
        and extent[0] >= top - MAX_OVERSHOOT * height
    )
