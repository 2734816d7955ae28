from __future__ import annotations

import pytest

from pipeline.templates.load import parse_template
from pipeline.templates.template import Template

DELIVERY_NOTE = """\
name: delivery_note
description: What was delivered, and when.
for:
  kinds: [text]
  files: ["delivery/**"]
prompt: |
  Page {{ page }} of {{ pages }}.
  {% for name, field in fields.items() %}
  {{ name }}: {{ field.description }}
  {% endfor %}
  {{ words }}
fields:
  number:
    type: identifier
    description: The number of the delivery note.
    labels:
      en: [Delivery note no.]
      no: [No, Nr.]
  delivered: {type: date}
  ordered: {type: date}
  goods_value: {type: money, many: false}
  carrier: {type: enum, values: [own, post]}
  stops: {type: text, many: yes}
  items:
    type: table
    columns:
      description: {}
      value: {type: money}
checks:
  - name: value
    sum: [items.value]
    equals: goods_value
    tolerance: 0.01
  - name: in_order
    order: [ordered, delivered]
"""


@pytest.fixture
def note_text() -> str:
    return DELIVERY_NOTE


@pytest.fixture
def note() -> Template:
    return parse_template(DELIVERY_NOTE, "note.yaml")
