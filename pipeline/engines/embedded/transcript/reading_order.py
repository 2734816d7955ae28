"""Finds the reading order with a recursive XY-cut over runs of words.

A gutter separates two columns of running text, and the columns are read one after the other. Headings and wide figures that span the
gutter cut the page into bands. Rows of tables stay rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.word_runs import TextRow, WordRun, make_rows, make_run
from pipeline.records import Word

MAX_DEPTH = 12
"""Most levels of nested columns. Deeper layouts are read row by row."""
MAX_CANDIDATES = 16
"""Most gutters that are examined, the best first."""
MAX_WHITE = 2.0
"""White space, in line heights, beyond which a wider gutter is not better."""
SAME_GUTTER = 3.0
"""Points within which two gutters are one."""
MIN_TEXT_LINES, MIN_TEXT_LETTERS = 6, 20
"""Fewest lines, and fewest letters of a usual line, of a text that stands beside a table."""
LEVEL_TOLERANCE, OCR_LEVEL_TOLERANCE = 0.1, 0.25
"""Most vertical distance between cells of a row, in line heights: in a text layer, and from OCR."""
MIN_GUTTER, WORD_GAP_FACTOR = 0.3, 1.2
"""Least white space of a line at a narrow gutter: in line heights, and as a multiple of the line's usual gap between words."""


def parts_in_reading_order(runs: list[WordRun], words: Sequence[Word], depth: int = MAX_DEPTH) -> list[list[TextRow]]:
    """Return the parts of the page in reading order, each as rows from top to bottom. Parts are cut at gutters until none is left."""
    if not runs:
        return []
    cut = _find_gutter(runs, words) if depth and len(runs) >= 6 else None
    if cut is None:
        return [make_rows(runs)]
    gutter, runs = cut
    bands = _bands(runs, gutter)
    return [part for band in bands for part in parts_in_reading_order(band, words, depth - 1 if len(bands) > 1 else 0)]


def _find_gutter(runs: Sequence[WordRun], words: Sequence[Word]) -> tuple[float, list[WordRun]] | None:
    """Return the x of the best gap between two columns of running text, and the runs cut there; None without such a gap.

    Candidates lie just left of where runs begin. On either side of a gutter at least three runs stand beside each other, twice as
    many as runs that cross it there, and both sides are text, not cells of a table. Runs that cross above and below do not count:
    a wide abstract may stand over short columns.
    """
    level = OCR_LEVEL_TOLERANCE if words[runs[0].words[0]].source == "ocr" else LEVEL_TOLERANCE
    for x in _candidates(runs, words):
        pieces = [part for run in runs for part in _split_at_gutter(run, x, words)]
        left = [run for run in pieces if run.box[2] <= x]
        right = [run for run in pieces if run.box[0] >= x]
        crossing = [run.middle for run in pieces if run.box[0] < x < run.box[2]]
        if _are_columns(left, right, crossing, level):
            return x, pieces
    return None


def _candidates(runs: Sequence[WordRun], words: Sequence[Word]) -> list[float]:
    """Return where gutters may be, the best first: where runs begin, or where many words follow a narrow gap."""
    starts, ends = sorted(run.box[0] for run in runs), sorted(run.box[2] for run in runs)
    height = max(median(run.height for run in runs), 1.0)
    narrow_counts = _count_narrow_gutters(runs, words)
    ranked: list[tuple[float, float]] = []
    for x in {round(start) - 1.0 for start in starts} | {x for x, count in narrow_counts.items() if count >= 3}:
        before, after = bisect_right(ends, x), len(runs) - bisect_left(starts, x)
        sides, across = min(before, after) + narrow_counts[x], len(runs) - before - after - narrow_counts[x]
        if sides >= 3:
            white = x - ends[before - 1] if before else 0.0
            ranked.append(((sides - across) * (1 + min(white / height, MAX_WHITE)), x))
    gutters: list[float] = []
    for _, x in sorted(ranked, key=lambda pair: (-pair[0], pair[1])):
        if all(abs(x - other) > SAME_GUTTER for other in gutters):
            gutters.append(x)
            if len(gutters) == MAX_CANDIDATES:
                break
    return gutters


def _count_narrow_gutters(runs: Sequence[WordRun], words: Sequence[Word]) -> Counter[float]:
    """Return for each x how many runs have a gap just left of it that is wide enough for a gutter."""
    return Counter(round(start) - 1.0 for run in runs for _, _, start in _wide_gaps(run, words))


def _wide_gaps(run: WordRun, words: Sequence[Word]) -> list[tuple[int, float, float]]:
    """Return where a run may be cut: for each gap wider than usual, the number of the word after it and the edges of the gap."""
    boxes = [words[index].box for index in run.words]
    gaps = [after[0] - before[2] for before, after in pairwise(boxes)]
    least = max(MIN_GUTTER * run.height, WORD_GAP_FACTOR * median(gaps) if len(gaps) > 2 else 0.0) if gaps else 0.0
    return [(n + 1, boxes[n][2], boxes[n + 1][0]) for n, gap in enumerate(gaps) if gap >= least]


def _split_at_gutter(run: WordRun, x: float, words: Sequence[Word]) -> list[WordRun]:
    """Return a run cut at a gutter. Justified columns may stand so close that their lines look like one run."""
    if run.box[0] < x < run.box[2]:
        for number, end, start in _wide_gaps(run, words):
            if end <= x <= start <= x + run.height / 2:
                halves = run.words[:number], run.words[number:]
                return [make_run(half, words, run.picture) for half in halves]
    return [run]


def _are_columns(left: Sequence[WordRun], right: Sequence[WordRun], crossing: Sequence[float], level: float) -> bool:
    """Return whether the two sides are columns of text, not cells of common rows.

    ``crossing`` has the middles of the runs that belong to neither side.
    """
    if not left or not right:
        return False
    top, bottom = max(_extent(left)[0], _extent(right)[0]), min(_extent(left)[1], _extent(right)[1])
    beside = [[run for run in side if top <= run.middle <= bottom] for side in (left, right)]
    within = sum(top <= middle <= bottom for middle in crossing)
    if min(map(len, beside)) < max(3, 2 * within):
        return False
    # Rows of a picture are level with lines of the text beside it only by chance, so each picture is compared with itself.
    pictures = {run.picture for run in beside[0]} & {run.picture for run in beside[1]}
    parts = [[[run for run in side if run.picture == picture] for side in beside] for picture in pictures]
    return all(_are_texts(part[0], part[1], level) for part in parts if min(map(len, part)) >= 3)


def _are_texts(left: Sequence[WordRun], right: Sequence[WordRun], level: float) -> bool:
    """Return whether runs that stand beside each other are lines of two texts."""
    fewer, more = sorted((left, right), key=len)
    lengths = [median(run.letters for run in side) for side in (fewer, more)]
    if min(lengths) >= 18:
        return True
    middles = sorted(run.middle for run in more)
    text = len(fewer) >= MIN_TEXT_LINES and lengths[0] >= MIN_TEXT_LETTERS  # beside a table's short cells
    shared = sum(
        _has_value_near(middles, run.middle, run.height * (OCR_LEVEL_TOLERANCE if run.picture else level)) for run in fewer
    )
    return (min(lengths) >= 6 or text) and shared < 0.4 * len(fewer)


def _has_value_near(values: Sequence[float], value: float, distance: float) -> bool:
    """Return whether one of the sorted values is within the distance."""
    return bisect_left(values, value - distance) < bisect_right(values, value + distance)


def _extent(runs: Sequence[WordRun]) -> tuple[float, float]:
    return min(run.box[1] for run in runs), max(run.box[3] for run in runs)


def _bands(runs: Sequence[WordRun], gutter: float) -> list[list[WordRun]]:
    """Return the runs as parts in reading order: down to each crossing run the left column, then the right one.

    Between two crossing runs, lines on only one side are short lines of a wide text and stay with it.
    """
    crossing = make_rows(run for run in runs if run.box[0] < gutter < run.box[2])
    sides = sorted((run for run in runs if not run.box[0] < gutter < run.box[2]), key=lambda run: run.middle)
    middles = [run.middle for run in sides]
    parts: list[list[WordRun]] = []
    wide: list[WordRun] = []
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


def _split(runs: Sequence[WordRun], gutter: float) -> list[list[WordRun]]:
    halves = [run for run in runs if run.box[2] <= gutter], [run for run in runs if run.box[2] > gutter]
    return [half for half in halves if half]
