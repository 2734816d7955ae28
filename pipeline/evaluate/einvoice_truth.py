"""E-invoices as their own truth: the pages should print what the XML inside the PDF, or beside the document, states."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import TruthError
from pipeline.evaluate.truth import TruthRow
from pipeline.ignored_names import BUILT_IN_NAMES
from pipeline.records import Json
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.safe_open import contents, open_named_file
from pipeline.settings import Settings
from pipeline.templates.template import Template, TemplateField
from pipeline.words.einvoice import MAX_XML_BYTES, parse_einvoice, read_einvoice

HANDLER = "pipeline.evaluate.einvoice_truth:handle_einvoice"
XML = ".xml"


def handle_einvoice(message: bytes) -> list[bytes]:
    """The handler of ``WorkerPool``: a path to the business terms that its file states, as JSON; ``null`` for none."""
    path = Path(os.fsdecode(message))
    with open_named_file(path) as file:
        is_xml = path.suffix.lower() == XML
        facts = parse_einvoice(file.read(MAX_XML_BYTES + 1)) if is_xml else read_einvoice(contents(file))
    return [json.dumps(facts).encode()]


def read_einvoice_truth(folder: Path, template: Template, settings: Settings) -> list[TruthRow]:
    """The truth of every e-invoice below a folder, by the template's fields that name a business term.

    Raises TruthError where the template names none, or the folder holds no e-invoice.
    """
    terms = {name: spec for name, spec in template.fields.items() if spec.einvoice}
    if not terms:
        raise TruthError(
            f"the template `{template.name}` names no business term (`einvoice: BT-…`)",
            "use --template invoice, or write a truth file",
        )
    rows = [_truth_row(folder, path, facts, terms) for path, facts in _facts(folder, settings)]
    if not rows:
        raise TruthError(
            f"{folder}: holds no e-invoice", "--e-invoices is for Factur-X and ZUGFeRD PDFs, and for XML beside a PDF"
        )
    return rows


def _facts(folder: Path, settings: Settings) -> Iterator[tuple[Path, dict[str, Json]]]:
    """Documents with the terms that their XML states, sorted by path. A worker process parses the files, since they may be hostile."""
    limits = settings.limits
    with WorkerPool(HANDLER, size=1, seconds=limits.seconds, memory_mb=limits.memory_mb) as pool:
        for document, data in _pairs(folder):
            reply = pool.call(os.fsencode(data))
            if reply.parts and (facts := json.loads(reply.parts[0])):
                yield document, facts


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Documents, each with the file that may hold its data: an XML file of the same name, else the PDF itself."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and _is_candidate_path(path.relative_to(folder)))
    beside = {path.with_suffix(""): path for path in paths if path.suffix.lower() == XML}
    for path in paths:
        if path.suffix.lower() != XML and (path.with_suffix("") in beside or path.suffix.lower() == ".pdf"):
            yield path, beside.get(path.with_suffix(""), path)


def _is_candidate_path(relative: Path) -> bool:
    return not BUILT_IN_NAMES.ignores_path(relative.as_posix())


def _truth_row(folder: Path, path: Path, facts: dict[str, Json], terms: dict[str, TemplateField]) -> TruthRow:
    """The truth of one e-invoice. A term that the XML does not state is not scored, since a page may print it."""
    fields = {name: _field_value(facts[spec.einvoice or ""], spec) for name, spec in terms.items() if spec.einvoice in facts}
    return TruthRow(str(path), path.relative_to(folder).as_posix(), fields)


def _field_value(fact: Json, spec: TemplateField) -> Json:
    if spec.type != "table":
        return fact
    by_term = {column.einvoice: name for name, column in spec.columns.items() if column.einvoice}
    return [{by_term[term]: cell for term, cell in line.items() if term in by_term} for line in fact]
