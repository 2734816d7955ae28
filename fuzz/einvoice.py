"""Fuzzes the e-invoice reader: XML, or (where the input looks like a PDF) XML inside a PDF."""

from __future__ import annotations

import datetime
import json
import re

from pipeline.words.einvoice import TABLES, parse_einvoice, read_einvoice

NUMBERS = frozenset(
    f"BT-{number}" for number in (106, 107, 108, 109, 110, 112, 113, 114, 115, 116, 117, 119, 129, 131, 138, 146, 152)
)
DATES = frozenset({"BT-2", "BT-9", "BT-72", "BT-73", "BT-74"})


def once(data: bytes) -> None:
    """The result has business terms: dates are ISO dates, amounts plain decimal strings, and no value is empty."""
    facts = read_einvoice(data) if data.startswith(b"%PDF-") else parse_einvoice(data)
    if facts is None:
        return
    json.dumps(facts).encode("ascii")
    lines = [line for table in TABLES for line in facts.pop(table, [])]
    for terms in (facts, *lines):
        for term, value in terms.items():
            _term(term, value)
    assert facts or lines


def _term(term: str, value: object) -> None:
    assert isinstance(value, str)
    assert value
    value.encode()  # no single surrogates
    if term in DATES:
        assert datetime.date.fromisoformat(value).isoformat() == value, value
    elif term in NUMBERS:
        assert re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", value), value
