"""What every engine with a language model makes of an answer: claims, and the ends that are none.

An answer is JSON that meets the template's schema or, where the template asks for ``text``, the text itself with tags for its parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pydantic_core

from pipeline.engines.base import Request
from pipeline.engines.prompting import is_text
from pipeline.records import Answer, Claim, Json, Reason
from pipeline.templates.model import Column, Template, TemplateField
from pipeline.values.currencies import codes
from pipeline.values.dates import parse_date
from pipeline.values.money import parse_money
from pipeline.values.numbers import parse_number, plain

TRUNCATED = "truncated"
"""Flag of fields that were being written when the answer had to end."""
_NOTHING = frozenset({"", "null", "none", "n/a", "na", "-", "--", "unknown", "not stated", "not available", "not specified"})
_LONGEST = 300


def empty_answer(request: Request) -> Answer | None:
    """The answer to a request without image and words, of which a model would only invent something; None for all others."""
    if request.image or request.page.words:
        return None
    return Answer(request.key, {name: Claim(None) for name in request.template.fields})


def make_answer(request: Request, text: str, *, complete: bool = True) -> Answer:
    """The answer that a model wrote. What was cut off is failed as ``too_large`` and keeps the fields that it has."""
    template = request.template
    try:
        claims = read_answer(template, text, complete=complete)
    except ValueError as error:
        if complete:
            return failed_answer(request, f"the answer cannot be read: {error}")
        claims = {}
    if complete:
        return Answer(request.key, claims)
    detail = f"the answer is longer than answer.tokens of `{template.name}` ({template.answer.tokens})"
    return failed_answer(request, detail, "too_large", claims)


def failed_answer(
    request: Request, detail: str, reason: Reason = "engine", claims: Mapping[str, Claim] | None = None
) -> Answer:
    """The answer to a request that has none, or only a part."""
    return Answer(request.key, claims or {}, status="failed", reason=reason, detail=shorten(detail))


def shorten(text: str) -> str:
    """One line of printable letters, at most 300."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: _LONGEST * 4]).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def read_answer(template: Template, text: str, *, complete: bool = True) -> dict[str, Claim]:
    """Claims from what a model wrote; what was cut off (``complete`` False) is kept as far as it goes and flagged.

    Raises ValueError when it is no JSON object.
    """
    if is_text(template):
        return _tagged(template, text, () if complete else (TRUNCATED,))
    found: Any = pydantic_core.from_json(_json_part(text), allow_partial=False if complete else "trailing-strings")
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")
    claims = {name: _claim(field, found.get(name)) for name, field in template.fields.items()}
    if not complete:
        last = next((name for name in reversed(list(found)) if name in claims), next(iter(claims)))
        cut = claims[last]
        claims[last] = Claim(cut.value, cut.printed, flags=(*cut.flags, TRUNCATED))
    return claims


def _tagged(template: Template, text: str, flags: tuple[str, ...]) -> dict[str, Claim]:
    """A text for the first field, without what stands between the tags of the others, which is theirs.

    A tag that is not closed before the next one is letters like any other.
    """
    name, *others = template.fields
    rest: list[str] = []
    parts: dict[str, list[str]] = {other: [] for other in others}
    pieces = re.split(rf"(</?(?:{'|'.join(others)})>)", text) if others else [text]
    number = 0
    while number < len(pieces):
        piece = pieces[number]
        number += 1
        if piece[1:-1] in parts and pieces[number + 1 : number + 2] == [f"</{piece[1:]}"]:
            parts[piece[1:-1]].append(pieces[number].strip())
            number += 2
            if not rest or rest[-1].endswith("\n"):  # the tag's own line goes with it
                pieces[number] = pieces[number].removeprefix("\n")
        else:
            rest.append(piece)
    apart = {other: Claim("\n".join(filter(None, found)) or None) for other, found in parts.items()}
    return {name: Claim("".join(rest).strip() or None, flags=flags), **apart}


def _json_part(text: str) -> str:
    """The object itself: servers without a grammar put fences and remarks around it."""
    fenced = re.search(r"```(?:json)?\s*(\{.*)", text, re.DOTALL)
    inner = fenced[1].split("```")[0] if fenced else text
    start = inner.find("{")
    return inner[start:].strip() if start >= 0 else inner


def _claim(field: TemplateField, value: Json) -> Claim:
    if field.type == "table":
        rows = [row for item in value if (row := _row(field.columns, item))] if isinstance(value, list) else []
        return Claim(rows or None)
    if field.many:
        values = [one for item in value if (one := _scalar(field, item)) is not None] if isinstance(value, list) else []
        return Claim(list(dict.fromkeys(values)) or None)
    return Claim(_scalar(field, value))


def _row(columns: Mapping[str, Column], item: Json) -> dict[str, Json]:
    """A row with every column; empty when no cell says anything."""
    row = {name: _scalar(column, item.get(name)) for name, column in columns.items()} if isinstance(item, Mapping) else {}
    return row if any(value is not None for value in row.values()) else {}


def _number(text: str) -> Decimal | None:
    """A plain decimal, or what servers without a grammar write: with a currency, as printed."""
    number = parse_number(text)
    money = parse_money(text) if number is None else None
    return money.amount if money else number


def _scalar(field: TemplateField | Column, value: Json) -> Json:
    """A value in the form that claims of its type have; None for what says nothing."""
    if value is None or isinstance(value, (list, dict)):
        return None
    text = " ".join(str(value).split()) if field.type != "text" else str(value).strip()
    if text.casefold() in _NOTHING:
        return None
    if field.type in ("money", "number"):
        number = _number(text)
        return None if number is None else plain(number)
    if field.type == "date":
        date = parse_date(text)
        return date.isoformat() if date else None
    if field.type == "currency":
        return text.upper() if text.upper() in codes() else None
    if isinstance(field, TemplateField) and field.type == "enum":
        return text if text in field.values else None
    return text
