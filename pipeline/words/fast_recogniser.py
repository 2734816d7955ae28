"""What lines say, at a glance: read in bfloat16, and once more in float32 where a letter is in doubt.

Rounded numbers change what is read only where the network wavers; on clear print nothing is read twice. Lines are stretched a little to
one of few lengths, since the network is planned for each of them.
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

STEP = 1.04
"""Ratio of one length to the next: no line is stretched or squeezed by more than half of that."""
CLEAR = 0.8
"""Probability that every letter must reach, or the line is read again."""
SLACK = 0.2
"""Columns by which stretching moves letters: where they stand nearly so far apart that they are two words, the line is read again."""


def _lengths() -> tuple[int, ...]:
    lengths = [float(MIN_WIDTH)]
    while lengths[-1] * STEP < MAX_WIDTH:
        lengths.append(lengths[-1] * STEP)
    return tuple(round(length) for length in lengths)


LENGTHS = _lengths()


class FastRecogniser:
    """Both networks, loaded once a process, the exact one when it is needed (``exact``); not thread-safe."""

    def __init__(self, exact: Callable[[], Recogniser], threads: int = 1) -> None:
        self._exact = exact
        self._network = Bfloat16Network("rapidocr", "PP-OCRv6_rec_small.onnx", threads, logits=True)
        self._letters = ("", *self._network.labels, " ")

    def read(self, lines: Sequence[Pixels]) -> list[LineText]:
        """What each BGR picture of a line says, in the given order."""
        glances = [self._glance(line) for line in lines]
        doubtful = [n for n, reading in enumerate(glances) if reading is None]
        again = dict(zip(doubtful, self._exact().read([lines[n] for n in doubtful]), strict=True)) if doubtful else {}
        return [reading or again[n] for n, reading in enumerate(glances)]

    def _glance(self, line: Pixels) -> LineText | None:
        """The line as read in bfloat16; None where that is in doubt, or where nothing is read."""
        if line_width(line) < MIN_WIDTH:
            return None
        width = line_width(line)
        (logits,) = self._network.run(resize_line(line, nearest_length(width))[np.newaxis])
        best, likely = most_likely(logits)
        reading = decode_line(best, likely, self._letters, len(best))
        clear = least_certain(best, likely) >= CLEAR and widest_gap(reading) * width / COLUMN < WIDE_GAP - SLACK
        return reading if clear else None


def most_likely(logits: Tensor) -> tuple[Classes, Tensor]:
    """Each column's best class, and its probability where that is a letter; 1 in the gaps between letters, where nobody asks for it."""
    best = logits.argmax(axis=1)
    likely = np.ones(len(best), np.float32)
    letters = np.flatnonzero(best)
    likely[letters] = 1 / np.exp(logits[letters] - logits[letters, best[letters], np.newaxis]).sum(axis=1)
    return best, likely


def nearest_length(width: int) -> int:
    """The length closest to a width, by ratio."""
    at = bisect(LENGTHS, width)
    return min(LENGTHS[max(0, at - 1) : at + 1], key=lambda length: max(length / width, width / length))


def least_certain(best: Classes, likely: Tensor) -> float:
    """The probability of a line's most doubtful letter in its best column; 0 where there is no letter."""
    starts = np.flatnonzero(np.diff(best, prepend=-1) != 0)
    sure = np.maximum.reduceat(likely, starts)[best[starts] != 0]
    return float(sure.min()) if len(sure) else 0.0


def widest_gap(reading: LineText) -> float:
    """The widest gap between two letters with no blank between them, as a share of the line."""
    columns = iter(reading.columns)
    places = [None if letter.isspace() else next(columns) for letter in reading.text]
    return max((after - before for before, after in pairwise(places) if before is not None and after is not None), default=0.0)
