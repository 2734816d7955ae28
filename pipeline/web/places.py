"""Where values stand on a page that is shown: the cells of tables, and values that people entered, which results have no box for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.checks.grounding import Locator
from pipeline.checks.value_search import ValuePlace
from pipeline.records import Box, Json, Page
from pipeline.templates.template import TemplateField
from pipeline.values.boxes import bounding_box
from pipeline.web.view import DocumentView

MAX_ROWS = 1_000
"""Rows of a table whose cells are looked up."""

CellBoxes = list[dict[str, Box]]
"""For each row, the box of each column's cell that was found."""


def cell_boxes(view: DocumentView, page: Page) -> dict[str, CellBoxes]:
    """The boxes of cells on a page, by ``template.field``."""
    locator = Locator(page)
    found = {}
    for result in view.results:
        for field in result.fields:
            value, spec = field.evidence.value, field.spec
            if spec is not None and spec.type == "table" and isinstance(value, list):
                rows = [row for row in value if isinstance(row, Mapping)][:MAX_ROWS]
                found[f"{result.template}.{field.name}"] = _rows(locator, rows, spec)
    return found


def _rows(locator: Locator, rows: Sequence[Mapping[str, Json]], spec: TemplateField) -> CellBoxes:
    """A row is on the page when most of its cells stand there beside each other: single numbers are found anywhere."""
    boxes: CellBoxes = []
    for row, places in zip(rows, locator.find_rows(rows, spec), strict=True):
        present = {column: _box(locator.page, place) for column, place in places.items() if place}
        filled = sum(value not in (None, "") for value in row.values())
        boxes.append(present if 2 * len(present) > filled else {})
    return boxes


def corrected_boxes(view: DocumentView, page: Page) -> dict[str, Box]:
    """Where corrected values are printed on a page, by ``template.field``; only of values without a box."""
    locator = Locator(page)
    found: dict[str, Box] = {}
    for result in view.results:
        for field in result.fields:
            value, spec = field.evidence.value, field.spec
            lacks_box = field.active_correction and field.evidence.box is None
            if lacks_box and spec and isinstance(value, str) and value:
                place = locator.find_value(spec.type, value, merge=spec.merge)
                found |= {f"{result.template}.{field.name}": _box(page, place)} if place else {}
    return found


def _box(page: Page, place: ValuePlace) -> Box:
    return bounding_box(page.words[index].box for index in place.words)
