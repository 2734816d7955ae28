"""Senders with several documents in one layout each, drawn once and read once."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path

from pipeline.checks.grounding import ground
from pipeline.checks.split.file_page import FilePage
from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Evidence, Page
from pipeline.settings import configs_folder
from pipeline.templates.load import load_template
from pipeline.templates.template import Template
from pipeline.words.page_marks import page_marks
from training.generator.browser import Renderer
from training.generator.make import Kind, make_document
from training.generator.words_noise import as_ocr
from training.scorer.examples import kept_page

BATCH = 6
READINGS = 3
"""Readings of a page: its text layer, and two scans with the errors of OCR."""


@dataclass(frozen=True)
class DrawnDocument:
    """One document of a sender. ``readings`` has for each reading the pages as the search for cuts sees them."""

    sender: str
    kind: Kind
    name: str
    pdf: Path
    pages: Sequence[Page]
    readings: Sequence[Sequence[FilePage]]


def draw_senders(out: Path, kind: Kind, numbers: Sequence[int], issues: int, seed: int, renderer: Renderer) -> int:
    """Draw ``issues`` documents of each sender. Returns how many fit their paper."""
    orders = iter([(number, issue) for number in numbers for issue in _issues(kind, number, issues)])
    made = 0
    while batch := list(islice(orders, BATCH)):
        documents = [make_document(kind, seed, number, issue=issue) for number, issue in batch]
        for (number, issue), drawn in zip(batch, renderer.draw(documents), strict=True):
            if not drawn.clipped:
                name = f"{kind}-{number:05d}-{abs(issue)}"
                (out / f"{name}.pdf").write_bytes(drawn.pdf)
                (out / f"{name}.json").write_text(json.dumps({"pages": len(drawn.sizes)}), encoding="utf-8")
                made += 1
    return made


def _issues(kind: Kind, number: int, count: int) -> range:
    """Other documents of a sender; of every third one that sends invoices the same bill month by month."""
    return range(-1, -count - 1, -1) if kind == "invoice" and number % 3 == 0 else range(1, count + 1)


@cache
def load_senders(folder: Path) -> Mapping[str, Sequence[DrawnDocument]]:
    """The documents in a folder by sender. Each page is read once; what was read is kept beside it."""
    senders: dict[str, list[DrawnDocument]] = {}
    for path in sorted(folder.glob("*.json")):
        kind: Kind = "invoice" if path.stem.startswith("invoice") else "receipt"
        pdf = path.with_suffix(".pdf")
        pages = [kept_page(pdf, number, folder) for number in range(1, json.loads(path.read_text())["pages"] + 1)]
        kept = path.with_suffix(".readings")
        if not kept.exists():
            kept.write_bytes(pickle.dumps([_read(pages, kind, f"{path.stem} {number}", number) for number in range(READINGS)]))
        readings = pickle.loads(kept.read_bytes())  # noqa: S301 - written above
        sender = path.stem.rpartition("-")[0]
        senders.setdefault(sender, []).append(DrawnDocument(sender, kind, path.stem, pdf, pages, readings))
    return senders


def _read(pages: Sequence[Page], kind: str, seed: str, reading: int) -> list[FilePage]:
    return [read_page(noisy(page, random.Random(f"{seed} {page.number}")) if reading else page, kind) for page in pages]


def noisy(page: Page, rng: random.Random) -> Page:
    """The page as OCR may read it."""
    return replace(page, words=tuple(as_ocr(page.words, rng)), source="ocr")


@cache
def template(kind: str) -> Template:
    """The built-in template."""
    return load_template(configs_folder() / "templates" / f"{kind}.yaml")


def read_page(page: Page, kind: str) -> FilePage:
    """A page as the search for cuts sees it."""
    fields: Mapping[str, Evidence] = ground(read_fields(page, template(kind)), page, template(kind))
    return FilePage(page.number, "done", fields, page_marks(page))
