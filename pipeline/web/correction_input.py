"""Corrections as people enter them: parsed by the field's type, and exported as the truth that ``pipeline eval`` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from pipeline.evaluate.expected import FormError, is_list, parse_expected
from pipeline.ledger.corrections import correction_history
from pipeline.ledger.ledger import Ledger
from pipeline.records import Json
from pipeline.templates.template import TemplateField

MAX_CHARACTERS = 200_000
EXAMPLES = {
    "date": "2026-03-24",
    "time": "14:30",
    "money": "1250.00",
    "number": "1250.5",
    "integer": "12",
    "percentage": "7.5",
    "quantity": "2.5 kg",
    "currency": "EUR",
    "boolean": "true",
    "period": "2026-03-01/2026-03-31",
    "duration": "14 days",
    "phone": "+49 30 1234567",
    "mail": "name@example.org",
    "url": "www.example.org",
    "iban": "DE02 1203 0000 0000 2020 51",
    "bic": "BYLADEM1001",
    "country": "DE",
}
"""A value of each type as a person may enter it."""
InputKind = Literal["one", "many", "texts", "table", ""]
"""How a value is entered: ``one``, ``many`` (one a line), ``texts`` (one a page), ``table``; empty when it cannot be entered."""


def input_kind(spec: TemplateField | None, value: Json) -> InputKind:
    """How a person enters a value of this field."""
    if spec is None:
        return ""
    if spec.type == "table":
        return "table"
    if _is_text_per_page(spec):
        return "texts" if isinstance(value, list) else ""
    return "many" if is_list(spec) else "one"


def parse_value(value: Json, field: TemplateField, recorded: Sequence[Json] = ()) -> Json:
    """A value as results hold it: plain decimals, ISO dates, rows with every column. Raises ValueError with a message for people.

    ``recorded`` are the values that were read or entered before. They, their items and their cells stay as they are, also where they
    have not the form of their type: a person confirms what the page prints, and the page may be wrong.
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("it contains invalid characters") from error
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"it has more than {MAX_CHARACTERS:,} characters")
    if _is_text_per_page(field):
        if value is not None and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise ValueError("it must be a list with a text for each page")
        return value
    if value is not None and any(value == known and type(value) is type(known) for known in recorded):
        return value
    if field.type == "table" and isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        known_cells = [row for rows in recorded if isinstance(rows, list) for row in rows if isinstance(row, Mapping)]
        return [_row(row, n, field, known_cells) for n, row in enumerate(value, 1)] or None
    known_items = [item for items in recorded for item in (items if isinstance(items, list) else [items])]
    if is_list(field) and isinstance(value, list):
        parsed = [[item] if item in known_items else _parsed([item], field) for item in value]
        return [item for items in parsed for item in items or ()] or None
    values = _parsed(value, field)
    if values is None:
        return None
    if len(values) != 1:
        raise ValueError("it must be one value")
    return values if is_list(field) else values[0]


def _row(row: Mapping[str, Json], number: int, field: TemplateField, known: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """A row with every column. Raises ValueError that names the row and the column."""
    kept = {name: cell for name, cell in row.items() if any(cell == other.get(name) for other in known)}
    others = {name: None if name in kept else cell for name, cell in row.items()}
    try:
        (parsed,) = cast("list[dict[str, str]]", parse_expected([others], field))
    except FormError as error:
        column = error.column.replace("_", " ")
        raise ValueError(f"row {number}, {column}: {_refusal(error)}") from error
    return {name: kept[name] if name in kept else parsed.get(name) for name in field.columns}


def _parsed(value: Json, field: TemplateField) -> list[Any] | None:
    try:
        parsed = parse_expected(value, field)
    except FormError as error:
        raise _refusal(error) from error
    if parsed is None:
        return None
    values: list[Any] = list(parsed)
    if field.type == "enum" and (other := next((item for item in values if item not in field.values), None)) is not None:
        raise ValueError(f"`{other}` is none of {', '.join(field.values)}")
    return values


def _refusal(error: FormError) -> ValueError:
    """What to enter instead of a text that is no value of its type."""
    return ValueError(f"`{error.text[:60]}` cannot be saved here; write it like `{EXAMPLES.get(error.kind, '')}`")


def _is_text_per_page(field: TemplateField) -> bool:
    return field.type == "text" and field.merge == "all" and not field.many


def truth_rows(ledger: Ledger, name: str, fields: Mapping[str, TemplateField]) -> Iterator[dict[str, Any]]:
    """The corrected and confirmed values of one template with these fields, a document a row, as docs/eval.md describes them.

    ``file`` is the path below the inbox. A document of a file that is split is no file, and is left out. So are confirmed values
    that have not the form of their type: no result can be compared with them.
    """
    paths: set[str] = set()
    for file in ledger.published_files():
        if file.part or file.source.relative in paths:  # an earlier file of this name
            continue
        values = {
            field: corrections[-1].value
            for (template, field), corrections in correction_history(ledger, file.key).items()
            if template == name and not corrections[-1].withdrawn
        }
        truth = {field: value for field, value in values.items() if field not in fields or _is_truth(value, fields[field])}
        if truth:
            paths.add(file.source.relative)
            yield {"file": file.source.relative, "fields": truth}


def _is_truth(value: Json, field: TemplateField) -> bool:
    """Whether ``pipeline eval`` can compare results with a value."""
    try:
        parse_value(value, field)
    except ValueError:
        return False
    return True
