"""The words of a page as OCR would have read them, without the seconds that OCR takes.

The rates are those of the project's own OCR on generated pages; ``python -m training.measure_ocr`` measures them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.records import Box, Word
from training.generator.vocabulary import without_accents


@dataclass(frozen=True)
class Rates:
    """How often what goes wrong."""

    glued: float
    """Share of blanks between neighbours that are lost."""
    split: float
    """Share of words of more than four letters that fall apart."""
    letters: float
    """Share of letters that are read as others, or lost."""
    dropped: float
    """Share of words that are not found."""
    edge: float
    """Standard deviation of an edge around MARGINS, in heights."""


GOOD = Rates(glued=0.03, split=0.002, letters=0.0025, dropped=0.002, edge=0.1)
"""Clear scans at 200 dpi and more."""
FAIR = Rates(glued=0.06, split=0.005, letters=0.01, dropped=0.01, edge=0.12)
"""Usual scans and good photographs."""
POOR = Rates(glued=0.1, split=0.01, letters=0.045, dropped=0.08, edge=0.16)
"""Photographs, fax, thermal paper."""
SHARES = {GOOD: 4.0, FAIR: 3.0, POOR: 1.5}

MARGINS = (0.05, -0.31, 0.14, 0.18)
"""How far left, top, right and bottom of a word that OCR finds are from those of the text layer, in heights of the latter."""

CONFUSED = {
    "0": "OQD", "O": "0", "o": "0", "1": "lI7", "l": "1I", "I": "1l", "5": "S", "S": "5", "8": "B", "B": "8", "6": "G", "G": "6", "2": "Z", "Z": "2",
    "9": "g", "g": "9q", "7": "1", "4": "A", ",": ".", ".": ",", ":": ".;", ";": ":", "-": "~", "–": "-", "€": "EC", "/": "1l", "e": "c", "c": "e",
    "n": "h", "h": "n", "u": "v", "v": "y", "i": "1l", "t": "f", "f": "t", "a": "o", "m": "rn", "'": "", "’": "'", "(": "C", ")": "", "&": "8", "$": "S",
    "ı": "i", "İ": "I", "№": "Ne", "£": "E",
}  # fmt: skip
"""Letters that OCR takes for others."""
PAIRS = {"rn": "m", "cl": "d", "vv": "w", "li": "h", "ri": "n", "fi": "f"}
FAINT = frozenset(".,:;'’-`")
"""Marks that are lost more often than letters."""


def as_ocr(words: Sequence[Word], rng: random.Random, rates: Rates | None = None) -> list[Word]:
    """The words with the errors of OCR, in their order, with ``ocr`` as their source. ``rates`` are drawn by default."""
    rates = rates or rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    strength = rng.lognormvariate(0, 0.5)  # pages differ
    rates = Rates(
        glued=min(0.6, rates.glued * rng.lognormvariate(0, 0.6)),
        split=rates.split,
        letters=min(0.3, rates.letters * strength),
        dropped=min(0.3, rates.dropped * strength),
        edge=rates.edge,
    )
    kept = [
        word for word in words if rng.random() >= rates.dropped * (4 if len(word.text) == 1 and not word.text.isalnum() else 1)
    ]
    read: list[Word] = []
    for word in kept:
        before = read[-1] if read else None
        if before is not None and before.line == word.line and rng.random() < _glue(before, word, rates.glued):
            read[-1] = replace(before, text=before.text + word.text, box=_joined(before.box, word.box))
        else:
            read.append(word)
    return [noisy for word in read for part in _parts(word, rng, rates.split) if (noisy := _noisy(part, rng, rates)).text]


def _faintness(word: Word, usual: float) -> float:
    """How much oftener than others a word is not found: small print is lost first, and single marks."""
    small = min(4.0, max(0.3, (usual / max(1.0, word.box[3] - word.box[1])) ** 3))
    return small * (4 if len(word.text) == 1 and not word.text.isalnum() else 1)


def _glue(left: Word, right: Word, rate: float) -> float:
    """How probable it is that two neighbours become one word: narrow gaps are lost first, wide ones never."""
    height = max(1.0, left.box[3] - left.box[1])
    gap = (right.box[0] - left.box[2]) / height
    if gap < 0.02:
        return max(rate, 0.5)
    return 0.0 if gap > 0.8 else rate * 2.5 if gap < 0.2 else rate if gap < 0.45 else rate * 0.2


def _joined(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _parts(word: Word, rng: random.Random, rate: float) -> list[Word]:
    """The word, or its two halves where a blank is read that is none, mostly behind a mark."""
    if len(word.text) < 5 or rng.random() >= rate * (3 if any(mark in word.text for mark in ",.:/-") else 1):
        return [word]
    marks = [at + 1 for at, c in enumerate(word.text[:-1]) if c in ",.:/-"]
    cut = rng.choice(marks) if marks else rng.randint(1, len(word.text) - 1)
    x0, y0, x1, y1 = word.box
    middle = x0 + (x1 - x0) * cut / len(word.text)
    return [
        replace(word, text=word.text[:cut], box=(x0, y0, middle, y1)),
        replace(word, text=word.text[cut:], box=(middle, y0, x1, y1)),
    ]


def _noisy(word: Word, rng: random.Random, rates: Rates) -> Word:
    text = _misread(word.text, rng, rates.letters)
    x0, y0, x1, y1 = word.box
    height = max(1.0, y1 - y0)
    shifts = [(margin + rng.gauss(0, rates.edge)) * height for margin in MARGINS]
    moved = [value + shift for value, shift in zip((x0, y0, x1, y1), shifts, strict=True)]
    box = (min(moved[0], moved[2] - 1), min(moved[1], moved[3] - 1), moved[2], moved[3])
    wrong = text != word.text
    confidence = min(0.999, max(0.3, rng.gauss(0.82 if wrong else 0.97, 0.1 if wrong else 0.02)))
    return replace(word, text=text, box=box, source="ocr", confidence=round(confidence, 3), size=box[3] - box[1], bold=False)


def _misread(text: str, rng: random.Random, rate: float) -> str:
    for pair, single in PAIRS.items():
        if pair in text and rng.random() < rate * 2:
            text = text.replace(pair, single, 1)
    out = []
    for c in text:
        chance = rng.random()
        if chance >= rate * (2.0 if c in FAINT else 1.0):
            out.append(c)
        elif c in FAINT and chance < rate * 1.2:
            continue
        elif c in CONFUSED:
            choices = CONFUSED[c]
            out.append(choices if c == "m" else rng.choice(choices) if choices else "")
        elif (plain := without_accents(c)) != c:
            out.append(plain)
        elif chance < rate * 0.3:
            continue
        else:
            out.append(c.swapcase() if c.swapcase() != c and chance < rate * 0.6 else c)
    return "".join(out)
