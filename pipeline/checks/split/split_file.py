"""Decides how a file is split into documents, from what was read of its pages. It reads nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pipeline.checks.split.boundary_features import boundary_features, reasons
from pipeline.checks.split.boundary_model import boundary_model
from pipeline.checks.split.document_copies import copies_of, without_copies
from pipeline.checks.split.figure_documents import figures_of
from pipeline.checks.split.file_page import FilePage, KeyFields
from pipeline.checks.split.page_order import ORDER_NOTE, duplex_order, is_fed_twice
from pipeline.split_records import Cut, LeftOut, PageRange, Split, SplitPolicy

MAX_SEPARATOR_WORDS = 80
"""A sheet with more words, or with a total, is the first page of a document and no separator."""
LEAST, MOST = 0.001, 0.999
"""The lowest and the highest probability that is given: nothing is certain."""
CUT = 0.5
"""Probability from which a file is cut."""


@dataclass(frozen=True, slots=True)
class BarcodeRules:
    """Texts of barcodes, in which ``*`` stands for any letters, upper and lower case alike."""

    separators: Sequence[str] = ()
    """On sheets between two documents, which belong to neither."""
    first_pages: Sequence[str] = ()
    """On the first page of a document, for example an archive number."""


@dataclass(slots=True)
class _Group:
    """The pages of a document, while they are collected."""

    pages: list[FilePage] = field(default_factory=list)


def split_file(
    pages: Sequence[FilePage], keys: KeyFields, policy: SplitPolicy, barcodes: BarcodeRules = BarcodeRules()
) -> Split | None:
    """How a file is split. None where it is one document without a doubt, and its pages are in order.

    Pages come in the order of the file, each once, also those that failed. With ``auto`` a page with separators cuts as well.
    """
    if policy == "auto" and any(page.shows_figures for page in pages):
        return figures_of(pages)
    if policy == "never" or not pages or (len(pages) == 1 and pages[0].sheet_parts < 2):
        return None
    in_order = list(pages)
    fed_twice = policy == "auto" and is_fed_twice(pages, keys)
    if fed_twice:
        in_order = [pages[at] for at in duplex_order(len(pages))]
    groups, cuts, left_out = _cut(in_order, keys, policy, barcodes)
    documents = _documents(groups, keys, policy)
    if not documents:  # blank pages and separators alone
        return None
    note = ORDER_NOTE if fed_twice else ""
    if len(documents) == 1 and not documents[0].sheet_part:
        if not note and not any(cut.is_doubtful for cut in cuts):
            return None
        return Split(policy, (PageRange(tuple(page.number for page in in_order)),), tuple(cuts), (), note)
    return Split(policy, documents, tuple(cuts), tuple(left_out), note)


# ---- where the file is cut -----------------------------------------------------------------------------


def _cut(
    pages: Sequence[FilePage], keys: KeyFields, policy: SplitPolicy, barcodes: BarcodeRules
) -> tuple[list[_Group], list[Cut], list[tuple[int, LeftOut]]]:
    groups: list[_Group] = []
    cuts: list[Cut] = []
    left_out: list[tuple[int, LeftOut]] = []
    forced = ""
    blank_between = False
    for page in pages:
        if page.status == "blank":
            left_out.append((page.number, "blank"))
            blank_between = True
            if policy == "blank":
                forced = "a blank page is before it"
            continue
        if policy != "blank" and _is_separator(page, keys, barcodes):
            left_out.append((page.number, "separator"))
            forced = "a separator sheet is before it"
            continue
        if policy != "blank" and _has_code(page, barcodes.first_pages):
            forced = "its barcode says that a document begins"
        if not groups:
            groups.append(_Group([page]))
        else:
            cut = _judged(groups[-1].pages, page, keys, policy, forced, blank_between=blank_between)
            cuts.append(cut)
            if cut.is_cut:
                groups.append(_Group())
            groups[-1].pages.append(page)
        forced, blank_between = "", False
    return groups, cuts, left_out


def _judged(
    before: Sequence[FilePage], page: FilePage, keys: KeyFields, policy: SplitPolicy, forced: str, *, blank_between: bool
) -> Cut:
    if forced:
        return Cut(page.number, is_cut=True, probability=MOST, reasons=(forced,))
    if policy != "auto" or not keys.can_tell:
        return Cut(page.number, is_cut=False, probability=LEAST)
    if before[-1].sheet_parts > 1 or page.sheet_parts > 1:
        return Cut(page.number, is_cut=True, probability=MOST, reasons=("a page shows several documents",))
    if page.status in ("failed", "skipped") or all(other.status in ("failed", "skipped") for other in before):
        return Cut(page.number, is_cut=False, probability=CUT, reasons=("a page was not read",), is_doubtful=True)
    model = boundary_model()
    features = boundary_features(before, page, keys, blank_between=blank_between)
    probability = model.probability(features)
    return Cut(
        page.number,
        probability >= CUT,
        round(min(MOST, max(LEAST, probability)), 4),
        reasons(features, model.weights),
        model.is_doubtful(features, probability),
    )


def _is_separator(page: FilePage, keys: KeyFields, barcodes: BarcodeRules) -> bool:
    few = page.marks is not None and page.marks.words <= MAX_SEPARATOR_WORDS
    return few and _has_code(page, barcodes.separators) and not any(page.has(name) for name in keys.totals)


def _has_code(page: FilePage, patterns: Sequence[str]) -> bool:
    codes = [code.text.strip().casefold() for code in page.marks.barcodes] if page.marks else []
    return any(fnmatchcase(code, pattern.casefold()) for code in codes for pattern in patterns)


# ---- which pages are a document ------------------------------------------------------------------------


def _documents(groups: Sequence[_Group], keys: KeyFields, policy: SplitPolicy) -> tuple[PageRange, ...]:
    """The documents. Copies belong to the document that they repeat."""
    kept: list[tuple[list[FilePage], list[int]]] = []
    ranges: list[PageRange] = []
    for group in groups:
        parts = group.pages[0].sheet_parts if policy == "auto" and len(group.pages) == 1 else 1
        if parts > 1:
            ranges += [PageRange((group.pages[0].number,), (), part) for part in range(1, parts + 1)]
            continue
        original = next((other for other in kept if copies_of(group.pages, other[0], keys)), None) if keys.can_tell else None
        if original:
            original[1].extend(page.number for page in group.pages)
            continue
        own, copies = without_copies(group.pages, keys) if keys.can_tell else (group.pages, [])
        kept.append((own, [page.number for page in copies]))
    ranges += [PageRange(tuple(page.number for page in own), tuple(copies)) for own, copies in kept]
    return tuple(sorted(ranges, key=lambda one: (min(one.pages), one.sheet_part)))
