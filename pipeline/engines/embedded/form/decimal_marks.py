"""The decimal mark of a page where a number with both marks proves it: beside "1,116.000", "275.000" is 275."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.values.numbers import parse_number, plain_decimal

_POINT = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+\.\d+(?![\d.,])|(?<![\d.,])\d+\.(?:\d{1,2}|\d{4,})(?![\d.,])")
_COMMA = re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{3})+,\d+(?![\d.,])|(?<![\d.,])\d+,(?:\d{1,2}|\d{4,})(?![\d.,])")
_UNCLEAR = re.compile(r"\d{1,3}[.,]\d{3}")


def settle_decimal_marks(candidates: Candidates, layout: Layout) -> None:
    """Reads the numbers of a page again that could be thousands or have three decimals, where the other numbers tell which."""
    text = "\n".join(run.text for run in layout.runs if run.has_digit)
    points, commas = len(_POINT.findall(text)), len(_COMMA.findall(text))
    if bool(points) == bool(commas):
        return
    mark = "." if points else ","
    candidates.numbers = [_settled(candidate, mark) for candidate in candidates.numbers]
    candidates.money = [candidate for candidate in candidates.numbers if candidate.kind == "money"]


def _settled(candidate: Candidate, mark: str) -> Candidate:
    digits = _UNCLEAR.search(candidate.printed)
    if digits is None or digits[0] != re.sub(r"[^\d.,]", "", candidate.printed):
        return candidate
    number = parse_number(digits[0], mark)
    if number is None:
        return candidate
    return replace(candidate, value=plain_decimal(-number if candidate.value.startswith("-") else number))
