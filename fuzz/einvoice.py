"""Fuzzes the e-invoice reader: XML, or (where the input looks like a PDF) XML inside a PDF."""

from __future__ import annotations

import datetime
import json
import re

from pipeline.words.einvoice import parse_einvoice, read_einvoice

TEXTS = frozenset({"BT-1", "BT-5", "BT-27", "BT-31", "BT-44", "BT-48", "BT-153"})
DATES = frozenset({"BT-2", "BT-9"})


def once(data: bytes) -> None:
    """The result has business terms: dates are ISO dates, amounts plain decimal strings, and no value is empty."""
    facts = read_einvoice(data) if data.startswith(b"%PDF-") else parse_einvoice(data)
    if facts is None:
        return
    json.dumps(facts).encode("ascii")
    lines = facts.pop("BG-25", [])
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
    elif term not in TEXTS:
        assert re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", value), value
