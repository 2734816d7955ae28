"""Values of a document that cannot well be true together: a tax as high as the total, a seller that is the buyer, a date in the future."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipeline.checks.text_keys import letters_and_digits
from pipeline.checks.value_comparison import as_decimal, is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template

SAME_AS = "same-as"
"""Flag ``same-as:FIELD``: the value is that of another field, which has to be another one."""
IN_FUTURE = "future"
"""Flag ``future:DAYS`` of a date of issue so many days after the document was read."""
ISSUE_DATE = "BT-2"
_CLOCKS_DIFFER = 1
"""Days: the date of the farthest time zones."""


def flag_oddities(fields: Mapping[str, Evidence], template: Template, read_on: datetime.date | None) -> dict[str, Evidence]:
    """The fields with flags of what is odd about their values. ``read_on``: when the document was read; None where that is unknown."""
    flagged = dict(fields)
    for name, flag in [*_same_amounts(fields, template), *_same_parties(fields, template), *_future(fields, template, read_on)]:
        flagged[name] = replace(flagged[name], flags=(*flagged[name].flags, flag))
    return flagged


def _same_amounts(fields: Mapping[str, Evidence], template: Template) -> Iterator[tuple[str, str]]:
    """A further term of a sum, as a tax, that is as high as its result."""
    for check in template.checks:
        result = as_decimal(_value(fields, check.equals or ""))
        if result and not template.sums_rows(check):
            for term in check.sum[1:]:
                if not term.startswith("-") and term in fields and as_decimal(_value(fields, term)) == result:
                    yield term, f"{SAME_AS}:{check.equals}"


def _same_parties(fields: Mapping[str, Evidence], template: Template) -> Iterator[tuple[str, str]]:
    """A buyer with the name of the seller."""
    parties = {name: field.role for name, field in template.fields.items() if field.type == "party" and name in fields}
    for seller in (name for name, role in parties.items() if role == "seller"):
        for buyer in (name for name, role in parties.items() if role == "buyer"):
            names = [letters_and_digits(str(_value(fields, name) or "")) for name in (seller, buyer)]
            if names[0] and names[0] == names[1]:
                yield buyer, f"{SAME_AS}:{seller}"


def _future(fields: Mapping[str, Evidence], template: Template, read_on: datetime.date | None) -> Iterator[tuple[str, str]]:
    if read_on is None:
        return
    first = {check.order[0] for check in template.checks if check.order}
    for name, field in template.fields.items():
        value = _value(fields, name)
        if field.type == "date" and (name in first or field.einvoice == ISSUE_DATE) and isinstance(value, str):
            try:
                days = (datetime.date.fromisoformat(value) - read_on).days
            except ValueError:
                continue
            if days > _CLOCKS_DIFFER:
                yield name, f"{IN_FUTURE}:{days}"


def _value(fields: Mapping[str, Evidence], name: str) -> object:
    evidence = fields.get(name, Evidence(None))
    return None if is_absent(evidence.value) else evidence.value
