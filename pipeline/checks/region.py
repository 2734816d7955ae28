"""The part of a page where some fields stand: around what was found of them, else around the labels that announce them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.checks.value_search import PageIndex
from pipeline.records import Box, Evidence, Page
from pipeline.templates.model import TemplateField

MARGIN = 3.0
"""Letter heights around the places: the values' own labels and neighbours are needed to tell them apart."""


def field_region(page: Page, fields: Mapping[str, TemplateField], found: Mapping[str, Evidence]) -> Box | None:
    """A box over the page's whole width that holds these fields, or None when neither they nor their labels stand on it."""
    if not fields or not page.words:
        return None
    boxes = [found[name].box for name in fields if name in found and found[name].box]
    missing = [field for name, field in fields.items() if name not in found or not found[name].box]
    boxes += _labels(page, missing)
    places = [box for box in boxes if box]
    if not places:
        return None
    heights = sorted(word.box[3] - word.box[1] for word in page.words)
    margin = MARGIN * max(6.0, heights[len(heights) // 2])
    top, bottom = min(box[1] for box in places) - margin, max(box[3] for box in places) + margin
    return 0.0, max(0.0, top), page.width, min(page.height, bottom)


def _labels(page: Page, fields: Iterable[TemplateField]) -> list[Box | None]:
    """Where the labels of these fields are printed."""
    index = PageIndex(page.words)
    boxes: list[Box | None] = []
    for field in fields:
        labels = {label for labels in field.labels.values() for label in labels if len(label) > 3}
        exact = (place for label in labels for place in index.find("identifier", label))
        boxes += [page.words[i].box for place in exact for i in place.words]
    return boxes
