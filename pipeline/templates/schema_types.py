"""The narrow types of a JSON Schema's single values, where their format, pattern, name or description says so."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from pipeline.templates.schema_nodes import Node
from pipeline.templates.template import FieldType

_FORMATS: Mapping[str, FieldType] = {
    "email": "mail", "idn-email": "mail", "uri": "url", "iri": "url", "uri-reference": "url", "duration": "duration",
}  # fmt: skip
_LAST_WORDS: Mapping[str, FieldType] = {
    "email": "mail", "mail": "mail", "url": "url", "website": "url", "homepage": "url", "iban": "iban",
    "phone": "phone", "telephone": "phone", "tel": "phone", "mobile": "phone", "fax": "phone", "weight": "quantity", "address": "address",
}  # fmt: skip
_OTHER_ADDRESSES = frozenset({"mail", "email", "web", "ip", "mac", "wallet"})
_PERCENT_WORDS = frozenset({"percent", "percentage", "pct", "prozent"})
_PERCENT = re.compile(r"%|\bin per ?cent\b|\bpercentage\b", re.IGNORECASE)
_COUNT_WORDS = frozenset({"count", "pages", "pieces", "units", "quantity", "qty", "nights", "guests", "persons"})
_COUNTRY_CODE = re.compile(r"\biso[ -]?3166|\b(?:two|2)[- ]letter\b|\bcountry code\b|\balpha-2\b", re.IGNORECASE)
_COUNTRY_PATTERN = re.compile(r"\^?(?:\[A-Z\]\{2\}|\[A-Z\]\[A-Z\])\$?")
_INTERVAL = re.compile(r"yyyy-mm-dd\s?/\s?yyyy-mm-dd|\biso[ -]?8601 (?:time )?interval\b", re.IGNORECASE)


def narrow_type(leaf: Node, words: Collection[str], description: str) -> FieldType | None:
    """The type of a leaf with the property's name in ``words``; None where nothing says more than its JSON type does.

    Strings stay as printed, so a type that changes what is printed (a country's code, the days of a period) needs more than a name.
    """
    last = list(words)[-1] if words else ""
    if leaf.types and set(leaf.types) <= {"number", "integer"}:
        if _PERCENT_WORDS & set(words) or _PERCENT.search(description):
            return "percentage"
        return "integer" if leaf.types == ("integer",) and last in _COUNT_WORDS else None
    if leaf.types not in ((), ("string",)):
        return None
    form, pattern = str(leaf.schema.get("format", "")), str(leaf.schema.get("pattern", ""))
    if form:
        return _FORMATS.get(form)
    if _INTERVAL.search(description):
        return "period"
    says_code = _COUNTRY_CODE.search(description) or _COUNTRY_PATTERN.fullmatch(pattern) or leaf.schema.get("maxLength") == 2
    if "country" in words and (says_code or last == "code"):
        return "country"
    return None if last == "address" and _OTHER_ADDRESSES & set(words) else _LAST_WORDS.get(last)
