"""Lays a page's words out in fixed-width text, so that columns stay columns. For prompts and for people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import median

from pipeline.records import Word

MAX_COLUMNS = 200
"""The longest line. A page with tiny print is compressed to it."""


def page_text(words: Sequence[Word]) -> str:
    """One line of text for each printed line, words at their columns. A larger gap between lines is one blank line.

    Words without a box keep their order. Empty for a page without words.
    """
    if not words:
        return ""
    left = min(w.box[0] for w in words)
    pitch = _pitch(words, left)
    rows: list[str] = []
    bottom: float | None = None
    for _, group in groupby(words, key=lambda w: w.line):
        line = list(group)
        top, height = min(w.box[1] for w in line), median(w.box[3] - w.box[1] for w in line)
        if bottom is not None and top - bottom > height:
            rows.append("")
        rows.append(_row(line, left, pitch))
        bottom = max(w.box[3] for w in line)
    return "\n".join(rows)


def _pitch(words: Sequence[Word], left: float) -> float:
    """Points per column: the median width of a letter, or more where the page would have more than ``MAX_COLUMNS``."""
    widths = [(w.box[2] - w.box[0]) / len(w.text) for w in words if w.text and w.box[2] > w.box[0]]
    extent = max(w.box[2] for w in words) - left
    return max(median(widths) if widths else 1.0, extent / MAX_COLUMNS, 0.01)


def _row(line: Sequence[Word], left: float, pitch: float) -> str:
    row = ""
    for word in line:
        column = min(MAX_COLUMNS, int((word.box[0] - left) / pitch))
        gap = column - len(row)
        # A wide gap is a column of the page; a narrow one is the space between two words, independent of the letters' widths.
        row += " " * (gap if not row or gap > 2 else 1) if gap > 0 or row else ""
        row += word.text
    return row
