"""Compares what the codes of a page state with the values that were read from its text: a second witness beside the data of an e-invoice.

A code gives the value where the text gives none. Where both agree, the value is sure. Where they differ, the code's value is taken if
the page prints it, too; otherwise that of the text is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.checks.grounding import UNGROUNDED, Locator
from pipeline.checks.value_comparison import is_absent, same_value
from pipeline.records import Box, Evidence, Json, Page
from pipeline.templates.template import Template, TemplateField
from pipeline.values.identifiers import normalise_identifier

FROM_CODE = "qr"
"""Flag of a value that a code states."""
CODE_DIFFERS = "qr-differs"
"""Flag ``qr-differs:VALUE`` of a value where text and code differ. VALUE is the one that was not taken."""
COMPARED = ("identifier", "date", "money", "currency")
"""Types of fields in which text and code can contradict each other. Names are written in many ways, also in another script."""
ALSO_CONFIRMS = {"BT-112": "BT-115", "BT-115": "BT-112", "BT-1": "BT-83"}
"""The total and what is due are often the same, as are the number and the reference of the payment. If not, that is no contradiction."""
TOTAL, PREPAID, DUE = "BT-112", "BT-113", "BT-115"
MIN_TAIL = 4
"""Characters of a number that also stands for a longer one: ``2019/0035`` for ``FT 2019/0035``, a tax number without its country."""


def overlay_codes(evidence: Mapping[str, Evidence], page: Page, template: Template) -> dict[str, Evidence]:
    """Evidence with what ``page.codes`` state for all fields that have a business term in the template."""
    result = dict(evidence)
    stated = _stated(page)
    if not stated:
        return result
    locator = Locator(page)
    for name, field in template.fields.items():
        if field.type == "table" or not field.einvoice:
            continue
        read = result.get(name, Evidence(None))
        fact, box = _fact(stated, field, field.einvoice)
        if fact is not None and box:
            result[name] = _field(read, fact, box, field, locator)
            if field.einvoice == DUE and is_absent(read.value):
                result[name] = _beside_total(result[name], result, template)
        elif field.einvoice in ALSO_CONFIRMS and not is_absent(read.value):
            other, _ = _fact(stated, field, ALSO_CONFIRMS[field.einvoice])
            if other is not None and same_stated(field, read.value, other):
                result[name] = with_code(read)
    return result


def same_stated(field: TemplateField, value: Json, fact: Json) -> bool:
    """Whether a value of the text is what a code states. A number may lack its prefix, or have one."""
    own = value[0] if isinstance(value, list) and value else value
    other = fact[0] if isinstance(fact, list) and fact else fact
    if same_value(field.type, own, other):
        return True
    if field.type != "identifier":
        return False
    short, long = sorted((normalise_identifier(str(own)), normalise_identifier(str(other))), key=len)
    return len(short) >= MIN_TAIL and long.endswith(short) and any(c.isdecimal() for c in short)


def with_code(evidence: Evidence) -> Evidence:
    """The evidence of a value that a code states, too."""
    return evidence if FROM_CODE in evidence.flags else replace(evidence, flags=(*evidence.flags, FROM_CODE))


def with_difference(evidence: Evidence, other: Json) -> Evidence:
    """The evidence of a value that is not the one of the other witness."""
    value = other[0] if isinstance(other, list) and other else other
    return replace(evidence, flags=(*evidence.flags, f"{CODE_DIFFERS}:{value}"))


def is_code_disputed(evidence: Evidence) -> bool:
    """Whether text and code differ in the value."""
    return any(flag.split(":")[0] == CODE_DIFFERS for flag in evidence.flags)


def is_from_code_alone(evidence: Evidence) -> bool:
    """Whether only a code has the value: no words of the page print it."""
    return FROM_CODE in evidence.flags and evidence.printed is None and not is_absent(evidence.value)


def _stated(page: Page) -> dict[str, tuple[str, Box]]:
    """What the codes of a page state by term, with the box of the code; without terms in which codes contradict each other."""
    found: dict[str, tuple[str, Box]] = {}
    torn = set()
    for code in page.codes:
        for term, value in code.facts.items():
            kind = "money" if value.replace(".", "", 1).lstrip("-").isdecimal() else "identifier"
            if term in found and not same_value(kind, found[term][0], value):
                torn.add(term)
            found.setdefault(term, (value, code.box))
    return {term: each for term, each in found.items() if term not in torn}


def _fact(stated: Mapping[str, tuple[str, Box]], field: TemplateField, term: str) -> tuple[str | None, Box | None]:
    value, box = stated.get(term, (None, None))
    if field.type == "enum" and value is not None:
        return field.value_codes.get(value), box
    return value, box


def _field(read: Evidence, fact: str, box: Box, field: TemplateField, locator: Locator) -> Evidence:
    if is_absent(read.value):
        return _from_code(read, fact, box, field, locator)
    if same_stated(field, read.value, fact):
        return with_code(replace(read, flags=_grounded_flags(read.flags)))
    if field.type not in COMPARED:
        return read
    if locator.find_value(field.type, fact, merge=field.merge) is None:
        return with_difference(read, fact)
    return with_difference(_from_code(read, fact, box, field, locator), read.value)


def _from_code(read: Evidence, fact: str, box: Box, field: TemplateField, locator: Locator) -> Evidence:
    """The code's value with its place among the words, else in the code."""
    value: Json = [fact] if field.many else fact
    bare = Evidence(value, None, locator.page.number, box, "value", _grounded_flags(read.flags), score=1.0)
    return locator.to_evidence(bare, [locator.find_value(field.type, fact, merge=field.merge)], [FROM_CODE])


def _beside_total(due: Evidence, fields: Mapping[str, Evidence], template: Template) -> Evidence:
    """What only the code says is due; it differs where the page prints another total and nothing that was paid before."""
    read = {field.einvoice: fields[name].value for name, field in template.fields.items() if name in fields}
    total = read.get(TOTAL)
    explained = is_absent(total) or same_value("money", total, due.value) or not is_absent(read.get(PREPAID))
    return due if explained else with_difference(due, total)


def _grounded_flags(flags: Sequence[str]) -> tuple[str, ...]:
    """The flags without those about the grounding."""
    return tuple(flag for flag in flags if flag.split(":")[0] != UNGROUNDED)
