"""How a file is split, in its result and in those of its documents. docs/output.md describes the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.split_records import Cut, FilePart, PageRange

if TYPE_CHECKING:
    from pipeline.publish.publication import Publication


def part_as_json(part: FilePart | None) -> dict[str, Any]:
    """The keys of ``document`` that say which part of a file it is."""
    if part is None:
        return {}
    pages = part.pages
    return {
        "file": part.file,
        "file_pages": list(pages.pages),
        **({"copies": list(pages.copies)} if pages.copies else {}),
        **({"sheet_part": pages.sheet_part} if pages.sheet_part else {}),
    }


def split_as_json(publication: Publication) -> dict[str, Any]:
    """The key ``split``: of a file the whole decision, of a document of it what is doubtful. Empty where there is nothing to say."""
    split, doubts = publication.split, publication.doubts
    if split is None or (publication.part and not doubts):
        return {}
    told: dict[str, Any] = {"source": split.source, "review": [_cut(cut) for cut in doubts]}
    if publication.part is None:
        told["cuts"] = [_cut(cut) for cut in split.cuts]
        told["left_out"] = [{"page": page, "because": because} for page, because in split.left_out]
        told["documents"] = [
            {"name": name, **_pages(pages)}
            for name, pages in zip(publication.documents, _named(publication, split.documents), strict=False)
        ]
        told["order"] = [page for pages in split.documents for page in pages.pages] if split.order_note else None
        told["order_note"] = split.order_note or None
    return {"split": told}


def _named(publication: Publication, documents: Sequence[PageRange]) -> Sequence[PageRange]:
    return documents if publication.documents else ()


def _cut(cut: Cut) -> dict[str, Any]:
    return {
        "before_page": cut.before,
        "cut": cut.is_cut,
        "probability": cut.probability,
        "reasons": list(cut.reasons),
        "review": cut.is_doubtful,
    }


def _pages(pages: PageRange) -> dict[str, Any]:
    sheet = {"sheet_part": pages.sheet_part} if pages.sheet_part else {}
    return {"pages": list(pages.pages), "copies": list(pages.copies), **sheet}
