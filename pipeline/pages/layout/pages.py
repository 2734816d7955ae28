"""Puts strips on pages, one below the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.errors import DocumentError
from pipeline.pages.layout.blocks import Block, PageBreak, Remark, Sheet
from pipeline.pages.layout.lines import PlacedWord
from pipeline.pages.layout.sheets import SheetLayout, SheetStrip
from pipeline.pages.layout.strips import Rule, Strip, strips

WIDTH, HEIGHT, MARGIN = 595.0, 842.0, 50.0
"""A4, in points."""
WIDE = 842.0
"""Width of a page across, for sheets that need it; wider ones get pages that are wider still."""
MAX_HEADING_SHARE = 0.3
"""The most of a page's height that repeated headings may take."""
MAX_REMARKS = 12


@dataclass(slots=True)
class LaidOutPage:
    """Words and rules of one page, with their places from its top left corner in points."""

    width: float
    height: float
    words: list[PlacedWord] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)


@dataclass(slots=True)
class LaidOut:
    """All pages of a file, at least one."""

    pages: list[LaidOutPage]
    remarks: list[str]
    rest: DocumentError | None = None
    """Why the file's further contents are on no page."""


class _FullError(Exception):
    """The file has more words than may be read."""


def lay_out(blocks: Iterable[Block], max_words: int) -> LaidOut:
    """Pages with at most ``max_words`` words. Blocks are taken one at a time, and no more of them than needed."""
    flow = _Flow(max_words)
    rest = None
    try:
        for block in blocks:
            flow.put(block)
    except _FullError:
        detail = f"the file has more than {max_words:,} words (limits.words); what follows {flow.last_place} is not read"
        rest = DocumentError("too_large", detail)
    return LaidOut(flow.finished(), flow.remarks, rest)


class _Flow:
    """The pages so far, and the place on the last of them."""

    def __init__(self, max_words: int) -> None:
        self.pages: list[LaidOutPage] = []
        self.remarks: list[str] = []
        self.last_place = "its beginning"
        self._left = max_words
        self._top = MARGIN
        self._width = WIDTH

    def put(self, block: Block) -> None:
        if isinstance(block, PageBreak):
            self._close_page()
        elif isinstance(block, Remark):
            if len(self.remarks) < MAX_REMARKS and block.text not in self.remarks:
                self.remarks.append(block.text)
        elif isinstance(block, Sheet):
            self._put_sheet(SheetLayout(block))
        else:
            self._put_strips(strips([block], self._width - 2 * MARGIN))

    def finished(self) -> list[LaidOutPage]:
        while self.pages and not self.pages[-1].words:
            self.pages.pop()
        return self.pages or [LaidOutPage(WIDTH, HEIGHT)]

    def _put_strips(self, all_strips: Iterable[Strip]) -> None:
        headings: list[Strip] = []
        for strip in all_strips:
            self._charge(strip)
            if strip.heading and sum(each.height for each in headings) + strip.height < MAX_HEADING_SHARE * HEIGHT:
                headings.append(strip)
            if self._top > MARGIN and self._top + strip.space + strip.height > HEIGHT - MARGIN:
                self._close_page()
                for heading in headings if not strip.heading else ():
                    self._place(heading)
            self._place(strip)

    def _put_sheet(self, layout: SheetLayout) -> None:
        """A sheet begins on a page of its own, and so does what follows it."""
        self._close_page()
        widths = layout.page_widths
        if len(widths) == 1:
            self._width = _page_width(widths[0])
            self._put_strips(strip.groups[0] for strip in layout.strips())
        else:
            self._put_groups(layout, widths)
        self._close_page()
        self._width = WIDTH

    def _put_groups(self, layout: SheetLayout, widths: list[float]) -> None:
        """Rows for one page, first with the left columns, then with those to the right of them, as printed sheets have it."""
        waiting: list[SheetStrip] = []
        headings: list[SheetStrip] = []
        taken = 0.0

        def put_page() -> None:
            for number, width in enumerate(widths):
                self._width = _page_width(width)
                for row in waiting:
                    self._place(row.groups[number])
                self._close_page()

        for row in layout.strips():
            for strip in row.groups:
                self._charge(strip)
            height = row.groups[0].height + row.groups[0].space
            if waiting and taken + height > HEIGHT - 2 * MARGIN:
                put_page()
                waiting = list(headings)
                taken = sum(heading.groups[0].height for heading in headings)
            if row.groups[0].heading and not headings:
                headings.append(row)
            waiting.append(row)
            taken += height
        put_page()

    def _charge(self, strip: Strip) -> None:
        """Count a strip against the limit: its words, and itself where it has none."""
        self._left -= len(strip.words) or 1
        if self._left < 0:
            raise _FullError
        if strip.words:
            self.last_place = strip.words[-1].place

    def _place(self, strip: Strip) -> None:
        if not strip.words and (not self.pages or self._top in (0.0, MARGIN)):  # a blank line at the top of a page
            return
        if not self.pages or self._top == 0.0:
            self.pages.append(LaidOutPage(self._width, HEIGHT))
            self._top = MARGIN
        self._top += strip.space if self._top > MARGIN else 0.0
        if strip.height > HEIGHT - 2 * MARGIN:
            self._place_in_parts(strip)
            return
        self._draw(strip.words, strip.rules, self._top)
        self._top += strip.height

    def _place_in_parts(self, strip: Strip) -> None:
        """A row that is higher than a page: its lines go to as many pages as they need."""
        bottom = HEIGHT - MARGIN
        shift = self._top
        for word in sorted(strip.words, key=lambda each: each.base):
            if word.base + shift > bottom:
                self._close_page()
                self.pages.append(LaidOutPage(self._width, HEIGHT))
                shift = MARGIN + word.size - word.base
            self._draw([word], (), shift)
        self._top = min(bottom, shift + strip.height)

    def _draw(self, words: Iterable[PlacedWord], rules: Iterable[Rule], top: float) -> None:
        page = self.pages[-1]
        words = list(words)
        page.width = max(page.width, *(word.x1 + 2 * MARGIN for word in words)) if words else page.width
        page.words += [word.moved(MARGIN, top) for word in words]
        page.rules += [(x0 + MARGIN, y0 + top, x1 + MARGIN, y1 + top) for x0, y0, x1, y1 in rules]

    def _close_page(self) -> None:
        """What follows goes on a new page, unless the present one is empty."""
        if self.pages and not self.pages[-1].words:
            self.pages.pop()
        self._top = 0.0


def _page_width(needed: float) -> float:
    needed += 2 * MARGIN
    return WIDTH if needed <= WIDTH else WIDE if needed <= WIDE else needed
