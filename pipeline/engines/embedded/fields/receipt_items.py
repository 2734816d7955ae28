"""Rows of goods without a header, as on till receipts: a description, an amount at the right, perhaps "2 x 3.50"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.item_tables import ItemTable
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.engines.embedded.fields.row_arithmetic import complete_row
from pipeline.records import Json
from pipeline.templates.template import Column, TemplateField

_COUNT = re.compile(r"(?<!\S)(?:[x×](\d{1,4})|(\d{1,4})\s?[x×])(?!\S)")
_COUNTS = re.compile(r"\d[\d.,]*\s*[x×*@]|[x×*@]\s*\d[\d.,]*|(?<!\S)[x×*@](?!\S)|(?<!\S)[x×*@]$", re.IGNORECASE)
"""Quantities and prices. Where a line has nothing else, the name of the goods is on the line above."""


def read_items(layout: Layout, candidates: Candidates, spec: TemplateField, totals: list[Label]) -> ItemTable:
    """Rows between the head of the receipt and its first total."""
    columns = _columns(spec.columns)
    table = ItemTable()
    if "amount" not in columns:
        return table
    end = min(
        (label.row for label in totals if label.cover >= 0.5 and _amounts(candidates, label.row)), default=len(layout.rows)
    )
    pending: tuple[str, list[int]] = ("", [])
    for row in range(end):
        amounts = [c for c in _amounts(candidates, row) if c.quality >= 0.8]
        text, words = _text(layout, row, amounts)
        if not amounts:
            pending = (text, words)
            continue
        amount = amounts[-1]
        if amount.box[2] < 0.5 * layout.page.width and len(amounts) == 1:
            continue
        if sum(c.isalpha() for c in _COUNTS.sub(" ", text)) < 2:
            text, words = (pending[0], [*pending[1], *words]) if sum(c.isalpha() for c in pending[0]) >= 2 else (text, words)
        if sum(c.isalpha() for c in text) >= 2:
            table.rows.append(_row(spec.columns, columns, text, amount, amounts[:-1], candidates, row))
            table.words += [*words, *amount.words]
            table.first = table.first if len(table.rows) > 1 else row
            table.last = row
        pending = ("", [])
    return table


def _columns(columns: Mapping[str, Column]) -> dict[str, str]:
    """The template's columns by what they hold: the first text, the first number, the first and the last money."""
    names: dict[str, str] = {}
    money = [name for name, column in columns.items() if column.type == "money"]
    for name, column in columns.items():
        if column.type == "text":
            names.setdefault("text", name)
        elif column.type == "number":
            names.setdefault("quantity", name)
    if money:
        names["amount"] = money[-1]
        if len(money) > 1:
            names["price"] = money[0]
    return names


def _amounts(candidates: Candidates, row: int) -> list[Candidate]:
    return sorted((c for c in candidates.money if c.run.row == row and c.quality >= 0.5), key=lambda c: c.box[0])


def _text(layout: Layout, row: int, amounts: list[Candidate]) -> tuple[str, list[int]]:
    used = {word for c in amounts for word in c.words}
    words = [i for run in layout.rows[row] for i in run.words if i not in used]
    return layout.text(words), words


def _row(
    spec: Mapping[str, Column],
    columns: Mapping[str, str],
    text: str,
    amount: Candidate,
    before: list[Candidate],
    candidates: Candidates,
    row: int,
) -> dict[str, Json]:
    result: dict[str, Json] = dict.fromkeys(spec)
    result[columns["amount"]] = amount.value
    if "text" in columns:
        result[columns["text"]] = text
    price = before[-1] if before else None
    if "text" in columns and "quantity" in columns and (times := _COUNT.search(text)):
        result[columns["quantity"]] = times[1] or times[2]
        result[columns["text"]] = " ".join(_COUNT.sub(" ", text, count=1).split()) or text
    if price is not None and "price" in columns:
        result[columns["price"]] = price.value
        complete_row(result, spec, [c for c in candidates.money if c.run.row == row])
    return result
