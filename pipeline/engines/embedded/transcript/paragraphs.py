"""Rows written down as lines: paragraphs parted by blank lines, words broken at line ends made whole, odd letters made plain."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.word_runs import Row, Run, row_gap, row_height
from pipeline.records import Word

PARAGRAPH = 0.75
"""Extra white space between lines, in line heights, from which a new paragraph begins."""
CJK_BLANK = 0.15
"""White space, in line heights, that is a blank between two Chinese or Japanese words."""
_CJK = re.compile(r"[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_ODD = re.compile("[\u00a0\u00ad\u200b-\u200d\u2060\ufeff\ufb00-\ufb06\u2f00-\u2fd5]")
"""Letters that printing needs and reading does not: ligatures, hard blanks, soft hyphens, joiners, Kangxi radicals for ideographs."""
_BROKEN = re.compile(r"([^\W\d_][\w'’-]*)([-\u00ad\u2010¬])$")
_TAIL = re.compile(r"[^\W\d_][\w'’]*")
_WORD = re.compile(r"\w[\w'’]*")
_COMPOUND = re.compile(r"\w[\w'’]*(?:[-\u2010]\w[\w'’]*)+")
_AND = frozenset({"and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "e", "en", "of", "och", "eller", "i", "lub"})
"""After a hyphen at a line's end, these say that the hyphen stands for the rest of a compound: "in- and outdoor"."""
_PREFIXES = frozenset(
    {"self", "non", "well", "cross", "half", "high", "low", "long", "short", "ex", "post", "pre", "multi", "quasi"}
)
"""First parts that mostly keep their hyphen."""


def paragraphs(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows parted where the space between them is wider than usual, or the letters change their size."""
    blocks: list[list[Row]] = []
    gaps = [row_gap(above, below) for above, below in pairwise(rows)]
    usual = min(median(gaps), 0.8) if gaps else 0.0
    for number, row in enumerate(rows):
        if number and gaps[number - 1] <= usual + PARAGRAPH and _same_size(rows[number - 1], row):
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return blocks


def _same_size(above: Row, below: Row) -> bool:
    heights = sorted((row_height(above), row_height(below)))
    return heights[1] < 1.6 * heights[0]


def rows_text(rows: Sequence[Row], words: Sequence[Word]) -> str:
    """A line for each row; wide gaps are two blanks."""
    return "\n".join("  ".join(run_text(run, words) for run in row) for row in rows)


def run_text(run: Run, words: Sequence[Word]) -> str:
    """The words of a run with blanks between them, as their script has it."""
    text = words[run.words[0]].text
    for before, index in pairwise(run.words):
        word = words[index]
        close = word.box[0] - words[before].box[2] < CJK_BLANK * run.height
        text += word.text if close and _CJK.match(word.text) and _CJK.match(text[-1]) else f" {word.text}"
    return text


def plain(text: str) -> str:
    """The text without letters that only printing needs."""
    return _ODD.sub(lambda match: _plain(match[0]), text)


def _plain(char: str) -> str:
    if char == "\u00a0":
        return " "
    return "" if unicodedata.category(char) == "Cf" else unicodedata.normalize("NFKC", char)


def mended(text: str) -> str:
    """Words broken at a line end made whole, on the line where they begin.

    The hyphen goes, unless the page shows that it belongs to the word: the compound stands unbroken elsewhere, or its parts do.
    """
    counts = Counter(word.casefold() for word in _WORD.findall(text))
    compounds = {word.casefold() for word in _COMPOUND.findall(text)}
    lines: list[str | None] = list(text.split("\n"))
    for number, line in enumerate(lines):
        below = next((n for n in range(number + 1, min(number + 3, len(lines))) if lines[n]), 0)  # blank: the next column
        broken, tail = _BROKEN.search(line or ""), _TAIL.match(lines[below] or "") if below else None
        if not line or not broken or not tail or not tail[0][0].islower() or tail[0] in _AND or len(broken[1]) < 2:
            continue
        head, _, rest = (lines[below] or "").partition(" ")
        lines[number] = line[: broken.end(1)] + _hyphen(broken[1], broken[2], tail[0], counts, compounds) + head
        lines[below] = rest.lstrip() or None
    return "\n".join(line for line in lines if line is not None)


def _hyphen(first: str, mark: str, second: str, counts: Mapping[str, int], compounds: set[str]) -> str:
    """What stands between the two halves of a word when it is not broken: a hyphen or nothing."""
    first, second = first.casefold(), second.casefold()
    if mark in "\u00ad¬" or first + second in counts:
        return ""
    parts = min(len(first), len(second)) > 2 and min(counts.get(first, 0), counts.get(second, 0)) > 1
    return "-" if parts or f"{first}-{second}" in compounds or "-" in first or first in _PREFIXES else ""
