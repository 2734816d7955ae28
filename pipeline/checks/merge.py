"""Merges the results of a document's pages, each field by the ``merge`` rule of the template. Page numbers stay as they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pipeline.checks.carry_forward import carry_rows, is_carry_row
from pipeline.checks.code_overlay import (
    CODE_DIFFERS,
    COMPARED,
    FROM_CODE,
    is_code_disputed,
    is_from_code_alone,
    same_stated,
    with_code,
    with_difference,
)
from pipeline.checks.einvoice_dispute import with_disputes
from pipeline.checks.einvoice_overlay import DIFFERS, FROM_DATA
from pipeline.checks.page_selection import PageSelection, select_pages
from pipeline.checks.value_comparison import is_absent, same_value
from pipeline.records import Evidence, Grounding, Json, Result
from pipeline.templates.question_template import NEAREST
from pipeline.templates.template import Template, TemplateField

OTHER_DOCUMENTS = "other-documents"
"""Flag ``other-documents:2,3`` of a file whose pages 2 and 3 are of other documents."""
_RANK: dict[Grounding, int] = {"exact": 3, "value": 2, "fuzzy": 1, "none": 0}
_NO_ROW = re.compile(r"[a-z-]+:0(\..*)?$", re.DOTALL)
_NUMBERED = re.compile(r"([a-z-]+):(\d{1,9})(\..*)?", re.DOTALL)


def merge_pages(results: Sequence[Result], template: Template) -> dict[str, Evidence]:
    """Evidence for every field of the template. ``results`` holds one result for each page, in order, also of failed and blank pages.

    A value on any page precedes pages without one; where all have none, the page counts that is least sure of it. ``first``, ``last`` and
    ``best`` (best grounding, then highest score) choose among the pages with a value. ``all`` joins the rows of a
    table, and makes a list of other values; of a text field it is one string for each page, "" for a page without text. A value of the
    e-invoice on page 1 (flag ``xml``) belongs to the whole document and precedes every rule; a page with the same value gives it a place.
    Fields with ``many`` join their lists without duplicates, except with ``last`` and ``best``.
    """
    pages = _without_carried_sums([_items_only(result.fields, template) for result in results], template)
    if template.reader == "question":
        pages = _without_weak_answers(pages)
    selection = select_pages(pages, template)
    merged = {}
    for name, field in template.fields.items():
        chosen = {*_pages_of(name, field, pages, selection, template), *_with_data(name, pages)}
        order = selection.from_head(len(pages)) if field.merge == "first" else range(len(pages))
        read = [pages[n].get(name, Evidence(None)) if n in chosen else Evidence(None) for n in order]
        stated = [pages[n][name] for n in selection.own if name in pages[n] and FROM_CODE in pages[n][name].flags]
        merged[name] = _with_codes(field, read, stated) if stated else _field(field, read)
    return with_disputes(_with_other_documents(merged, results, selection), template)


def _without_weak_answers(pages: Sequence[Mapping[str, Evidence]]) -> list[Mapping[str, Evidence]]:
    """The answers of all pages, without lines that only have most of the question's words where another page says more than that."""
    weak = [any(NEAREST in evidence.flags for evidence in page.values()) for page in pages]
    says = any(
        not is_weak and any(not is_absent(evidence.value) for evidence in page.values())
        for page, is_weak in zip(pages, weak, strict=True)
    )
    return [{} if says and is_weak else page for page, is_weak in zip(pages, weak, strict=True)]


def _items_only(fields: Mapping[str, Evidence], template: Template) -> Mapping[str, Evidence]:
    """The fields of a page, tables without rows that carry a sum to the next page. Data of an e-invoice have none."""
    changed = {}
    for name, field in template.fields.items():
        evidence = fields.get(name)
        if field.type != "table" or evidence is None or FROM_DATA in evidence.flags or not isinstance(evidence.value, list):
            continue
        carried = {at for at, row in enumerate(evidence.value) if is_carry_row(row, field)}
        if carried:
            changed[name] = _without_rows(evidence, carried)
    return {**fields, **changed} if changed else fields


def _without_carried_sums(pages: Sequence[Mapping[str, Evidence]], template: Template) -> list[Mapping[str, Evidence]]:
    """The fields of all pages, tables without rows that are the sum of the rows of other pages. Data of an e-invoice have none.

    What stands before the head of the document carries nothing; where the head is the last page, the pages lie in reverse.
    """
    changed = [dict(page) for page in pages]
    head = select_pages(pages, template).head
    order = changed[::-1] if head == len(pages) - 1 else changed[head:]
    for name, column in (template.split_term(term) for check in template.checks for term in check.sum):
        if not column:
            continue
        tables = [page.get(name) for page in order]
        rows = [e.value if e and isinstance(e.value, list) and FROM_DATA not in e.flags else [] for e in tables]
        if sum(map(bool, rows)) >= 2:
            for page, evidence, carried in zip(order, tables, carry_rows(rows, template.fields[name], column), strict=True):
                if evidence and carried:
                    page[name] = _without_rows(evidence, carried)
    return list(changed)


def _without_rows(evidence: Evidence, dropped: Collection[int]) -> Evidence:
    """The evidence of a table without some rows; the row numbers in its flags are adapted."""
    kept = [at for at in range(len(evidence.value)) if at not in dropped]
    numbers = [kept.index(at) + 1 if at in kept else 0 for at in range(len(evidence.value))]
    flags = tuple(new for flag in evidence.flags if (new := _renumbered(flag, numbers)) and not _NO_ROW.match(new))
    cells = [evidence.cells[at] for at in kept] if len(evidence.cells) == len(evidence.value) else []
    return replace(evidence, value=[evidence.value[at] for at in kept], flags=flags, cells=cells)


def _with_data(name: str, pages: Sequence[Mapping[str, Evidence]]) -> list[int]:
    """The pages on which the data of an e-invoice give the field its value. They belong to the whole document."""
    return [n for n, page in enumerate(pages) if name in page and FROM_DATA in page[name].flags]


def _pages_of(
    name: str, field: TemplateField, pages: Sequence[Mapping[str, Evidence]], selection: PageSelection, template: Template
) -> Collection[int]:
    """The pages that give a field its value: those of the document; for an amount in a sum the page with the totals, where it has it."""
    if field.type == "table":
        return selection.without_annex(template, pages, name)
    in_sums = {
        term.lstrip("-")
        for check in template.checks
        if check.sum and not check.running
        for term in (*check.sum, check.equals or "")
    }
    totals = selection.totals
    if field.merge == "last" and name in in_sums and totals is not None:
        return (
            (totals,)
            if name in pages[totals] and not is_absent(pages[totals][name].value)
            else [p for p in selection.own if p <= totals]
        )
    return selection.own


def _with_other_documents(
    merged: dict[str, Evidence], results: Sequence[Result], selection: PageSelection
) -> dict[str, Evidence]:
    """The fields, all that have a value flagged where the file holds other documents, too."""
    if not selection.others:
        return merged
    flag = f"{OTHER_DOCUMENTS}:{','.join(str(results[page].key.page) for page in selection.others)}"
    return {
        name: evidence if is_absent(evidence.value) else replace(evidence, flags=(*evidence.flags, flag))
        for name, evidence in merged.items()
    }


def _field(field: TemplateField, pages: list[Evidence]) -> Evidence:
    present = [e for e in pages if not is_absent(e.value)]
    if not present:
        return _text_by_page(pages) if _is_text_list(field) and pages else _absence(pages)
    from_data = next((e for e in present if FROM_DATA in e.flags), None)
    if from_data:
        return _placed(from_data, [e for e in present if e is not from_data], field)
    if field.merge == "last":
        return present[-1]
    if field.merge == "best":
        return max(present, key=lambda e: (_RANK[e.grounding], e.score))
    if field.many:
        return _joined(present, distinct=True)
    if field.merge == "first":
        return present[0]
    if field.type == "table":
        return _joined(present, distinct=False)
    return _text_by_page(pages) if _is_text_list(field) else _joined(present, distinct=True)


def _with_codes(field: TemplateField, pages: list[Evidence], stated: Sequence[Evidence]) -> Evidence:
    """The value of a field of which codes on some pages state one (``stated``). Values that print it precede the bare code's."""
    in_text = [Evidence(None) if is_from_code_alone(evidence) else evidence for evidence in pages]
    if all(is_absent(evidence.value) for evidence in in_text):
        return _field(field, [*pages, *(e for e in stated if is_from_code_alone(e) and e not in pages)])
    merged = _field(field, in_text)
    if FROM_CODE in merged.flags or is_code_disputed(merged) or isinstance(merged.value, list):
        return merged
    if any(same_stated(field, merged.value, evidence.value) for evidence in stated):
        return with_code(merged)
    alone = [evidence for evidence in stated if is_from_code_alone(evidence)]
    return with_difference(merged, alone[0].value) if alone and field.type in COMPARED else merged


def _absence(pages: Sequence[Evidence]) -> Evidence:
    """The evidence of the page on which it is least sure that there is no value, among the pages of which an engine says how sure."""
    assessed = [evidence for evidence in pages if evidence.score > 0]
    return min(assessed, key=lambda evidence: evidence.score, default=Evidence(None))


def _placed(from_data: Evidence, others: Sequence[Evidence], field: TemplateField) -> Evidence:
    """The data's value with the place on the page that prints it, or with a flag where all other pages have another value."""
    if from_data.grounding != "none" or field.type == "table" or not others:
        return from_data
    same = [e for e in others if same_value(field.type, e.value, from_data.value)]
    if not same:
        flags = tuple(dict.fromkeys((*from_data.flags, DIFFERS)))
        return replace(from_data, printed=others[-1].printed or str(others[-1].value), flags=flags)
    page_value = max(same, key=lambda e: _RANK[e.grounding])
    # The value of page 1 that differed was then something else.
    flags = tuple(flag for flag in from_data.flags if flag != DIFFERS)
    return replace(page_value, value=from_data.value, flags=flags, score=from_data.score)


def _is_text_list(field: TemplateField) -> bool:
    return field.merge == "all" and field.type == "text" and not field.many


def _text_by_page(pages: Sequence[Evidence]) -> Evidence:
    present = [e for e in pages if not is_absent(e.value)]
    texts = ["" if is_absent(e.value) else str(e.value) for e in pages]
    flags = [f"{flag}:{number}" for number, e in enumerate(pages, 1) for flag in e.flags]
    return _combined(present, texts, flags)


def _joined(present: Sequence[Evidence], distinct: bool) -> Evidence:
    """The values of all pages in order. The row numbers in flags are adapted."""
    values: list[Json] = []
    flags: list[str] = []
    for evidence in present:
        items = evidence.value if isinstance(evidence.value, list) else [evidence.value]
        numbers = []
        for item in items:
            if not (distinct and item in values):
                values.append(item)
            numbers.append(values.index(item) + 1 if distinct else len(values))
        flags += [_renumbered(flag, numbers) for flag in evidence.flags]
    return _combined(present, values, flags)


def _renumbered(flag: str, numbers: Sequence[int]) -> str:
    match = None if flag.startswith(CODE_DIFFERS) else _NUMBERED.fullmatch(flag)
    if not match or not 1 <= int(match[2]) <= len(numbers):
        return flag
    return f"{match[1]}:{numbers[int(match[2]) - 1]}{match[3] or ''}"


def _combined(present: Sequence[Evidence], value: Json, flags: Sequence[str]) -> Evidence:
    """One evidence for a value of several pages: page and box of the first, the weakest grounding."""
    if not present:
        return Evidence(value, flags=tuple(dict.fromkeys(flags)))
    weakest = min((e.grounding for e in present), key=_RANK.__getitem__)
    score = max(e.score for e in present)
    cells = [cells for e in present for cells in e.cells]
    return replace(
        present[0],
        value=value,
        printed=None,
        grounding=weakest,
        flags=tuple(dict.fromkeys(flags)),
        score=score,
        cells=cells if isinstance(value, list) and len(cells) == len(value) else (),
    )
