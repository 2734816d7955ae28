"""Makes a document's publication from the ledger: merges its pages, checks its sums, and adds its corrections and provenance."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from pipeline import __version__
from pipeline.checks.arithmetic import check_document
from pipeline.checks.calibration import review_threshold
from pipeline.checks.confidence import assess_confidence
from pipeline.checks.duplicates import DUPLICATE, duplicate_keys
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.merge import merge_pages
from pipeline.checks.oddities import flag_oddities
from pipeline.checks.requirements import check_requirements
from pipeline.ledger.contained_records import part_of, parts_in
from pipeline.ledger.corrections import correction_history
from pipeline.ledger.document_states import latest_decision
from pipeline.ledger.ledger import Ledger
from pipeline.publish.publication import Publication
from pipeline.records import FIGURE, Correction, DocumentInfo, Evidence, Result, Source
from pipeline.split_records import FilePart, PageRange, document_key
from pipeline.templates.question_template import PREFIX as QUESTION_PREFIX
from pipeline.templates.schema_data import shaped_data
from pipeline.templates.template import Template
from pipeline.words.precision import Precision

Templates = Mapping[str, Template]
LIBRARIES = ("pymupdf", "pypdfium2", "pillow", "rapidocr", "onnxruntime")
ENGINE_LIBRARIES = {"vlm": ("torch", "transformers", "llguidance")}
OCR_LIBRARIES: dict[Precision, tuple[str, ...]] = {"float32": (), "bfloat16": ("openvino",)}


@lru_cache(maxsize=4)
def versions(engine: str, precision: Precision) -> dict[str, str]:
    """Versions of all that a result depends on, by name, for an engine's identity and a precision of the OCR. Imports none of it."""
    libraries = LIBRARIES + ENGINE_LIBRARIES.get(engine.partition("/")[0], ()) + OCR_LIBRARIES[precision]
    installed = {name: importlib.metadata.version(name) for name in libraries}
    return {"pipeline": __version__, "python": platform.python_version(), **installed}


def compose(
    ledger: Ledger,
    templates: Templates,
    source: Source,
    document: DocumentInfo,
    recipes: Mapping[str, str],
    accepted_error: float,
    part: FilePart | None = None,
    whole: Publication | None = None,
) -> Publication:
    """A document's publication; a container's has its parts.

    So many values are marked for review that at most ``accepted_error`` are wrong without a mark.

    ``part``: which part of a file the document is; None for a whole file. ``whole``: the publication of that file, just composed; what
    it shares with its documents is taken from it, because a stack has many.
    """
    units, fields, uncorrected = [], {}, {}
    provenance = dict(whole.provenance) if whole else _provenance(ledger, document, recipes)
    engine, finished = provenance["engine"], provenance["finished"]
    corrections = correction_history(ledger, document_key(document.sha256, part))
    split = whole.split if whole else ledger.split_of_file(part.file if part else source.name, document.sha256)
    only = part.pages if part else split.documents[0] if split and len(split.documents) == 1 else None
    read_on = datetime.date.fromisoformat(finished[:10]) if finished else None
    for template, recipe in recipes.items():
        pages = part.pages.pages if part else None
        results = in_order(ledger.results(document.sha256, template, recipe, pages), only, whole=part is None)
        if part is None and split and len(split.documents) > 1:
            results = _first_chart(results)
        units += results
        by_field = {field: history for (name, field), history in corrections.items() if name == template}
        if template in templates:
            check = partial(_checked, results, templates[template], engine or "", read_on)
            uncorrected[template] = check({})
            checked = check(by_field) if by_field else uncorrected[template]
            fields[template] = _with_duplicates(ledger, document.sha256, checked, templates[template])
        else:  # the template was removed; its values are still published
            uncorrected[template] = fields[template] = _unmerged(results)
    questions = {
        name: templates[name].description for name in recipes if name.startswith(QUESTION_PREFIX) and name in templates
    }
    origin = part_of(ledger, source.name)
    return Publication(
        source,
        document,
        recipes,
        units,
        fields if not document.reason else {},
        provenance,
        questions,
        accepted_error,
        {template: review_threshold(template, accepted_error) for template in recipes},
        corrections,
        uncorrected,
        part,
        split,
        () if part else tuple(file.source.name for file in ledger.documents_of(source.name)),
        origin,
        parts_in(ledger, source.name) if origin else (),
        _approval(ledger, document_key(document.sha256, part)),
        {
            name: shaped_data(templates[name], fields[name])
            for name in fields
            if name in templates and templates[name].is_nested
        },
    )


def _provenance(ledger: Ledger, document: DocumentInfo, recipes: Mapping[str, str]) -> dict[str, Any]:
    engine, engine_versions = ledger.engine_and_versions(recipes.values())
    started, finished = ledger.processing_period(document.sha256, recipes) or (None, None)
    return {
        "engine": engine,
        "recipe": "+".join(recipes.values()),
        "versions": engine_versions,
        "started": started,
        "finished": finished,
    }


def _approval(ledger: Ledger, key: str) -> dict[str, str]:
    latest = latest_decision(ledger, key)
    return {"state": latest.state, "by": latest.by, "at": latest.at} if latest else {}


def in_order(results: Sequence[Result], pages: PageRange | None, *, whole: bool) -> list[Result]:
    """The results of a document's pages in the order in which they are read; of a ``whole`` file all of them."""
    if pages is None:
        return list(results)
    by_page = {result.key.page: _of_sheet(result, pages.sheet_part) for result in results}
    chosen = [by_page[page] for page in pages.pages if page in by_page]
    return [*chosen, *(result for result in results if whole and result.key.page not in pages.pages)]


def _first_chart(results: Sequence[Result]) -> list[Result]:
    """The results of a file whose charts are documents of their own: only the first page with a chart keeps its fields.

    Other results stay as they are.
    """
    if not any(FIGURE in evidence.signals for result in results for evidence in result.fields.values()):
        return list(results)
    first = next(n for n, result in enumerate(results) if any(e.value is not None for e in result.fields.values()))
    return [result if n == first else replace(result, fields={}) for n, result in enumerate(results)]


def _of_sheet(result: Result, part: int) -> Result:
    """The result of a page with the fields of the document that is the ``part``-th on it; 0 and 1 stand for the first."""
    others = result.others
    return replace(result, fields=others[part - 2], others=()) if 1 < part <= len(others) + 1 else result


def _checked(
    results: Sequence[Result],
    template: Template,
    engine: str,
    read_on: datetime.date | None,
    corrections: Mapping[str, Sequence[Correction]],
) -> dict[str, Evidence]:
    """The fields of a document after all checks. Corrected values replace read ones, also in the sums."""
    fields = check_document(_corrected(merge_pages(results, template), corrections), template)
    fields = flag_oddities(fields, template, read_on)
    fields = _corrected(assess_confidence(apply_fallbacks(fields, template), template, engine), corrections)
    return check_requirements(fields, template)


def _corrected(fields: Mapping[str, Evidence], corrections: Mapping[str, Sequence[Correction]]) -> dict[str, Evidence]:
    """The fields with the last correction of each. A corrected value keeps its box only where the correction confirms it."""
    corrected = dict(fields)
    for name, history in corrections.items():
        if history[-1].withdrawn or name not in fields:
            continue
        evidence, value = fields[name], history[-1].value
        flags = tuple(flag for flag in evidence.flags if flag.startswith(("sum:", "order:", "off-by:")))
        confirmed = evidence if evidence.value == value else Evidence(value)
        corrected[name] = replace(confirmed, confidence=None, cells=(), flags=flags)
    return corrected


def _with_duplicates(ledger: Ledger, sha256: str, fields: Mapping[str, Evidence], template: Template) -> dict[str, Evidence]:
    """The fields with a flag that names an earlier document with the same keys."""
    flagged = dict(fields)
    for key in duplicate_keys(fields, template):
        earlier = ledger.earlier_duplicate(sha256, key.text)
        flag = f"{DUPLICATE}:{earlier}"
        if earlier is not None and flag not in flagged[key.field].flags:
            flagged[key.field] = replace(flagged[key.field], flags=(*flagged[key.field].flags, flag))
    return flagged


def _unmerged(results: Iterable[Result]) -> dict[str, Evidence]:
    """The first value of each field."""
    merged: dict[str, Evidence] = {}
    for result in results:
        for name, evidence in result.fields.items():
            merged.setdefault(name, evidence)
    return merged


def publications(
    ledger: Ledger, templates: Templates, accepted_error: float, names: Iterable[str] | None = None
) -> Iterator[Publication]:
    """All publications, or those with these ``names``, sorted by name."""
    chosen = (ledger.file_by_name(name) for name in sorted(set(names))) if names is not None else ledger.published_files()
    for file in filter(None, chosen):
        document = ledger.document(file.published_sha256 or "", stale=True)
        if document:
            yield compose(ledger, templates, file.source, document, file.recipes, accepted_error, file.part)
