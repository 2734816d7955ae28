"""JSON Schemas of any shape within the subset, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.one_of(
    st.sampled_from(
        ["total", "invoiceNumber", "due date", "Qty", "status", "file", "row", "größe", "x.y", "合計", "$id", "a/b", "_", "1st"]
    ),
    st.text(min_size=1, max_size=8),
)
DESCRIPTIONS = st.sampled_from(
    ["", "the total (Total due), e.g. 12.50", "as printed in the BOX field", "date in YYYY-MM-DD", "{{ words }}"]
)
LEAVES: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "string", "minLength": 2, "maxLength": 20},
    {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "email"},
    {"type": "string", "enum": ["open", "paid", "4"]},
    {"type": ["string", "null"], "enum": ["A", "B", None]},
    {"type": "integer"},
    {"type": "integer", "minimum": 3, "maximum": 9},
    {"type": "number"},
    {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
    {"type": ["number", "null"]},
    {"type": "boolean"},
    {"const": "fixed"},
    {"enum": [1, 2, None]},
    {"type": "null"},
    {"anyOf": [{"type": "string"}, {"type": "null"}]},
    {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+(\.\d+)?$"}]},
    {"$ref": "#/$defs/money"},
    {"anyOf": [{"$ref": "#/$defs/party"}, {"type": "null"}]},
    {"allOf": [{"$ref": "#/$defs/party"}]},
    {},
]
DEFS: dict[str, Any] = {
    "money": {"type": "number", "minimum": 0},
    "party": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "vat": {"type": ["string", "null"]}},
        "required": ["name", "vat"],
        "additionalProperties": False,
    },
}


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    properties = {name: draw(inner) for name in names}
    required = draw(st.lists(st.sampled_from(names), unique=True))
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def described(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, **schema} if description else schema


def lists(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda items: {"type": "array", "items": items}, inner)


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


LEAF_SCHEMAS = st.builds(described, st.sampled_from(LEAVES), DESCRIPTIONS)
PARTS = st.recursive(
    LEAF_SCHEMAS, lambda inner: st.one_of(objects(inner), lists(inner), st.builds(nullable, objects(inner))), max_leaves=8
)
SCHEMAS = st.builds(lambda schema: {**schema, "$defs": DEFS}, objects(PARTS))
"""Whole schemas: an object at the outside, with what its references lead to."""
