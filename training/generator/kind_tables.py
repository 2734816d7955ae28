"""The rows of delivery notes, bank statements, payslips and utility bills."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from training.generator.kind_facts import KindFacts
from training.generator.sheet import Sheet
from training.generator.vocabulary import other_labels, words

CENT = Decimal("0.01")


@dataclass(frozen=True)
class KindColumn:
    """A column: its name in the template ("" for none), its heading, and whether it holds numbers."""

    name: str
    heading: str
    numeric: bool


@dataclass(frozen=True)
class Balances:
    """Balances of a bank statement before and behind its rows."""

    opening: Decimal
    closing: Decimal


def kind_table(sheet: Sheet, columns: list[KindColumn], rows: list[list[str]]) -> str:
    """A table that may go on over pages, with its heading on each."""
    lines = sheet.choices.pick("table lines", {"all": 2, "under": 3, "none": 2})
    border = {"all": "border:1px solid #888;", "under": "border-bottom:1px solid #bbb;", "none": ""}[lines]
    shade = "background:#e6e6e6;" if sheet.choices.chance("heading shaded", 0.5) else ""
    pad = f"padding:{sheet.style.randint(1, 4)}px 5px;"
    heads = "".join(
        f'<th data-h="{column.name}" style="{border}{shade}{pad}text-align:{"right" if column.numeric else "left"}">'
        f"{escape(column.heading)}</th>"
        for column in columns
    )
    body = "".join(
        '<tr data-row="1">'
        + "".join(
            f'<td style="{border}{pad}text-align:{"right" if column.numeric else "left"}">{cell}</td>'
            for column, cell in zip(columns, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<table class="items fit" data-b="items" data-columns="{len(columns)}" style="border-collapse:collapse;width:100%;margin:12px 0">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


def _heading(sheet: Sheet, labels: str) -> str:
    return sheet.cased(sheet.label_text("", labels))


def _text(sheet: Sheet, row: int, column: str, text: str, value: str | None = None) -> str:
    sheet.row_value(row, column, text if value is None else value)
    return f'<span data-i="{row}:{column}">{escape(text)}</span>'


def delivery_table(sheet: Sheet, rng: random.Random) -> str:
    """The goods delivered."""
    has_code, has_ordered = sheet.choices.chance("column code", 0.5), sheet.choices.chance("column ordered", 0.3)
    has_unit = sheet.choices.chance("column unit", 0.4)
    columns = [
        *([KindColumn("code", other_labels(sheet.language, "sku")[0], False)] if has_code else []),
        KindColumn("description", _heading(sheet, "invoice.line_items.description"), False),
        *([KindColumn("ordered", _heading(sheet, "documents.delivery_note.ordered"), True)] if has_ordered else []),
        KindColumn("quantity", _heading(sheet, "documents.delivery_note.quantity"), True),
        *([KindColumn("unit", other_labels(sheet.language, "unit")[0], False)] if has_unit else []),
    ]
    rows = [
        [_delivered(sheet, at, column.name, Decimal(rng.randint(1, 60)), rng) for column in columns]
        for at in range(rng.choice([1, 2, 3, 5, 8, 14, 30]))
    ]
    return kind_table(sheet, columns, rows)


def _delivered(sheet: Sheet, row: int, column: str, amount: Decimal, rng: random.Random) -> str:
    if column in ("ordered", "quantity"):
        return sheet.cell(row, column, amount, 0, signed=False)
    texts = {"code": f"{rng.choice('ABKTX')}-{rng.randint(100, 99999)}", "description": rng.choice(sheet.trade.goods)}
    return _text(sheet, row, column, texts.get(column) or rng.choice(sheet.trade.units))


def bank_table(sheet: Sheet, facts: KindFacts, rng: random.Random) -> tuple[str, Balances]:
    """The bookings, each with the balance behind it where the statement prints one."""
    two = sheet.choices.pick("amounts", {"two columns": 3, "one column": 2}) == "two columns"
    value_date, balance_column = sheet.choices.chance("column value date", 0.4), sheet.choices.chance("column balance", 0.75)
    columns = [
        KindColumn("date", _heading(sheet, "documents.bank_statement.transactions_date"), False),
        *(
            [KindColumn("value_date", _heading(sheet, "documents.bank_statement.transactions_value_date"), False)]
            if value_date
            else []
        ),
        KindColumn("description", _heading(sheet, "documents.bank_statement.transactions_description"), False),
        *[
            KindColumn(name, _heading(sheet, f"documents.bank_statement.transactions_{name}"), True)
            for name in (("debit", "credit") if two else ("amount",))
        ],
        *(
            [KindColumn("balance", _heading(sheet, "documents.bank_statement.transactions_balance"), True)]
            if balance_column
            else []
        ),
    ]
    opening = balance = Decimal(rng.randint(-20000, 900000)) / 100
    day, rows = facts.first, []
    for at in range(rng.choice([3, 6, 10, 18, 30, 60])):
        day = min(facts.last, day + datetime.timedelta(days=rng.choice([0, 1, 1, 2])))
        amount = (Decimal(rng.randint(100, 150000)) / 100).quantize(CENT)
        paid_in = rng.random() < 0.35
        balance += amount if paid_in else -amount
        subject = rng.choice([sheet.trade.buyer.name, rng.choice(words(sheet.language, "last")), rng.choice(sheet.trade.goods)])
        row = []
        for column in columns:
            if column.name in ("date", "value_date"):
                row.append(_text(sheet, at, column.name, sheet.dates.date(day), day.isoformat()))
            elif column.name == "description":
                row.append(_text(sheet, at, "description", f"{subject} {rng.randint(1000, 999999)}"))
            elif column.name == "balance":
                row.append(sheet.cell(at, "balance", balance, 2, signed=False))
            elif column.name == "amount":
                row.append(sheet.cell(at, "amount", amount if paid_in else -amount, 2, signed=False))
            else:
                filled = (column.name == "credit") == paid_in
                row.append(sheet.cell(at, column.name, amount, 2, signed=False) if filled else "")
        rows.append(row)
    return kind_table(sheet, columns, rows), Balances(opening, balance)


def pay_table(sheet: Sheet, rng: random.Random) -> tuple[str, dict[str, Decimal]]:
    """Earnings, and the sums of a payslip."""
    columns = [
        KindColumn("description", _heading(sheet, "invoice.line_items.description"), False),
        KindColumn("amount", _heading(sheet, "documents.payslip.lines_amount"), True),
    ]
    amounts = [(Decimal(rng.randint(20000, 500000)) / 100).quantize(CENT) for _ in range(rng.randint(1, 4))]
    rows = [
        [_text(sheet, at, "description", rng.choice(words(sheet.language, "services"))), sheet.cell(at, "amount", amount, 2)]
        for at, amount in enumerate(amounts)
    ]
    gross = sum(amounts, Decimal(0))
    tax, social = (
        (gross * Decimal(rng.randint(8, 25)) / 100).quantize(CENT),
        (gross * Decimal(rng.randint(7, 21)) / 100).quantize(CENT),
    )
    sums = {"gross_pay": gross, "income_tax": tax, "social_security": social, "net_pay": gross - tax - social}
    return kind_table(sheet, columns, rows), sums


def meter_table(sheet: Sheet, facts: KindFacts, rng: random.Random) -> str:
    """Readings of one meter or two."""
    names = ("previous", "current", "consumption")
    columns = [
        KindColumn("meter", _heading(sheet, "documents.utility_bill.meter_number"), False),
        *[KindColumn(name, _heading(sheet, f"documents.utility_bill.readings_{name}"), True) for name in names],
    ]
    rows = []
    for at in range(rng.choice([1, 1, 2])):
        before = rng.randint(1000, 90000)
        values = (before, before + facts.consumption, facts.consumption)
        cells = [sheet.cell(at, name, Decimal(value), 0, signed=False) for name, value in zip(names, values, strict=True)]
        rows.append([_text(sheet, at, "meter", str(rng.randint(1_000_000, 99_999_999))), *cells])
    return kind_table(sheet, columns, rows)
