"""Combines the data of an e-invoice with the values that were read from its page. The data wins; the page confirms or contradicts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from pipeline.checks.deductions import unsigned_deductions, without_minus
from pipeline.checks.grounding import UNGROUNDED, Locator
from pipeline.checks.value_comparison import as_decimal, is_absent, same_value
from pipeline.records import Evidence, Json, Page
from pipeline.templates.template import Column, Template, TemplateField
from pipeline.values.leaf_values import PARSERS, parse_leaf

FROM_DATA = "xml"
"""Flag of a value from the data. Without grounding, the page does not print it."""
DIFFERS = "xml-differs"
"""Flag of a value that the page contradicts. ``printed`` is then the value of the page."""
ADJUSTED = "adjusted"
"""Flag ``adjusted:AMOUNT`` of the net total: allowances and charges of the whole document lie between it and the sum of the rows."""
NET_TOTAL, ALLOWANCES, CHARGES = "BT-109", "BT-107", "BT-108"
Row = dict[str, Json]


def overlay_einvoice(evidence: Mapping[str, Evidence], page: Page, template: Template) -> dict[str, Evidence]:
    """Evidence with the values of ``page.facts`` for all fields that have a business term in the template."""
    result = dict(evidence)
    if not page.facts:
        return result
    locator, deductions = Locator(page), unsigned_deductions(template, {name: read.value for name, read in result.items()})
    used: set[str] = set()
    for name, field in template.fields.items():
        fact = _fact(page.facts, field) if field.einvoice not in used else None
        if is_absent(fact):
            continue
        used.add(str(field.einvoice))
        read = result.get(name, Evidence(None))
        if field.type == "table":
            result[name] = _table(read, list(fact or ()), field, locator)
        else:
            result[name] = _single(read, str(fact), field, locator, either_sign=name in deductions)
            if field.einvoice == NET_TOTAL and (adjustment := _adjustment(page.facts)):
                result[name] = replace(result[name], flags=(*result[name].flags, f"{ADJUSTED}:{adjustment:f}"))
    return result


def _fact(facts: Mapping[str, Json], field: TemplateField) -> Json:
    """What the data state of a field, in the form of its type; None where that is no value of its type, as an account without IBAN.

    Another field with the same term may then have it.
    """
    fact: Json = facts.get(field.einvoice) if field.einvoice else None
    if fact is None or field.type == "table":
        return fact
    if field.type == "enum":
        return field.value_codes.get(str(fact))
    return parse_leaf(field.type, str(fact)) if field.type in PARSERS else fact


def _adjustment(facts: Mapping[str, Json]) -> Decimal:
    """Charges less allowances of the whole document (EN 16931, BR-CO-13)."""
    charges, allowances = (as_decimal(facts.get(term)) or Decimal(0) for term in (CHARGES, ALLOWANCES))
    return charges - allowances


def _single(read: Evidence, fact: str, field: TemplateField, locator: Locator, *, either_sign: bool) -> Evidence:
    value: Json = [fact] if field.many else fact
    page_value = read.value[0] if isinstance(read.value, list) and read.value else read.value
    agrees = same_value(field.type, page_value, fact) or (
        either_sign and same_value(field.type, page_value, without_minus(fact))
    )
    if agrees and read.grounding != "none":
        return replace(read, value=value, flags=(*_other_flags(read), FROM_DATA))
    differs = not agrees and not is_absent(read.value)
    bare = Evidence(value, None, locator.page.number, flags=_other_flags(read), score=1.0)
    place = locator.find_value(field.type, fact, merge=field.merge, either_sign=either_sign)
    evidence = locator.to_evidence(bare, [place], [FROM_DATA, DIFFERS] if differs else [FROM_DATA])
    return replace(evidence, printed=read.printed or str(read.value)) if differs else evidence


def _table(read: Evidence, lines: Sequence[Mapping[str, Json]], field: TemplateField, locator: Locator) -> Evidence:
    page_rows = read.value if isinstance(read.value, list) else []
    rows = [_row(line, page_rows[n] if len(page_rows) == len(lines) else {}, field) for n, line in enumerate(lines)]
    bare = Evidence(rows, None, locator.page.number, flags=_other_flags(read), score=1.0)
    places = [place for cells in locator.find_rows(rows, field) for place in cells.values()]
    differs = bool(page_rows) and not _rows_agree(page_rows, rows, field)
    return locator.to_evidence(bare, places, [FROM_DATA, DIFFERS] if differs else [FROM_DATA])


def _row(line: Mapping[str, Json], read: Mapping[str, Json], field: TemplateField) -> Row:
    """One row by column: the value of the data, else the value in the same row of the page."""
    return {name: _cell(line.get(column.einvoice or ""), column) or read.get(name) for name, column in field.columns.items()}


def _cell(fact: Json, column: Column) -> Json:
    return parse_leaf(column.type, str(fact)) if fact is not None and column.type in PARSERS else fact


def _rows_agree(read: Sequence[Mapping[str, Json]], rows: Sequence[Row], field: TemplateField) -> bool:
    if len(read) != len(rows):
        return False
    names = [name for name, column in field.columns.items() if not column.detail]
    cells = ((name, a.get(name), b.get(name)) for a, b in zip(read, rows, strict=True) for name in names)
    return all(is_absent(a) or is_absent(b) or same_value(field.columns[name].type, a, b) for name, a, b in cells)


def _other_flags(read: Evidence) -> tuple[str, ...]:
    """The flags of the page's value, without those about its grounding."""
    return tuple(flag for flag in read.flags if flag.split(":")[0] != UNGROUNDED)
