"""The records about files that hold several documents: what each page shows about where a document begins, and how a file is split.

Frozen dataclasses, like ``pipeline.records``. Page numbers count from 1 and are those of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.records import Box

SplitPolicy = Literal["auto", "barcode", "blank", "never"]
"""Where a file is cut: by all evidence, only at separator sheets, only at blank pages, or not at all."""
SplitSource = Literal["auto", "barcode", "blank", "person"]
MAX_LABEL = 60
"""Letters of the label of a part."""
LeftOut = Literal["blank", "separator", "person", "no chart"]
"""Why a page belongs to no document: it is blank, a separator sheet, a page of text between charts, or a person left it out."""


@dataclass(frozen=True, slots=True)
class Barcode:
    """A barcode or QR code on a page."""

    format: str
    """As zxing-cpp names it: ``Code39``, ``QRCode`` …"""
    text: str
    box: Box
    """In points of the page in which it was found."""
    page: int = 0
    """Number of the page."""


@dataclass(frozen=True, slots=True)
class PageMarks:
    """What a page shows, besides the fields of a template, about the document that it belongs to. Texts are kept as hashes."""

    page: int
    width: float = 0.0
    height: float = 0.0
    words: int = 0
    """Number of words."""
    is_scan: bool = False
    printed_page: int = 0
    """The printed number of the page; 0 where there is none."""
    printed_pages: int = 0
    """The printed number of pages: the 3 of "page 1 of 3"; 0 where there is none."""
    calls_itself_copy: bool = False
    """Whether it is headed as a copy, duplicate or triplicate."""
    is_carried_on: bool = False
    """Whether it carries a sum to the next page or from the one before."""
    head: tuple[int, ...] = ()
    """Hashes of the words in its upper part."""
    foot: tuple[int, ...] = ()
    """Hashes of the words at its foot."""
    sketch: tuple[int, ...] = ()
    """The smallest hashes of its words: the share that two pages have in common is about that of their words (Broder, 1997)."""
    barcodes: tuple[Barcode, ...] = ()


@dataclass(frozen=True, slots=True)
class PageRange:
    """The pages of one document in a file, in the order in which they are read."""

    pages: tuple[int, ...]
    copies: tuple[int, ...] = ()
    """Pages that repeat them; they count for nothing."""
    sheet_part: int = 0
    """Which of several documents on one page it is, from 1; 0 for whole pages."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A document of a file that is split."""

    file: str
    """The name of the file's own result."""
    pages: PageRange


@dataclass(frozen=True, slots=True)
class Cut:
    """A place between two pages, and whether a document ends there."""

    before: int
    """The first page behind it."""
    is_cut: bool
    probability: float
    """How likely a document begins at ``before``."""
    reasons: tuple[str, ...] = ()
    """What speaks for and against it, in words."""
    is_doubtful: bool = False
    """Whether a person should look at it."""


@dataclass(frozen=True, slots=True)
class Split:
    """How a file is split into documents."""

    source: SplitSource
    documents: tuple[PageRange, ...]
    """In the order of their first pages."""
    cuts: tuple[Cut, ...] = ()
    """All places between pages that were judged, also those without a cut."""
    left_out: tuple[tuple[int, LeftOut], ...] = ()
    """Pages that belong to no document, with the reason."""
    order_note: str = ""
    """Why the pages are read in another order than that of the file; empty where they are not."""

    @property
    def doubts(self) -> Sequence[Cut]:
        """The places that a person should look at."""
        return [cut for cut in self.cuts if cut.is_doubtful]


def document_key(sha256: str, part: FilePart | None) -> str:
    """What corrections of a document are recorded under: the hash of the file, and the first page of a part of it.

    So they stay where the document gets more pages or loses some.
    """
    if part is None:
        return sha256
    sheet = f".{part.pages.sheet_part}" if part.pages.sheet_part else ""
    return f"{sha256}#{min(part.pages.pages)}{sheet}"


def contents_of(key: str) -> str:
    """The hash of the file in a ``document_key``."""
    return key.partition("#")[0]


def page_list(numbers: Sequence[int]) -> str:
    """Pages as a person writes them: ``1-3``, ``1+4``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return "+".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def pages_text(pages: PageRange) -> str:
    """The pages of a document in words: ``1-3``; ``2 (document 1)`` where others are on the same page."""
    text = page_list(pages.pages)
    return f"{text} (document {pages.sheet_part})" if pages.sheet_part else text


def part_label(pages: PageRange) -> str:
    """Which part of a file a document is, as a file name: ``1-3``, ``1+4``, ``2.1`` for the first document on page 2.

    Of many pages that do not follow each other only the first one is named, with their number.
    """
    if pages.sheet_part:
        return f"{pages.pages[0]}.{pages.sheet_part}"
    label = page_list(pages.pages)
    return label if len(label) <= MAX_LABEL else f"{min(pages.pages)}+{len(pages.pages) - 1} pages"
