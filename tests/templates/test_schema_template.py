"""A JSON Schema as a template, and values put back into its shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipeline.errors import TemplateError
from pipeline.records import Evidence
from pipeline.templates.answer_schema import json_schema
from pipeline.templates.digest import digest
from pipeline.templates.load import load_templates
from pipeline.templates.prompt_rendering import render_prompt
from pipeline.templates.schema_data import shaped_data
from pipeline.templates.schema_template import parse_schema_template, schema_template
from pipeline.templates.template import Template
from tests.templates.schemas import SCHEMAS

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "orderNumber": {"type": "string"},
        "placedOn": {"type": ["string", "null"], "format": "date"},
        "buyer": {"$ref": "#/$defs/party"},
        "express": {"type": "boolean"},
        "state": {"enum": ["open", "shipped", None]},
        "notes": {"type": "array", "items": {"type": "string"}},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "size": {"$ref": "#/$defs/size"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["text", "size", "tags"],
            },
        },
        "total": {"type": "number", "minimum": 0},
    },
    "required": ["orderNumber", "buyer", "total"],
    "$defs": {
        "party": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "city": {"type": ["string", "null"]}},
            "required": ["name", "city"],
        },
        "size": {"type": "object", "properties": {"width": {"type": ["integer", "null"]}}, "required": ["width"]},
    },
}


@pytest.mark.parametrize(
    ("name", "leaf", "kind"),
    [
        ("contactEmail", {"type": "string"}, "mail"),
        ("contact", {"type": "string", "format": "email"}, "mail"),
        ("homepage", {"type": "string", "format": "uri"}, "url"),
        ("mobilePhone", {"type": "string"}, "phone"),
        ("sellerIban", {"type": ["string", "null"]}, "iban"),
        ("noticePeriod", {"type": "string", "format": "duration"}, "duration"),
        ("billingPeriod", {"type": "string", "description": "YYYY-MM-DD/YYYY-MM-DD"}, "period"),
        ("billingPeriod", {"type": "string"}, "text"),
        ("countryCode", {"type": "string"}, "country"),
        ("country", {"type": "string", "pattern": "^[A-Z]{2}$"}, "country"),
        ("country", {"type": "string"}, "text"),
        ("deliveryAddress", {"type": "string"}, "address"),
        ("ipAddress", {"type": "string"}, "text"),
        ("grossWeight", {"type": "string"}, "quantity"),
        ("taxPercent", {"type": "number"}, "percentage"),
        ("pageCount", {"type": "integer"}, "integer"),
        ("year", {"type": "integer"}, "number"),
    ],
)
def test_format_pattern_name_and_description_tell_the_type_of_a_value(name: str, leaf: dict[str, Any], kind: str) -> None:
    template = schema_template({"type": "object", "properties": {name: leaf}}, "s", "s")
    assert [field.type for field in template.fields.values()] == [kind]


def test_an_iban_stays_as_printed_unless_a_pattern_says_otherwise() -> None:
    printed, value = "DE02 1203 0000 0000 2020 51", "DE02120300000000202051"
    for leaf, expected in (({"type": "string"}, printed), ({"type": "string", "pattern": "^[A-Z0-9]+$"}, value)):
        template = schema_template({"type": "object", "properties": {"iban": leaf}}, "s", "s")
        assert shaped_data(template, {"iban": Evidence(value, printed)}).data == {"iban": expected}


def order(**changes: Any) -> Template:
    return schema_template({**ORDER, **changes}, "order", "order")


def test_properties_become_fields_with_the_names_of_the_objects_around_them() -> None:
    template = order()
    assert {name: field.type for name, field in template.fields.items()} == {
        "order_number": "identifier", "placed_on": "date", "buyer.name": "text", "buyer.city": "text", "express": "enum", "state": "enum",
        "notes": "text", "lines": "table", "total": "number",
    }  # fmt: skip
    assert template.fields["notes"].many
    assert list(template.fields["lines"].columns) == ["text", "size.width", "tags"]
    assert template.fields["order_number"].required
    assert not template.fields["placed_on"].required


def test_words_of_the_languages_stand_for_a_property() -> None:
    labels = order(
        properties={"invoiceNo": {"type": "string"}, "poNumber": {"type": "string", "description": "our order (Bestell-Nr.)"}}
    ).fields
    assert "Rechnungsnummer" in labels["invoice_no"].labels["de"]
    assert {"purchase order number", "Bestell-Nr."} <= set(labels["po_number"].labels["en"])


def test_values_get_the_shape_and_the_types_of_the_schema() -> None:
    values = {
        "order_number": "A-7",
        "placed_on": "2024-03-05",
        "buyer.name": "Blue Heron",
        "express": "yes",
        "state": "Shipped",
        "notes": ["fragile"],
        "lines": [{"text": "Wire", "size.width": "12", "tags": ["a", "b"]}],
        "total": "1234.50",
    }
    shaped = shaped_data(order(), {name: Evidence(value) for name, value in values.items()})
    assert shaped.errors == ()
    assert shaped.data == {
        "orderNumber": "A-7",
        "placedOn": "2024-03-05",
        "buyer": {"name": "Blue Heron", "city": None},
        "express": True,
        "state": "shipped",
        "notes": ["fragile"],
        "lines": [{"text": "Wire", "size": {"width": 12}, "tags": ["a", "b"]}],
        "total": 1234.5,
    }


def test_what_the_document_lacks_is_null_left_out_empty_or_named() -> None:
    shaped = shaped_data(order(), {})
    assert shaped.data == {
        "orderNumber": "",
        "placedOn": None,
        "buyer": {"name": "", "city": None},
        "state": None,
        "notes": [],
        "lines": [],
    }
    assert shaped.errors == ("$: 'total' is a required property",)


def test_a_value_that_the_schema_refuses_is_not_written_unless_it_is_required() -> None:
    optional = {"properties": {"total": {"type": "number", "minimum": 100}}, "required": []}
    assert shaped_data(order(**optional), {"total": Evidence("5")}).data == {}
    required = shaped_data(order(**{**optional, "required": ["total"]}), {"total": Evidence("5")})
    assert required.data == {"total": 5}
    assert required.errors == ("$.total: 5 is less than the minimum of 100",)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([], "a JSON Schema must be an object"),
        ({"type": "array", "items": {}}, "the outermost schema must be an object with `properties`"),
        ({"properties": {"a": {"$ref": "https://example.com/x.json"}}}, "leads out of the schema"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "leads back to itself"),
        ({"properties": {"a": {"properties": {"b": {"$ref": "#"}}}}}, "leads back to itself"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "leads to nothing"),
        (
            {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "array"}]}}},
            "alternatives are supported for single values",
        ),
        ({"properties": {"a": {"type": "array", "prefixItems": [{}]}}}, "`prefixItems` is not supported"),
        ({"properties": {"a": {"type": "strin"}}}, "is not valid under any of the given schemas"),
        ({"properties": {"a": {"type": "object"}}}, "no property holds a value"),
    ],
)
def test_what_is_no_schema_of_the_subset_is_refused_with_its_place(schema: Any, message: str) -> None:
    with pytest.raises(TemplateError, match=message.replace("$", r"\$")) as caught:
        schema_template(schema, "order.schema.json", "order")
    assert str(caught.value).startswith("order.schema.json: ")


def test_broken_json_names_its_line() -> None:
    with pytest.raises(TemplateError, match=r"order\.schema\.json:2: JSON syntax"):
        parse_schema_template('{\n"type": ]', "order.schema.json", "order")


def test_deep_and_huge_schemas_are_refused() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(30):
        deep = {"type": "object", "properties": {"a": deep}}
    wide = {
        "properties": {f"p{n}": {"$ref": "#/$defs/x"} for n in range(40)},
        "$defs": {"x": {"properties": {f"q{n}": {} for n in range(40)}}},
    }
    for schema, message in ((deep, "nested too deeply"), (wide, "more than 1000 places")):
        with pytest.raises(TemplateError, match=message):
            schema_template(schema, "s", "s")


def test_a_folder_of_templates_may_hold_json_schemas(tmp_path: Path) -> None:
    (tmp_path / "Order form.schema.json").write_text(json.dumps(ORDER), encoding="utf-8")
    assert load_templates([tmp_path])["order_form"].json_schema == ORDER


def test_a_changed_schema_is_another_template() -> None:
    assert digest(order()) == digest(order())
    assert digest(order()) != digest(order(required=["total"]))


VALUES = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "open", "yes", "12", "12.50", "-3", "1e999", "NaN", "2024-02-03", "x@example.com", "AB12", "fixed", "\u0000"]
    ),
    st.text(max_size=12),
    st.lists(st.text(max_size=4), max_size=3),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS, st.data())
def test_any_values_give_json_that_meets_any_schema_or_that_says_where_not(schema: dict[str, Any], data: st.DataObject) -> None:
    template = schema_template(schema, "s", "s")
    fields = {}
    for name, field in template.fields.items():
        row = st.fixed_dictionaries(dict.fromkeys(field.columns, VALUES))
        fields[name] = Evidence(data.draw(st.lists(row, max_size=2) if field.type == "table" else VALUES))
    shaped = shaped_data(template, fields)
    text = json.dumps(shaped.data, allow_nan=False)
    found = list(Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(json.loads(text)))
    assert bool(found) == bool(shaped.errors)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS)
def test_any_schema_can_be_asked_of_a_model(schema: dict[str, Any]) -> None:
    template = schema_template(schema, "s", "s")
    Draft202012Validator.check_schema(json_schema(template))
    assert render_prompt(template, words="{{ words }}", page=1, pages=1)
