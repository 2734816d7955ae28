"""Recognises the text of lines: PP-OCRv6's recognition network on pictures of single lines, and its CTC decoding.

Lines of equal length are read in one batch, short lines first. No line is padded to join a batch: a line takes time in proportion to its
length in any batch, and padding can change its text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.words.networks import Network, Tensor

Pixels = NDArray[np.uint8]
Classes = NDArray[np.int64]
HEIGHT = 48
"""Height in pixels of the pictures that the network was trained on."""
MIN_WIDTH, MAX_WIDTH = 64, 8_000
"""Length of a line in pixels. A longer one is compressed: even the smallest print across a page is shorter."""
COLUMN = 8
"""Pixels of length for each column of the network's output."""
WIDE_GAP = 5
"""Columns between two letters from which they belong to two words."""
BATCH_PIXELS = 2_400
"""Total length in pixels of the lines in a batch. Larger batches are not faster and exceed the CPU's cache."""


@dataclass(frozen=True, slots=True)
class LineWord:
    """A word of a line with its start and end, from 0 (left) to 1 (right)."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class LineText:
    """The text of a line. ``columns`` are the centres of the letters except blanks, from 0 (left) to 1 (right)."""

    text: str
    columns: tuple[float, ...]
    confidence: float
    words: tuple[LineWord, ...] = ()
    """In reading order; empty where the recogniser finds letters only, and ``columns`` say where words end."""


class LineRecogniser(Protocol):
    """What reads pictures of lines: PP-OCR's networks and Tesseract."""

    def read(self, lines: Sequence[Pixels]) -> list[LineText]:
        """The text of each BGR picture of a line, in the given order."""
        ...


class Recogniser:
    """The network, loaded once for each process. Not thread-safe."""

    def __init__(self, threads: int = 1) -> None:
        self._network = Network("rapidocr", "PP-OCRv6_rec_small.onnx", threads)
        self._letters = ("", *self._network.labels, " ")

    def read(self, lines: Sequence[Pixels]) -> list[LineText]:
        """The text of each BGR picture of a line, in the given order."""
        texts: dict[int, LineText] = {}
        widths = [max(MIN_WIDTH, line_width(line)) for line in lines]
        for batch in _batches(widths):
            pictures = _tensor([lines[n] for n in batch], widths[batch[0]])
            for n, probabilities in zip(batch, self._network.run(pictures), strict=True):
                best, columns = probabilities.argmax(axis=1), len(probabilities) * line_width(lines[n]) / pictures.shape[3]
                texts[n] = decode_line(best, probabilities[np.arange(len(best)), best], self._letters, columns)
        return [texts[n] for n in range(len(lines))]


def decode_line(best: Classes, probabilities: Tensor, letters: Sequence[str], columns: float) -> LineText:
    """The text of each column's best class and its probability. Repeated classes are one letter; class 0 is a gap (CTC).

    ``columns`` is the number of columns of the line without padding.
    """
    starts = np.flatnonzero((best != 0) & (np.diff(best, prepend=-1) != 0))
    text = "".join(letters[n] for n in best[starts])
    centres = tuple(
        min(1.0, (float(at) + 0.5) / columns) for at, letter in zip(starts, text, strict=True) if not letter.isspace()
    )
    confidence = float(probabilities[starts].mean()) if len(starts) else 0.0
    return LineText(text, centres, round(confidence, 5))


def line_width(line: Pixels) -> int:
    """The line's length in pixels at the network's height, without padding."""
    width = HEIGHT * line.shape[1] / line.shape[0]
    return min(MAX_WIDTH, math.ceil(width) if width < MIN_WIDTH else int(width))


def _batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of the lines in each batch of one length, short lines first."""
    order = sorted(range(len(widths)), key=lambda n: widths[n])
    for width, group in groupby(order, key=lambda n: widths[n]):
        same, size = list(group), max(1, BATCH_PIXELS // width)
        yield from (same[start : start + size] for start in range(0, len(same), size))


def _tensor(lines: Sequence[Pixels], padded: int) -> Tensor:
    """Lines as one tensor of length ``padded``, with 0 after their ends."""
    pictures = np.zeros((len(lines), 3, HEIGHT, padded), np.float32)
    for picture, line in zip(pictures, lines, strict=True):
        width = line_width(line)
        picture[:, :, :width] = resize_line(line, width)
    return pictures


def resize_line(line: Pixels, width: int) -> Tensor:
    """A line at the network's height and a given length, as values from -1 (black) to 1 (white)."""
    small = cv2.resize(line, (width, HEIGHT))
    picture: Tensor = cv2.dnn.blobFromImage(small, 1 / 127.5, mean=(127.5, 127.5, 127.5))[0]
    return picture
