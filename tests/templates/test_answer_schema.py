from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.templates.answer_schema import json_schema
from pipeline.templates.template import Template

ANSWER: dict[str, Any] = {
    "number": "DN-7",
    "delivered": "2025-03-31",
    "ordered": None,
    "goods_value": "1234.50",
    "carrier": "post",
    "stops": ["Ulm", "Bern"],
    "items": [{"description": "Bolts", "value": "-3.10"}, {"description": None, "value": None}],
}


@pytest.fixture
def validator(note: Template) -> Draft202012Validator:
    schema = json_schema(note)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_an_answer_within_the_schema_is_valid(validator: Draft202012Validator) -> None:
    validator.validate(ANSWER)


def test_every_field_may_be_null(validator: Draft202012Validator) -> None:
    validator.validate(dict.fromkeys(ANSWER))


def test_fields_stand_in_the_order_of_the_template(note: Template) -> None:
    schema = json_schema(note)
    assert list(schema["properties"]) == schema["required"] == list(note.fields)
    assert schema["properties"]["number"]["description"] == "The number of the delivery note."


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("goods_value", 1234.5), ("goods_value", "1,234.50"), ("goods_value", "1234.50 EUR"), ("goods_value", "1e9"),
        ("delivered", "31.03.2025"), ("delivered", "2025-13-01"), ("carrier", "pigeon"), ("stops", "Ulm"), ("stops", [None]),
        ("number", "9" * 121), ("number", ""), ("items", [{"description": "Bolts"}]),
        ("items", [{"description": "Bolts", "value": "1", "vat": "2"}]),
        ("items", [{"description": "x" * 1001, "value": None}]),
        ("items", [{"description": "x", "value": None}] * 501),
    ],
)  # fmt: skip
def test_a_value_outside_the_schema_is_refused(validator: Draft202012Validator, field: str, value: object) -> None:
    assert not validator.is_valid(ANSWER | {field: value})


def test_missing_and_additional_fields_are_refused(validator: Draft202012Validator) -> None:
    assert not validator.is_valid({name: value for name, value in ANSWER.items() if name != "carrier"})
    assert not validator.is_valid(ANSWER | {"extra": None})
