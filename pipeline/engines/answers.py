"""Turns a language model's text into an answer with claims.

The text is JSON that meets the template's schema or, where the template's form is ``text``, plain text with tags for its parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pydantic_core

from pipeline.engines.base import Request
from pipeline.engines.prompting import is_text
from pipeline.records import TOKEN_PROBABILITY, Answer, Claim, Json, Reason
from pipeline.templates.groups import leaves
from pipeline.templates.template import Column, Template, TemplateField
from pipeline.values.currencies import currency_codes
from pipeline.values.dates import parse_date
from pipeline.values.leaf_values import parse_leaf
from pipeline.values.money import parse_money
from pipeline.values.numbers import parse_number, plain_decimal

TRUNCATED = "truncated"
"""Flag of the field at which a truncated answer ends."""
_NOTHING = frozenset({"", "null", "none", "n/a", "na", "-", "--", "unknown", "not stated", "not available", "not specified"})
_MAX_LETTERS = 300


def empty_answer(request: Request) -> Answer | None:
    """The answer to a request without image and words, for which a model would invent values; None for every other request."""
    if request.image or request.page.words:
        return None
    return Answer(request.key, {name: Claim(None) for name in request.template.fields})


def make_answer(
    request: Request, text: str, *, complete: bool = True, probabilities: Mapping[str, float] | None = None
) -> Answer:
    """The answer in a model's text. A truncated one (``complete`` False) fails as ``too_large`` and keeps its complete fields.

    ``probabilities``: by field, how likely the model thought its value.
    """
    template = request.template
    try:
        claims = read_answer(template, text, complete=complete)
    except ValueError as error:
        if complete:
            return failed_answer(request, f"the answer cannot be read: {error}")
        claims = {}
    claims = _with_probabilities(claims, probabilities or {})
    if complete:
        return Answer(request.key, claims)
    detail = f"the answer is longer than answer.tokens of `{template.name}` ({template.answer.tokens})"
    return failed_answer(request, detail, "too_large", claims)


def _with_probabilities(claims: Mapping[str, Claim], probabilities: Mapping[str, float]) -> dict[str, Claim]:
    """The claims with the signal ``token probability`` where the model's probability of the value is known."""
    return {
        name: replace(claim, signals={**claim.signals, TOKEN_PROBABILITY: round(probabilities[name], 4)})
        if name in probabilities
        else claim
        for name, claim in claims.items()
    }


def failed_answer(
    request: Request, detail: str, reason: Reason = "engine", claims: Mapping[str, Claim] | None = None
) -> Answer:
    """The answer to a request that failed, with the claims that are known."""
    return Answer(request.key, claims or {}, status="failed", reason=reason, detail=shorten(detail))


def shorten(text: str) -> str:
    """The text as one line of at most 300 printable letters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: _MAX_LETTERS * 4]).split())
    return line if len(line) <= _MAX_LETTERS else f"{line[: _MAX_LETTERS - 1]}…"


def read_answer(template: Template, text: str, *, complete: bool = True) -> dict[str, Claim]:
    """The claims in a model's text. Of a truncated text (``complete`` False) the last field gets a flag.

    Raises ValueError when the text is no JSON object.
    """
    if is_text(template):
        return _tagged(template, text, () if complete else (TRUNCATED,))
    parsed: Any = pydantic_core.from_json(_json_part(text), allow_partial=False if complete else "trailing-strings")
    if not isinstance(parsed, dict):
        raise ValueError("the answer is no JSON object")
    values = leaves(parsed, template.fields)
    claims = {name: _claim(field, values[name]) for name, field in template.fields.items()}
    if not complete:
        stated = [name for name in claims if name.split(".")[0] in parsed and values[name] is not None]
        last = next((name for name in reversed(list(parsed)) if name in claims), next(reversed(stated), next(iter(claims))))
        cut = claims[last]
        claims[last] = Claim(cut.value, cut.printed, flags=(*cut.flags, TRUNCATED))
    return claims


def answer_so_far(template: Template, text: str) -> str:
    """The value of the template's first field, in a text that a model still writes; empty as long as it has none."""
    try:
        value = read_answer(template, text, complete=False)[next(iter(template.fields))].value
    except ValueError:
        return ""
    return value if isinstance(value, str) else ""


def _tagged(template: Template, text: str, flags: tuple[str, ...]) -> dict[str, Claim]:
    """The text as the first field's value; text between the tags of other fields becomes their value.

    A tag that is not closed before the next tag is part of the text.
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
            if not rest or rest[-1].endswith("\n"):  # removes the tag's line break
                pieces[number] = pieces[number].removeprefix("\n")
        else:
            rest.append(piece)
    other_claims = {other: Claim("\n".join(filter(None, texts)) or None) for other, texts in parts.items()}
    return {name: Claim("".join(rest).strip() or None, flags=flags), **other_claims}


def _json_part(text: str) -> str:
    """The JSON object without the fences and remarks that models write around it where no grammar forbids them."""
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
    """A row with every column; empty when every cell is None."""
    if not isinstance(item, dict):
        return {}
    cells = leaves(item, columns)
    row = {name: _cell(column, cells[name]) for name, column in columns.items()}
    return row if any(value is not None for value in row.values()) else {}


def _cell(column: Column, value: Json) -> Json:
    if column.type == "table":
        rows = [row for item in value if (row := _row(column.columns, item))] if isinstance(value, list) else []
        return rows or None
    if column.many:
        values = [one for item in value if (one := _scalar(column, item)) is not None] if isinstance(value, list) else []
        return list(dict.fromkeys(values)) or None
    return _scalar(column, value)


def choice_of(text: str, field: TemplateField | Column) -> str | None:
    """The choice of an ``enum`` that a text is, or that it is another word for."""
    if text in field.values:
        return text
    plain = text.casefold()
    return next((value for value, words in field.synonyms.items() if plain in map(str.casefold, (value, *words))), None)


def _number(text: str) -> Decimal | None:
    """A plain decimal, or an amount as printed with its currency, as models write it where no grammar forbids that."""
    number = parse_number(text)
    money = parse_money(text) if number is None else None
    return money.amount if money else number


def _scalar(field: TemplateField | Column, value: Json) -> Json:
    """A value in the form of claims of its type; None for texts that mean "no value"."""
    if value is None or isinstance(value, (list, dict)):
        return None
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = " ".join(str(value).split()) if field.type != "text" else str(value).strip()
    if text.casefold() in _NOTHING:
        return None
    if field.type in ("money", "number"):
        number = _number(text)
        return None if number is None else plain_decimal(number)
    if field.type == "date":
        date = parse_date(text)
        return date.isoformat() if date else None
    if field.type == "currency":
        return text.upper() if text.upper() in currency_codes() else None
    if field.type == "enum":
        return choice_of(text, field)
    return parse_leaf(field.type, text)
