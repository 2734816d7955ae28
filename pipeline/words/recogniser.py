"""What a line of text says: PP-OCRv6's recognition network on pictures of single lines, and its letters read off (CTC).

Lines are read in the order of their length, those of one length together. None is padded to join another: a line costs what its length
costs, alone or in a batch, and grey behind its end can change what is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.words.networks import Network, Tensor

Pixels = NDArray[np.uint8]
Classes = NDArray[np.int64]
HEIGHT = 48
"""Rows of the picture that the network was trained on."""
MIN_WIDTH, MAX_WIDTH = 64, 8_000
"""Pixels of length; what is longer than the smallest print across a page is squeezed, as it is no line of text."""
COLUMN = 8
"""Pixels of length for which the network gives one answer."""
WIDE_GAP = 5
"""Columns between two letters that make two words of them."""
BATCH_PIXELS = 2_400
"""Length of all lines that are read at once: more gains nothing and leaves the CPU's cache."""


@dataclass(frozen=True, slots=True)
class LineText:
    """A line as read; ``columns`` are the centres of the letters that are no blank, 0 (left) to 1 (right)."""

    text: str
    columns: tuple[float, ...]
    confidence: float


class Recogniser:
    """The network, loaded once a process; not thread-safe."""

    def __init__(self, threads: int = 1) -> None:
        self._network = Network("rapidocr", "PP-OCRv6_rec_small.onnx", threads)
        self._letters = ("", *self._network.labels, " ")

    def read(self, lines: Sequence[Pixels]) -> list[LineText]:
        """What each BGR picture of a line says, in the given order."""
        found: dict[int, LineText] = {}
        widths = [max(MIN_WIDTH, line_width(line)) for line in lines]
        for batch in _batches(widths):
            pictures = _tensor([lines[n] for n in batch], widths[batch[0]])
            for n, likely in zip(batch, self._network.run(pictures), strict=True):
                best, columns = likely.argmax(axis=1), len(likely) * line_width(lines[n]) / pictures.shape[3]
                found[n] = decode_line(best, likely[np.arange(len(best)), best], self._letters, columns)
        return [found[n] for n in range(len(lines))]


def decode_line(best: Classes, likely: Tensor, letters: Sequence[str], columns: float) -> LineText:
    """What each column's best class and its probability spell: repeated ones are one letter, class 0 is the gap between letters (CTC).

    ``columns``: how many of them the line itself takes, without padding.
    """
    starts = np.flatnonzero((best != 0) & (np.diff(best, prepend=-1) != 0))
    text = "".join(letters[n] for n in best[starts])
    centres = tuple(
        min(1.0, (float(at) + 0.5) / columns) for at, letter in zip(starts, text, strict=True) if not letter.isspace()
    )
    confidence = float(likely[starts].mean()) if len(starts) else 0.0
    return LineText(text, centres, round(confidence, 5))


def line_width(line: Pixels) -> int:
    """Pixels of the line's length at the network's height, without padding."""
    width = HEIGHT * line.shape[1] / line.shape[0]
    return min(MAX_WIDTH, math.ceil(width) if width < MIN_WIDTH else int(width))


def _batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Places of lines of one length, short ones first."""
    order = sorted(range(len(widths)), key=lambda n: widths[n])
    for width, group in groupby(order, key=lambda n: widths[n]):
        same, size = list(group), max(1, BATCH_PIXELS // width)
        yield from (same[start : start + size] for start in range(0, len(same), size))


def _tensor(lines: Sequence[Pixels], padded: int) -> Tensor:
    """Lines up to a length, 0 behind their ends."""
    pictures = np.zeros((len(lines), 3, HEIGHT, padded), np.float32)
    for picture, line in zip(pictures, lines, strict=True):
        width = line_width(line)
        picture[:, :, :width] = resize_line(line, width)
    return pictures


def resize_line(line: Pixels, width: int) -> Tensor:
    """A line in the network's height and a given length, from -1 (black) to 1 (white)."""
    small = cv2.resize(line, (width, HEIGHT))
    picture: Tensor = cv2.dnn.blobFromImage(small, 1 / 127.5, mean=(127.5, 127.5, 127.5))[0]
    return picture
