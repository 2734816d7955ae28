"""The part of a page that contains some fields: around their values, else around their labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.checks.value_search import PageIndex
from pipeline.records import Box, Evidence, Page
from pipeline.templates.template import TemplateField

MARGIN = 3.0
"""Letter heights around the values. An engine needs their labels and neighbours to distinguish them."""


def field_region(page: Page, fields: Mapping[str, TemplateField], evidence: Mapping[str, Evidence]) -> Box | None:
    """A box over the whole width of the page around these fields; None when the page has neither the fields nor their labels."""
    if not fields or not page.words:
        return None
    boxes = [evidence[name].box for name in fields if name in evidence and evidence[name].box]
    missing = [field for name, field in fields.items() if name not in evidence or not evidence[name].box]
    boxes += _labels(page, missing)
    present = [box for box in boxes if box]
    if not present:
        return None
    heights = sorted(word.box[3] - word.box[1] for word in page.words)
    margin = MARGIN * max(6.0, heights[len(heights) // 2])
    top, bottom = min(box[1] for box in present) - margin, max(box[3] for box in present) + margin
    return 0.0, max(0.0, top), page.width, min(page.height, bottom)


def _labels(page: Page, fields: Iterable[TemplateField]) -> list[Box | None]:
    """Boxes of the printed labels of these fields."""
    index = PageIndex(page.words)
    boxes: list[Box | None] = []
    for field in fields:
        labels = {label for labels in field.labels.values() for label in labels if len(label) > 3}
        exact = (place for label in labels for place in index.find("identifier", label))
        boxes += [page.words[i].box for place in exact for i in place.words]
    return boxes
