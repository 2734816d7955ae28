"""Finds lines that OCR read where the document has no text: ornaments taken for letters of another script, and writing beside the page.

Only doubtful lines are stray. A line that the recogniser is certain of stays, whatever its script and place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.words.detector import Quad

CERTAIN = 0.95
"""Lowest confidence of the lines that show which script a page has and where its text is."""
DOUBTFUL = 0.9
"""Confidence below which a line may be stray."""
MIN_LINES = 5
"""Fewest certain lines that show it."""
MIN_SHARE = 0.05
"""Share of East Asian letters among the letters of the certain lines from which a page has East Asian text."""
EDGE = 2.0
"""Pixels from the picture's edge at which a line is cut off."""
EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")
"""The first words of the letters' names in Unicode."""


def stray_lines(quads: Sequence[Quad], texts: Sequence[str], confidences: Sequence[float], width: int) -> set[int]:
    """Indices of the stray lines of a picture that is ``width`` pixels wide."""
    doubtful = [n for n, confidence in enumerate(confidences) if confidence < DOUBTFUL]
    single = [n for n, text in enumerate(texts) if len(text.strip()) == 1]
    if not doubtful and not single:
        return set()
    certain = [n for n, confidence in enumerate(confidences) if confidence >= CERTAIN and n not in set(single)]
    if len(certain) < MIN_LINES:
        return set()
    stray = _beside_page(quads, doubtful, certain, width)
    if not _has_east_asian_text([texts[n] for n in certain]):
        stray |= {n for n in {*doubtful, *single} if east_asian_share(texts[n]) > 0.5}
    return stray


def east_asian_share(text: str) -> float:
    """The share of Chinese, Japanese and Korean letters among the letters of a text; 0 without letters."""
    letters = [c for c in text if c.isalpha()]
    return sum(unicodedata.name(c, "").startswith(EAST_ASIAN) for c in letters) / max(1, len(letters))


def _has_east_asian_text(texts: Sequence[str]) -> bool:
    return east_asian_share("".join(texts)) >= MIN_SHARE


def _beside_page(quads: Sequence[Quad], doubtful: Sequence[int], certain: Sequence[int], width: int) -> set[int]:
    """Doubtful lines that the picture's left or right edge cuts off, and that are beside all certain ones."""
    left = min(_extent(quads[n])[0] for n in certain)
    right = max(_extent(quads[n])[1] for n in certain)
    beside = set()
    for n in doubtful:
        start, end = _extent(quads[n])
        middle = (start + end) / 2
        if (start < EDGE and middle < left) or (end > width - 1 - EDGE and middle > right):
            beside.add(n)
    return beside


def _extent(quad: Quad) -> tuple[float, float]:
    x: NDArray[np.float32] = quad[:, 0]
    return float(x.min()), float(x.max())
