"""The words of pages in the ledger, by which people find documents."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from pipeline.ledger.connection import LedgerConnection


class PageTextRecords(LedgerConnection):
    """The table ``page_texts``."""

    def insert_page_texts(self, sha256: str, texts: Mapping[int, str]) -> None:
        """Write the words of pages as part of an open transaction."""
        rows = [(sha256, page, zlib.compress(text.encode(errors="replace"))) for page, text in texts.items()]
        self._db.executemany("INSERT OR REPLACE INTO page_texts VALUES (?, ?, ?)", rows)

    def page_texts(self, sha256: str) -> dict[int, str]:
        """The words of a document's pages by page; pages that an older version has read have none."""
        query = "SELECT page, text FROM page_texts WHERE sha256 = ? ORDER BY page"
        return {page: zlib.decompress(text).decode() for page, text in self._db.execute(query, [sha256])}
