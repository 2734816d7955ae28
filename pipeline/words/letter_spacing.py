"""Joins words that are printed with spaced letters: ``T O T A L   1 8 0 . 0 0`` is ``TOTAL 180.00``.

The letters of such a word have equal gaps between them, and a wider gap ends it, as does a change between letters and digits, because
``2 x 3 m`` has blanks, too. Columns of single digits have wide gaps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from statistics import median

from pipeline.records import Word

MAX_GAP = 1.0
"""Widest gap between spaced letters, as a share of their size."""
GAP_TOLERANCE = 0.35
"""How far the gaps of one word differ from its median gap, as a share of it, besides ``GAP_NOISE``."""
GAP_NOISE = 0.05
"""Differences of gaps by kerning and rounding, as a share of the size of the letters."""
OCR_LETTER_WIDTH = 0.5
"""Width of a letter as a share of its height in OCR, whose boxes of single letters reach to the next letter."""
OCR_GAP_NOISE = 0.2
"""As ``GAP_NOISE``, for OCR: letters differ in width."""
PITCH = (5.0, 9.0)
"""Distances between spaced letters in columns of the recogniser; ordinary letters are closer, and columns of a table wider apart."""
PITCH_RANGE = (0.6, 1.5)
"""How far the distances within one word differ from their median."""
MIN_LETTERS = 4
"""Signs in a word that is joined by itself."""
MIN_BESIDE = 2
"""Signs in a word that is joined on a line with another word of the same gap."""


def join_spaced_letters(words: Sequence[Word]) -> list[Word]:
    """The words of a page in reading order, with spaced letters joined to words."""
    joined: list[Word] = []
    for _, line in groupby(words, key=lambda word: word.line):
        joined += _join_line(list(line))
    return joined


def spaced_gaps(letters: Sequence[str], distances: Sequence[float]) -> set[int]:
    """The gaps inside words with spaced letters, in a line that OCR has read.

    ``distances`` are those between the middles of neighbouring letters, in columns of the recogniser: six for the height of the line.
    """
    inside: set[int] = set()
    start = 0
    for end in range(1, len(distances) + 1):
        pitch = median(distances[start:end])
        kinds = {kind for letter in letters[start : end + 1] if (kind := _kind(letter))}
        if end < len(distances) and len(kinds) <= 1 and PITCH_RANGE[0] * pitch <= distances[end] <= PITCH_RANGE[1] * pitch:
            continue
        last = end if len(kinds) <= 1 else end - 1
        if last - start + 1 >= MIN_LETTERS and PITCH[0] < median(distances[start:last]) <= PITCH[1]:
            inside |= set(range(start, last))
        start = end
    return inside


def _join_line(words: list[Word]) -> list[Word]:
    if sum(_is_letter(word) for word in words) < MIN_LETTERS:
        return words
    runs = list(_runs(words))
    gaps = [_gap(run) for run in runs if len(run) >= MIN_LETTERS]
    joined = []
    for run in runs:
        strong = len(run) >= MIN_LETTERS
        beside = len(run) >= MIN_BESIDE and any(_equal(_gap(run), gap, run[0]) for gap in gaps)
        joined += [_joined(run)] if strong or beside else run
    return joined


def _runs(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words in groups: letters with equal gaps between them, or one word."""
    run: list[Word] = []
    for word in words:
        if run and not (_is_letter(word) and _continues(run, word)):
            # The gap between two words is no gap of their letters: the second letter begins the next word.
            kept = run[1:] if len(run) == 2 and _is_letter(word) and _continues(run[1:], word) else []
            yield run[: len(run) - len(kept)]
            run = kept
        run.append(word)
    if run:
        yield run


def _is_letter(word: Word) -> bool:
    """Whether the word is one sign, perhaps with a mark of punctuation that stands close to it."""
    return len(word.text) == 1 or (len(word.text) == 2 and sum(c.isalnum() for c in word.text) == 1)


def _continues(run: Sequence[Word], word: Word) -> bool:
    gap, size = _gap_between(run[-1], word), max(word.size, 1.0)
    if not (_is_letter(run[-1]) and 0 < gap <= MAX_GAP * size and abs(word.size - run[-1].size) <= 0.2 * size):
        return False
    kinds = {kind for one in (*run, word) if (kind := _kind(one.text))}
    return len(kinds) <= 1 and (len(run) == 1 or _equal(gap, _gap(run), word))


def _kind(text: str) -> str:
    """Whether the sign is a digit, a capital or a small letter; empty for other signs."""
    letter = next((c for c in text if c.isalnum()), "")
    return "digit" if letter.isdecimal() else "small" if letter.islower() else "capital" if letter else ""


def _gap(run: Sequence[Word]) -> float:
    return median(_gap_between(before, after) for before, after in pairwise(run)) if len(run) > 1 else 0.0


def _gap_between(before: Word, after: Word) -> float:
    if after.source == "textlayer":
        return after.box[0] - before.box[2]
    return (after.box[0] + after.box[2] - before.box[0] - before.box[2]) / 2 - OCR_LETTER_WIDTH * after.size


def _equal(gap: float, other: float, word: Word) -> bool:
    noise = GAP_NOISE if word.source == "textlayer" else OCR_GAP_NOISE
    return abs(gap - other) <= GAP_TOLERANCE * other + noise * word.size


def _joined(run: Sequence[Word]) -> Word:
    box = (run[0].box[0], min(w.box[1] for w in run), run[-1].box[2], max(w.box[3] for w in run))
    confidence = min(word.confidence for word in run)
    return replace(run[0], text="".join(word.text for word in run), box=box, confidence=confidence)
