"""Templates take labels from the language files by name."""

from __future__ import annotations

import pytest

from pipeline.errors import TemplateError
from pipeline.languages import active
from pipeline.templates.load import parse_template
from pipeline.templates.template import Template

TEXT = """\
name: bill
prompt: Read.
fields:
  sum:
    type: money
    labels: {labels}
  rows:
    type: table
    columns:
      what:
        labels: {{from: invoice.line_items.description}}
"""


def bill(labels: str) -> Template:
    return parse_template(TEXT.format(labels=labels), "bill.yaml")


def test_a_name_stands_for_the_labels_of_all_languages() -> None:
    template = bill("{from: invoice.total}")
    assert template.fields["sum"].labels == active().labels("invoice.total")
    assert list(template.fields["sum"].labels) == list(active().labels("invoice.total"))
    assert template.fields["rows"].columns["what"].labels == active().labels("invoice.line_items.description")


def test_labels_of_the_template_follow_those_of_the_languages() -> None:
    listed = active().labels("invoice.total")
    labels = bill("{from: invoice.total, en: [Sum of it, Total], is: [Summa]}").fields["sum"].labels
    assert labels["en"] == [*listed["en"], "Sum of it"]
    assert labels["is"] == ["Summa"]
    assert labels["de"] == listed["de"]


def test_a_template_may_list_its_labels_alone() -> None:
    assert bill("{en: [Sum], no: [No]}").fields["sum"].labels == {"en": ["Sum"], "no": ["No"]}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("{from: invoice.totl}", "bill.yaml:6: there are no labels `invoice.totl`, did you mean `invoice.total`?"),
        ("{from: x}", "bill.yaml:6: there are no labels `x`: `from` names labels of the language files, e.g. `invoice.total`"),
        ("{from: invoice.total, en: Sum}", "bill.yaml:6: `fields.sum.labels.en` must be a list, e.g. `[Sum]`"),
        ("{from: }", "bill.yaml:6: there are no labels ``"),
        ("{form: invoice.total}", "bill.yaml:6: `form` is not a language"),
    ],
)
def test_a_wrong_name_is_reported_with_its_line(labels: str, expected: str) -> None:
    with pytest.raises(TemplateError) as caught:
        bill(labels)
    assert expected in caught.value.message
