"""Outboxes filled by hand, so that a test says exactly what was read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymupdf

from pipeline.ledger.ledger import Ledger
from pipeline.records import Box, DocumentInfo, Evidence, Reason, Result, Source, UnitKey, UnitStatus
from pipeline.settings import Settings, configs_folder
from pipeline.templates.load import load_templates
from pipeline.web.selection import Choice, Chosen, candidates, chosen
from pipeline.web.static_export import Written, write_review

OLD = 1_000_000_000
TEMPLATES = load_templates([configs_folder() / "templates"])


@dataclass(frozen=True)
class PageRead:
    """What became of one page."""

    fields: Mapping[str, Evidence] = field(default_factory=dict)
    status: UnitStatus = "done"
    reason: Reason | None = None
    detail: str = ""
    turned: int = 0


@dataclass
class Desk:
    """A folder with an inbox and an outbox."""

    folder: Path
    settings: Settings = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings(inbox=self.folder / "inbox", outbox=self.folder / "outbox", workers=1)
        self.ledger = Ledger(self.settings.outbox / ".pipeline")

    def add(
        self,
        name: str,
        content: bytes | None,
        pages: Sequence[PageRead] = (),
        *,
        template: str = "invoice",
        reason: Reason | None = None,
        detail: str = "",
        engine: str = "test/9",
    ) -> Path:
        """A document as it was read; without content its file is gone."""
        path = self.settings.inbox / name
        sha256 = hashlib.sha256(name.encode(errors="surrogateescape") if content is None else content).hexdigest()
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (OLD, OLD))
        recipe = hashlib.sha256(template.encode()).hexdigest()[:16]
        good = [page for page in pages if page.status in ("done", "blank")]
        status = "failed" if reason or not good else "done" if len(good) == len(pages) else "partial"
        why = reason or next((page.reason for page in pages if page.reason), None)
        with self.ledger.transaction():
            self.ledger.record_document(DocumentInfo(sha256, "pdf", len(pages), reason, detail))
            self.ledger.record_recipe(recipe, template, engine, {"pipeline": "9.9"})
            self.ledger.insert_results(
                Result(
                    UnitKey(sha256, n, template, recipe),
                    page.status,
                    page.fields,
                    page.reason,
                    page.detail,
                    "ocr",
                    0.5,
                    page.turned,
                )
                for n, page in enumerate(pages, 1)
            )
            size = len(content) if content is not None else 1
            self.ledger.record_file(Source(path, name, name), sha256, size, OLD * 1_000_000_000)
            self.ledger.record_publication(path, sha256, {template: recipe}, status, why)
        return path

    def chosen(self, choice: Choice | None = None) -> list[Chosen]:
        """The documents of a choice, the latest first."""
        wanted, error = choice or Choice(), self.settings.review.accepted_error
        files = candidates(self.ledger, wanted, self.settings.outbox)
        return [item for item in chosen(files, self.ledger, TEMPLATES, wanted, error) if item]

    def write(self, most_bytes: int = 10_000_000, **about: Any) -> Path:
        """The report of everything."""
        self.written(most_bytes, **about)
        return self.folder / "review.html"

    def written(self, most_bytes: int = 10_000_000, **about: Any) -> Written:
        """What the report of everything holds."""
        told = {"chosen": "", "left_out": 0, **about}
        return write_review(self.folder / "review.html", self.chosen(), TEMPLATES, self.settings, told, most_bytes)


def place(pdf: bytes, text: str, page: int = 1) -> Box:
    """Where a word stands on a page that was drawn, in points."""
    with pymupdf.open(stream=pdf) as document:
        left, top, right, bottom = next(word[:4] for word in document[page - 1].get_text("words") if word[4] == text)
    return left, top, right, bottom


def sure(value: Any, box: Box | None = None, **more: Any) -> Evidence:
    """A value without a doubt."""
    return Evidence(value, more.pop("printed", value), more.pop("page", 1), box, more.pop("grounding", "exact"), **more)


def thousand(desk: Desk, count: int = 1_000) -> None:
    """So many invoices; every tenth has a total to look at, every fiftieth could not be opened."""
    for n in range(count):
        if n % 50 == 49:
            desk.add(f"batch/{n:04}.pdf", None, reason="needs_password", detail="the file is encrypted")
            continue
        total = f"{100 + n}.50"
        flags = ("ungrounded",) if n % 10 == 0 else ()
        rows = [
            {"description": f"Oak board {row}", "quantity": "2", "unit_price": "5.00", "amount": "10.00"} for row in range(8)
        ]
        desk.add(
            f"batch/{n:04}.pdf",
            None,
            [
                PageRead(
                    {
                        "vendor_name": sure(f"Harrow Lane Tools {n} Ltd", (50, 50, 200, 70)),
                        "vendor_vat_id": sure("GB736190278", (50, 80, 200, 90)),
                        "buyer_name": sure("Castle Street Paper & Sons", (50, 100, 200, 110)),
                        "invoice_number": sure(f"HL-{n:05}", (400, 100, 460, 110)),
                        "invoice_date": sure("2025-03-24", (400, 120, 460, 130), printed="24.03.2025", grounding="value"),
                        "currency": sure("EUR", (470, 600, 480, 612), printed="€", grounding="value"),
                        "total": sure(total, (400, 600, 470, 612), flags=flags),
                        "line_items": sure(rows, (50, 200, 480, 400), printed=None),
                    }
                )
            ],
        )
