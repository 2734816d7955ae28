"""The results of a document's pages made into one: each field by its own ``merge`` rule, no page number ever shifted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.checks.compare import is_absent, same_value
from pipeline.checks.einvoice_overlay import DIFFERS, FROM_DATA
from pipeline.records import Evidence, Grounding, Json, Result
from pipeline.templates.model import Template, TemplateField

_RANK: dict[Grounding, int] = {"exact": 3, "value": 2, "fuzzy": 1, "none": 0}
_NUMBERED = re.compile(r"([a-z-]+):(\d{1,9})(\..*)?", re.DOTALL)


def merge_pages(results: Sequence[Result], template: Template) -> dict[str, Evidence]:
    """Every field of the template, from the results of all pages in order, failed and blank ones included.

    ``first``, ``last`` and ``best`` (best grounded, then highest score) choose among the pages that have a value. ``all`` joins the
    rows of a table, and makes a list of other values; of a text field it is one string a page, "" where the page has none.
    What the e-invoice on page 1 states (flag ``xml``) is the whole document's and goes before every rule; another page that says
    the same lends it its place. Fields declared ``many`` join their lists without duplicates unless ``last`` or ``best`` is asked for.
    """
    return {
        name: _field(field, [r.fields.get(name, Evidence(None)) for r in results]) for name, field in template.fields.items()
    }


def _field(field: TemplateField, pages: list[Evidence]) -> Evidence:
    found = [e for e in pages if not is_absent(e.value)]
    if not found:
        return _text_by_page(pages) if _is_text_list(field) and pages else Evidence(None)
    stated = next((e for e in found if FROM_DATA in e.flags), None)
    if stated:
        return _witnessed(stated, [e for e in found if e is not stated], field)
    if field.merge == "last":
        return found[-1]
    if field.merge == "best":
        return max(found, key=lambda e: (_RANK[e.grounding], e.score))
    if field.many:
        return _joined(found, distinct=True)
    if field.merge == "first":
        return found[0]
    if field.type == "table":
        return _joined(found, distinct=False)
    return _text_by_page(pages) if _is_text_list(field) else _joined(found, distinct=True)


def _witnessed(stated: Evidence, others: Sequence[Evidence], field: TemplateField) -> Evidence:
    """The data's value with the place on the page that prints it; flagged where every other page reads it differently."""
    if stated.grounding != "none" or field.type == "table" or not others:
        return stated
    same = [e for e in others if same_value(field.type, e.value, stated.value)]
    if not same:
        flags = tuple(dict.fromkeys((*stated.flags, DIFFERS)))
        return replace(stated, printed=others[-1].printed or str(others[-1].value), flags=flags)
    witness = max(same, key=lambda e: _RANK[e.grounding])
    # Page 1 was then read for something that it does not print.
    flags = tuple(flag for flag in stated.flags if flag != DIFFERS)
    return replace(witness, value=stated.value, flags=flags, score=stated.score)


def _is_text_list(field: TemplateField) -> bool:
    return field.merge == "all" and field.type == "text" and not field.many


def _text_by_page(pages: Sequence[Evidence]) -> Evidence:
    found = [e for e in pages if not is_absent(e.value)]
    texts = ["" if is_absent(e.value) else str(e.value) for e in pages]
    flags = [f"{flag}:{number}" for number, e in enumerate(pages, 1) for flag in e.flags]
    return _summary(found, texts, flags)


def _joined(found: Sequence[Evidence], distinct: bool) -> Evidence:
    """The values of the pages one after the other; flags that number a row count on."""
    values: list[Json] = []
    flags: list[str] = []
    for evidence in found:
        items = evidence.value if isinstance(evidence.value, list) else [evidence.value]
        numbers = []
        for item in items:
            if not (distinct and item in values):
                values.append(item)
            numbers.append(values.index(item) + 1 if distinct else len(values))
        flags += [_renumbered(flag, numbers) for flag in evidence.flags]
    return _summary(found, values, flags)


def _renumbered(flag: str, numbers: Sequence[int]) -> str:
    match = _NUMBERED.fullmatch(flag)
    if not match or not 1 <= int(match[2]) <= len(numbers):
        return flag
    return f"{match[1]}:{numbers[int(match[2]) - 1]}{match[3] or ''}"


def _summary(found: Sequence[Evidence], value: Json, flags: Sequence[str]) -> Evidence:
    """One evidence for a value of several pages: page and box of the first, the weakest grounding of all."""
    if not found:
        return Evidence(value, flags=tuple(dict.fromkeys(flags)))
    weakest = min((e.grounding for e in found), key=_RANK.__getitem__)
    score = max(e.score for e in found)
    return replace(found[0], value=value, printed=None, grounding=weakest, flags=tuple(dict.fromkeys(flags)), score=score)
