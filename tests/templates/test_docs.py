"""docs/templates.md says what the loader does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from pipeline.errors import TemplateError
from pipeline.templates.load import parse_template
from pipeline.templates.routing import route
from pipeline.templates.template import AnswerBudget, Applies, Check, Column, ImageBudget, Template, TemplateField

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
DELIVERY_NOTE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]


def test_the_delivery_note_of_the_docs_is_a_template_that_gets_its_files() -> None:
    note = parse_template(DELIVERY_NOTE, "delivery_note.yaml")
    assert note.name == "delivery_note"
    for path in ("delivery/a.pdf", "Delivery Notes/a.pdf", "x/Lieferschein-4.PDF"):
        assert route(path, {note.name: note}, []) == ["delivery_note"]


def test_the_documented_mistakes_are_those_that_are_reported() -> None:
    documented = re.findall(r"^templates/(delivery_note\.yaml:\d+: .*)$", PAGE, re.MULTILINE)
    text = (
        DELIVERY_NOTE.replace("{{ words }}", "{{ word }}").replace("labels:", "lables:", 1).replace("type: date", "type: dat")
    )
    text += "checks:\n  - {name: boxes, sum: [items.quantty], equals: items.quantity}\n"
    with pytest.raises(TemplateError) as caught:
        parse_template(text, "delivery_note.yaml")
    assert caught.value.message.split("\n") == documented


@pytest.mark.parametrize("model", [Template, Applies, TemplateField, Column, Check, ImageBudget, AnswerBudget])
def test_every_key_is_documented(model: type[BaseModel]) -> None:
    keys = [info.alias or name for name, info in model.model_fields.items()]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []
