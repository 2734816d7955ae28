"""Which lines of a page are the postal address of a party: what the networks see of each run of words."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.name_candidates import (
    begins_with_house_number,
    has_house_number,
    is_address,
    is_organisation,
)
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.engines.embedded.fields.stacked_networks import Numbers
from pipeline.engines.embedded.fields.vocabulary import POSTCODE, has_contact, has_street

MOST_LINES = 80
"""Runs of a page that are looked at: those nearest to the name of the party."""
_ROWS = 12.0
_BLOCK = 2.5  # letter heights between lines of one address
NAMES = (
    "postcode", "street", "address", "house number", "leading number", "contact", "organisation", "label", "own label", "value",
    "letters", "digits", "digit share", "commas", "words", "capitals", "ends with comma", "short", "down", "left", "width", "size", "bold",
    "rows below name", "near", "below name", "is name", "row of name", "left of name", "centre of name", "size of name",
    "runs in row", "line above", "line below", "gap above", "gap below",
)  # fmt: skip


@dataclass(frozen=True)
class AddressLines:
    """The runs near a party's name, top to bottom, with their features and neighbours in the same column (-1: none)."""

    runs: Sequence[Run]
    own: Numbers
    above: NDArray[np.intp]
    below: NDArray[np.intp]

    def with_context(self, likely: Numbers) -> Numbers:
        """The own features, and the probabilities of the run, its neighbours and their neighbours."""
        padded = np.concatenate([likely, np.zeros((1, likely.shape[1]), np.float32)])
        up, down = np.append(self.above, -1), np.append(self.below, -1)
        parts = [self.own, likely, padded[up[:-1]], padded[down[:-1]], padded[up[up[:-1]]], padded[down[down[:-1]]]]
        neighbours = np.concatenate([self.own, np.zeros((1, self.own.shape[1]), np.float32)])
        return np.concatenate([*parts, neighbours[up[:-1], :10], neighbours[down[:-1], :10]], axis=1).astype(np.float32)


def address_lines(layout: Layout, name: Run, labels: Sequence[Label], values: Set[int], field: str) -> AddressLines:
    """The runs that may be the address of the party with the name in the run ``name``.

    ``values`` are the numbers of runs with dates, amounts and tax numbers; ``field`` is the address's own field.
    """
    near = sorted((run for run in layout.runs if run.letters or run.text.strip()), key=lambda run: abs(run.row - name.row))
    runs = sorted(near[:MOST_LINES], key=lambda run: (run.row, run.box[0]))
    cover: dict[int, float] = {}
    own: set[int] = set()
    for label in labels:
        cover[label.run.number] = max(cover.get(label.run.number, 0.0), label.cover)
        if label.field == field:
            own.add(label.run.number)
    above, below = _neighbours(runs, layout.height)
    rows = [_features(layout, name, run, cover.get(run.number, 0.0), run.number in own, run.number in values) for run in runs]
    features = np.array(rows, np.float32).reshape(len(runs), len(NAMES) - 4)
    gaps = np.array(
        [
            [
                up >= 0,
                down >= 0,
                min(3.0, (run.box[1] - runs[up].box[3]) / layout.height) if up >= 0 else 3.0,
                min(3.0, (runs[down].box[1] - run.box[3]) / layout.height) if down >= 0 else 3.0,
            ]
            for run, up, down in zip(runs, above, below, strict=True)
        ],
        np.float32,
    ).reshape(len(runs), 4)
    return AddressLines(runs, np.concatenate([features, gaps], axis=1), above, below)


def _features(layout: Layout, name: Run, run: Run, label: float, own: bool, value: bool) -> list[float]:
    text, page = run.text, layout.page
    letters, digits = run.letters, sum(map(str.isdigit, text))
    height = max(4.0, layout.height)
    centre = (run.box[0] + run.box[2] - name.box[0] - name.box[2]) / 2
    return [
        POSTCODE.search(text) is not None,
        has_street(text),
        is_address(text),
        has_house_number(text),
        begins_with_house_number(text),
        has_contact(text),
        is_organisation(text),
        label,
        own,
        value,
        np.log1p(letters),
        np.log1p(digits),
        digits / max(1, letters + digits),
        min(3, text.count(",")),
        np.log1p(len(run.words)),
        sum(map(str.isupper, text)) / max(1, letters),
        text.rstrip().endswith(","),
        len(text) < 24 and not digits,
        run.box[1] / page.height,
        run.box[0] / page.width,
        (run.box[2] - run.box[0]) / page.width,
        min(3.0, run.size / height),
        run.bold,
        max(-1.5, min(1.5, (run.row - name.row) / _ROWS)),
        1.0 / (1.0 + abs(run.row - name.row)),
        run.row > name.row,
        run is name,
        run.row == name.row,
        min(4.0, abs(run.box[0] - name.box[0]) / height / 3),
        min(4.0, abs(centre) / height / 3),
        min(3.0, run.size / max(4.0, name.size)),
        len(layout.rows[run.row]) / 4,
    ]


def _neighbours(runs: Sequence[Run], height: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The run above and the run below each run: the nearest ones that share some width, close by."""
    above, below = np.full(len(runs), -1, np.intp), np.full(len(runs), -1, np.intp)
    if not runs:
        return above, below
    boxes = np.array([run.box for run in runs])
    shared = np.minimum(boxes[:, None, 2], boxes[None, :, 2]) - np.maximum(boxes[:, None, 0], boxes[None, :, 0]) > 0
    gap = boxes[None, :, 1] - boxes[:, None, 3]  # from the first downwards to the second
    rows = np.array([run.row for run in runs])
    down = np.where(shared & (rows[None, :] > rows[:, None]) & (gap < _BLOCK * height), gap, np.inf)
    up = np.where(shared & (rows[None, :] < rows[:, None]) & (_BLOCK * height > gap.T), gap.T, np.inf)
    for at in range(len(runs)):
        if np.isfinite(down[at].min()):
            below[at] = int(down[at].argmin())
        if np.isfinite(up[at].min()):
            above[at] = int(up[at].argmin())
    return above, below
