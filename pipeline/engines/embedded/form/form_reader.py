"""Reads a form of any kind from one page: the values beside its labels, and the rows below its headings.

Every label on the page proposes values of its field's type; the strongest proposals are taken first, no printed text twice. Fields whose
labels the language files know (the number of an invoice, its total, its parties) are read by the reader of invoices and receipts where no
label says more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from pipeline.engines.embedded.fields.candidates import Candidates
from pipeline.engines.embedded.fields.field_reader import read_fields
from pipeline.engines.embedded.fields.label_index import label_index
from pipeline.engines.embedded.fields.labels import find_labels
from pipeline.engines.embedded.fields.leaf_candidates import LeafCandidates
from pipeline.engines.embedded.fields.page_rows import Layout, lay_out
from pipeline.engines.embedded.form.cells import split_cells
from pipeline.engines.embedded.form.decimal_marks import settle_decimal_marks
from pipeline.engines.embedded.form.form_tables import TableReader
from pipeline.engines.embedded.form.form_values import Value, ValueFinder, ends_period
from pipeline.engines.embedded.form.label_matches import LabelMatch, find_matches
from pipeline.engines.embedded.form.letter_subject import letter_subject
from pipeline.engines.embedded.logical_page import as_printed, logical_page, mirrored_page
from pipeline.engines.embedded.transcript.transcript_reader import transcribe
from pipeline.records import Claim, Page
from pipeline.templates.template import Template, TemplateField

LEAST = 0.4
"""Strength below which a proposal is no value."""
KNOWN_LANGUAGES = 5
"""Languages that have labels of a field, from which the reader of invoices knows it."""
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_YEAR_NAME = re.compile(r"(?:^|[._])(?:report|fiscal|financial|tax)_year$|(?:^|\.)year$")
TRUSTED = 0.5
"""Score from which a value of that reader is taken where no label proposes one."""


def read_form(page: Page, template: Template) -> dict[str, Claim]:
    """A claim for every field of the template, with value None where the page does not say."""
    empty = {name: Claim(None) for name in template.fields}
    if not any(word.text.strip() for word in page.words):
        return empty
    # Pages of files without pages are laid out from left to right in any script.
    logical = page if page.source == "file" else logical_page(page)
    layout = split_cells(lay_out(logical))
    candidates = Candidates(layout)
    settle_decimal_marks(candidates, layout)
    matches = find_matches(layout, template)
    tables = TableReader(layout, candidates, template).claims()
    rows = {word for claim in tables.values() for word in claim.words}
    leaves = LeafCandidates(layout, candidates, find_labels(layout, label_index(template)))
    claims = {**_beside_labels(ValueFinder(layout, candidates, matches, leaves), matches, template, rows), **tables}
    claims |= _period_ends(candidates, template, claims)
    claims = {**_known(page, template, claims), **claims}
    claims |= {name: claim for name, claim in _elsewhere(layout, candidates, template, claims).items() if name not in claims}
    claims |= _subjects(layout, template, claims)
    if logical is not page:
        claims = as_printed(claims, template.fields, page)
    return {**empty, **claims, **_page_text(page, template)}


def _subjects(layout: Layout, template: Template, claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """The subject of a letter that no label names."""
    names = [name for name, field in template.fields.items() if field.format == "subject" and name not in claims]
    used = {word for claim in claims.values() for word in claim.words}
    subject = letter_subject(layout, used) if names else None
    return dict.fromkeys(names, subject) if subject else {}


def _page_text(page: Page, template: Template) -> dict[str, Claim]:
    """The whole text of the page, for fields that ask for it."""
    names = [name for name, field in template.fields.items() if field.format == "page"]
    if not names:
        return {}
    text, order = transcribe(mirrored_page(page).words, pictures=page.source == "textlayer")
    claim = Claim(text or None, text or None, tuple(order), 1.0 if text else 0.0)
    return dict.fromkeys(names, claim)


def _beside_labels(finder: ValueFinder, matches: list[LabelMatch], template: Template, rows: set[int]) -> dict[str, Claim]:
    proposals = [
        value
        for match in matches
        if match.field in template.fields and template.fields[match.field].type != "table"
        for value in finder.values(match, template.fields[match.field])
    ]
    chosen: dict[str, list[Value]] = {}
    used: set[int] = set()
    for value in sorted(proposals, key=lambda value: -value.score):
        field = template.fields[value.field]
        inside = 0.6 if rows.intersection(value.words) else 1.0
        if value.score * inside < LEAST or used.intersection(value.words):
            continue
        if value.field in chosen and not field.many:
            continue
        chosen.setdefault(value.field, []).append(value)
        used.update(value.words)
    return {name: _claim(values, template.fields[name]) for name, values in chosen.items()}


def _period_ends(candidates: Candidates, template: Template, claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """The second of two dates that stand together, for the end of a period whose beginning is the first one."""
    found: dict[str, Claim] = {}
    dates = [name for name, field in template.fields.items() if field.type == "date"]
    for before, name in pairwise(dates):
        start = claims.get(before)
        if name in claims or start is None or not ends_period(name) or not start.words:
            continue
        at = next((n for n, date in enumerate(candidates.dates) if date.words == start.words), None)
        following = candidates.dates[at + 1] if at is not None and at + 1 < len(candidates.dates) else None
        if following and candidates.dates[at or 0].run.row == following.run.row:
            found[name] = Claim(following.value, following.printed, following.words, round(0.8 * start.score, 3))
    return found


def _claim(values: list[Value], field: TemplateField) -> Claim:
    best = values[0]
    score = round(min(1.0, best.score), 3)
    if not field.many:
        return Claim(best.value, best.printed, best.words, score)
    items = [item for value in values for item in _items(value.value, field)]
    return Claim(list(dict.fromkeys(items)), None, tuple(word for value in values for word in value.words), score)


def _items(text: str, field: TemplateField) -> list[str]:
    """A printed list as its items."""
    if field.type != "text":
        return [text]
    return [item for part in re.split(r"\s*[;,•|]\s*|\s+/\s+", text) if (item := part.strip())]


def _known(page: Page, template: Template, claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """Values of fields that the reader of invoices and receipts knows, and that no label gives a better value."""
    known = {
        name: field.model_copy(update={"merge": "first"})
        for name, field in template.fields.items()
        if field.type != "table" and (len(field.labels) >= KNOWN_LANGUAGES or field.role) and not field.many
    }
    missing = [name for name in known if name not in claims]
    if not missing:
        return {}
    read = read_fields(page, template.model_copy(update={"fields": known, "checks": []}))
    return {name: read[name] for name in missing if read[name].value is not None and read[name].score >= TRUSTED}


def _elsewhere(layout: Layout, candidates: Candidates, template: Template, claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """Values that need no label: the currency of the page, a choice that is printed somewhere, the only date, the year of a report."""
    found: dict[str, Claim] = {}
    currency = candidates.currency()
    dates = [name for name, field in template.fields.items() if field.type == "date"]
    used = {word for claim in claims.values() for word in claim.words}
    free = [date for date in candidates.dates if not used.intersection(date.words)]
    for name, field in template.fields.items():
        if field.type == "currency" and currency:
            found[name] = Claim(currency.code, currency.printed, currency.words, round(0.6 * currency.strength, 3))
        elif field.type == "date" and len(dates) == 1 and free:
            found[name] = Claim(free[0].value, free[0].printed, free[0].words, 0.4)
        elif field.type == "number" and not field.many and _YEAR_NAME.search(name) and (year := _first_year(layout)):
            found[name] = year
        elif field.type == "enum" and not field.synonyms and (choice := _printed_choice(layout, field)):
            found[name] = choice
    return {name: replace(claim, value=[claim.value]) if template.fields[name].many else claim for name, claim in found.items()}


def _first_year(layout: Layout) -> Claim | None:
    """The first year on the page."""
    for run in layout.runs:
        if match := _YEAR.search(run.text):
            return Claim(match[0], match[0], run.span(*match.span()), 0.4)
    return None


def _printed_choice(layout: Layout, field: TemplateField) -> Claim | None:
    for value in sorted(field.values, key=len, reverse=True):
        if len(value) < 3:
            continue
        for run in layout.runs:
            if match := re.search(rf"(?<!\w){re.escape(value)}(?!\w)", run.text, re.IGNORECASE):
                return Claim(value, match[0], run.span(*match.span()), 0.4)
    return None
