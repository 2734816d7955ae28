"""The JSON Schema that a model's answer to a template must meet.

Every field is required and may be null: null says that the page does not have the value. Money and numbers are strings with a
decimal pattern, not JSON numbers, so that "0.10" keeps its digits and never becomes a float. Lengths are limited, so that the
schema stops a model that repeats itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.templates.groups import nest
from pipeline.templates.template import Column, Template, TemplateField

PATTERNS = {
    "money": r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$",
    "number": r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$",
    "date": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "time": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
    "currency": r"^[A-Z]{3}$",
    "boolean": r"^(true|false)$",
    "integer": r"^-?[0-9]{1,15}$",
    "percentage": r"^-?[0-9]{1,4}(\.[0-9]{1,6})?$",
    "quantity": r"^-?[0-9]{1,15}(\.[0-9]{1,6})?( [^ ]{1,12})?$",
    "period": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "duration": r"^P[0-9YMWDTHS.]{1,30}$",
    "phone": r"^[+]?[0-9]{6,15}$",
    "mail": r"^[^@ ]{1,64}@[^@ ]{3,190}$",
    "iban": r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$",
    "bic": r"^[A-Z0-9]{8}([A-Z0-9]{3})?$",
    "country": r"^[A-Z]{2}$",
}
"""How a value of a type is written."""
LENGTHS = {"identifier": 120, "party": 240, "url": 240, "address": 400}
MAX_ITEMS = 500
_CHARACTERS_PER_TOKEN = 4
_CELL = 1000


PrintedValues = Mapping[str, tuple[str, ...]]
"""The values that a page prints, by field type. Types that are absent are not limited to printed values."""


def json_schema(template: Template, printed: PrintedValues | None = None) -> dict[str, Any]:
    """An object schema (draft 2020-12) with a property for each field, in the template's order. ``printed`` limits values to its own."""
    scalars = _Scalars(template.answer.tokens * _CHARACTERS_PER_TOKEN, printed or {})
    properties = {name: _field(field, scalars) for name, field in template.fields.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_objects(nest(properties), frozenset(template.fields))}


def _objects(nested: dict[str, Any], leaves: Collection[str], before: str = "") -> dict[str, Any]:
    """Nested properties as object schemas; ``leaves`` are the dotted names of the schemas themselves."""
    return _object(
        {
            name: inner if f"{before}{name}" in leaves else _objects(inner, leaves, f"{before}{name}.")
            for name, inner in nested.items()
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _field(field: TemplateField, scalars: _Scalars) -> dict[str, Any]:
    if field.type == "table":
        schema = _rows(field.columns, scalars)
    elif field.type == "enum":
        schema = {"type": "string", "enum": list(field.values)}
    else:
        schema = scalars.schema(field.type)
    return _described(_nullable(_list(schema) if field.many else schema), field.description)


def _rows(columns: Mapping[str, Column], scalars: _Scalars) -> dict[str, Any]:
    cells = {name: _cell(column, scalars) for name, column in columns.items()}
    return _list(_objects(nest(cells), frozenset(cells)))


def _cell(column: Column, scalars: _Scalars) -> dict[str, Any]:
    if column.type == "table":
        schema = _rows(column.columns, scalars)
    elif column.type == "enum":
        schema = {"type": "string", "enum": list(column.values)}
    else:
        schema = scalars.schema(column.type, _CELL)
    return _nullable(_described(_list(schema) if column.many else schema, column.description))


@dataclass(frozen=True, slots=True)
class _Scalars:
    """Schemas of single values."""

    longest: int
    """Characters a text may have."""
    printed: PrintedValues

    def schema(self, kind: str, longest: int = 0) -> dict[str, Any]:
        """One value of a field type."""
        if kind in self.printed:
            return {"type": "string", "enum": list(self.printed[kind])}
        if kind in PATTERNS:
            return {"type": "string", "pattern": PATTERNS[kind]}
        return {"type": "string", "minLength": 1, "maxLength": LENGTHS.get(kind, longest or self.longest)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    if items.get("enum") == []:  # the page prints no value of this type
        return {"type": "array", "items": {"type": "null"}, "maxItems": 0}
    return {"type": "array", "items": items, "maxItems": MAX_ITEMS}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("enum") == []:
        return {"type": "null"}
    nullable = schema | {"type": [schema["type"], "null"]}
    return nullable | {"enum": [*schema["enum"], None]} if "enum" in schema else nullable


def _described(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description} | schema if description else schema
