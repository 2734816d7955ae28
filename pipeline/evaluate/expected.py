"""The truth that a person wrote, parsed by the type of its field so that results can be compared with it. A mistake raises an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.checks.value_comparison import as_decimal, is_absent
from pipeline.records import Json
from pipeline.templates.template import Column, TemplateField
from pipeline.values.currencies import parse_currency
from pipeline.values.dates import parse_date, parse_time
from pipeline.values.leaf_values import MOST_PERCENT, parse_leaf
from pipeline.values.money import parse_money
from pipeline.values.numbers import parse_number, plain_decimal

Expected = tuple[str, ...] | list[str] | list[dict[str, str]] | None
"""A tuple: any one of these values is right. A list: all of them (of a table: rows). None: the document does not say."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of one document. A field that is not in ``fields`` is not scored."""

    file: str
    """As the truth names it: a path below the folder."""
    path: Path
    fields: Mapping[str, Expected]
    language: str = ""
    layout: str = ""
    country: str = ""
    medium: str = ""
    """How it came to be a file: born digital, scan, photograph."""
    uncounted: frozenset[str] = frozenset()
    """Tables of ``fields`` whose rows and cells are counted, but which are not among the scored values."""


class FormError(ValueError):
    """A text that is no value of its type. ``column`` is that of a table's cell, else empty."""

    def __init__(self, text: str, kind: str, column: str = "") -> None:
        super().__init__(f"{f'column `{column}`: ' if column else ''}`{text[:60]}` is not of type {kind}")
        self.text, self.kind, self.column = text, kind, column


def is_list(field: TemplateField) -> bool:
    """Whether the value of a document is a list of values. A table is a list of rows instead, and the texts of all pages are one text."""
    return field.many or (field.merge == "all" and field.type not in ("table", "text"))


def parse_expected(value: Json, field: TemplateField) -> Expected:
    """The truth of one field from what was written. Raises ValueError with a message for people."""
    if is_absent(value):
        return None
    if field.type == "table":
        if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
            raise ValueError("a table is a list of rows, each an object by column")
        return [_row(row, field) for row in value]
    if isinstance(value, Mapping):
        raise ValueError("is an object; write one value or a list of values")
    values = [_single(item, field) for item in (value if isinstance(value, list) else [value])]
    return values if is_list(field) else tuple(dict.fromkeys(values))


def _row(row: Mapping[str, Json], field: TemplateField) -> dict[str, str]:
    """The cells that the truth states, by column."""
    unknown = [name for name in row if name not in field.columns]
    if unknown:
        raise ValueError(f"there is no column `{unknown[0]}` (columns: {', '.join(field.columns)})")
    return {name: _cell(cell, name, field.columns[name]) for name, cell in row.items() if not is_absent(cell)}


def _cell(value: Json, name: str, column: Column) -> str:
    try:
        return _single(value, column)
    except FormError as error:
        raise FormError(error.text, error.kind, name) from error


def _single(value: Json, field: TemplateField | Column) -> str:
    if isinstance(value, bool) and field.type == "boolean":
        value = "true" if value else "false"
    if is_absent(value) or isinstance(value, bool | list | Mapping):
        raise ValueError(f"`{value}` is not a value")
    text = " ".join(str(value).split()) if field.type != "text" else str(value).strip()
    normalised = _normalised(text, field.type)
    if not normalised:
        raise FormError(text, field.type)
    return normalised


def _normalised(text: str, kind: str) -> str | None:
    """The form in which results hold a value of this type; plain decimals and ISO dates are taken as they are."""
    if kind in ("money", "number"):
        number = as_decimal(text)
        if number is None:
            money = parse_money(text) if kind == "money" else None
            number = money.amount if money else parse_number(text)
        return None if number is None else plain_decimal(number)
    if kind == "percentage" and (percentage := as_decimal(text)) is not None and abs(percentage) <= MOST_PERCENT:
        return plain_decimal(percentage)  # "100.000" of a result is no hundred thousand
    if kind == "date":
        day = parse_date(text)
        return day.isoformat() if day else None
    if kind == "time":
        return parse_time(text)
    if kind == "currency":
        return parse_currency(text)
    return parse_leaf(kind, text)
