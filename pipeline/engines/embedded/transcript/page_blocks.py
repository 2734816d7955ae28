"""Makes the blocks of a page from the regions of its learned layout: what stands around the text apart, regions that overlap joined.

The network names the lines of a page and joins them to groups. It is sure of heads, feet and tables, and less sure where one paragraph
ends. So regions that lie over each other are one block, whose columns the reader of lines finds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from pipeline.engines.embedded.transcript.page_furniture import PageFurniture, has_margins
from pipeline.engines.embedded.transcript.reading_order import parts_in_reading_order
from pipeline.engines.embedded.transcript.word_runs import WordRun, make_rows, make_runs
from pipeline.records import Box, Page, Region, RegionKind, Word
from pipeline.values.boxes import bounding_box

OVERLAP = 0.2
"""Share of the smaller of two regions that lies in the other, from which they are one block."""
EDGE = 0.15
"""Share of the page's height, from both ends, in which a row with a part of a head or foot is one."""
NEVER_AROUND: frozenset[RegionKind] = frozenset({"footnote", "title", "table"})
"""Kinds of regions of which the network is surer than rules of place and form."""
NUMBERED: frozenset[RegionKind] = frozenset({"heading", "title", "list"})
_NUMBER = re.compile(r"\(?(\d{1,3})[.):]")
MIN_RUNS = 6
"""Fewest runs of words in which columns are looked for."""
TEXT_KINDS: frozenset[RegionKind] = frozenset({"text", "list", "heading", "title", "footnote", "caption", "formula"})


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the page that is read as a whole. ``kind`` is that of its largest region."""

    kind: RegionKind
    box: Box
    runs: tuple[WordRun, ...]
    regions: tuple[Region, ...]
    """The regions that it is made of; none for words that are in no region."""
    number: int | None = None
    """The number that a heading or an item begins with."""


def split_page(page: Page, found: PageFurniture) -> tuple[PageFurniture, list[Block]]:
    """Return what stands around the text, and the blocks of the text in no order. ``found`` is furniture by its form and place."""
    kept = {index for region in page.regions if region.kind in NEVER_AROUND for index in region.words}
    tables = {index for region in page.regions if region.kind == "table" for index in region.words}
    kept -= set(page.running) - tables  # a title on every page is the running head
    found = PageFurniture(
        *(tuple(run for run in runs if kept.isdisjoint(run.words)) for runs in (found.header, found.footer, found.side))
    )
    outside = {index for run in (*found.header, *found.footer, *found.side) for index in run.words}
    regions = page.regions if has_margins(page) else ()
    heads = {index for region in regions if region.kind == "header" for index in region.words} - outside
    feet = {index for region in regions if region.kind == "footer" for index in region.words} - outside
    heads, feet = _whole_rows(page, heads, feet, outside)
    header = (*found.header, *make_runs(page.words, sorted(heads)))
    footer = (*found.footer, *make_runs(page.words, sorted(feet)))
    return PageFurniture(header, footer, found.side), page_blocks(page, outside | heads | feet)


def _whole_rows(page: Page, heads: set[int], feet: set[int], outside: set[int]) -> tuple[set[int], set[int]]:
    """The words of heads and feet, with those beside them near the end of the page: other parts of the same line."""
    if not heads and not feet:
        return heads, feet
    single = {index for region in page.regions if _is_one_line(region, page) for index in region.words}
    runs = make_runs(page.words, [index for index in range(len(page.words)) if index not in outside])
    for row in make_rows(runs):
        middle = row[0].middle / max(page.height, 1.0)
        for named, near in ((heads, middle < EDGE), (feet, middle > 1 - EDGE)):
            if near and any(named.intersection(run.words) for run in row):
                named.update(index for run in row if single.issuperset(run.words) for index in run.words)
    return heads, feet


def _is_one_line(region: Region, page: Page) -> bool:
    if region.kind in ("table", "picture") or not region.words:
        return False
    lines = {page.words[index].line for index in region.words}
    heights = [page.words[index].box[3] - page.words[index].box[1] for index in region.words]
    return len(lines) == 1 or region.box[3] - region.box[1] < 1.6 * max(heights)


def page_blocks(page: Page, outside: Collection[int] = ()) -> list[Block]:
    """Return the blocks of the page in no order, without the words ``outside`` of it."""
    blocks: list[Block] = []
    taken: set[int] = set()
    for region in page.regions:
        indices = [index for index in region.words if index not in outside]
        if region.words and not indices:
            continue
        taken.update(indices)
        runs = make_runs(page.words, indices)
        box = bounding_box(run.box for run in runs) if runs else region.box
        number = _leading_number(page.words[indices[0]].text) if indices and region.kind in NUMBERED else None
        blocks += _split_columns(Block(region.kind, box, tuple(runs), (region,), number), page.words)
    rest = [index for index in range(len(page.words)) if index not in taken and index not in outside]
    blocks += [Block("text", run.box, (run,), ()) for run in make_runs(page.words, rest)]
    groups = _groups([block.box for block in blocks])
    return [part for group in groups for part in _joined([blocks[number] for number in group], page.words)]


def _leading_number(text: str) -> int | None:
    match = _NUMBER.fullmatch(text)
    return int(match[1]) if match else None


def _joined(blocks: Sequence[Block], words: Sequence[Word]) -> list[Block]:
    """Blocks that lie over each other as one, or as its columns."""
    if len(blocks) == 1:
        return list(blocks)
    largest = max(blocks, key=lambda block: (len(block.runs), _area(block.box)))
    runs = sorted((run for block in blocks for run in block.runs), key=lambda run: run.words[0])
    regions = tuple(region for block in blocks for region in block.regions)
    return _split_columns(Block(largest.kind, bounding_box(block.box for block in blocks), tuple(runs), regions), words)


def _split_columns(block: Block, words: Sequence[Word]) -> list[Block]:
    """The columns of a block of text, where the network joined lines across the white between them."""
    if block.kind not in TEXT_KINDS or len(block.runs) < MIN_RUNS:
        return [block]
    parts = [[run for row in part for run in row] for part in parts_in_reading_order(list(block.runs), words)]
    if len(parts) < 2:
        return [block]
    return [replace(block, box=bounding_box(run.box for run in part), runs=tuple(part)) for part in parts]


def _groups(boxes: Sequence[Box]) -> Iterable[list[int]]:
    """The numbers of boxes that lie over each other, directly or by others."""
    first = list(range(len(boxes)))

    def root(number: int) -> int:
        while first[number] != number:
            first[number] = first[first[number]]
            number = first[number]
        return number

    for a, b in combinations(range(len(boxes)), 2):
        if _common_area(boxes[a], boxes[b]) > OVERLAP * max(1.0, min(_area(boxes[a]), _area(boxes[b]))):
            first[root(b)] = root(a)
    groups: dict[int, list[int]] = {}
    for number in range(len(boxes)):
        groups.setdefault(root(number), []).append(number)
    return groups.values()


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _common_area(a: Box, b: Box) -> float:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
