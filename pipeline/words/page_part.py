"""A part of a page as a page of its own."""

from __future__ import annotations

from dataclasses import replace

from pipeline.records import Box, Page, Shape


def part_of_page(page: Page, box: Box) -> tuple[Page, tuple[int, ...]]:
    """The words whose centres lie in a box as a page of its size, and where each of them stands in ``page.words``."""
    x0, y0, x1, y1 = box
    inside = tuple(
        index
        for index, word in enumerate(page.words)
        if x0 <= (word.box[0] + word.box[2]) / 2 <= x1 and y0 <= (word.box[1] + word.box[3]) / 2 <= y1
    )
    words = []
    for index in inside:
        a, b, c, d = page.words[index].box
        words.append(replace(page.words[index], box=(a - x0, b - y0, c - x0, d - y0)))
    return Page(page.number, x1 - x0, y1 - y0, tuple(words), page.source if words else None), inside


def moved_shape(shape: Shape, x: float, y: float) -> Shape:
    """The shape farther right and down by so many points."""
    parts = tuple(tuple(value + (y if at % 2 else x) for at, value in enumerate(part)) for part in shape.parts)
    return replace(shape, parts=parts)
