"""Finds the pictures that words were read from, on a page with a text layer.

Rows and columns of a picture are unrelated to those of the text beside it. Words from OCR that stand close together are from one picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from statistics import median

import numpy as np

from pipeline.engines.embedded.transcript.word_runs import WordRun
from pipeline.records import Word

MAX_DISTANCE = 2.5
"""Most distance between neighbouring runs of one picture, in line heights."""
LEVEL_TOLERANCE, SAME_ROWS = 0.25, 0.8
"""For two parts of a table: most vertical distance between level rows, in line heights, and least share of level rows."""
MAX_PICTURES = 40
"""Pictures after these are not compared with others."""
MAX_RUNS = 2000
"""Most runs that are grouped. More runs count as one picture."""


def assign_pictures(runs: Sequence[WordRun], words: Sequence[Word]) -> list[WordRun]:
    """Return the runs. Those from pictures have the number of their picture, from 1."""
    ocr_runs = [number for number, run in enumerate(runs) if words[run.words[0]].source == "ocr"]
    picture_runs = [runs[number] for number in ocr_runs]
    pictures = dict(zip(ocr_runs, _join_level_pictures(_group_into_pictures(picture_runs), picture_runs), strict=True))
    return [replace(run, picture=pictures.get(number, 0)) for number, run in enumerate(runs)]


def _group_into_pictures(runs: Sequence[WordRun]) -> list[int]:
    if not runs or len(runs) > MAX_RUNS:
        return [1] * len(runs)
    boxes = np.array([run.box for run in runs], np.float64)
    reach = MAX_DISTANCE * median(run.height for run in runs)
    pictures = [0] * len(runs)
    for first in range(len(runs)):
        if pictures[first]:
            continue
        number = max(pictures) + 1
        pending = [first]
        while pending:
            box = boxes[pending.pop()]
            gaps = np.maximum(boxes[:, :2], box[:2]) - np.minimum(boxes[:, 2:], box[2:])
            for other in np.flatnonzero((gaps < reach).all(axis=1)):
                if not pictures[other]:
                    pictures[other] = number
                    pending.append(int(other))
    return pictures


def _join_level_pictures(pictures: Sequence[int], runs: Sequence[WordRun]) -> list[int]:
    """Return the picture numbers with level pictures joined: a table's labels and its numbers may stand far apart."""
    middles: dict[int, list[float]] = {}
    for run, picture in zip(runs, pictures, strict=True):
        middles.setdefault(picture, []).append(run.middle)
    reach = LEVEL_TOLERANCE * median(run.height for run in runs) if runs else 0.0
    representative = {picture: picture for picture in middles}
    for a, b in combinations(list(middles)[:MAX_PICTURES], 2):
        fewer, more = sorted((middles[a], middles[b]), key=len)
        level = sum(any(abs(y - other) < reach for other in more) for y in fewer)
        if len(fewer) >= 3 and level >= SAME_ROWS * len(fewer):
            first, second = representative[a], representative[b]
            representative = {picture: first if current == second else current for picture, current in representative.items()}
    return [representative[picture] for picture in pictures]
