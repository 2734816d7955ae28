"""Words that were read from pictures on a page with a text layer: each picture is a sheet of its own.

Their rows and columns have nothing to do with those of the text beside them. Which picture a word is from is seen by its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from pipeline.engines.embedded.transcript.runs import Run
from pipeline.records import Word

NEAR = 2.5
"""Line heights within which two runs from pictures are from the same one."""
MAX_RUNS = 2000
"""More runs than this are taken for one picture."""


def told_apart(runs: Sequence[Run], words: Sequence[Word]) -> list[Run]:
    """The runs, those from pictures with the number of their sheet, from 1."""
    seen = [number for number, run in enumerate(runs) if words[run.words[0]].source == "ocr"]
    sheets = dict(zip(seen, _sheets([runs[number] for number in seen]), strict=True))
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
