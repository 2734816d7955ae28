"""A MuPDF page with all that is asked about how it is painted. Each answer is computed once, when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.words.page_trace import PageTrace
from pipeline.words.paint_log import PaintLog


class PaintedPage:
    """``page`` is a ``pymupdf.Page``, which must not change meanwhile."""

    def __init__(self, page: pymupdf.Page) -> None:
        self.page = page
        self.trace = PageTrace(page)

    @cached_property
    def log(self) -> PaintLog:
        """What the page paints, in order."""
        return PaintLog(self.page)

    @cached_property
    def display_list(self) -> Any:
        """The page as MuPDF's ``DisplayList``, from which parts of it are drawn quickly."""
        return self.page.get_displaylist()
