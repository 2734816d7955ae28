"""From documents with truth to examples: the candidates of a field on a page, their features, and which of them are right."""

from __future__ import annotations

import json
import pickle
import random
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.field_reader import candidate_groups
from pipeline.engines.embedded.fields.name_candidates import NameCandidate
from pipeline.engines.embedded.fields.page_rows import label_key
from pipeline.engines.embedded.fields.parties import same_name
from pipeline.engines.embedded.fields.scorer.candidate_groups import Group
from pipeline.records import Box, Page
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import ReadRequest, decode_content, encode_request
from pipeline.settings import configs_folder
from pipeline.templates.load import load_template
from pipeline.templates.template import Template, TemplateField
from training.generator.words_noise import as_ocr

SAME_NAME = 88
"""Likeness of two names, 0 to 100, from which they are the same."""
_SHARED_HEIGHT = 0.3
"""Part of the lower box's height that two boxes share at least."""


@dataclass(frozen=True)
class Example:
    """One field of one page. ``right`` says which candidates are its value; none means that the page does not print it."""

    layout: str
    """Documents of one layout are never on both sides of a split."""
    document: str
    family: str
    field: str
    features: NDArray[np.float32]
    right: NDArray[np.bool_]
    values: tuple[str, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class TrueDocument:
    """A document with what is right about it. ``boxes`` are the places of each value by page; empty where nobody knows them."""

    name: str
    layout: str
    kind: str
    pages: Sequence[Page]
    values: dict[str, Any]
    known: frozenset[str]
    """Fields of which the truth is known; a known field without a value is not printed."""
    aliases: dict[str, list[str]]
    boxes: dict[str, list[tuple[int, Box]]]
    rows: Sequence[Mapping[str, Any]] = ()
    """The rows of goods, column to value; empty where nobody knows them."""
    row_boxes: Sequence[Mapping[str, Sequence[tuple[int, Box]]]] = ()
    """The places of the cells of ``rows``; empty where nobody knows them."""


def generated_documents(folder: Path) -> Iterator[TrueDocument]:
    """The documents that ``training.generate`` wrote to a folder. Pages once read are kept beside them.

    The words of every other one get the errors of OCR, because reading thousands of scans would take hours.
    """
    for path in sorted(folder.glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        source = next(p for p in (path.with_suffix(end) for end in (".pdf", ".png", ".jpg")) if p.exists())
        pages = [kept_page(source, number, folder) for number in range(1, len(truth["pages"]) + 1)]
        if zlib.crc32(path.stem.encode()) % 2:
            pages = [_as_ocr(page, path.stem) for page in pages]
        boxes = {name: [(int(b[0]), tuple(b[1:])) for b in found] for name, found in truth["boxes"].items()}
        for name, found in truth["alias_boxes"].items():
            boxes.setdefault(name, []).extend((int(b[0]), tuple(b[1:])) for b in found)
        yield TrueDocument(
            f"{folder.name}/{path.stem}",
            truth["layout"],
            truth["kind"],
            pages,
            truth["values"],
            frozenset(truth["values"]),
            truth["aliases"],
            boxes,
            truth["line_items"] or (),
            [
                {name: [(int(b[0]), tuple(b[1:])) for b in found] for name, found in cells.items()}
                for cells in truth["item_boxes"]
            ],
        )


def real_documents(folder: Path, kept: Path) -> Iterator[TrueDocument]:
    """Documents with a ``truth.jsonl``: ``file``, ``layout``, ``fields``, ``scored``, and ``absent`` for fields that are not printed.

    Pages once read are kept in the folder ``kept``.
    """
    for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        known = frozenset(name for name in row["scored"] if row["fields"].get(name) is not None) | frozenset(
            row.get("absent") or ()
        )
        values = {name: None if name in (row.get("absent") or ()) else row["fields"][name] for name in known}
        source = folder / row["file"]
        pages = [kept_page(source, number, kept) for number in range(1, int(row.get("pages") or 1) + 1)]
        aliases = {"vendor_name": row.get("vendor_aliases") or []}
        kind = "receipt" if "receipt" in folder.name else "invoice"
        layout, rows = row.get("layout") or row["id"], row.get("line_items") or ()
        yield TrueDocument(f"{folder.name}/{row['id']}", layout, kind, pages, values, known, aliases, {}, rows)


def examples(document: TrueDocument, *, per_document: bool = False) -> Iterator[Example]:
    """One example for each known field of each page. ``per_document``: each document is a layout of its own."""
    template = template_of(document.kind)
    for page in document.pages:
        for group in candidate_groups(page, template):
            if group.field in document.known:
                right = _right(document, page.number, group, template.fields[group.field])
                if right is not None:
                    layout = document.name if per_document else document.layout
                    values = tuple(_value(c) for c in group.candidates)
                    yield Example(layout, document.name, group.family, group.field, group.features, right, values)


@cache
def template_of(kind: str) -> Template:
    """The built-in template for a kind of document."""
    return load_template(configs_folder() / "templates" / f"{kind}.yaml")


def _right(document: TrueDocument, page: int, group: Group, field: TemplateField) -> NDArray[np.bool_] | None:
    """Which candidates are right; None where the page prints the value and no candidate is it."""
    truth, aliases = document.values[group.field], document.aliases.get(group.field, [])
    equal = np.array([is_same(field, truth, _value(c), aliases) for c in group.candidates], bool)
    boxes = [box for number, box in document.boxes.get(group.field, []) if number == page]
    if not boxes:
        unknown = document.values[group.field] is not None and len(document.pages) == 1 and not equal.any()
        return None if unknown else equal
    there = np.array([_stands_in(candidate, boxes) for candidate in group.candidates], bool)
    both: NDArray[np.bool_] = equal & there
    if both.any():
        return both
    return equal if equal.any() else None


def is_same(field: TemplateField, truth: object, value: str, aliases: Sequence[str] = ()) -> bool:
    """Whether a candidate is the true value of a field."""
    if truth is None:
        return False
    if field.type == "money":
        return abs(abs(float(str(truth))) - abs(float(value))) < 0.006
    if field.type == "date":
        return str(truth) == value
    if field.type == "identifier":
        pair = label_key(str(truth)), label_key(value)
        if field.format == "vat":
            pair = re.sub(r"^[a-z]{2}", "", pair[0]), re.sub(r"^[a-z]{2}", "", pair[1])
        return pair[0] == pair[1]
    return any(
        fuzz.ratio(label_key(name), label_key(value)) >= SAME_NAME or same_name(name, value) for name in (str(truth), *aliases)
    )


def _value(candidate: Candidate | NameCandidate) -> str:
    return str(candidate.text if isinstance(candidate, NameCandidate) else candidate.value)


def _stands_in(candidate: Candidate | NameCandidate, boxes: Sequence[Box]) -> bool:
    own = candidate.run.box if isinstance(candidate, NameCandidate) else candidate.box
    return any(_overlap(own, box) for box in boxes)


def _overlap(a: Box, b: Box) -> bool:
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return across > 0 and down > _SHARED_HEIGHT * min(a[3] - a[1], b[3] - b[1])


def kept_page(source: Path, number: int, folder: Path) -> Page:
    """The page, read once and kept in a folder of one's own making."""
    kept = folder / f"{source.name}.{number}.page"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(_read_page(source, number)))
    page: Page = pickle.loads(kept.read_bytes())  # noqa: S301 - written above
    return page


def _as_ocr(page: Page, seed: str) -> Page:
    return replace(page, words=tuple(as_ocr(page.words, random.Random(seed))), source="ocr")


def _read_page(source: Path, number: int) -> Page:
    status = source.stat()
    request = ReadRequest(str(source), status.st_size, status.st_mtime_ns, page=number)
    return decode_content(handle(encode_request(request)), number)[0].page
