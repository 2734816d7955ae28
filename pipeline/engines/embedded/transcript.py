"""Transcript: the page's text in the order in which a person reads it.

A recursive XY-cut over runs of words. Where a gutter separates two columns of running text, the columns are read one after
the other; what spans the gutter (headings, footers) cuts the page into bands. Rows of tables are read across, their cells kept
apart by two blanks. Nothing is left out and nothing is put right: line ends and hyphens stay as printed, except that
a word broken at a line end is made whole when it stands whole elsewhere on the page.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.records import Box, Claim, Page, Word
from pipeline.templates.model import Template

GAP = 1.1
"""A gap wider than this many line heights ends a run of words."""
PARAGRAPH = 0.75
"""Extra white space between lines, in line heights, from which a new paragraph begins."""
DEPTH = 12
"""How deep columns may nest; deeper layouts are read row by row."""
CANDIDATES = 8
"""How many gutters are looked at closely, best first."""
_BROKEN = re.compile(r"(\w[\w'’]*)[-\u00ad\u2010]$")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring words of one printed line without a wide gap between them."""

    box: Box
    words: tuple[int, ...]
    letters: int

    @property
    def height(self) -> float:
        """Height in points."""
        return self.box[3] - self.box[1]

    @property
    def middle(self) -> float:
        """Vertical centre in points."""
        return (self.box[1] + self.box[3]) / 2


Row = list[Run]
"""Runs beside each other, left to right."""


def read_transcript(page: Page, template: Template) -> dict[str, Claim]:
    """The claim ``text``: paragraphs separated by blank lines; None for a page without words."""
    names = [name for name, field in template.fields.items() if field.type == "text"]
    name = "text" if "text" in template.fields or not names else names[0]
    text, order = transcribe(page.words)
    return {name: Claim(value=text or None, printed=text or None, words=tuple(order), score=1.0 if text else 0.0)}


def transcribe(words: Sequence[Word]) -> tuple[str, list[int]]:
    """The words as text in reading order, and their indices in that order."""
    blocks = _ordered(_runs(words), DEPTH)
    text = "\n\n".join(_block_text(block, words) for block in blocks)
    return _mended(text), [index for block in blocks for row in block for run in row for index in run.words]


def _runs(words: Sequence[Word]) -> list[Run]:
    """Words joined along their printed line as long as the gaps are those between words."""
    runs: list[Run] = []
    current: list[int] = []
    for index, word in enumerate(words):
        if not word.text.strip():
            continue
        if current and not _continues(words[current[-1]], word):
            runs.append(_run(current, words))
            current = []
        current.append(index)
    return [*runs, _run(current, words)] if current else runs


def _continues(last: Word, word: Word) -> bool:
    height = max(last.box[3] - last.box[1], word.box[3] - word.box[1])
    gap = word.box[0] - last.box[2]
    return last.line == word.line and -height < gap < GAP * height and abs(word.box[1] - last.box[1]) < height


def _run(indices: Sequence[int], words: Sequence[Word]) -> Run:
    boxes = [words[index].box for index in indices]
    return Run(_hull(boxes), tuple(indices), sum(len(words[index].text) for index in indices))


def _hull(boxes: Sequence[Box]) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return (min(x0), min(y0), max(x1), max(y1))


def _ordered(runs: list[Run], depth: int) -> list[list[Row]]:
    """Blocks in reading order: cut at gutters as long as there are any, else rows from top to bottom."""
    if not runs:
        return []
    gutter = _gutter(runs) if depth and len(runs) >= 6 else None
    if gutter is None:
        return _paragraphs(_rows(runs))
    return [block for part in _bands(runs, gutter) for block in _ordered(part, depth - 1)]


def _gutter(runs: Sequence[Run]) -> float | None:
    """The x of the best gap between two columns of running text, or None.

    Candidates lie just left of where runs begin. A gutter needs at least three runs on either side that stand beside each
    other, twice as many as runs that cross it, and text rather than the cells of a table on both sides.
    """
    starts, ends = sorted(run.box[0] for run in runs), sorted(run.box[2] for run in runs)
    ranked: list[tuple[int, float]] = []
    for x in {round(start) - 1.0 for start in starts}:
        left, right = bisect_right(ends, x), len(runs) - bisect_left(starts, x)
        sides, crossing = min(left, right), len(runs) - left - right
        if sides >= 3 and 2 * crossing <= sides:
            ranked.append((sides - crossing, x))
    for _, x in sorted(ranked, key=lambda pair: (-pair[0], pair[1]))[:CANDIDATES]:
        if _columns([run for run in runs if run.box[2] <= x], [run for run in runs if run.box[0] >= x]):
            return x
    return None


def _columns(left: Sequence[Run], right: Sequence[Run]) -> bool:
    """Whether the two sides are columns to be read one after the other, not the cells of common rows."""
    top, bottom = max(_hull_y(left)[0], _hull_y(right)[0]), min(_hull_y(left)[1], _hull_y(right)[1])
    beside = [[run for run in side if top <= run.middle <= bottom] for side in (left, right)]
    if min(map(len, beside)) < 3:
        return False
    lengths = [median(run.letters for run in side) for side in beside]
    if min(lengths) >= 18:
        return True
    middles = sorted(run.middle for run in beside[0])
    shared = sum(_near(middles, run.middle, run.height / 4) for run in beside[1])
    return min(lengths) >= 6 and shared < 0.4 * min(map(len, beside))


def _near(values: Sequence[float], value: float, distance: float) -> bool:
    """Whether one of the sorted values is that near."""
    return bisect_left(values, value - distance) < bisect_right(values, value + distance)


def _hull_y(runs: Sequence[Run]) -> tuple[float, float]:
    return min(run.box[1] for run in runs), max(run.box[3] for run in runs)


def _bands(runs: Sequence[Run], gutter: float) -> list[list[Run]]:
    """The runs in reading order of parts: down to each crossing run the left column, then the right one."""
    crossing = _rows([run for run in runs if run.box[0] < gutter < run.box[2]])
    sides = [run for run in runs if not run.box[0] < gutter < run.box[2]]
    parts: list[list[Run]] = []
    for row in crossing:
        middle = sum(run.middle for run in row) / len(row)
        above = [run for run in sides if run.middle < middle]
        sides = [run for run in sides if run.middle >= middle]
        parts += [*_split(above, gutter), row]
    return _joined([*parts, *_split(sides, gutter)], gutter)


def _split(runs: Sequence[Run], gutter: float) -> list[list[Run]]:
    halves = [run for run in runs if run.box[2] <= gutter], [run for run in runs if run.box[2] > gutter]
    return [half for half in halves if half]


def _joined(parts: list[list[Run]], gutter: float) -> list[list[Run]]:
    """Crossing rows that follow each other become one part again."""
    joined: list[list[Run]] = []
    for part in parts:
        spans = part[0].box[0] < gutter < part[0].box[2]
        if spans and joined and joined[-1][0].box[0] < gutter < joined[-1][0].box[2]:
            joined[-1] = joined[-1] + part
        else:
            joined.append(part)
    return joined


def _rows(runs: Sequence[Run]) -> list[Row]:
    """Runs beside each other as rows, from top to bottom."""
    rows: list[Row] = []
    for run in sorted(runs, key=lambda run: run.middle):
        last = rows[-1] if rows else None
        if last and run.middle - last[0].middle < 0.5 * min(run.height, last[0].height):
            last.append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda run: run.box[0]) for row in rows]


def _paragraphs(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows parted where the space between them is wider than usual, or the letters change their size."""
    blocks: list[list[Row]] = []
    gaps = [_gap(above, below) for above, below in pairwise(rows)]
    usual = min(median(gaps), 0.8) if gaps else 0.0
    for number, row in enumerate(rows):
        if number and gaps[number - 1] <= usual + PARAGRAPH and _same_size(rows[number - 1], row):
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return blocks


def _gap(above: Row, below: Row) -> float:
    """White space between two rows, in heights of the smaller one."""
    heights = [max(run.height for run in row) for row in (above, below)]
    space = min(run.box[1] for run in below) - max(run.box[3] for run in above)
    return space / max(min(heights), 1.0)


def _same_size(above: Row, below: Row) -> bool:
    heights = sorted(max(run.height for run in row) for row in (above, below))
    return heights[1] < 1.6 * heights[0]


def _block_text(block: Sequence[Row], words: Sequence[Word]) -> str:
    return "\n".join("  ".join(_run_text(run, words) for run in row) for row in block)


def _run_text(run: Run, words: Sequence[Word]) -> str:
    text = words[run.words[0]].text
    for index in run.words[1:]:
        word = words[index].text
        text += word if _CJK.match(word) and _CJK.match(text[-1]) else f" {word}"
    return text


def _mended(text: str) -> str:
    """Words broken at a line end made whole where the whole word stands elsewhere in the text."""
    whole = {word.casefold() for word in re.findall(r"[\w'’]+", text)}
    lines = text.split("\n")
    for number in range(len(lines) - 1):
        broken = _BROKEN.search(lines[number])
        head, _, rest = lines[number + 1].partition(" ")
        tail = re.match(r"[\w'’]*", head)
        if broken and tail and head[:1].islower() and (broken[1] + tail[0]).casefold() in whole:
            lines[number] = lines[number][: broken.end(1)] + head
            lines[number + 1] = rest
    return "\n".join(lines)
