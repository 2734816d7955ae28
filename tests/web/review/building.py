"""Outboxes with given results, so that a test states exactly what was read."""

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
from pipeline.web.selection import SelectedDocument, Selection, matching_files, select_documents
from pipeline.web.static_export import ReviewSummary, write_review

OLD = 1_000_000_000
TEMPLATES = load_templates([configs_folder() / "templates"])


@dataclass(frozen=True)
class PageRead:
    """The result of one page."""

    fields: Mapping[str, Evidence] = field(default_factory=dict)
    status: UnitStatus = "done"
    reason: Reason | None = None
    detail: str = ""
    turned: int = 0


@dataclass
class ReviewFolder:
    """A folder with an inbox and an outbox, and the reviews of its results."""

    path: Path
    settings: Settings = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings(inbox=self.path / "inbox", outbox=self.path / "outbox", workers=1)
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
        """Add a document with its results; without content its file is gone."""
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
            self.ledger.record_publication(name, sha256, {template: recipe}, status, why)
        return path

    def select(self, selection: Selection | None = None) -> list[SelectedDocument]:
        """The selected documents, latest first."""
        selection, error = selection or Selection(), self.settings.review.accepted_error
        files = matching_files(self.ledger, selection, self.settings.outbox)
        return [item for item in select_documents(files, self.ledger, TEMPLATES, selection, error) if item]

    def write(self, max_image_bytes: int = 10_000_000, **about: Any) -> Path:
        """Write the review of all documents and return its path."""
        self.write_summary(max_image_bytes, **about)
        return self.path / "review.html"

    def write_summary(self, max_image_bytes: int = 10_000_000, **about: Any) -> ReviewSummary:
        """Write the review of all documents and return its summary."""
        about = {"selection": "", "left_out": 0, **about}
        return write_review(self.path / "review.html", self.select(), TEMPLATES, self.settings, about, max_image_bytes)


def word_box(pdf: bytes, text: str, page: int = 1) -> Box:
    """The box of a word on a page, in points."""
    with pymupdf.open(stream=pdf) as document:
        left, top, right, bottom = next(word[:4] for word in document[page - 1].get_text("words") if word[4] == text)
    return left, top, right, bottom


def grounded(value: Any, box: Box | None = None, **more: Any) -> Evidence:
    """A value that needs no review unless ``more`` has a flag or a low confidence."""
    return Evidence(value, more.pop("printed", value), more.pop("page", 1), box, more.pop("grounding", "exact"), **more)


def add_invoices(folder: ReviewFolder, count: int) -> None:
    """Add invoices: every tenth has a total to review, every fiftieth cannot be opened."""
    for n in range(count):
        if n % 50 == 49:
            folder.add(f"batch/{n:04}.pdf", None, reason="needs_password", detail="the file is encrypted")
            continue
        total = f"{100 + n}.50"
        flags = ("ungrounded",) if n % 10 == 0 else ()
        rows = [
            {"description": f"Oak board {row}", "quantity": "2", "unit_price": "5.00", "amount": "10.00"} for row in range(8)
        ]
        folder.add(
            f"batch/{n:04}.pdf",
            None,
            [
                PageRead(
                    {
                        "vendor_name": grounded(f"Harrow Lane Tools {n} Ltd", (50, 50, 200, 70)),
                        "vendor_vat_id": grounded("GB736190278", (50, 80, 200, 90)),
                        "buyer_name": grounded("Castle Street Paper & Sons", (50, 100, 200, 110)),
                        "invoice_number": grounded(f"HL-{n:05}", (400, 100, 460, 110)),
                        "invoice_date": grounded("2025-03-24", (400, 120, 460, 130), printed="24.03.2025", grounding="value"),
                        "currency": grounded("EUR", (470, 600, 480, 612), printed="€", grounding="value"),
                        "total": grounded(total, (400, 600, 470, 612), flags=flags),
                        "line_items": grounded(rows, (50, 200, 480, 400), printed=None),
                    }
                )
            ],
        )
