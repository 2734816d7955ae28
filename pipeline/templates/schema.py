"""The JSON Schema that a model's answer to a template must meet.

Every field is required and may be null: a model says that the page does not state something instead of leaving it out. Money
and numbers are strings with a decimal pattern, not JSON numbers, so that "0.10" keeps its digits and never becomes a float.
Lengths are limited: a model that repeats itself is stopped by the schema.
"""

from __future__ import annotations

from typing import Any

from pipeline.templates.model import Column, Template, TemplateField

PATTERNS = {
    "money": r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$",
    "number": r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$",
    "date": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "time": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
    "currency": r"^[A-Z]{3}$",
}
"""How a value of a type is written."""
LENGTHS = {"identifier": 120, "party": 240}
MAX_ITEMS = 500
_CHARACTERS_PER_TOKEN = 4
_CELL = 1000


def json_schema(template: Template) -> dict[str, Any]:
    """An object schema (draft 2020-12): a property per field, in the template's order."""
    longest = template.answer.tokens * _CHARACTERS_PER_TOKEN
    properties = {name: _field(field, longest) for name, field in template.fields.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object(properties)}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _field(field: TemplateField, longest: int) -> dict[str, Any]:
    if field.type == "table":
        columns = {name: _nullable(_column(column)) for name, column in field.columns.items()}
        schema = _list(_object(columns))
    elif field.type == "enum":
        schema = {"type": "string", "enum": list(field.values)}
    else:
        schema = _scalar(field.type, longest)
    return _described(_nullable(_list(schema) if field.many else schema), field.description)


def _column(column: Column) -> dict[str, Any]:
    return _described(_scalar(column.type, _CELL), column.description)


def _scalar(kind: str, longest: int) -> dict[str, Any]:
    if kind in PATTERNS:
        return {"type": "string", "pattern": PATTERNS[kind]}
    return {"type": "string", "minLength": 1, "maxLength": LENGTHS.get(kind, longest)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": MAX_ITEMS}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    nullable = schema | {"type": [schema["type"], "null"]}
    return nullable | {"enum": [*schema["enum"], None]} if "enum" in schema else nullable


def _described(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description} | schema if description else schema
