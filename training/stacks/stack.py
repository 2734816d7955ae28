"""Puts documents together to a stack with known cuts: mixed senders, a month of one sender, copies, blank pages, pages of terms."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.checks.split.boundary_features import Features, boundary_features
from pipeline.checks.split.file_page import FilePage, KeyFields
from pipeline.checks.value_comparison import is_absent
from pipeline.records import Page, Word
from training.generator.vocabulary import languages, words
from training.stacks.senders import DrawnDocument, noisy, read_page, template

FOLDS = 4
MAX_DOCUMENTS = 7
SINGLE, ONE_SENDER = 0.2, 0.35
"""Shares of files with one document, and of stacks with documents of one sender alone."""
SCANNED = 0.55
COPY, LATE_COPY, BLANK, TERMS, WITHOUT_MARKS, COINCIDENCE = 0.12, 0.03, 0.15, 0.12, 0.04, 0.08


@dataclass(frozen=True)
class StackPage:
    """A page of a stack. ``document`` is the number of its document; of a copy, that of the document it repeats; -1 for a blank page."""

    page: FilePage
    document: int
    is_copy: bool = False
    source: tuple[DrawnDocument, int] | None = None
    """The document and the number of the page in it; None for a page of terms and a blank one."""


@dataclass(frozen=True)
class Stack:
    """A file of several documents with its truth. ``fold``: its senders are in no stack of another fold."""

    number: int
    fold: int
    kind: str
    is_scan: bool
    pages: Sequence[StackPage]

    @property
    def keys(self) -> KeyFields:
        """The fields that tell its documents apart."""
        return KeyFields.of(template(self.kind))

    def boundaries(self) -> list[tuple[Features, bool]]:
        """Features of each place between two pages, given what is before it, and whether a document begins there."""
        found: list[tuple[Features, bool]] = []
        before: list[StackPage] = []
        blank = False
        for item in self.pages:
            if item.document < 0:
                blank = True
                continue
            if before:
                features = boundary_features([other.page for other in before], item.page, self.keys, blank_between=blank)
                begins = item.document != before[-1].document
                found.append((features, begins))
                before = [] if begins else before
            before.append(item)
            blank = False
        return found


def make_stack(senders: Mapping[str, Sequence[DrawnDocument]], number: int, seed: str = "stack") -> Stack:
    """Stack ``number``, whose senders are all of one fold."""
    rng = random.Random(f"{seed} {number}")
    fold = number % FOLDS
    kind = "receipt" if rng.random() < 0.2 else "invoice"
    own = {name: found for name, found in senders.items() if fold_of(name) == fold and found[0].kind == kind}
    is_scan = rng.random() < SCANNED
    items: list[StackPage] = []
    keys = KeyFields.of(template(kind))
    for at, document in enumerate(_chosen(own, rng)):
        pages_of = _document_pages(document, at, rng, is_scan=is_scan)
        coinciding = [name for name in (keys.date, *keys.totals) if name and rng.random() < COINCIDENCE]
        items += [replace(item, page=_with_values(item.page, items, coinciding)) for item in pages_of]
    if rng.random() < LATE_COPY and len({item.document for item in items}) > 1:
        items += [
            _copied(item, rng, is_scan=is_scan) for item in items if item.document == 0 and item.source and not item.is_copy
        ]
    pages = [replace(item, page=_numbered(item.page, at)) for at, item in enumerate(items, 1)]
    if rng.random() < WITHOUT_MARKS:
        pages = [replace(item, page=replace(item.page, marks=None)) for item in pages]
    return Stack(number, fold, kind, is_scan, pages)


def fold_of(sender: str) -> int:
    """The fold of a sender."""
    return zlib.crc32(sender.encode()) % FOLDS


def _chosen(senders: Mapping[str, Sequence[DrawnDocument]], rng: random.Random) -> list[DrawnDocument]:
    chance = rng.random()
    if chance < SINGLE:
        long = [document for found in senders.values() for document in found if len(document.pages) > 1]
        return [rng.choice(long or [document for found in senders.values() for document in found])]
    if chance < SINGLE + ONE_SENDER:
        found = list(rng.choice([found for found in senders.values() if len(found) > 1]))
        rng.shuffle(found)
        return found
    count = rng.randint(2, MAX_DOCUMENTS)
    documents = [rng.choice(found) for found in rng.sample(list(senders.values()), min(count, len(senders)))]
    long = [document for found in senders.values() for document in found if len(document.pages) > 1]
    unused = [document for document in long if document.sender not in {other.sender for other in documents}]
    if unused and rng.random() < 0.5:  # documents of several pages are rare, and what the search is about
        documents[rng.randrange(len(documents))] = rng.choice(unused)
    return documents


def _document_pages(document: DrawnDocument, at: int, rng: random.Random, *, is_scan: bool) -> list[StackPage]:
    reading = 1 if is_scan else 0
    items = [StackPage(page, at, source=(document, number)) for number, page in enumerate(document.readings[reading], 1)]
    own = list(items)
    if rng.random() < TERMS:
        items.append(StackPage(_terms(document, rng, is_scan=is_scan), at))
    for _ in range(2 if rng.random() < 0.2 else 1):
        if rng.random() < COPY:
            items += [_copied(item, rng, is_scan=is_scan) for item in own]
    if rng.random() < BLANK:
        items.append(StackPage(FilePage(0, "blank"), -1))
    return items


def _with_values(page: FilePage, earlier: Sequence[StackPage], names: Sequence[str]) -> FilePage:
    """The page with the values of some fields that the document before it has: two bills of one day, two of one amount."""
    values = {name: found for name in names for item in earlier[::-1] if not is_absent(found := item.page.value(name))}
    changed = {name: replace(page.fields[name], value=values[name]) for name in names if name in values and page.has(name)}
    return replace(page, fields={**page.fields, **changed}) if changed else page


def _copied(item: StackPage, rng: random.Random, *, is_scan: bool) -> StackPage:
    assert item.source is not None  # noqa: S101 - only drawn pages are copied
    document, number = item.source
    page = document.readings[2 if is_scan else 0][number - 1]
    if page.marks and rng.random() < 0.6:
        page = replace(page, marks=replace(page.marks, calls_itself_copy=True))
    return replace(item, page=page, is_copy=True)


def _terms(document: DrawnDocument, rng: random.Random, *, is_scan: bool) -> FilePage:
    """A page of terms behind a document, half of the time with its letterhead, sometimes with its page number."""
    first = document.pages[0]
    language = rng.choice(list(languages()))
    sentences = [text for name in ("notes", "sentence") for text in words(language, name)] or ["Terms"]
    printed: list[Word] = []
    if rng.random() < 0.5:
        printed += [word for word in first.words if word.box[3] < 0.14 * first.height]
    size = rng.uniform(6, 10)
    y, line = 0.2 * first.height, 1000
    while y < 0.9 * first.height:
        x = 50.0
        while x < first.width - 100:
            for text in rng.choice(sentences).split():
                width = 0.5 * size * len(text)
                if x + width > first.width - 50:
                    x = first.width
                    break
                printed.append(Word(text, (x, y, x + width, y + size), line, size=size))
                x += width + 0.3 * size
        y += 1.5 * size
        line += 1
    page = Page(1, first.width, first.height, tuple(printed), "textlayer")
    read = read_page(noisy(page, rng) if is_scan else page, document.kind)
    last = document.readings[0][-1].marks
    if read.marks and last and last.printed_page and rng.random() < 0.5:
        pages = last.printed_pages if rng.random() < 0.5 else 0
        read = replace(read, marks=replace(read.marks, printed_page=last.printed_page + 1, printed_pages=pages))
    return read


def _numbered(page: FilePage, number: int) -> FilePage:
    marks = replace(page.marks, page=number) if page.marks else None
    return replace(page, number=number, marks=marks)
