"""The charts of a report or of slides: each is a document of its own."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.checks.split.file_page import FilePage
from pipeline.split_records import Cut, LeftOut, PageRange, Split

SURE = 0.999
"""How likely a chart is a document of its own: nothing is certain."""
FIGURE_REASON = "each chart is a document"


def figures_of(pages: Sequence[FilePage]) -> Split | None:
    """How a file is split whose pages show charts among text; None where it has one chart.

    A page that is one chart is a document, too. Pages without a chart are left out. A page that was not read stays a document, so that
    its failure is seen.
    """
    documents: list[PageRange] = []
    left_out: list[tuple[int, LeftOut]] = []
    for page in pages:
        if page.shows_figures:
            documents += [PageRange((page.number,), (), part) for part in range(1, page.sheet_parts + 1)]
        elif page.status == "blank":
            left_out.append((page.number, "blank"))
        elif page.status == "done" and not any(page.has(name) for name in page.fields):
            left_out.append((page.number, "no chart"))
        else:
            documents.append(PageRange((page.number,)))
    if len(documents) < 2:
        return None
    begins = sorted({document.pages[0] for document in documents} - {pages[0].number})
    cuts = tuple(Cut(number, is_cut=True, probability=SURE, reasons=(FIGURE_REASON,)) for number in begins)
    return Split("auto", tuple(documents), cuts, tuple(left_out))
