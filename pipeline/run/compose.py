"""A document's publication from the ledger alone: its units merged, its sums checked, its provenance told."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pipeline import __version__
from pipeline.checks.arithmetic import check_document
from pipeline.checks.confidence import assess_confidence
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.merge import merge_pages
from pipeline.ledger.corrections import correction_history
from pipeline.ledger.ledger import Ledger
from pipeline.publish.publication import Publication
from pipeline.records import Correction, DocumentInfo, Evidence, Result, Source
from pipeline.templates.ask import PREFIX as ASKED
from pipeline.templates.model import Template
from pipeline.words.precision import Precision

Templates = Mapping[str, Template]
_LIBRARIES = ("pymupdf", "pypdfium2", "pillow", "rapidocr", "onnxruntime")
_OF_ENGINES = {"vlm": ("torch", "transformers", "llguidance")}
_OF_OCR: dict[Precision, tuple[str, ...]] = {"float32": (), "bfloat16": ("openvino",)}


@lru_cache(maxsize=4)
def versions(engine: str, precision: Precision) -> dict[str, str]:
    """What a result of this engine (by its identity) and of OCR in this precision depends on, without importing any of it."""
    libraries = _LIBRARIES + _OF_ENGINES.get(engine.partition("/")[0], ()) + _OF_OCR[precision]
    found = {name: importlib.metadata.version(name) for name in libraries}
    return {"pipeline": __version__, "python": platform.python_version(), **found}


def compose(
    ledger: Ledger,
    templates: Templates,
    source: Source,
    document: DocumentInfo,
    recipes: Mapping[str, str],
    accepted_error: float,
) -> Publication:
    """A document's publication, from the ledger alone; values likelier wrong than ``accepted_error`` are marked for review."""
    units, fields, read = [], {}, {}
    engine, made_with = ledger.engine_and_versions(recipes.values())
    said = correction_history(ledger, document.sha256)
    for template, recipe in recipes.items():
        results = ledger.results(document.sha256, template, recipe)
        units += results
        known = {field: words for (name, field), words in said.items() if name == template}
        if template in templates:
            read[template] = _checked(results, templates[template], engine or "", {})
            fields[template] = _checked(results, templates[template], engine or "", known) if known else read[template]
        else:  # the template is gone; what it found is still worth having
            read[template] = fields[template] = _unmerged(results)
    started, finished = ledger.processing_period(document.sha256, recipes) or (None, None)
    provenance: dict[str, Any] = {
        "engine": engine,
        "recipe": "+".join(recipes.values()),
        "versions": made_with,
        "started": started,
        "finished": finished,
    }
    questions = {name: templates[name].description for name in recipes if name.startswith(ASKED) and name in templates}
    return Publication(
        source,
        document,
        recipes,
        units,
        fields if not document.reason else {},
        provenance,
        questions,
        accepted_error,
        said,
        read,
    )


def _checked(
    results: Sequence[Result], template: Template, engine: str, said: Mapping[str, Sequence[Correction]]
) -> dict[str, Evidence]:
    """The fields of a document; what people said of some goes before what was read, and counts in the sums."""
    merged = _corrected(merge_pages(results, template), said)
    return _corrected(assess_confidence(apply_fallbacks(check_document(merged, template), template), template, engine), said)


def _corrected(fields: Mapping[str, Evidence], said: Mapping[str, Sequence[Correction]]) -> dict[str, Evidence]:
    """The fields with people's words in place of what was read; they have a place on a page only where they confirm it."""
    corrected = dict(fields)
    for name, words in said.items():
        if words[-1].withdrawn or name not in fields:
            continue
        before, value = fields[name], words[-1].value
        flags = tuple(flag for flag in before.flags if flag.startswith(("sum:", "order:")))
        held = before if before.value == value else Evidence(value)
        corrected[name] = replace(held, confidence=None, flags=flags)
    return corrected


def _unmerged(results: Iterable[Result]) -> dict[str, Evidence]:
    merged: dict[str, Evidence] = {}
    for result in results:
        for name, evidence in result.fields.items():
            merged.setdefault(name, evidence)
    return merged


def publications(ledger: Ledger, templates: Templates, accepted_error: float) -> Iterator[Publication]:
    """Everything that is published, by name."""
    for file in ledger.published_files():
        document = ledger.document(file.published_sha256 or "", stale=True)
        if document:
            yield compose(ledger, templates, file.source, document, file.recipes, accepted_error)
