"""Whether a value read is the one that was drawn."""

from __future__ import annotations

import re
from decimal import Decimal

from rapidfuzz import fuzz

from pipeline.checks.value_comparison import as_decimal
from pipeline.records import Json
from pipeline.templates.template import TemplateField

_CHINESE = re.compile("[\u4e00-\u9fff]")
ALIKE = 85
"""Names and addresses are the same from this share (token sort ratio): a scan may cost a letter."""


def is_right(field: TemplateField, value: Json, truth: str | None) -> bool:
    """Whether the value is the truth; None where the document prints nothing."""
    if value is None or truth is None:
        return value is None and truth is None
    if field.type in ("party", "text"):
        one, other = (text.casefold().replace(" ", "" if _CHINESE.search(truth) else " ") for text in (str(value), truth))
        return fuzz.token_sort_ratio(one, other) >= ALIKE
    if field.type == "money":
        return as_decimal(value) == Decimal(truth)
    return str(value) == truth
