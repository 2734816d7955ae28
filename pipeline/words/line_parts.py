"""Reads the numbers and Latin words of a line in another script one by one.

PP-OCR reads a whole line at once. Beside letters that it does not know it loses digits and letters that it knows, and makes digits of
some words. The picture of a single word has no such neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from pipeline.words.line_cleaning import cleaned, ink_of
from pipeline.words.recogniser import LineText, LineWord, Pixels
from pipeline.words.scripts import Script
from pipeline.words.tesseract import line_of

Reader = Callable[[Sequence[Pixels]], list[LineText]]
WORD_GAP = 0.14
"""White between words in picture heights, at least: less than a blank."""
NUMBER_GAP = 0.2
"""White between two numbers in picture heights below which they are one: a 1 has more white around than a letter."""
PRINT_HEIGHTS = 1.5
"""A line's picture is at most so many times as high as its print, else its height says little: the cell of a table may be in it."""
MIN_WIDTH = 0.06
"""Width of a word in picture heights, at least: less is a speck."""
ROOM = 0.06
"""Picture heights of paper on both sides of a word's picture."""
SURE = 0.8
"""Confidence from which a word in letters of the script stays as it is."""
CERTAIN = 0.95
"""Confidence of PP-OCR from which a single word is a number or in Latin letters: words of other scripts stay below it."""
LIKELY = 0.9
"""The same where Tesseract reads no word there."""
MIN_WORD = 0.8
"""Width in picture heights of a word that tells whether PP-OCR knows its letters."""
UNREAD = 0.6
"""Confidence of PP-OCR below which it does not know a word."""
MAX_EDGE = 0.6
"""Picture heights between the middle of the first or last letter and the edge of a word's picture, at most."""
NEAR = 0.2
"""Share of a word's width that a blank in it may be off."""
COVERED = 0.5
"""Share of the narrower one of two words that both cover where they are one."""
WIDEST_LETTER = 0.6
"""Picture heights of a letter, at most, in a word whose place Tesseract has right."""
_NUMBER = re.compile(r"[#№₹$€£¥₪₩฿₴₽%+(-]*\d[\d.,:/%()+-]*[₹$€£¥₪₩฿₴₽%]?")
_GLUED = re.compile(r"([^\dA-Za-z]*?)(\d[\d.,:/-]*\d)([^\dA-Za-z]*)")
"""A number with the letters of the script that Tesseract has before and behind it in one word."""
_DIGITS = re.compile(r"[\d.,]+")
_LATIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9@./&-]*[A-Za-z0-9.]:?")
_LETTERS = re.compile(r"[.:]?[A-Za-z]{3,}[.:]?")
_LEADING = re.compile(r"([.,:;]+)(\w.*)")


@dataclass(frozen=True, slots=True)
class _Part:
    line: int
    left: int
    right: int
    picture: Pixels


def word_spans(line: Pixels) -> list[tuple[int, int]]:
    """Left and right of each word in the picture of a line, in pixels from left to right; none where it has no print."""
    ink = ink_of(line)
    if ink is None:
        return []
    letters = cv2.medianBlur(ink.astype(np.uint8), 3)
    columns, rows = np.flatnonzero(letters.any(axis=0)), np.flatnonzero(letters.any(axis=1))
    if not len(columns):
        return []
    height = min(len(ink), PRINT_HEIGHTS * (rows[-1] - rows[0] + 1))
    ends = np.flatnonzero(np.diff(columns) > WORD_GAP * height)
    lefts, rights = columns[np.r_[0, ends + 1]], columns[np.r_[ends, len(columns) - 1]] + 1
    return [(int(a), int(b)) for a, b in zip(lefts, rights, strict=True) if b - a >= MIN_WIDTH * height]


def unread_share(pictures: Sequence[Pixels], read: Reader) -> float:
    """The share of the words in pictures of lines, by their width, that ``read`` (PP-OCR) reads hardly or not at all one by one."""
    words = [(right - left, picture[:, left:right]) for picture in map(cleaned, pictures)
             for left, right in word_spans(picture) if right - left >= MIN_WORD * len(picture)]  # fmt: skip
    widths = [width for width, _ in words]
    texts = read([picture for _, picture in words]) if words else []
    unread = sum(width for width, text in zip(widths, texts, strict=True) if not text.text.strip() or text.confidence < UNREAD)
    return unread / max(sum(widths), 1)


def with_parts(
    script: Script, texts: Sequence[LineText], pictures: Sequence[Pixels], read: Reader, *, numbers: bool = True
) -> list[LineText]:
    """Lines that Tesseract has read in ``script``, with the numbers and Latin words that ``read`` (PP-OCR) is surer of.

    ``pictures`` are those of the lines. All parts of a page are read in one call. Without ``numbers`` only words are taken: on a page with
    other digits, numbers are what PP-OCR makes of those.
    """
    texts = [_parted(script, text, picture) for text, picture in zip(texts, pictures, strict=True)]
    parts = [
        part for n, (text, picture) in enumerate(zip(texts, pictures, strict=True)) for part in _parts(script, n, text, picture)
    ]
    found: list[list[LineWord]] = [[] for _ in texts]
    for part, text in zip(parts, read([part.picture for part in parts]) if parts else [], strict=True):
        words = _words(script, part, text, pictures[part.line].shape[1])
        found[part.line] += words if numbers else [word for word in words if _LETTERS.fullmatch(word.text)]
    joined = [_joined(words, len(picture) / picture.shape[1]) for words, picture in zip(found, pictures, strict=True)]
    turned = [[replace(word, text=_turned(script, word.text)) for word in words] for words in joined]
    return [_merged(script, text, words) if words else text for text, words in zip(texts, turned, strict=True)]


def beside_number(script: Script, text: LineText, numbers: Sequence[LineWord]) -> LineText:
    """The numbers of a line that PP-OCR has read as such, with the words that Tesseract is sure of before and behind them.

    Tesseract's places of words reach into the number; what remains outside of it counts.
    """
    left, right = min(word.start for word in numbers), max(word.end for word in numbers)
    words = list(numbers)
    for word in text.words:
        glued = _GLUED.fullmatch(word.text) if len(numbers) == 1 else None
        if glued and script.pattern.search(word.text) and _digits(glued[2]) == _digits(numbers[0].text):
            return line_of([replace(word, text=glued[1] + numbers[0].text + glued[3])], word.confidence)
        start, end = max(
            ((word.start, min(word.end, left)), (max(word.start, right), word.end)), key=lambda side: side[1] - side[0]
        )
        if is_sure(script, word) and end > start:
            words.append(replace(word, start=start, end=end))
    words.sort(key=lambda word: word.start, reverse=script.right_to_left)
    return line_of(words, min(word.confidence for word in words))


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


def _joined(words: Sequence[LineWord], height: float) -> list[LineWord]:
    """The words of a line from left to right, numbers without a blank between them in one; ``height`` is a share of the line's length."""
    joined: list[LineWord] = []
    for word in words:
        last = joined[-1] if joined else None
        if last and _DIGITS.fullmatch(last.text + word.text) and word.start - last.end < NUMBER_GAP * height:
            joined[-1] = LineWord(last.text + word.text, last.start, word.end, min(last.confidence, word.confidence))
        else:
            joined.append(word)
    return joined


def is_sure(script: Script, word: LineWord) -> bool:
    """Whether Tesseract is sure of a word in letters of the script alone."""
    letters = sum(letter.isalpha() for letter in script.pattern.findall(word.text))
    return letters > 1 and sum(map(str.isalnum, word.text)) == letters and word.confidence >= SURE


def with_native_numbers(script: Script, text: LineText, numbers: Sequence[LineWord]) -> LineText:
    """A line that Tesseract has read, with the numbers in the script's own digits. A single one may be a letter that looks like it."""
    sure = [word for word in text.words if is_sure(script, word)]
    found = [
        number for number in numbers if not any(_is_over(number, word) for word in sure) and (len(number.text) > 1 or not sure)
    ]
    kept = [word for word in text.words if not any(_is_over(number, word) for number in found)]
    words = sorted([*kept, *found], key=lambda word: word.start, reverse=script.right_to_left)
    return line_of(words, sum(word.confidence for word in words) / max(len(words), 1))


def _parted(script: Script, text: LineText, picture: Pixels) -> LineText:
    """The line with a number and the letters before or behind it as two words where there is white between them."""
    width = picture.shape[1]
    gaps = [(a / width, b / width) for (_, a), (b, _) in pairwise(word_spans(cleaned(picture)))]
    words: list[LineWord] = []
    for word in text.words:
        glued = _GLUED.fullmatch(word.text)
        pieces = [piece for piece in glued.groups() if piece] if glued and script.pattern.search(word.text) else []
        pieces = pieces[::-1] if script.right_to_left else pieces
        places = [_gap_at(word, pieces[:n], gaps) for n in range(1, len(pieces))]
        if not pieces or None in places:
            words.append(word)
            continue
        starts, ends = (
            [word.start, *(place[1] for place in places if place)],
            [*(place[0] for place in places if place), word.end],
        )
        words += [LineWord(piece, start, end, word.confidence) for piece, start, end in zip(pieces, starts, ends, strict=True)]
    return line_of(words, text.confidence) if len(words) > len(text.words) else text


def _gap_at(word: LineWord, before: Sequence[str], gaps: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """The white inside a word that is nearest to where some of its text should end; None where there is none near."""
    at = word.start + (word.end - word.start) * sum(map(len, before)) / len(word.text)
    near = (word.end - word.start) * NEAR
    inside = [gap for gap in gaps if word.start < gap[0] and gap[1] < word.end and gap[0] - near < at < gap[1] + near]
    return min(inside, key=lambda gap: abs(sum(gap) / 2 - at), default=None)


def _parts(script: Script, n: int, text: LineText, picture: Pixels) -> list[_Part]:
    """The words of a line but those that are surely in the script. What Tesseract has read as one word stays in one piece."""
    picture = cleaned(picture)
    height, width = picture.shape[:2]
    placed = [word for word in text.words if (word.end - word.start) * width <= WIDEST_LETTER * height * len(word.text)]
    words = [(word.start * width, word.end * width, is_sure(script, word)) for word in placed]
    spans: list[tuple[int, int]] = []
    for left, right in word_spans(picture):
        if spans and any(start < spans[-1][1] - 2 and end > left + 2 for start, end, _ in words):
            spans[-1] = spans[-1][0], right
        else:
            spans.append((left, right))
    room = round(ROOM * height)
    return [
        _Part(n, left, right, picture[:, max(0, left - room) : right + room])
        for left, right in spans
        if not any(sure and min(end, right) - max(start, left) > COVERED * (right - left) for start, end, sure in words)
    ]


def _words(script: Script, part: _Part, text: LineText, width: int) -> list[LineWord]:
    """The numbers and Latin words of a part; none where PP-OCR is not sure of all of it."""
    tokens = text.text.split()
    fitting = all(_NUMBER.fullmatch(_turned(script, token)) or _LATIN.fullmatch(_turned(script, token)) for token in tokens)
    if text.confidence < LIKELY or not tokens or not fitting or len(text.columns) != sum(map(len, tokens)):
        return []
    edge = MAX_EDGE * part.picture.shape[0] / part.picture.shape[1]
    if text.columns[0] > edge or text.columns[-1] < 1 - edge:  # letters that PP-OCR does not know are left out
        return []
    if len(tokens) == 1:
        return [LineWord(tokens[0], part.left / width, part.right / width, text.confidence)]
    words, at = [], 0
    room = round(ROOM * len(part.picture))
    left, across = max(0, part.left - room), part.picture.shape[1]
    for token in tokens:
        first, last = text.columns[at], text.columns[at + len(token) - 1]
        half = (last - first) / (2 * max(len(token) - 1, 1))
        start, end = ((left + x * across) / width for x in (max(0.0, first - half), min(1.0, last + half)))
        words.append(LineWord(token, start, end, text.confidence))
        at += len(token)
    return words


def _turned(script: Script, token: str) -> str:
    """A word of a line from right to left, with the mark behind it that stands left of it."""
    leading = _LEADING.fullmatch(token) if script.right_to_left else None
    return leading[2] + leading[1] if leading else token


def _merged(script: Script, text: LineText, found: Sequence[LineWord]) -> LineText:
    kept = list(text.words)
    for word in found:
        over = [other for other in kept if _is_over(word, other)]
        glued = _GLUED.fullmatch(over[0].text) if len(over) == 1 and _NUMBER.fullmatch(word.text) else None
        if glued and script.pattern.search(over[0].text):
            kept[kept.index(over[0])] = replace(over[0], text=glued[1] + word.text.rstrip(".,:") + glued[3])
            continue
        if _replaces(script, word, over):
            kept = [other for other in kept if other not in over]
            kept.append(word)
    kept.sort(key=lambda word: word.start, reverse=script.right_to_left)
    weights = [len(word.text) for word in kept]
    confidence = sum(word.confidence * weight for word, weight in zip(kept, weights, strict=True)) / max(sum(weights), 1)
    return line_of(kept, confidence)


def _is_over(word: LineWord, other: LineWord) -> bool:
    shared = min(word.end, other.end) - max(word.start, other.start)
    return shared > COVERED * min(word.end - word.start, other.end - other.start)


def _replaces(script: Script, word: LineWord, over: Sequence[LineWord]) -> bool:
    """Whether PP-OCR's word takes the place of Tesseract's words there. One letter or digit may be what it makes of a sign."""
    if any(is_sure(script, other) for other in over):
        return False
    if not over:
        return word.confidence >= CERTAIN
    doubtful = min(other.confidence for other in over) < SURE
    signs = sum(map(str.isalnum, word.text))
    if signs > 1:
        return word.confidence >= (LIKELY if doubtful else CERTAIN)
    return doubtful and word.confidence >= CERTAIN
