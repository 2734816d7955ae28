"""Recognises lines in bfloat16, and again in float32 where a letter is in doubt.

The lower precision changes a text only where the network is uncertain, so clear print is read once. Each line is stretched a little to one
of few lengths, because the network is compiled for each length.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from pipeline.words.networks import Bfloat16Network, Tensor
from pipeline.words.recogniser import (
    COLUMN,
    MAX_WIDTH,
    MIN_WIDTH,
    WIDE_GAP,
    Classes,
    LineText,
    Pixels,
    Recogniser,
    decode_line,
    line_width,
    resize_line,
)

LENGTH_RATIO = 1.04
"""Ratio of one length to the next. A line is stretched or compressed by half of it at most."""
MIN_PROBABILITY = 0.8
"""Lowest probability of a letter that counts as certain. A line with a lower one is read again."""
GAP_TOLERANCE = 0.2
"""Columns by which stretching moves letters. A line with a gap that is almost as wide as one between words is read again."""


def _lengths() -> tuple[int, ...]:
    lengths = [float(MIN_WIDTH)]
    while lengths[-1] * LENGTH_RATIO < MAX_WIDTH:
        lengths.append(lengths[-1] * LENGTH_RATIO)
    return tuple(round(length) for length in lengths)


LENGTHS = _lengths()


class FastRecogniser:
    """Both networks, loaded once for each process. ``exact`` loads the float32 one when it is needed. Not thread-safe."""

    def __init__(self, exact: Callable[[], Recogniser], threads: int = 1) -> None:
        self._exact = exact
        self._network = Bfloat16Network("rapidocr", "PP-OCRv6_rec_small.onnx", threads, logits=True)
        self._letters = ("", *self._network.labels, " ")

    def read(self, lines: Sequence[Pixels]) -> list[LineText]:
        """The text of each BGR picture of a line, in the given order."""
        quick = [self._read_quickly(line) for line in lines]
        doubtful = [n for n, text in enumerate(quick) if text is None]
        exact = dict(zip(doubtful, self._exact().read([lines[n] for n in doubtful]), strict=True)) if doubtful else {}
        return [text or exact[n] for n, text in enumerate(quick)]

    def _read_quickly(self, line: Pixels) -> LineText | None:
        """The line's text in bfloat16; None where a letter is in doubt, or without a letter."""
        if line_width(line) < MIN_WIDTH:
            return None
        width = line_width(line)
        (logits,) = self._network.run(resize_line(line, nearest_length(width))[np.newaxis])
        best, probabilities = most_likely(logits)
        text = decode_line(best, probabilities, self._letters, len(best))
        certain = (
            least_certain(best, probabilities) >= MIN_PROBABILITY
            and widest_gap(text) * width / COLUMN < WIDE_GAP - GAP_TOLERANCE
        )
        return text if certain else None


def most_likely(logits: Tensor) -> tuple[Classes, Tensor]:
    """Each column's best class, and its probability where the class is a letter; 1 in gaps between letters, where it is not used."""
    best = logits.argmax(axis=1)
    probabilities = np.ones(len(best), np.float32)
    letters = np.flatnonzero(best)
    probabilities[letters] = 1 / np.exp(logits[letters] - logits[letters, best[letters], np.newaxis]).sum(axis=1)
    return best, probabilities


def nearest_length(width: int) -> int:
    """The length closest to a width, by ratio."""
    at = bisect(LENGTHS, width)
    return min(LENGTHS[max(0, at - 1) : at + 1], key=lambda length: max(length / width, width / length))


def least_certain(best: Classes, probabilities: Tensor) -> float:
    """The lowest probability of a letter in its best column; 0 without letters."""
    starts = np.flatnonzero(np.diff(best, prepend=-1) != 0)
    by_letter = np.maximum.reduceat(probabilities, starts)[best[starts] != 0]
    return float(by_letter.min()) if len(by_letter) else 0.0


def widest_gap(line: LineText) -> float:
    """The widest gap between two letters of one word, as a share of the line."""
    columns = iter(line.columns)
    places = [None if letter.isspace() else next(columns) for letter in line.text]
    return max((after - before for before, after in pairwise(places) if before is not None and after is not None), default=0.0)
