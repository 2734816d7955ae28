"""Writes rows as lines: separates paragraphs, joins words that are broken at line ends, replaces typographic letters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.word_runs import TextRow, WordRun, row_gap, row_height
from pipeline.records import Word

PARAGRAPH_GAP = 0.75
"""Extra white space between lines, in line heights, from which a new paragraph begins."""
CJK_BLANK = 0.15
"""White space, in line heights, that is a blank between two Chinese or Japanese words."""
_CJK = re.compile(r"[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_TYPOGRAPHIC = re.compile("[\u00a0\u00ad\u200b-\u200d\u2060\ufeff\ufb00-\ufb06\u2f00-\u2fd5]")
"""Letters that only typesetting needs: ligatures, hard blanks, soft hyphens, joiners, Kangxi radicals for ideographs."""
_BROKEN_WORD = re.compile(r"([^\W\d_][\w'’-]*)([-\u00ad\u2010¬])$")
_TAIL = re.compile(r"[^\W\d_][\w'’]*")
_WORD = re.compile(r"\w[\w'’]*")
_COMPOUND = re.compile(r"\w[\w'’]*(?:[-\u2010]\w[\w'’]*)+")
_AND = frozenset({"and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "e", "en", "of", "och", "eller", "i", "lub"})
"""Words after a hyphen at a line's end that leave the hyphen in place: it stands for the rest of a compound ("in- and outdoor")."""
_PREFIXES = frozenset(
    {"self", "non", "well", "cross", "half", "high", "low", "long", "short", "ex", "post", "pre", "multi", "quasi"}
)
"""First parts of compounds that usually keep their hyphen."""


def split_paragraphs(rows: Sequence[TextRow]) -> list[list[TextRow]]:
    """Return the rows of each paragraph. A new one begins after a wider space than usual, or where the letter size changes."""
    blocks: list[list[TextRow]] = []
    gaps = [row_gap(above, below) for above, below in pairwise(rows)]
    usual = min(median(gaps), 0.8) if gaps else 0.0
    for number, row in enumerate(rows):
        if number and gaps[number - 1] <= usual + PARAGRAPH_GAP and _same_size(rows[number - 1], row):
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return blocks


def _same_size(above: TextRow, below: TextRow) -> bool:
    heights = sorted((row_height(above), row_height(below)))
    return heights[1] < 1.6 * heights[0]


def rows_text(rows: Sequence[TextRow], words: Sequence[Word]) -> str:
    """Return a line for each row. A wide gap becomes two blanks."""
    return "\n".join("  ".join(run_text(run, words) for run in row) for row in rows)


def run_text(run: WordRun, words: Sequence[Word]) -> str:
    """Return the words of a run, with blanks between them unless their script has none."""
    text = words[run.words[0]].text
    for before, index in pairwise(run.words):
        word = words[index]
        close = word.box[0] - words[before].box[2] < CJK_BLANK * run.height
        text += word.text if close and _CJK.match(word.text) and _CJK.match(text[-1]) else f" {word.text}"
    return text


def plain_letters(text: str) -> str:
    """Return the text with typographic letters replaced by plain ones."""
    return _TYPOGRAPHIC.sub(lambda match: _plain_letter(match[0]), text)


def _plain_letter(char: str) -> str:
    if char == "\u00a0":
        return " "
    return "" if unicodedata.category(char) == "Cf" else unicodedata.normalize("NFKC", char)


def join_broken_words(text: str, page: str = "") -> str:
    """Return the text with words that are broken at a line end joined, on the line where they begin.

    The hyphen is removed, unless the page shows that it belongs to the word: the compound or its parts stand unbroken elsewhere.
    ``page`` is the text of the whole page, of which ``text`` is a part.
    """
    counts, compounds = _vocabulary(page or text)
    lines: list[str | None] = list(text.split("\n"))
    for number, line in enumerate(lines):
        below = next(
            (n for n in range(number + 1, min(number + 3, len(lines))) if lines[n]), 0
        )  # after a blank line: the next column
        broken, tail = _BROKEN_WORD.search(line or ""), _TAIL.match(lines[below] or "") if below else None
        if not line or not broken or not tail or not tail[0][0].islower() or tail[0] in _AND or len(broken[1]) < 2:
            continue
        head, _, rest = (lines[below] or "").partition(" ")
        lines[number] = line[: broken.end(1)] + _hyphen_between(broken[1], broken[2], tail[0], counts, compounds) + head
        lines[below] = rest.lstrip() or None
    return "\n".join(line for line in lines if line is not None)


@lru_cache(maxsize=2)
def _vocabulary(page: str) -> tuple[Counter[str], set[str]]:
    """How often each word stands on the page, and its compounds with hyphens, in lower case."""
    compounds = {word.casefold() for word in _COMPOUND.findall(page)}
    return Counter(word.casefold() for word in _WORD.findall(page)), compounds


def _hyphen_between(first: str, mark: str, second: str, counts: Mapping[str, int], compounds: set[str]) -> str:
    """Return what stands between the two halves of a word when it is not broken: a hyphen or nothing."""
    first, second = first.casefold(), second.casefold()
    if mark in "\u00ad¬" or first + second in counts:
        return ""
    parts = min(len(first), len(second)) > 2 and min(counts.get(first, 0), counts.get(second, 0)) > 1
    return "-" if parts or f"{first}-{second}" in compounds or "-" in first or first in _PREFIXES else ""
