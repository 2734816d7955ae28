"""Reads the short print of a picture that the text detector misses: the 0 of an axis, a single letter under a bar.

PP-OCR's detector finds lines and often leaves out one or two letters that stand alone. Ink that has the shape of letters and stands in line
with words that were found is read by the recogniser alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, PageImage, Word
from pipeline.values.boxes import bounding_box
from pipeline.words.ocr import read_places, to_bgr
from pipeline.words.precision import Precision
from pipeline.words.small_print import INK_CONTRAST, INK_WINDOW

MIN_WORDS = 3
"""Fewest words that show how large the letters are."""
MAX_WORDS = 400
"""Most words of a picture that is completed: a page of text has more, and single letters are rare on it."""
MAX_STRINGS = 80
"""Most strings that are read. More are no print: hatching, a map, a cloud of points."""
LETTER_HEIGHTS = (0.3, 1.0)
"""Height of a letter over the usual height of a word's box."""
MAX_LETTER_WIDTH = 1.3
"""Width of a letter over the usual height of a word's box; two that touch count as one."""
MIN_WIDTH = 0.1
"""Least width of a string, over the usual height. A rule is thinner."""
MIN_FILL = 0.15
"""Least share of a letter's box that is ink."""
MAX_GAP = 0.35
"""Widest gap between two letters of a string, over the usual height of a word's box."""
MAX_LENGTH = 6.0
"""Longest string, over the usual height. The detector finds longer ones."""
MARGIN = 0.18
"""Room around the letters that the recogniser is used to, over the usual height."""
ALIGNED = 0.3
"""Most distance of two strings that are in line, over the usual height."""
MIN_DISTANCE = 0.1
"""Least gap to a word in the same row, over the usual height. What is nearer is a part of that word."""
MIN_CONFIDENCE = 0.8
"""Least confidence of the recogniser. Marks of a chart look like letters."""
MIN_CONFIDENCE_OF_ONE = 0.95
"""Least confidence in a single letter."""
MIN_CONFIDENCE_ALONE = 0.97
"""Least confidence in a number that stands in line with nothing."""
Boxes = NDArray[np.float64]


def with_missed_print(words: Sequence[Word], image: PageImage, precision: Precision = "float32") -> list[Word]:
    """Return the words of a picture, and those that the detector missed, each a line of its own."""
    known = [word for word in words if word.size > 0 and word.box[3] - word.box[1] < 1.6 * (word.box[2] - word.box[0])]
    if not MIN_WORDS <= len(known) <= MAX_WORDS:
        return list(words)
    pixels = to_bgr(image)
    height = median(word.box[3] - word.box[1] for word in known)
    boxes = np.array([word.box for word in words], np.float64)
    strings = _strings(_letters(pixels, image.scale, height, boxes), height)
    if not strings or len(strings) > MAX_STRINGS:
        return list(words)
    margin = MARGIN * height
    strings = [(x0 - margin, y0 - margin, x1 + margin, y1 + margin) for x0, y0, x1, y1 in strings]
    read = read_places(image, strings, precision)
    line = max(word.line for word in words) + 1
    found = [
        Word(text.strip(), box, line + number, "ocr", confidence, box[3] - box[1])
        for number, (box, (text, confidence)) in enumerate(zip(strings, read, strict=True))
        if text.strip().strip("-−.%").isalnum()
        if confidence >= (MIN_CONFIDENCE_OF_ONE if len(text.strip()) == 1 else MIN_CONFIDENCE)
    ]
    return [*words, *(word for word in found if _is_in_line(word, [*known, *found], height))]


def _letters(pixels: NDArray[np.uint8], scale: float, height: float, words: Boxes) -> list[Box]:
    """Return the boxes (points) of what has the shape of a letter and stands outside of the words."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    inks = [
        cv2.adaptiveThreshold(side, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, INK_WINDOW, INK_CONTRAST)
        for side in (grey, 255 - grey)
    ]
    letters: list[Box] = []
    for ink in inks:
        count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        if count > 20_000:
            continue
        shapes = stats[1:].astype(np.float64)
        wide, high, area = shapes[:, 2] / scale, shapes[:, 3] / scale, shapes[:, 4]
        fits = (high >= LETTER_HEIGHTS[0] * height) & (high <= LETTER_HEIGHTS[1] * height)
        fits &= (wide <= MAX_LETTER_WIDTH * height) & (area >= MIN_FILL * shapes[:, 2] * shapes[:, 3])
        for x, y, w, h, _ in (shapes[fits] / scale).tolist():
            inside = (
                (words[:, 0] <= x + w / 2)
                & (x + w / 2 <= words[:, 2])
                & (words[:, 1] <= y + h / 2)
                & (y + h / 2 <= words[:, 3])
            )
            if not inside.any():
                letters.append((x, y, x + w, y + h))
    return letters


def _strings(letters: Sequence[Box], height: float) -> list[Box]:
    """Return the boxes of letters that stand beside each other, joined."""
    strings: list[Box] = []
    for letter in sorted(letters):
        for n, (x0, y0, x1, y1) in enumerate(strings):
            overlap = min(y1, letter[3]) - max(y0, letter[1])
            if letter[0] - x1 <= MAX_GAP * height and overlap > 0.6 * min(y1 - y0, letter[3] - letter[1]):
                strings[n] = bounding_box([(x0, y0, x1, y1), letter])
                break
        else:
            strings.append(letter)
    return [
        string
        for string in strings
        if string[2] - string[0] <= MAX_LENGTH * height and string[2] - string[0] >= MIN_WIDTH * height
    ]


def _is_in_line(word: Word, others: Sequence[Word], height: float) -> bool:
    """Return whether another word of its size stands in the same row or column, and none is so near that it is a part of it.

    A clear number of several digits may stand alone, in a sector or a bar.
    """
    x0, y0, x1, y1 = word.box
    for other in others:
        beside = min(y1, other.box[3]) - max(y0, other.box[1]) > 0.5 * (y1 - y0)
        if other is not word and beside and max(other.box[0] - x1, x0 - other.box[2]) < MIN_DISTANCE * height:
            return False
    if len(word.text) > 1 and word.text[0].isdigit() and word.confidence >= MIN_CONFIDENCE_ALONE:
        return True
    for other in others:
        if other is word or not 0.6 < (other.box[3] - other.box[1]) / (y1 - y0) < 1.7:
            continue
        column = min(abs(x0 - other.box[0]), abs(x1 - other.box[2]), abs(x0 + x1 - other.box[0] - other.box[2]) / 2)
        row = abs(y0 + y1 - other.box[1] - other.box[3]) / 2
        if min(column, row) <= ALIGNED * height:
            return True
    return False
