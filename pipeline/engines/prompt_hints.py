"""Hints for a model that gets the page's words only: small models find values that they are pointed to.

The hints are the lines with a label of a field, because the template knows labels in many languages and the model need not guess that
``Total HT`` is the subtotal; and the values of the embedded engine, which uses position and print size.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from itertools import takewhile

from pipeline.engines.embedded.fields.label_index import label_index
from pipeline.engines.embedded.fields.labels import Label, find_labels
from pipeline.engines.embedded.fields.page_rows import Layout, lay_out
from pipeline.engines.embedded.logical_page import logical_page
from pipeline.records import Claim, Page
from pipeline.templates.template import Template, TemplateField

MIN_COVER = 0.5
"""A label covers at least this share of the letters of its text: "the total of all efforts" is no label."""
MAX_LINES, MAX_LETTERS = 2, 90
_DIGITS = ("money", "number", "date", "time", "identifier")
"""Types whose values contain a digit."""
_READ = "Another reader, who sees where things stand but does not know what words mean, read this (mostly right):"
_LEAD = "Lines of this page that carry the label of a value (the value mostly stands behind or below it):"


def make_hints(page: Page, template: Template, read: Mapping[str, Claim]) -> str:
    """All hints as one text; empty for a page without any. ``read`` holds the embedded engine's claims."""
    return "\n\n".join(part for part in (label_lines(page, template), claim_lines(read)) if part)


def claim_lines(read: Mapping[str, Claim]) -> str:
    """One line a field, without tables and lists. Values are JSON strings, because after ``12.50`` a model writes a number, which the
    schema refuses."""
    rows = [
        f'- "{name}": {json.dumps(claim.value, ensure_ascii=False)}'
        for name, claim in read.items()
        if isinstance(claim.value, str)
    ]
    return "\n".join([_READ, *rows]) if rows else ""


def label_lines(page: Page, template: Template) -> str:
    """One line a field, with the text at its labels; empty where the page has no label."""
    if not page.words:
        return ""
    rows = [f"- {name}: {' | '.join(lines)}" for name, lines in _lines_by_field(page, template).items() if lines]
    return "\n".join([_LEAD, *rows]) if rows else ""


def unlabelled_amounts(page: Page, template: Template) -> list[str]:
    """Names of amount fields with labels of which none is on this page. On one page of several, these amounts are on another page."""
    lines = _lines_by_field(page, template) if page.words else {}
    return [name for name, field in template.fields.items() if field.type == "money" and field.labels and not lines.get(name)]


def _lines_by_field(page: Page, template: Template) -> dict[str, list[str]]:
    layout = lay_out(logical_page(page))
    labels = [label for label in find_labels(layout, label_index(template)) if label.cover >= MIN_COVER and not label.title]
    label_runs = {label.run.number for label in labels}
    return {
        name: _lines(layout, field, [label for label in labels if label.field == name], label_runs)
        for name, field in template.fields.items()
    }


def _lines(layout: Layout, field: TemplateField, labels: list[Label], label_runs: Container[int]) -> list[str]:
    """The text at a field's best labels. Totals are at the end of a page, headings at its beginning."""
    ordered = labels[::-1] if field.merge == "last" else labels
    lines = [line for label in ordered for line in _line(layout, label, label_runs)]
    fit = [(text, beside) for text, beside in lines if field.type not in _DIGITS or any(c.isdigit() for c in text)]
    beside, below = [text for text, same in fit if same], [text for text, same in fit if not same]
    return list(dict.fromkeys(beside or below))[:MAX_LINES]


def _line(layout: Layout, label: Label, label_runs: Container[int]) -> Iterator[tuple[str, bool]]:
    """The label with the text behind it up to the next label (True), or with the text below it (False)."""
    run = label.run
    right = [other for other in layout.rows[run.row] if other.box[0] > run.box[0]]
    following = [other.text for other in takewhile(lambda other: other.number not in label_runs, right)]
    own = run.text[label.start :]
    if any(c.isalnum() for c in run.text[label.end :]) or following:
        yield " ".join([own, *following])[:MAX_LETTERS], True
        return
    below = next(layout.chain(run, 1, 1), None)
    if below and below.number not in label_runs:
        yield f"{own} / {below.text}"[:MAX_LETTERS], False
