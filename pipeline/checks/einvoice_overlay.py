"""The e-invoice inside a PDF laid over what was read from its page: where both speak, the data wins and the page is the witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.checks.compare import is_absent, same_value
from pipeline.checks.deductions import unsigned_deductions, without_minus
from pipeline.checks.grounding import UNGROUNDED, Locator
from pipeline.records import Evidence, Json, Page
from pipeline.templates.model import Template, TemplateField

FROM_DATA = "xml"
"""The value is the data's; ungrounded, it is not printed on the page."""
DIFFERS = "xml-differs"
"""The page was read as something else than the data say; ``printed`` holds the page's reading."""
Row = dict[str, Json]


def overlay_einvoice(evidence: Mapping[str, Evidence], page: Page, template: Template) -> dict[str, Evidence]:
    """Evidence with the values of ``page.facts`` for all fields that name their business term."""
    result = dict(evidence)
    if not page.facts:
        return result
    locator, deductions = Locator(page), unsigned_deductions(template, {name: read.value for name, read in result.items()})
    for name, field in template.fields.items():
        fact: Json = page.facts.get(field.einvoice) if field.einvoice else None
        if is_absent(fact):
            continue
        read = result.get(name, Evidence(None))
        if field.type == "table":
            result[name] = _table(read, fact, field, locator)
        else:
            result[name] = _single(read, str(fact), field, locator, either_sign=name in deductions)
    return result


def _single(read: Evidence, fact: str, field: TemplateField, locator: Locator, *, either_sign: bool) -> Evidence:
    value: Json = [fact] if field.many else fact
    page = read.value[0] if isinstance(read.value, list) and read.value else read.value
    agrees = same_value(field.type, page, fact) or (either_sign and same_value(field.type, page, without_minus(fact)))
    if agrees and read.grounding != "none":
        return replace(read, value=value, flags=(*_kept(read), FROM_DATA))
    differs = not agrees and not is_absent(read.value)
    bare = Evidence(value, None, locator.page.number, flags=_kept(read), score=1.0)
    place = locator.find_value(field.type, fact, merge=field.merge, either_sign=either_sign)
    found = locator.to_evidence(bare, [place], [FROM_DATA, DIFFERS] if differs else [FROM_DATA])
    return replace(found, printed=read.printed or str(read.value)) if differs else found


def _table(read: Evidence, lines: Sequence[Mapping[str, Json]], field: TemplateField, locator: Locator) -> Evidence:
    page_rows = read.value if isinstance(read.value, list) else []
    rows = [_row(line, page_rows[n] if len(page_rows) == len(lines) else {}, field) for n, line in enumerate(lines)]
    bare = Evidence(rows, None, locator.page.number, flags=_kept(read), score=1.0)
    places = [place for cells in locator.find_rows(rows, field) for place in cells.values()]
    differs = bool(page_rows) and not _agree(page_rows, rows, field)
    return locator.to_evidence(bare, places, [FROM_DATA, DIFFERS] if differs else [FROM_DATA])


def _row(line: Mapping[str, Json], read: Mapping[str, Json], field: TemplateField) -> Row:
    """One row by column: the data's value, else what was read in the same row of the page."""
    return {name: line.get(column.einvoice or "", read.get(name)) for name, column in field.columns.items()}


def _agree(read: Sequence[Mapping[str, Json]], rows: Sequence[Row], field: TemplateField) -> bool:
    if len(read) != len(rows):
        return False
    cells = ((name, a.get(name), b.get(name)) for a, b in zip(read, rows, strict=True) for name in field.columns)
    return all(is_absent(a) or is_absent(b) or same_value(field.columns[name].type, a, b) for name, a, b in cells)


def _kept(read: Evidence) -> tuple[str, ...]:
    """Flags that outlive the page's reading: not those on where it was found."""
    return tuple(flag for flag in read.flags if flag.split(":")[0] != UNGROUNDED)
