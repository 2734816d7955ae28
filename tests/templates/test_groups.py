"""Groups in YAML templates, and what a field requires of its value."""

from __future__ import annotations

import pytest

from pipeline.checks.requirements import check_requirements
from pipeline.engines.answers import read_answer
from pipeline.errors import TemplateError
from pipeline.records import Evidence
from pipeline.templates.answer_schema import json_schema
from pipeline.templates.load import parse_template
from pipeline.templates.schema_data import shaped_data

ORDER = """\
name: transport_order
prompt: Read {{ words }}
fields:
  number: {type: identifier, required: true, pattern: "TO-[0-9]{5}"}
  state:
    type: enum
    values: {open: [pending], closed: [done, delivered]}
  sender:
    type: group
    description: Who sends it.
    fields:
      name: {type: text, description: The name.}
      address:
        type: group
        fields:
          city: {type: text}
  weight: {type: number}
  goods:
    type: table
    columns:
      text: {}
      size:
        type: group
        columns:
          width: {type: number}
checks:
  - {name: weights, sum: [goods.size.width], equals: weight}
"""
TEMPLATE = parse_template(ORDER, "order.yaml")


def mistakes(old: str, new: str) -> str:
    assert old in ORDER
    with pytest.raises(TemplateError) as caught:
        parse_template(ORDER.replace(old, new, 1), "order.yaml")
    return caught.value.message


def test_fields_of_a_group_have_its_name_before_theirs() -> None:
    assert list(TEMPLATE.fields) == ["number", "state", "sender.name", "sender.address.city", "weight", "goods"]
    assert list(TEMPLATE.fields["goods"].columns) == ["text", "size.width"]
    assert TEMPLATE.fields["sender.name"].description == "Who sends it. The name."


def test_values_get_their_groups_back() -> None:
    values = {
        "number": "TO-1",
        "sender.name": "Heron",
        "sender.address.city": None,
        "goods": [{"text": "Pipe", "size.width": "3"}],
    }
    shaped = shaped_data(TEMPLATE, {name: Evidence(value) for name, value in values.items()})
    assert shaped.errors is None
    assert shaped.data == {
        "number": "TO-1",
        "sender": {"name": "Heron", "address": {"city": None}},
        "goods": [{"text": "Pipe", "size": {"width": "3"}}],
    }


def test_a_model_is_asked_in_groups_and_answers_in_groups() -> None:
    schema = json_schema(TEMPLATE)["properties"]
    assert list(schema["sender"]["properties"]["address"]["properties"]) == ["city"]
    assert list(schema["goods"]["items"]["properties"]["size"]["properties"]) == ["width"]
    answer = (
        '{"sender": {"name": "Heron", "address": {"city": "Ely"}}, "state": "Delivered", "goods": [{"size": {"width": 3}}]}'
    )
    claims = read_answer(TEMPLATE, answer)
    assert claims["sender.address.city"].value == "Ely"
    assert claims["state"].value == "closed"
    assert claims["goods"].value == [{"text": None, "size.width": "3"}]


def test_mistakes_in_groups_have_their_line() -> None:
    assert "order.yaml:12: unknown key `typ`" in mistakes("name: {type: text", "name: {typ: text, type: text")
    assert "order.yaml:8: the group `sender` needs `fields`" in mistakes("    fields:\n      name", "    felds:\n      name")
    assert "order.yaml:27: check `weights` names the field `goods.size.with`" in mistakes("goods.size.width", "goods.size.with")
    assert "`sender.name` is a field and a group" in mistakes("  weight:", "  sender.name.x:")


def test_a_missing_required_value_and_one_of_another_form_are_flagged() -> None:
    def flags(value: str | None) -> tuple[str, ...]:
        return check_requirements({"number": Evidence(value)}, TEMPLATE)["number"].flags

    assert flags(None) == ("required",)
    assert flags("TO-1") == ("pattern",)
    assert flags("TO-20417") == ()


def test_a_pattern_that_is_none_is_refused() -> None:
    assert "is no regular expression" in mistakes("TO-[0-9]{5}", "TO-[")
