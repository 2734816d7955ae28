"""Joins the parts of identifiers that are printed with blanks: "RE 2024 0118" is one number, not three.

The number ends at the next label, at a date or an amount, at a wide gap, and where the next column of a heading begins.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.labels import Label, cut_box
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.engines.embedded.fields.vocabulary import is_neutral, vocabulary
from pipeline.values.currencies import currency_codes, parse_currency

JOIN_GAP = 0.95
"""Parts of one number stand closer than this many letter heights."""
_JOINT = re.compile(r"\s*[-–—‐−·•/._#\\|+]?\s*(?:[^\W\d_]{1,4}\s*[-–—‐−·•/._#\\|+]?)?\s*")
"""What may stand between two parts: blanks, a mark, a few capital letters."""
_NUMBER_SIGN = re.compile(r"\s+(?:[#№]|[^\W\d_]{2,4}\s?[.#])")
"""A sign, or a short word with a mark, that begins another number: "4711 #2", "4711 TR.29"."""
_LETTER_OF_DIGIT = str.maketrans("10", "lo")
"""Letters of a word beside a telephone number that OCR takes for digits."""
_PREFIX = re.compile(r"(?:[^\W\d_]{1,5}[\s./–-]*){1,2}")
_MARKS = " \t\u00a0:.,;#№º°=>-–"
_NAME = re.compile(r"[\s(]*[^\W\d_]*[a-zß-ÿ]")
_LABEL = re.compile(r"\s*[^\W\d_][^\d:]{0,30}:")
_LEAST_HEIGHT = 0.8
"""Parts of one number are about as high as each other."""
_HEADING_ROWS = 3
_CONTINUES, _BEFORE_DIGITS = re.compile(r"[./–-]\s?\d"), re.compile(r"[^\d]*")
_APART = re.compile(r"\d\s\d")


def join_identifiers(
    layout: Layout, parts: Sequence[Candidate], labels: Sequence[Label], others: Iterable[Candidate]
) -> list[Candidate]:
    """The identifiers of a page with their parts joined. ``others`` are its dates, times, tax numbers and amounts."""
    by_run: dict[int, list[Candidate]] = defaultdict(list)
    for part in parts:
        by_run[part.run.number].append(part)
    ends: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for label in labels:
        ends[label.run.number].append((label.start, label.end))
    for other in others:
        if _ends_number(other):
            ends[other.run.number].append((other.start, other.end))
    joiner = _Joiner(layout, labels)
    return [
        joined
        for number, found in by_run.items()
        for joined in joiner.join(sorted(found, key=lambda c: c.start), sorted(ends[number]))
    ]


def _ends_number(other: Candidate) -> bool:
    """Whether a typed value is surely no part of an identifier: an amount has cents, or its currency before it."""
    if other.kind == "percent" or other.kind != "money":
        return True
    if other.quality >= 1.0:
        return _CONTINUES.match(other.run.text, other.end) is None
    before = _BEFORE_DIGITS.match(other.printed) if other.currency is not None else None
    return before is not None and parse_currency(before[0].strip()) is not None


class _Joiner:
    def __init__(self, layout: Layout, labels: Sequence[Label]) -> None:
        self.layout = layout
        self._labels_of_row: dict[int, list[Label]] = defaultdict(list)
        for label in labels:
            self._labels_of_row[label.row].append(label)

    def join(self, parts: list[Candidate], ends: list[tuple[int, int]]) -> list[Candidate]:
        """The identifiers of one run."""
        groups: list[list[Candidate]] = []
        for part in parts:
            if groups and self._continues(groups[-1][-1], part, ends):
                groups[-1].append(part)
            else:
                groups.append([part])
        joined = []
        for group in groups:
            before = max((g[-1].end for g in groups if g[-1].end <= group[0].start), default=0)
            joined.append(self._one(group, ends, before))
        return joined

    def _continues(self, a: Candidate, b: Candidate, ends: list[tuple[int, int]]) -> bool:
        run = a.run
        between = run.text[a.end : b.start]
        if a.kind != b.kind or a.kind != "identifier" or _JOINT.fullmatch(between) is None:
            return False
        if _NUMBER_SIGN.match(run.text, a.end) or vocabulary().contact.fullmatch(b.value.translate(_LETTER_OF_DIGIT)):
            return False  # another number; also "4711 - Te1. 0832"
        if any(start < b.end and stop > a.start for start, stop in ends):
            return False
        letters = "".join(filter(str.isalpha, between))
        if letters and (not letters.isupper() or _is_filler(letters)):
            return False
        if not any(c.isdecimal() for c in b.value) or self._height(b) < _LEAST_HEIGHT * self._height(a):
            return False  # the mark of a footnote
        return self._close(run, a.end, b.start + 1) and not self._in_columns(a, b)

    def _height(self, part: Candidate) -> float:
        """The height of the letters of a part, in points."""
        words = [self.layout.page.words[i] for i in part.words]
        return max((word.size or word.box[3] - word.box[1] for word in words), default=0.0)

    def _close(self, run: Run, start: int, end: int) -> bool:
        """Whether no gap between the words is too wide for a number."""
        words = [self.layout.page.words[i] for i in run.span(max(0, start - 1), end)]
        gaps = (b.box[0] - a.box[2] for a, b in pairwise(words))
        return all(gap <= JOIN_GAP * max(4.0, run.size) for gap in gaps)

    def _in_columns(self, a: Candidate, b: Candidate) -> bool:
        """Whether two values stand under different headings."""
        row = a.run.row
        if any(label.box[0] < a.box[0] for label in self._labels_of_row[row]):
            return False
        for above in range(row - 1, max(-1, row - 1 - _HEADING_ROWS), -1):
            if not self._labels_of_row[above]:
                continue
            busy = {label.run.number for label in self._labels_of_row[above]}
            cells = [label.box for label in self._labels_of_row[above]]
            cells += [run.box for run in self.layout.rows[above] if run.number not in busy]
            if len(cells) < 2:
                continue
            return _nearest(cells, a.box) != _nearest(cells, b.box)
        return False

    def _one(self, group: list[Candidate], ends: list[tuple[int, int]], before: int) -> Candidate:
        """The parts of a group as one identifier, with the letters that stand directly before it."""
        first, run = group[0], group[0].run
        if first.kind != "identifier" or first.quality < 0.3:
            return first
        stop, after = min((span for span in ends if span[0] >= group[-1].end), default=(len(run.text), len(run.text)))
        rest = run.text[group[-1].end : stop]
        unclear = not rest.strip() and _APART.search(run.text, stop, after) is not None  # "24 118 238,00"
        if len(group) > 1 and _NAME.match(rest) and not _LABEL.match(rest) and not is_neutral(rest.split()[0]):
            unclear = True
        if rest.strip() and rest.strip() in "-–—/":  # the line was broken
            unclear = True
        if any(start < group[-1].end < stop for start, stop in ends):  # a part of an amount, or the number before one
            unclear = True
        if len(group) > 1 and _is_count(group, run.text[group[-1].end :]):
            group, unclear = group[:-1], True
        end = group[-1].end
        if len(group) > 1 and (tail := re.match(r"\s([^\W\d_])\s*$", run.text[end:stop])) and tail[1].isupper():
            end += tail.end(1)
        start = self._prefix(first, ends, before)
        if (start, end) == (first.start, first.end):
            return replace(first, unclear=unclear) if unclear != first.unclear else first
        return replace(
            first,
            value=" ".join(run.text[start:end].split()),
            start=start,
            end=end,
            box=cut_box(self.layout, run, start, end),
            words=run.span(start, end),
            quality=max(part.quality for part in group),
            unclear=unclear,
        )

    def _prefix(self, first: Candidate, ends: list[tuple[int, int]], before: int) -> int:
        """Where an identifier begins whose first letters stand apart: all that lies between its label and its digits."""
        run = first.run
        begin = max([before, *(stop for _, stop in ends if stop <= first.start)])
        text = run.text[begin : first.start]
        bare = text.lstrip(_MARKS)
        if (before and begin == before) or not bare or _PREFIX.fullmatch(bare.rstrip()) is None:
            return first.start
        letters = re.findall(r"[^\W\d_]+", bare)
        short = len(letters) == 1 and len(letters[0]) <= 3 and letters[0][0].isupper() and ":" in text[: len(text) - len(bare)]
        if not (short or all(word.isupper() for word in letters)):
            return first.start
        if any(_is_filler(word) or word.casefold() in vocabulary().vague_labels for word in letters):
            return first.start
        start = first.start - len(bare)
        return start if self._close(run, start, first.start + 1) else first.start


def _is_count(group: Sequence[Candidate], behind: str) -> bool:
    """Whether the last part only counts what is named behind it: "4711 3 items"."""
    word = behind.split()[0] if behind.split() else ""
    return len(group[-1].value) <= 2 < len(group[0].value) and word[:1].islower() and not is_neutral(word)


def _is_filler(word: str) -> bool:
    """Whether capital letters before or between digits are a currency or a filler ("NO", "N"), and no part of the number."""
    return word in currency_codes() or (word.casefold() in vocabulary().filler and (len(word) > 1 or word == "N"))


def _nearest(cells: Sequence[tuple[float, float, float, float]], box: tuple[float, float, float, float]) -> int:
    """The cell over a value: by shared width, else by the nearest edge."""

    def distance(cell: tuple[float, float, float, float]) -> float:
        shared = min(cell[2], box[2]) - max(cell[0], box[0])
        return -shared if shared > 0 else min(abs(cell[0] - box[0]), abs(cell[2] - box[2]), -shared)

    return min(range(len(cells)), key=lambda n: distance(cells[n]))
