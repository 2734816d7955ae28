"""One document of an evaluation: its truth, its result, and what is right of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.evaluate.expected import Truth
from pipeline.evaluate.intervals import Share
from pipeline.evaluate.layouts import UNKNOWN_LAYOUT, Layout
from pipeline.evaluate.read_results import ReadDocument
from pipeline.evaluate.scoring import Cell
from pipeline.safe_open import open_named_file

MISSING_FILE = "the file is not there"
UNREAD = ("failed", "skipped", "partial")


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """One document with its cells."""

    truth: Truth
    sha256: str
    """Of the file; empty where it is not there."""
    result: ReadDocument | None
    cells: tuple[Cell, ...]
    language: str = ""
    layout: Layout = UNKNOWN_LAYOUT
    aside: tuple[Cell, ...] = ()
    """Tables that are not among the scored values; see ``Truth.uncounted``."""

    @property
    def share(self) -> Share:
        """Right ones among its cells."""
        return Share(sum(cell.right for cell in self.cells), len(self.cells))

    @property
    def problem(self) -> str:
        """Why it was not read, or not wholly; empty where it was."""
        if not self.sha256:
            return MISSING_FILE
        if self.result is None:
            return "not read"
        if self.result.status in UNREAD:
            return f"{self.result.status}: {self.result.reason}: {self.result.detail}"
        return ""


def hashes_of(truths: Iterable[Truth]) -> dict[Path, str]:
    """sha256 of every file that is there and can be read."""
    hashes = {}
    for truth in truths:
        try:
            with open_named_file(truth.path) as file:
                hashes[truth.path] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            continue
    return hashes
