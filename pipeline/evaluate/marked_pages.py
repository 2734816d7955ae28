"""The part of the page where a miss stands: where the truth is printed, and what was taken instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.checks.grounding import Locator
from pipeline.checks.value_search import PageIndex
from pipeline.evaluate.scoring import Cell
from pipeline.records import Box, Page
from pipeline.report import page_images
from pipeline.run.page_requests import PictureRequest
from pipeline.settings import Settings
from pipeline.templates.template import TemplateField
from pipeline.values.boxes import bounding_box

MARGIN = 40.0
"""Points of the page around the boxes."""
NARROWEST = 260.0
"""Points that a picture shows at least, so that a person sees where on the page it is."""
PAGE_PIXELS = 491_520
"""Pixels of a picture."""
MAX_BYTES = 24_000_000
"""Of all pictures together; misses beyond are listed without."""
MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Marks:
    """The part of a page that a picture shows, and the boxes to draw on it."""

    path: Path
    page: int
    turned: int
    part: Box
    true: tuple[Box, ...]
    """Where the true value stands; a table's cells, each."""
    taken: Box | None


@dataclass(frozen=True, slots=True)
class Marked:
    """A picture for the report as a data URI, and what is marked on it, in points of the page."""

    uri: str
    marks: Marks


def marks(path: Path, cell: Cell, pages: Sequence[Page], field: TemplateField) -> Marks | None:
    """Where to look for a cell that is not right; None when nothing is known of its pages. The result's page comes before the others."""
    if not pages:
        return None
    ordered = sorted(pages, key=lambda page: (page.number != cell.read.page, page.number))
    match = next(((page, boxes) for page in ordered if (boxes := _true_boxes(page, cell, field))), None)
    page, boxes = match or (ordered[0], ())
    taken = _within(cell.read.box, page) if cell.read.box and cell.read.page == page.number else None
    boxes, looked_at = (boxes, boxes) if field.type == "table" else _by_likelihood(boxes, taken, field)
    return Marks(path, page.number, page.turned, _part(page, [*looked_at, *([taken] if taken else [])]), boxes, taken)


def _by_likelihood(boxes: Sequence[Box], taken: Box | None, field: TemplateField) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    """Places of a value and the one to look at: the nearest to what was taken, else the one that the field's ``merge`` prefers."""
    preferred = list(reversed(boxes)) if field.merge == "last" else list(boxes)
    ordered = sorted(boxes, key=lambda box: _distance(box, taken)) if taken else preferred
    return tuple(ordered[:MOST_PLACES]), tuple(ordered[:1])


def _true_boxes(page: Page, cell: Cell, field: TemplateField) -> tuple[Box, ...]:
    """The places of the true value among the page's words; of a table, of the rows that were not read."""
    if field.type == "table":
        read = {number for number, _ in cell.rows.matched} if cell.rows else set()
        rows = [row for n, row in enumerate(cell.truth or ()) if n not in read and isinstance(row, dict)]
        places = [place for cells in Locator(page).find_rows(rows, field) for place in cells.values() if place]
    else:
        index = PageIndex(page.words)
        places = [place for text in cell.truth or () if isinstance(text, str) for place in index.find(field.type, text)]
    return tuple(bounding_box([page.words[i].box for i in place.words]) for place in places)


def _within(box: Box, page: Page) -> Box | None:
    """The box cut to the page; None where nothing is left of it."""
    left, top, right, bottom = max(0.0, box[0]), max(0.0, box[1]), min(page.width, box[2]), min(page.height, box[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _distance(a: Box, b: Box) -> float:
    return abs(a[0] + a[2] - b[0] - b[2]) + abs(a[1] + a[3] - b[1] - b[3])


def _part(page: Page, boxes: Sequence[Box]) -> Box:
    """The part of the page for the picture: the boxes with a margin around them; the whole page without boxes."""
    if not boxes:
        return 0.0, 0.0, page.width, page.height
    left, top, right, bottom = bounding_box(boxes)
    sides = _grown(left, right, page.width), _grown(top, bottom, page.height, NARROWEST / 3)
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]


def _grown(low: float, high: float, most: float, least: float = NARROWEST) -> tuple[float, float]:
    low, high = low - MARGIN, high + MARGIN
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    return max(0.0, low), min(most, high)


def draw_marked_pages(expected: Iterable[tuple[tuple[str, str], Marks]], settings: Settings) -> dict[tuple[str, str], Marked]:
    """Pictures by file and field, as many as ``MAX_BYTES`` allows."""
    marks_by_key = dict(expected)
    requests = [item for key, mark in marks_by_key.items() if (item := _image_request(key, mark))]
    pictures = page_images.draw_page_images(requests, settings, MAX_BYTES)
    return {
        key: Marked(picture.uri, marks_by_key[key])
        for key, picture in pictures
        if isinstance(picture, page_images.EmbeddedImage)
    }


def _image_request(key: tuple[str, str], mark: Marks) -> page_images.PageImageRequest[tuple[str, str]] | None:
    """What to draw; None where the file is gone."""
    try:
        status = mark.path.stat()
    except OSError:
        return None
    picture = PictureRequest(PAGE_PIXELS, mark.turned, mark.part)
    return page_images.PageImageRequest(key, mark.path, "", status.st_size, status.st_mtime_ns, mark.page, picture)
