"""What was read, from the JSON files of an outbox; keys that an older or newer version lacks are not missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pipeline.ledger.recovery import published_results
from pipeline.publish.rows import CODE, XML
from pipeline.records import Box, Json


@dataclass(frozen=True, slots=True)
class ReadField:
    """One field of a result."""

    value: Json
    printed: str = ""
    page: int | None = None
    box: Box | None = None
    flags: tuple[str, ...] = ()
    """Without ``xml`` and ``qr``, which are no warnings."""
    confidence: float | None = None
    from_data: bool = False
    """Whether an e-invoice's data gave the value."""
    to_review: bool = False
    """Whether the result names the field for review."""


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """One document's result under one template."""

    status: str
    reason: str = ""
    detail: str = ""
    fields: Mapping[str, ReadField] = field(default_factory=dict)
    engine: str = ""


def read_results(outbox: Path, template: str, recipe: str | None = None) -> dict[str, ReadDocument]:
    """Results of an outbox by sha256 of the file; only those of ``recipe``, where one is named.

    Where a document was not read with ``template``, the only other result it has is taken.
    """
    documents: dict[str, ReadDocument] = {}
    for _, published in published_results(outbox):
        results = _mapping(published["results"])
        result = _mapping(results.get(template) or (next(iter(results.values())) if len(results) == 1 else None))
        unread = not results and published["reason"]
        if recipe and not unread and result.get("recipe") != recipe:
            continue
        document, provenance = _mapping(published["document"]), _mapping(published["provenance"])
        documents[str(document.get("sha256"))] = ReadDocument(
            str(published["status"]),
            str(published["reason"] or ""),
            _detail(published),
            _fields(result),
            str(provenance.get("engine") or ""),
        )
    return documents


def _detail(published: Mapping[str, Any]) -> str:
    pages = [page for page in published["pages"] or [] if isinstance(page, dict)]
    return str(published.get("detail") or next((page["detail"] for page in pages if page.get("detail")), ""))


def _fields(result: Mapping[str, Any]) -> dict[str, ReadField]:
    named = result.get("review")
    to_review = named if isinstance(named, list) else []
    fields = _mapping(result.get("fields")).items()
    return {name: _field(item, to_review=name in to_review) for name, item in fields if isinstance(item, dict)}


def _field(item: Mapping[str, Any], *, to_review: bool) -> ReadField:
    flags = [str(flag) for flag in item.get("flags") or []]
    page, box = item.get("page"), item.get("box")
    whole = isinstance(box, list) and len(box) == 4 and all(isinstance(variant, int | float) for variant in box)
    return ReadField(
        item.get("value"),
        str(item.get("printed") or ""),
        page if isinstance(page, int) else None,
        cast(Box, tuple(box)) if whole and box else None,
        tuple(flag for flag in flags if flag not in (XML, CODE)),
        _confidence(item),
        XML in flags,
        to_review,
    )


def _confidence(item: Mapping[str, Any]) -> float | None:
    confidence = item.get("confidence", item.get("score"))
    return (
        float(confidence)
        if isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1
        else None
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
