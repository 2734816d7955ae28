"""Writes the units, the corrections and the parts of a rebuilt ledger, as results of the outbox name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipeline.ledger.corrections import correction_history, restore_corrections
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.moved_files import mark_obsolete
from pipeline.ledger.split_json import split_of
from pipeline.records import Correction, Evidence, Result, UnitKey
from pipeline.split_records import Cut, FilePart, PageRange, Split, document_key


def restore_units(
    ledger: Ledger, key: UnitKey, result: Mapping[str, Any], pages: list[dict[str, Any]], owner: str, sheet_part: int = 0
) -> None:
    """Write the units of one template of a result, and its corrections. ``owner`` is what the corrections are recorded under.

    Of several documents on one page, ``sheet_part`` is the number of the one whose result this is.
    """
    fields = {name: item.get("corrected", {}).get("read", item) for name, item in result["fields"].items()}
    units = _results(key, fields, pages)
    ledger.insert_results(_beside_others(ledger, unit, sheet_part) for unit in units) if sheet_part else ledger.insert_results(
        units
    )
    if key.template not in {
        name for name, _ in correction_history(ledger, owner)
    }:  # else a file of equal contents restored them
        restore_corrections(ledger, owner, _corrections(key.template, result["fields"]))


def marked_fields(results: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The fields of a result that ask for a review, and those that are corrected."""
    review = [name for result in results.values() for name in result.get("review", ())]
    corrected = [
        name
        for result in results.values()
        for name, item in result["fields"].items()
        if "corrected" in item and not item["corrected"].get("withdrawn")
    ]
    return review, corrected


# ---- files that are split ------------------------------------------------------------------------------


def restore_split(ledger: Ledger, name: str, published: Mapping[str, Any]) -> None:
    """Write how a file was split, as its result says. The results of its documents follow."""
    stored = published.get("split")
    if not stored:
        return
    cuts = tuple(
        Cut(cut["before_page"], cut["cut"], cut["probability"], tuple(cut["reasons"]), cut["review"]) for cut in stored["cuts"]
    )
    left_out = tuple((int(item["page"]), item["because"]) for item in stored["left_out"])
    ranges = {item["name"]: _page_range(item["pages"], item) for item in stored["documents"]}
    documents = tuple(ranges.values()) or (PageRange(tuple(range(1, published["document"]["pages"] + 1))),)
    if stored["order"] and not ranges:
        documents = (PageRange(tuple(stored["order"])),)
    sha256 = published["document"]["sha256"]
    if stored["source"] != "person":  # those are in the journal
        ledger.record_decided_split(
            name, sha256, Split(stored["source"], documents, cuts, left_out, stored["order_note"] or "")
        )
    ledger.record_parts(name, sha256, ranges)


def restore_part(ledger: Ledger, name: str, published: Mapping[str, Any]) -> None:
    """Write the result of a document of a file; the file's own result was restored before. One that the file does not name is obsolete."""
    about, results = published["document"], published["results"]
    known = {record.source.name for record in ledger.documents_of(about["file"])}
    if name not in known:
        mark_obsolete(ledger, [name])
        return
    sha256, recipes = about["sha256"], {template: result["recipe"] for template, result in results.items()}
    owner = document_key(sha256, FilePart(about["file"], _page_range(about["file_pages"], about)))
    for template, result in results.items():
        key, sheet_part = UnitKey(sha256, 0, template, recipes[template]), int(about.get("sheet_part", 0))
        restore_units(ledger, key, result, published["pages"], owner, sheet_part)
    review, corrected = marked_fields(results)
    ledger.record_part_publication(
        name, sha256, recipes, published["status"], published["reason"], review=review, corrected=corrected
    )


def restore_person_split(ledger: Ledger, entry: Mapping[str, Any]) -> bool:
    """Write a person's split of the journal that the ledger lacks. Returns whether it did."""
    sha256, at = str(entry["sha256"]), str(entry.get("at", ""))
    known = next(ledger.rows("SELECT at FROM person_splits WHERE sha256 = ?", [sha256]), None)
    try:
        split = split_of(entry["split"]) if entry["split"] else None
    except (LookupError, TypeError, ValueError):  # damaged
        return False
    if (known["at"] if known else None) == (at if split else None):
        return False
    ledger.restore_person_split(sha256, split, str(entry.get("by", "")), at)
    return True


def _page_range(pages: list[int], about: Mapping[str, Any]) -> PageRange:
    return PageRange(tuple(map(int, pages)), tuple(map(int, about.get("copies", ()))), int(about.get("sheet_part", 0)))


def _beside_others(ledger: Ledger, unit: Result, part: int) -> Result:
    """The unit of a page as the ledger has it, with the fields of its ``part``-th document from ``unit``."""
    key = unit.key
    known = {result.key.page: result for result in ledger.results(key.sha256, key.template, key.recipe)}
    page = known.get(key.page, unit)
    documents = [page.fields, *page.others]
    documents += [{} for _ in range(part - len(documents))]
    documents[part - 1] = unit.fields
    return replace(page, fields=documents[0], others=tuple(documents[1:]))


# ---- from fields to units ------------------------------------------------------------------------------


def _corrections(template: str, fields: Mapping[str, Any]) -> Iterator[Correction]:
    """The corrections that a result's fields name."""
    for name, item in fields.items():
        for entry in item.get("corrected", {}).get("history", ()):
            withdrawn = entry.get("withdrawn", False)
            yield Correction(
                template, name, entry["version"], entry["value"], withdrawn, entry["before"], entry["by"], entry["at"]
            )


def _results(key: UnitKey, fields: Mapping[str, Any], pages: list[dict[str, Any]]) -> Iterator[Result]:
    """The units of one template: a document's fields on the pages where they stand."""
    readable = [page["page"] for page in pages if page["status"] in ("done", "failed")] or [1]
    by_page: dict[int, dict[str, Evidence]] = {}
    for name, item in fields.items():
        box, cells = item["box"], item.get("cells") or ()
        evidence = Evidence(
            **{**item, "box": tuple(box) if box else None, "flags": tuple(item["flags"]), "cells": tuple(cells)}
        )
        texts = evidence.value
        if isinstance(texts, list) and len(texts) == len(pages) and all(isinstance(text, str) for text in texts):
            for page, text in zip(pages, texts, strict=True):  # one text for each page
                if text:
                    by_page.setdefault(page["page"], {})[name] = replace(evidence, value=text, flags=())
            continue
        number = evidence.page if evidence.page and evidence.page in readable else readable[0]
        by_page.setdefault(number, {})[name] = evidence
    for page in pages:
        number = page["page"]
        yield Result(
            UnitKey(key.sha256, number, key.template, key.recipe),
            page["status"],
            by_page.get(number, {}),
            page.get("reason"),
            page.get("detail", ""),
            page.get("source"),
            page.get("seconds", 0.0),
            page.get("turned", 0),
        )
