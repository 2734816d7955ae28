"""Reading order: a recursive XY-cut over runs of words.

Where a gutter separates two columns of running text, the columns are read one after the other; what spans the gutter (headings,
wide figures) cuts the page into bands. Rows of tables stay rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.word_runs import Row, Run, make_rows, make_run
from pipeline.records import Word

DEPTH = 12
"""How deep columns may nest; deeper layouts are read row by row."""
CANDIDATES = 16
"""How many gutters are looked at closely, best first."""
WIDE = 2.0
"""White space, in line heights, beyond which a gutter gets no better."""
SAME_PLACE = 3.0
"""Points within which two gutters are one."""
TEXT_LINES, TEXT_LETTERS = 6, 20
"""Lines and letters of a usual line that make a text of what stands beside a table."""
LEVEL, LEVEL_OCR = 0.1, 0.25
"""How far cells of a row may stand above each other, in line heights: in a text layer, and as an OCR sees them."""
GUTTER, WIDER = 0.3, 1.2
"""White that a line must leave where a narrow gutter passes it: in line heights, and in the line's usual white between words."""


def ordered(runs: list[Run], words: Sequence[Word], depth: int = DEPTH) -> list[list[Row]]:
    """Parts of the page in reading order, each as rows from top to bottom: cut at gutters as long as there are any."""
    if not runs:
        return []
    cut = _gutter(runs, words) if depth and len(runs) >= 6 else None
    if cut is None:
        return [make_rows(runs)]
    gutter, runs = cut
    bands = _bands(runs, gutter)
    return [leaf for part in bands for leaf in ordered(part, words, depth - 1 if len(bands) > 1 else 0)]


def _gutter(runs: Sequence[Run], words: Sequence[Word]) -> tuple[float, list[Run]] | None:
    """The x of the best gap between two columns of running text with the runs parted there, or None.

    Candidates lie just left of where runs begin. A gutter needs at least three runs on either side that stand beside each
    other, twice as many as runs that cross it there, and text rather than the cells of a table on both sides. What crosses it
    above and below does not count: a wide abstract may stand over short columns.
    """
    level = LEVEL_OCR if words[runs[0].words[0]].source == "ocr" else LEVEL
    for x in _candidates(runs, words):
        parted = [part for run in runs for part in _parted(run, x, words)]
        left = [run for run in parted if run.box[2] <= x]
        right = [run for run in parted if run.box[0] >= x]
        crossing = [run.middle for run in parted if run.box[0] < x < run.box[2]]
        if _columns(left, right, crossing, level):
            return x, parted
    return None


def _candidates(runs: Sequence[Run], words: Sequence[Word]) -> list[float]:
    """Where gutters may be, best first: runs begin there, or many words that follow a narrow one."""
    starts, ends = sorted(run.box[0] for run in runs), sorted(run.box[2] for run in runs)
    height = max(median(run.height for run in runs), 1.0)
    narrow = _narrow(runs, words)
    ranked: list[tuple[float, float]] = []
    for x in {round(start) - 1.0 for start in starts} | {x for x, count in narrow.items() if count >= 3}:
        before, after = bisect_right(ends, x), len(runs) - bisect_left(starts, x)
        sides, across = min(before, after) + narrow[x], len(runs) - before - after - narrow[x]
        if sides >= 3:
            white = x - ends[before - 1] if before else 0.0
            ranked.append(((sides - across) * (1 + min(white / height, WIDE)), x))
    found: list[float] = []
    for _, x in sorted(ranked, key=lambda pair: (-pair[0], pair[1])):
        if all(abs(x - other) > SAME_PLACE for other in found):
            found.append(x)
            if len(found) == CANDIDATES:
                break
    return found


def _narrow(runs: Sequence[Run], words: Sequence[Word]) -> Counter[float]:
    """How many runs have white enough for a gutter just left of each place."""
    return Counter(round(start) - 1.0 for run in runs for _, _, start in _whites(run, words))


def _whites(run: Run, words: Sequence[Word]) -> list[tuple[int, float, float]]:
    """Where a run may be parted: the number of the word after each white wider than its usual ones, and the white's edges."""
    boxes = [words[index].box for index in run.words]
    gaps = [after[0] - before[2] for before, after in pairwise(boxes)]
    least = max(GUTTER * run.height, WIDER * median(gaps) if len(gaps) > 2 else 0.0) if gaps else 0.0
    return [(n + 1, boxes[n][2], boxes[n + 1][0]) for n, gap in enumerate(gaps) if gap >= least]


def _parted(run: Run, x: float, words: Sequence[Word]) -> list[Run]:
    """A run that only seems to cross: justified columns may stand so close that their lines look like one."""
    if run.box[0] < x < run.box[2]:
        for number, end, start in _whites(run, words):
            if end <= x <= start <= x + run.height / 2:
                halves = run.words[:number], run.words[number:]
                return [make_run(half, words, run.sheet) for half in halves]
    return [run]


def _columns(left: Sequence[Run], right: Sequence[Run], crossing: Sequence[float], level: float) -> bool:
    """Whether the two sides are columns to be read one after the other, not the cells of common rows.

    ``crossing`` are the middles of the runs that belong to neither.
    """
    if not left or not right:
        return False
    top, bottom = max(_extent(left)[0], _extent(right)[0]), min(_extent(left)[1], _extent(right)[1])
    beside = [[run for run in side if top <= run.middle <= bottom] for side in (left, right)]
    within = sum(top <= middle <= bottom for middle in crossing)
    if min(map(len, beside)) < max(3, 2 * within):
        return False
    # Rows of a picture and of the text beside it fall together by chance: only the same sheet has common rows.
    sheets = {run.sheet for run in beside[0]} & {run.sheet for run in beside[1]}
    parts = [[[run for run in side if run.sheet == sheet] for side in beside] for sheet in sheets]
    return all(_texts(part[0], part[1], level) for part in parts if min(map(len, part)) >= 3)


def _texts(left: Sequence[Run], right: Sequence[Run], level: float) -> bool:
    """Whether runs that stand beside each other are lines of two texts."""
    fewer, more = sorted((left, right), key=len)
    lengths = [median(run.letters for run in side) for side in (fewer, more)]
    if min(lengths) >= 18:
        return True
    middles = sorted(run.middle for run in more)
    text = len(fewer) >= TEXT_LINES and lengths[0] >= TEXT_LETTERS  # beside a table's short cells
    shared = sum(_near(middles, run.middle, run.height * (LEVEL_OCR if run.sheet else level)) for run in fewer)
    return (min(lengths) >= 6 or text) and shared < 0.4 * len(fewer)


def _near(values: Sequence[float], value: float, distance: float) -> bool:
    """Whether one of the sorted values is that near."""
    return bisect_left(values, value - distance) < bisect_right(values, value + distance)


def _extent(runs: Sequence[Run]) -> tuple[float, float]:
    return min(run.box[1] for run in runs), max(run.box[3] for run in runs)


def _bands(runs: Sequence[Run], gutter: float) -> list[list[Run]]:
    """The runs in reading order of parts: down to each crossing run the left column, then the right one.

    Between two crossing runs, lines on one side alone are the short lines of a wide text and stay with it.
    """
    crossing = make_rows(run for run in runs if run.box[0] < gutter < run.box[2])
    sides = sorted((run for run in runs if not run.box[0] < gutter < run.box[2]), key=lambda run: run.middle)
    middles = [run.middle for run in sides]
    parts: list[list[Run]] = []
    wide: list[Run] = []
    start = 0
    for row in [*crossing, None]:
        end = bisect_left(middles, sum(run.middle for run in row) / len(row), start) if row else len(sides)
        halves = _split(sides[start:end], gutter)
        if len(halves) > 1:
            parts += [wide] * bool(wide) + halves
            wide = []
        else:
            wide += halves[0] if halves else []
        wide += row or []
        start = end
    return parts + [wide] * bool(wide)


def _split(runs: Sequence[Run], gutter: float) -> list[list[Run]]:
    halves = [run for run in runs if run.box[2] <= gutter], [run for run in runs if run.box[2] > gutter]
    return [half for half in halves if half]
