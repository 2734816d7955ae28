"""Finds the parts of a page and what each of them is: titles, paragraphs, items, captions, footnotes, tables, pictures, heads and feet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import cv2
import numpy as np

from pipeline.records import Box, PageImage, Region, RegionKind, Word
from pipeline.values.boxes import bounding_box
from pipeline.words.layout_network import layout_network
from pipeline.words.word_sheet import WordSheet

MIN_WORDS, MAX_WORDS = 30, 20_000
"""A page of fewer words has no layout to speak of; one of more words is a table of numbers or a trap, and takes too long."""
USUAL_LETTERS, SMALL_LETTERS, LARGE_LETTERS = 11.0, 8.0, 16.0
"""Heights of words in points: of usual print, and from which a page was measured wrongly, as scans without a resolution are."""
USUAL_SIDE, MAX_SIDE = 1_000.0, 2_000.0
"""Points of the longer side of a page: of a page whose large letters are no mistake, and of the largest that the network sees."""
MIN_PICTURE = 20.0
"""Points of the shorter side of a picture without words."""
SAME_PLACE = 0.5
"""Share of a picture that another region covers, from which both are one."""
_KINDS: Mapping[str, RegionKind] = {
    "text": "text",
    "title": "title",
    "section-header": "heading",
    "list-item": "list",
    "caption": "caption",
    "footnote": "footnote",
    "table": "table",
    "picture": "picture",
    "formula": "formula",
    "page-header": "header",
    "page-footer": "footer",
}


def find_regions(words: Sequence[Word], image: PageImage, width: float, height: float, threads: int = 1) -> tuple[Region, ...]:
    """Return the regions of an upright page, in no order; none for a page with few words, and where the network is not installed.

    Each word is in one region at most. ``image`` shows the page of ``width`` times ``height`` points in any resolution.
    """
    if not has_layout(words) or min(width, height) <= 0:
        return ()
    network = layout_network(threads)
    if network is None:
        return ()
    scale = _scale(words, max(width, height))
    scaled = words if scale == 1 else [_scaled(word, scale) for word in words]
    sheet = WordSheet(scaled, _resized(image, width * scale, height * scale), width * scale, height * scale)
    try:
        groups = network.predict(sheet, return_raw=True)
        pictures = network.feature_extractor.get_picture_detections()
    finally:
        sheet.close()
    regions = _regions(groups, scaled, 1 / scale)
    return (*regions, *_pictures(pictures, regions, 1 / scale))


def has_layout(words: Sequence[Word]) -> bool:
    """Whether a page of these words is given to the network."""
    return MIN_WORDS <= len(words) <= MAX_WORDS


def _scale(words: Sequence[Word], side: float) -> float:
    """By how much the page is enlarged for the network, which knows print of usual size on usual paper."""
    letters = max(0.1, median(word.box[3] - word.box[1] for word in words))
    scale = 1.0
    if letters < SMALL_LETTERS:
        scale = USUAL_LETTERS / letters
    elif letters > LARGE_LETTERS and side > USUAL_SIDE:
        scale = max(USUAL_LETTERS / letters, USUAL_SIDE / side)
    return min(scale, MAX_SIDE / side)


def _scaled(word: Word, scale: float) -> Word:
    x0, y0, x1, y1 = word.box
    return Word(word.text, (x0 * scale, y0 * scale, x1 * scale, y1 * scale), word.line, bold=word.bold)


def _resized(image: PageImage, width: float, height: float) -> PageImage:
    """The image with one pixel a point, as the network was trained."""
    size = max(1, round(width)), max(1, round(height))
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return PageImage(size[0], size[1], small.tobytes(), 1.0)


def _regions(groups: Iterable[Mapping[str, Any]], words: Sequence[Word], scale: float) -> list[Region]:
    """The network's groups of lines, with the words whose centres lie in these lines."""
    places = _Places(words)
    regions: list[Region] = []
    for group in sorted(groups, key=lambda group: _area(group["group_bbox"])):
        members = sorted({number for box in group["bboxes"] for number in places.take(box)})
        if not members:
            continue
        x0, y0, x1, y1 = bounding_box(words[number].box for number in members)
        rows, columns = _grid(group)
        regions.append(
            Region(
                _KINDS.get(group["class_name"], "text"),
                (x0 * scale, y0 * scale, x1 * scale, y1 * scale),
                tuple(members),
                tuple(y * scale for y in rows),
                tuple(x * scale for x in columns),
            )
        )
    return regions


def _grid(group: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """Where rows and columns of a table are separated; two empty lists for other groups."""
    grid = group.get("table_grid")
    if grid is None:
        return [], []
    x0, y0 = group["group_bbox"][:2]
    return [float(y0 + y) for y in grid.h_lines], [float(x0 + x) for x in grid.v_lines]


class _Places:
    """The centres of words. Each word is found once."""

    def __init__(self, words: Sequence[Word]) -> None:
        centres = (((word.box[1] + word.box[3]) / 2, (word.box[0] + word.box[2]) / 2) for word in words)
        self._centres = sorted((y, x, number) for number, (y, x) in enumerate(centres))
        self._taken: set[int] = set()

    def take(self, box: Sequence[float]) -> list[int]:
        """The words whose centres lie in the box and that were not taken before."""
        x0, y0, x1, y1 = box[:4]
        found: list[int] = []
        for y, x, number in self._centres[bisect_left(self._centres, (y0, 0.0, 0)) :]:
            if y > y1:
                break
            if x0 <= x <= x1 and number not in self._taken:
                found.append(number)
        self._taken.update(found)
        return found


def _pictures(boxes: Iterable[Sequence[float]], regions: Sequence[Region], scale: float) -> list[Region]:
    """Pictures that the network sees in the pixels, those without a region in their place."""
    pictures: list[Region] = []
    for x0, y0, x1, y1 in boxes:
        box = (float(x0) * scale, float(y0) * scale, float(x1) * scale, float(y1) * scale)
        covered = sum(_common_area(box, region.box) for region in (*regions, *pictures))
        if min(box[2] - box[0], box[3] - box[1]) >= MIN_PICTURE * scale and covered < SAME_PLACE * _area(box):
            pictures.append(Region("picture", box))
    return pictures


def _area(box: Sequence[float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _common_area(a: Box, b: Box) -> float:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
