"""The marks of pages in the ledger: what each page shows about the document that it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pipeline.ledger.connection import LedgerConnection
from pipeline.split_records import Barcode, PageMarks


class PageMarkRecords(LedgerConnection):
    """The table ``page_marks``."""

    def insert_page_marks(self, sha256: str, marks: Iterable[PageMarks]) -> None:
        """Write the marks of pages as part of an open transaction."""
        rows = [(sha256, page.page, json.dumps(asdict(page), ensure_ascii=False)) for page in marks]
        if rows:
            self._db.executemany("INSERT OR REPLACE INTO page_marks VALUES (?, ?, ?)", rows)

    def page_marks(self, sha256: str) -> dict[int, PageMarks]:
        """The marks of a document's pages by page; those that an older version has read have none."""
        query = "SELECT page, marks FROM page_marks WHERE sha256 = ?"
        return {page: _marks(json.loads(text)) for page, text in self._db.execute(query, [sha256])}


def _marks(stored: dict[str, Any]) -> PageMarks:
    lists = {name: tuple(stored[name]) for name in ("head", "foot", "sketch")}
    codes = tuple(Barcode(code["format"], code["text"], tuple(code["box"]), code["page"]) for code in stored["barcodes"])
    return PageMarks(**{**stored, **lists, "barcodes": codes})
