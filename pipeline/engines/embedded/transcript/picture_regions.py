"""Words that were read from pictures on a page with a text layer: each picture is a sheet of its own.

Their rows and columns have nothing to do with those of the text beside them. Which picture a word is from is seen by its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from statistics import median

import numpy as np

from pipeline.engines.embedded.transcript.word_runs import Run
from pipeline.records import Word

NEAR = 2.5
"""Line heights within which two runs from pictures are from the same one."""
LEVEL, SAME_ROWS = 0.25, 0.8
"""How far rows may stand above each other, in line heights, and the share of rows that must be level, for two parts of a table."""
MAX_SHEETS = 40
MAX_RUNS = 2000
"""More runs than this are taken for one picture."""


def told_apart(runs: Sequence[Run], words: Sequence[Word]) -> list[Run]:
    """The runs, those from pictures with the number of their sheet, from 1."""
    seen = [number for number, run in enumerate(runs) if words[run.words[0]].source == "ocr"]
    parts = [runs[number] for number in seen]
    sheets = dict(zip(seen, _by_rows(_sheets(parts), parts), strict=True))
    return [replace(run, sheet=sheets.get(number, 0)) for number, run in enumerate(runs)]


def _sheets(runs: Sequence[Run]) -> list[int]:
    if not runs or len(runs) > MAX_RUNS:
        return [1] * len(runs)
    boxes = np.array([run.box for run in runs], np.float64)
    reach = NEAR * median(run.height for run in runs)
    sheets = [0] * len(runs)
    for first in range(len(runs)):
        if sheets[first]:
            continue
        number = max(sheets) + 1
        waiting = [first]
        while waiting:
            box = boxes[waiting.pop()]
            near = np.maximum(boxes[:, :2], box[:2]) - np.minimum(boxes[:, 2:], box[2:])
            for other in np.flatnonzero((near < reach).all(axis=1)):
                if not sheets[other]:
                    sheets[other] = number
                    waiting.append(int(other))
    return sheets


def _by_rows(sheets: Sequence[int], runs: Sequence[Run]) -> list[int]:
    """Sheets whose rows are level made one: a table's labels and its numbers may stand far apart."""
    middles: dict[int, list[float]] = {}
    for run, sheet in zip(runs, sheets, strict=True):
        middles.setdefault(sheet, []).append(run.middle)
    reach = LEVEL * median(run.height for run in runs) if runs else 0.0
    same = {sheet: sheet for sheet in middles}
    for a, b in combinations(list(middles)[:MAX_SHEETS], 2):
        fewer, more = sorted((middles[a], middles[b]), key=len)
        level = sum(any(abs(y - other) < reach for other in more) for y in fewer)
        if len(fewer) >= 3 and level >= SAME_ROWS * len(fewer):
            kept, gone = same[a], same[b]
            same = {sheet: kept if now == gone else now for sheet, now in same.items()}
    return [same[sheet] for sheet in sheets]
