"""What tells that two documents are the same one, received twice: the seller with the document's number, or with time and total."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.checks.text_keys import letters_and_digits
from pipeline.checks.value_comparison import as_decimal, is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template, TemplateField

DUPLICATE = "duplicate"
"""Flag ``duplicate:NAME``: the earlier document of this name has the same number of the same seller."""
NUMBER, ISSUE_DATE, TOTAL = "BT-1", "BT-2", "BT-112"
"""Business terms of EN 16931."""
_LEAST_LETTERS = 3
"""Letters and digits of a seller's name, and of a number with fewer of which other documents may agree by chance."""


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """A text that equal documents share, and the field that says so."""

    text: str
    field: str


def duplicate_keys(fields: Mapping[str, Evidence], template: Template) -> list[DuplicateKey]:
    """The keys of a document; none where it prints no seller, or neither a number nor date, time and total."""
    sellers = list(_sellers(fields, template))
    keys = []
    if number := _field(fields, template, NUMBER):
        text = letters_and_digits(str(fields[number].value))
        if len(text) >= _LEAST_LETTERS:
            keys.append((f"number {text}", number))
    total, date = _field(fields, template, TOTAL), _field(fields, template, ISSUE_DATE)
    time = next((name for name, field in template.fields.items() if field.type == "time" and _has(fields, name)), None)
    if total and date and time and (amount := as_decimal(fields[total].value)):
        keys.append((f"sale {fields[date].value} {fields[time].value} {amount.normalize():f}", total))
    return [DuplicateKey(f"{template.name} {seller} {text}", field) for seller in sellers for text, field in keys]


def _sellers(fields: Mapping[str, Evidence], template: Template) -> Iterator[str]:
    """The seller's tax number and name: a bad copy may show only one of them."""
    for name, field in template.fields.items():
        if field.role == "seller" and _has(fields, name) and (field.type == "party" or _is_tax_number(field)):
            text = letters_and_digits(str(fields[name].value))
            if len(text) >= _LEAST_LETTERS:
                yield text


def _is_tax_number(field: TemplateField) -> bool:
    return field.type == "identifier" and field.format == "vat"


def _field(fields: Mapping[str, Evidence], template: Template, term: str) -> str | None:
    """The first field with a business term that has a value."""
    return next((name for name, field in template.fields.items() if field.einvoice == term and _has(fields, name)), None)


def _has(fields: Mapping[str, Evidence], name: str) -> bool:
    return name in fields and not is_absent(fields[name].value)
