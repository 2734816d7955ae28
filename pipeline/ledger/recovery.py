"""A ledger that is damaged is made anew from the outbox, so that nothing that was read is read again.

The JSON files hold everything but what each page said by itself: fields come back as the document has them, on the page where they
stand. Files are hashed again at the next run, and recognised by their contents. What people said
comes from the JSON files and from the journal (see ``ledger.journal``), what they asked from there alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import LedgerError
from pipeline.ledger.ledger import FILE_NAME, Ledger
from pipeline.ledger.orders import history, mend, orders_about, prune, restore
from pipeline.records import Correction, DocumentInfo, Evidence, Result, Source, UnitKey

UNCLEAN = "unclean"
"""File that is there while a run works: found at the start, the last run died, and the ledger is checked."""

Place = Callable[[str], Path]
"""Where a file lies that has this path in the inbox."""


def sound_ledger(folder: Path, outbox: Path, place: Place, told: list[str]) -> Ledger:
    """The ledger, checked if the last run died, made anew from the outbox where it is damaged.

    What happened is appended to ``told``. Raises LedgerError.
    """
    try:
        ledger = Ledger(folder)
        if (folder / UNCLEAN).exists():
            ledger.check()
    except LedgerError as error:
        if not isinstance(error.__cause__, sqlite3.DatabaseError) or isinstance(error.__cause__, sqlite3.OperationalError):
            raise
        aside = _set_aside(folder)
        ledger = Ledger(folder)
        count = rebuild(ledger, outbox, place)
        told.append(
            f"the ledger was damaged ({error.__cause__}): made anew from {count:,} results in {outbox}; it lies in {aside}"
        )
        mend(ledger, conversations=True)
        _pin_again(ledger)
    else:
        fresh = next(ledger.published_files(), None) is None  # somebody moved it away
        if count := mend(ledger, conversations=fresh):
            told.append(f"the ledger lacked {count:,} corrections and questions; they are there again")
        if not fresh:
            prune(ledger)
    return ledger


def _pin_again(ledger: Ledger) -> None:
    """What was read in a way that somebody asked for stays so."""
    for file in list(ledger.published_files()):
        readings = [
            order for order in orders_about(ledger, file.sha256, "reading") if order.details["name"] == file.source.name
        ]
        told = (readings[-1].outcome or {}) if readings else {}
        asked = bool(readings and (readings[-1].details.get("template") or readings[-1].details.get("engine")))
        if asked and "status" in told and set(told["templates"]) == set(file.recipes):
            ledger.pin(file.source.path)


def _set_aside(folder: Path) -> Path:
    aside = folder / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    aside.mkdir(parents=True, exist_ok=True)
    for ending in ("", "-wal", "-shm"):
        path = folder / f"{FILE_NAME}{ending}"
        if path.exists():
            path.rename(aside / path.name)
    return aside


def rebuild(ledger: Ledger, outbox: Path, place: Place) -> int:
    """Fill an empty ledger with what the outbox's JSON files say. Returns how many there were."""
    count = 0
    for name, published in published_results(outbox):
        with ledger.transaction():
            relative = published["document"]["path"]
            _restore(ledger, Source(place(relative), name, relative), published)
        count += 1
    return count


def published_results(outbox: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and contents of an outbox's results, passing over what else lies there."""
    for path in sorted(outbox.rglob("*.json")):
        relative = path.relative_to(outbox)
        if relative.parts[0].startswith("."):
            continue
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, dict) and {"document", "status", "results", "pages", "provenance"} <= found.keys():
                yield relative.as_posix().removesuffix(".json"), found
        except (OSError, ValueError):
            continue


def _restore(ledger: Ledger, source: Source, published: Mapping[str, Any]) -> None:
    stated, provenance = published["document"], published["provenance"]
    sha256, results = stated["sha256"], published["results"]
    recipes = {template: result["recipe"] for template, result in results.items()}
    unopened = published["reason"] if not published["pages"] else None
    document = DocumentInfo(sha256, stated["kind"], stated["pages"], unopened, published.get("detail", ""))
    ledger.saw_document(document)
    for template, result in results.items():
        ledger.saw_recipe(recipes[template], template, provenance.get("engine") or "", provenance.get("versions") or {})
        if question := result.get("question"):
            ledger.ask(template, question)
        read = {name: item.get("corrected", {}).get("read", item) for name, item in result["fields"].items()}
        ledger.insert_results(_units(UnitKey(sha256, 0, template, recipes[template]), read, published["pages"]))
        if template not in {name for name, _ in history(ledger, sha256)}:  # a file with the same contents may have brought them
            restore(ledger, sha256, _said(template, result["fields"]))
    chosen = next((template for template, result in results.items() if "question" not in result), None)
    if chosen:
        ledger.choose(sha256, chosen)
    ledger.saw_file(source, sha256, -1, -1)  # no size that a file has: it is hashed again, and then recognised
    review = [name for result in results.values() for name in result.get("review", ())]
    corrected = [
        name
        for result in results.values()
        for name, item in result["fields"].items()
        if "corrected" in item and not item["corrected"].get("withdrawn")
    ]
    ledger.published(source.path, sha256, recipes, published["status"], published["reason"], review=review, corrected=corrected)


def _said(template: str, fields: Mapping[str, Any]) -> Iterator[Correction]:
    """What people said about fields."""
    for name, item in fields.items():
        for word in item.get("corrected", {}).get("history", ()):
            withdrawn = word.get("withdrawn", False)
            yield Correction(template, name, word["version"], word["value"], withdrawn, word["before"], word["by"], word["at"])


def _units(key: UnitKey, fields: Mapping[str, Any], pages: list[dict[str, Any]]) -> Iterator[Result]:
    """The units of one template: a document's fields on the pages where they stand."""
    readable = [page["page"] for page in pages if page["status"] in ("done", "failed")] or [1]
    by_page: dict[int, dict[str, Evidence]] = {}
    for name, item in fields.items():
        evidence = Evidence(**{**item, "box": tuple(item["box"]) if item["box"] else None, "flags": tuple(item["flags"])})
        texts = evidence.value
        if isinstance(texts, list) and len(texts) == len(pages) and all(isinstance(text, str) for text in texts):
            for page, text in zip(pages, texts, strict=True):  # a text a page
                if text:
                    by_page.setdefault(page["page"], {})[name] = replace(evidence, value=text, flags=())
            continue
        place = evidence.page if evidence.page and evidence.page in readable else readable[0]
        by_page.setdefault(place, {})[name] = evidence
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
