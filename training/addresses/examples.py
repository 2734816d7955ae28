"""From documents with truth to examples: the lines near a party's name, and which of them are its address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.addresses.line_features import AddressLines
from pipeline.engines.embedded.fields.field_reader import addresses
from pipeline.engines.embedded.fields.page_rows import label_key
from pipeline.records import Box
from training.fit_stacked import StackedExample
from training.scorer.examples import TrueDocument, template_of

_LIKE = 85
"""Likeness, 0 to 100, from which a line is part of the true address."""
_SHORTEST = 4
_LEAST_SHARE = 0.6
"""Share of the true address that the lines must have, below which a real page teaches nothing."""


def address_examples(document: TrueDocument, weight: float = 1.0) -> Iterator[StackedExample]:
    """One example for each page and field with an address; a real page only where it has most of the true address."""
    template = template_of(document.kind)
    for page in document.pages:
        for name, lines in addresses(page, template):
            if name not in document.known:
                continue
            truth = document.values.get(name)
            boxes = [box for number, box in document.boxes.get(name, []) if number == page.number]
            if truth is None or document.boxes:
                classes = _by_boxes(lines, boxes)
            else:
                classes, share = _by_text(lines, str(truth))
                if share < _LEAST_SHARE:
                    continue
            yield StackedExample(document.name, document.layout, lines, classes, weight)


def _by_boxes(lines: AddressLines, boxes: Sequence[Box]) -> NDArray[np.int64]:
    """Lines of which the boxes cover at least half."""
    return np.array([sum(_covered(run.box, box) for box in boxes) >= 0.5 for run in lines.runs], np.int64)


def _covered(line: Box, box: Box) -> float:
    across = min(line[2], box[2]) - max(line[0], box[0])
    down = min(line[3], box[3]) - max(line[1], box[1])
    return max(0.0, across) * max(0.0, down) / max(1.0, (line[2] - line[0]) * (line[3] - line[1]))


def _by_text(lines: AddressLines, truth: str) -> tuple[NDArray[np.int64], float]:
    """Lines whose text is in the true address, and the share of the address that they make up."""
    whole = label_key(truth)
    texts = [label_key(run.text) for run in lines.runs]
    classes = np.array(
        [
            len(text) >= _SHORTEST and fuzz.partial_ratio(text, whole) >= _LIKE and len(text) <= 1.3 * len(whole)
            for text in texts
        ]
    )
    found = sum(len(text) for text, part in zip(texts, classes, strict=True) if part)
    return classes.astype(np.int64), found / max(1, len(whole))
