"""Splits and page ranges as JSON, in the ledger, in the journal and in results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from pipeline.split_records import Cut, PageRange, Split, SplitSource


def page_range_json(pages: PageRange) -> str:
    """A page range as text for the ledger."""
    return json.dumps(asdict(pages))


def page_range_of(text: str) -> PageRange:
    """The page range of such a text."""
    return _page_range(json.loads(text))


def split_json(split: Split) -> dict[str, Any]:
    """A split as a JSON object."""
    return {
        "source": split.source,
        "documents": [_with_lists(asdict(pages)) for pages in split.documents],
        "cuts": [_with_lists(asdict(cut)) for cut in split.cuts],
        "left_out": [list(item) for item in split.left_out],
        "order_note": split.order_note,
    }


def split_of(stored: Mapping[str, Any]) -> Split:
    """The split of such an object. Raises ValueError, LookupError or TypeError for anything else."""
    if stored["source"] not in get_args(SplitSource):
        raise ValueError(f"no split: {stored['source']}")
    cuts = tuple(Cut(**{**cut, "reasons": tuple(cut["reasons"])}) for cut in stored["cuts"])
    left_out = tuple((int(page), reason) for page, reason in stored["left_out"])
    documents = tuple(map(_page_range, stored["documents"]))
    return Split(stored["source"], documents, cuts, left_out, stored["order_note"])


def _page_range(stored: Mapping[str, Any]) -> PageRange:
    pages, copies = ([int(page) for page in stored[name]] for name in ("pages", "copies"))
    return PageRange(tuple(pages), tuple(copies), int(stored["sheet_part"]))


def _with_lists(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
