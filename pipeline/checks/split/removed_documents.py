"""Takes documents out of a split, and puts them back: their pages are left out, and stay in the file."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pipeline.split_records import LeftOut, PageRange, Split


def without_documents(split: Split, removed: Collection[PageRange]) -> Split | None:
    """The split without some of its documents; None where no other one is left."""
    kept = tuple(pages for pages in split.documents if pages not in removed)
    return _split(split, kept) if kept else None


def with_documents(split: Split, returned: Iterable[PageRange]) -> Split | None:
    """The split with documents that were taken out of it; None where another document has a page of theirs now."""
    back = [pages for pages in returned if pages not in split.documents]
    for pages in back:
        for other in split.documents:
            same_part = 0 in (pages.sheet_part, other.sheet_part) or pages.sheet_part == other.sheet_part
            if same_part and {*pages.pages, *pages.copies} & {*other.pages, *other.copies}:
                return None
    documents = sorted((*split.documents, *back), key=lambda one: (min(one.pages), one.sheet_part))
    return _split(split, tuple(documents), returned=back)


def _split(split: Split, documents: tuple[PageRange, ...], returned: Iterable[PageRange] = ()) -> Split:
    """A person's split into documents. Pages that none of them has are left out."""
    used = {page for one in documents for page in (*one.pages, *one.copies)}
    reasons: dict[int, LeftOut] = dict(split.left_out)
    there = {page for one in (*split.documents, *returned) for page in (*one.pages, *one.copies)} | reasons.keys()
    left_out = tuple((page, reasons.get(page, "person")) for page in sorted(there - used))
    return Split("person", documents, (), left_out, split.order_note)
