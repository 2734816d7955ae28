"""Reads numbers in the digits of Arabic and Persian, which neither PP-OCR nor Tesseract's models read where they stand alone.

These digits never touch each other, so each part of the ink is one sign. A small network tells which, by its shape, its size and its
height on the line (``python -m training.native_digits`` trains it on drawn signs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.words.line_cleaning import cleaned, ink_of
from pipeline.words.recogniser import LineWord, Pixels

Floats = NDArray[np.float32]
SIGNS = "٠١٢٣٤٥٦٧٨٩۴۵۶.,٫٬/-"
"""What the network tells apart; what comes behind them is another sign or letter."""
DIGITS = SIGNS[:13]
SIDE = 16
"""Side of the picture of a sign in pixels."""
MIN_INK = 4
"""Pixels of a sign, at least."""
MIN_DIGIT, MIN_SIGN = 0.9, 0.6
"""Probability from which a sign is surely a digit, and from which it is the likeliest sign of a number."""
HIGH, LOW, SMALL = 0.5, 0.08, 0.7
"""Of a mark between digits: height above the line from which it is a high one, and below which it is no zero; its own height at most; in
heights of the digits."""
TALL = 0.6
"""Share of a word's usual height from which a sign stands on the line."""
_SAME = tuple((SIGNS.index(persian), SIGNS.index(arabic)) for persian, arabic in ("۴٤", "۵٥", "۶٦"))
"""Two forms of one digit."""
WORD_GAP = 0.42
"""White between two numbers in heights of the line's digits, at least."""
DOT, DIGIT_STEP = 0.45, 1.1
"""Size of a dot, and the distance of its middle from the next digit's, in heights of the line's digits at most."""
_Box = tuple[int, int, int, int]
_SEPARATORS = [SIGNS.index(sign) for sign in ".,٫٬"]


@dataclass(frozen=True, slots=True)
class Sign:
    """A part of the ink of a line, with its left and right in pixels and what the network sees of it."""

    left: int
    right: int
    features: Floats


def words_of(line: Pixels) -> list[list[Sign]]:
    """The parts of the ink in the picture of a line, word by word from left to right.

    Size and height of a sign count by those of its word, since the letters beside a number are higher and reach lower.
    """
    line = cleaned(line)
    ink = ink_of(line)
    if ink is None:
        return []
    grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY).astype(np.float32)
    paper, dark = float(np.median(grey[~ink])), float(np.median(grey[ink]))
    shade = np.clip((paper - grey) / max(paper - dark, 1.0), 0, 1).astype(np.float32)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    parts = sorted((n for n in range(1, len(stats)) if stats[n][cv2.CC_STAT_AREA] >= MIN_INK), key=lambda n: int(stats[n][0]))
    if not parts:
        return []
    boxes = {n: (int(x), int(y), int(x + w), int(y + h)) for n, (x, y, w, h, _) in zip(parts, stats[parts], strict=True)}
    heights = [bottom - top for _, top, _, bottom in boxes.values()]
    usual = float(np.median([height for height in heights if height >= DOT * max(heights)]))
    words: list[list[int]] = []
    for n in parts:
        if words and _is_near(boxes[words[-1][-1]], boxes[n], usual):
            words[-1].append(n)
        else:
            words.append([n])
    return [_signs({n: boxes[n] for n in word}, labels, shade) for word in words]


def _is_near(before: _Box, box: _Box, usual: float) -> bool:
    """Whether two signs are of one word. A zero is a dot with much white on both sides, so that the middles of the signs count."""
    middles = (box[0] + box[2] - before[0] - before[2]) / 2
    is_dot = any(max(right - left, bottom - top) < DOT * usual for left, top, right, bottom in (before, box))
    return box[0] - before[2] < WORD_GAP * usual or (is_dot and middles < DIGIT_STEP * usual)


def _signs(boxes: Mapping[int, _Box], labels: NDArray[np.int32], shade: Floats) -> list[Sign]:
    usual = max(float(np.percentile([bottom - top for _, top, _, bottom in boxes.values()], 75)), 1.0)
    base = float(np.median([bottom for _, top, _, bottom in boxes.values() if bottom - top >= TALL * usual]))
    signs = []
    for n, (left, top, right, bottom) in boxes.items():
        shape = np.where(labels[top:bottom, left:right] == n, shade[top:bottom, left:right], 0.0).astype(np.float32)
        place = np.array([bottom - top, right - left, base - bottom, base - top], np.float32) / usual
        signs.append(Sign(left, right, np.concatenate([_square(shape).ravel(), place])))
    return signs


def numbers_of(line: Pixels) -> list[LineWord]:
    """The numbers in Arabic or Persian digits in the picture of a line, from left to right, with places as shares of its length."""
    words = words_of(line)
    if not words:
        return []
    chances = _network().probabilities(np.stack([sign.features for word in words for sign in word]))
    for persian, arabic in _SAME:
        chances[:, arabic] += chances[:, persian]
        chances[:, persian] = 0
    at = np.cumsum([len(word) for word in words])
    found = [_number(word, part, line.shape[1]) for word, part in zip(words, np.split(chances, at[:-1]), strict=True)]
    return [word for word in found if word]


def _number(signs: Sequence[Sign], chances: Floats, width: int) -> LineWord | None:
    """The number that the signs of a word are; None where they are something else.

    Half of them are surely digits in a number. Then its other signs are no letters: marks between digits have many forms, some like
    letters, so that their height on the line tells what they are.
    """
    digits = chances[:, : len(DIGITS)].max(axis=1) >= MIN_DIGIT
    if digits.sum() * 2 < len(signs):
        return None
    numeric = chances[:, : len(SIGNS)] / np.maximum(chances[:, : len(SIGNS)].sum(axis=1, keepdims=True), 1e-6)
    text, sure = "", []
    for n, sign in enumerate(signs):
        best, chance = int(numeric[n].argmax()), float(numeric[n].max())
        height, above = float(sign.features[-4]), float(sign.features[-2])
        inside = 0 < n < len(signs) - 1
        if inside and above > HIGH and height < SMALL:
            text, chance = text + "٬", 1.0
        elif inside and (best in _SEPARATORS or (height < SMALL and (chance < MIN_SIGN or above < LOW))):
            text, chance = text + ("٫" if len(signs) - n == 3 else ","), 1.0
        elif chance >= MIN_SIGN:
            text += SIGNS[best]
        else:
            return None
        sure.append(chance)
    return LineWord(text, signs[0].left / width, max(sign.right for sign in signs) / width, sum(sure) / len(sure))


def _square(shape: Floats) -> Floats:
    """A sign in the middle of a square picture, with its proportions."""
    height, width = shape.shape
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(shape, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.zeros((SIDE, SIDE), np.float32)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


@dataclass(frozen=True, slots=True)
class _Network:
    """Two layers. ``first`` has a row for each feature, ``second`` one for each unit."""

    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats

    def probabilities(self, features: Floats) -> Floats:
        """A row for each sign, a column for each class."""
        units = np.maximum(features @ self.first + self.first_bias, 0)
        scores = units @ self.second + self.second_bias
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


@cache
def _network() -> _Network:
    with np.load(Path(__file__).with_name("native_digits.npz"), allow_pickle=False) as stored:
        return _Network(*(stored[name].astype(np.float32) for name in ("first", "first_bias", "second", "second_bias")))
