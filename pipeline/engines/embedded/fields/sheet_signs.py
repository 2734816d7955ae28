"""Signs that a page shows more documents than were told apart: its values are marked then, and nothing is cut.

Slips that lie askew or offset leave no straight strip between them, but white around each. So words that stand close to each other are
put into blocks. Two blocks that each have a label of a total and a date are probably two documents. Slips that nearly touch have little
white between them, and the columns of one slip have much: blocks are made with several widths, and one that shows two documents is enough.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.sheet_documents import Marks
from pipeline.records import Box, Page, Word

_AMOUNT = re.compile(r"\d[.,]\d{2}(?!\d)")
"""Money with two decimals."""
BESIDE = (2.0, 1.2, 0.9)
"""White left and right of a block of words, in letter heights: each width is tried."""
BELOW = 1.4
"""White above and below a block of words, in letter heights."""
MIN_SHARE = 0.08
"""Share of the words that a document has at least: up to six slips lie on a sheet."""
FEWEST_WORDS, MOST_WORDS = 14, 1500
"""Words of a page that is looked at; more are a list or a book."""


def shows_several(page: Page, marks: Marks) -> bool:
    """Whether a page, or a part of one, shows signs of several documents."""
    words = page.words
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS or min(len(marks.totals), len(marks.dates)) < 2:
        return False
    height = median(word.box[3] - word.box[1] for word in words)
    return any(_are_several(words, _blocks(words, height, beside * height), marks) for beside in BESIDE)


def _are_several(words: Sequence[Word], blocks: Sequence[list[int]], marks: Marks) -> bool:
    """Whether two or more of the blocks are whole documents."""
    whole = [
        block
        for block in blocks
        if len(block) >= MIN_SHARE * len(words) and _holds(words, block, marks.totals) and _holds(words, block, marks.dates)
    ]
    return len(_without_repetitions(words, whole)) > 1


def _without_repetitions(words: Sequence[Word], blocks: Sequence[list[int]]) -> list[list[int]]:
    """The blocks without those whose amounts all stand in another one, too: a card slip below its receipt."""
    amounts = [{words[n].text for n in block if _AMOUNT.search(words[n].text)} for block in blocks]
    return [
        block
        for n, block in enumerate(blocks)
        if not any(
            amounts[n] and amounts[n] <= other and (len(amounts[n]) < len(other) or n > m)
            for m, other in enumerate(amounts)
            if m != n
        )
    ]


def _blocks(words: Sequence[Word], height: float, beside: float) -> list[list[int]]:
    """Indices of words that stand close to each other, by block; blocks of numbers belong to the block left of them.

    ``height`` of letters and the white ``beside`` a block are in points.
    """
    near = _near(np.array([word.box for word in words]), beside, BELOW * height)
    free = (1 << len(words)) - 1
    groups: list[list[int]] = []
    while free:
        found, border = 0, free & -free
        while border:
            n = border.bit_length() - 1
            found |= 1 << n
            border = (border | near[n]) & free & ~found
        free &= ~found
        groups.append([n for n in range(len(words)) if found >> n & 1])
    return _with_numbers(words, groups)


def _near(boxes: NDArray[np.float64], beside: float, below: float) -> list[int]:
    """For each box the boxes with no more white between, in points, as the bits of a number."""
    x0, y0, x1, y1 = boxes.T
    order = np.empty(len(boxes), np.intp)
    order[np.argsort(y0, kind="stable")] = np.arange(len(boxes))
    near = order[:, None] < order
    near &= y0 - y1[:, None] <= below
    near &= (x0 - x1[:, None] <= beside) & (x0[:, None] - x1 <= beside)
    return [int.from_bytes(row.tobytes(), "little") for row in np.packbits(near | near.T, axis=1, bitorder="little")]


def _with_numbers(words: Sequence[Word], groups: list[list[int]]) -> list[list[int]]:
    """The blocks with words; those of numbers alone, a column of prices, join the nearest one left of them at their height."""
    texts = [group for group in groups if any(sum(map(str.isalpha, words[n].text)) > 2 for n in group)]
    for group in groups:
        if group in texts:
            continue
        left, top, bottom = (
            min(words[n].box[0] for n in group),
            min(words[n].box[1] for n in group),
            max(words[n].box[3] for n in group),
        )
        near = [
            (left - max(words[n].box[2] for n in text), text)
            for text in texts
            if min(words[n].box[1] for n in text) < bottom
            and max(words[n].box[3] for n in text) > top
            and min(words[n].box[0] for n in text) < left
        ]
        if near:
            min(near, key=lambda item: abs(item[0]))[1].extend(group)
    return [sorted(text) for text in texts]


def _holds(words: Sequence[Word], block: Sequence[int], boxes: Sequence[Box]) -> bool:
    """Whether one of the boxes begins at a word of the block."""
    return any(
        abs(words[n].box[0] - box[0]) < 1 and abs(words[n].box[1] - box[1]) < 2 + (box[3] - box[1]) / 2
        for box in boxes
        for n in block
    )
