"""What orders, bank statements, letters and other kinds of documents state beside their rows: label and value of each field."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from training.generator import identifiers
from training.generator.business import person
from training.generator.formats import NBSP
from training.generator.identifiers import document_number
from training.generator.metadata import Pair
from training.generator.sheet import Sheet
from training.generator.vocabulary import words

FIELDS: Mapping[str, Mapping[str, tuple[str, float]]] = {
    "credit_note": {
        "credit_note_number": ("documents.credit_note.number", 0.95), "credit_note_date": ("documents.credit_note.date", 0.97),
        "invoice_number": ("details.preceding_invoice", 0.6), "customer_number": ("details.customer_number", 0.4),
        "reason": ("documents.credit_note.reason", 0.35),
    },
    "order": {
        "order_number": ("documents.order.number", 0.97), "order_date": ("documents.order.date", 0.95), "delivery_date": ("details.delivery_date", 0.5),
        "customer_number": ("details.customer_number", 0.4),
    },
    "quotation": {
        "quotation_number": ("documents.quotation.number", 0.95), "quotation_date": ("documents.quotation.date", 0.97),
        "valid_until": ("documents.quotation.valid_until", 0.7), "customer_number": ("details.customer_number", 0.4),
    },
    "delivery_note": {
        "delivery_note_number": ("documents.delivery_note.number", 0.97), "delivery_date": ("documents.delivery_note.date", 0.95),
        "order_number": ("documents.order.number", 0.6), "customer_number": ("details.customer_number", 0.4),
        "weight": ("documents.delivery_note.weight", 0.35), "packages": ("documents.delivery_note.packages", 0.3),
    },
    "bank_statement": {
        "iban": ("details.iban", 0.95), "bic": ("details.bic", 0.5), "statement_number": ("documents.bank_statement.number", 0.6),
        "statement_date": ("documents.bank_statement.date", 0.7), "period": ("documents.bank_statement.period", 0.6),
    },
    "payslip": {
        "employee": ("documents.payslip.employee", 0.97), "employee_number": ("documents.payslip.employee_number", 0.75), "period": ("documents.payslip.period", 0.9),
        "pay_date": ("documents.payslip.pay_date", 0.6), "iban": ("details.iban", 0.4),
    },
    "utility_bill": {
        "bill_number": ("invoice.invoice_number", 0.9), "bill_date": ("invoice.invoice_date", 0.95), "due_date": ("invoice.due_date", 0.7),
        "customer_number": ("details.customer_number", 0.7), "contract_number": ("details.contract", 0.4),
        "period": ("details.service_period", 0.8), "meter_number": ("documents.utility_bill.meter_number", 0.7),
        "consumption": ("documents.utility_bill.consumption", 0.5), "supply_address": ("documents.utility_bill.supply_address", 0.4),
    },
    "contract": {
        "first_party": ("documents.contract.first_party", 1.0), "second_party": ("documents.contract.second_party", 1.0),
        "contract_number": ("details.contract", 0.6), "contract_date": ("documents.contract.date", 0.6), "start_date": ("documents.contract.start", 0.9),
        "end_date": ("documents.contract.end", 0.5), "notice_period": ("documents.contract.notice_period", 0.5),
    },
    "letter": {
        "date": ("documents.letter.date", 0.9), "our_reference": ("documents.letter.our_reference", 0.5), "your_reference": ("documents.letter.your_reference", 0.4),
    },
}  # fmt: skip
"""Fields that stand beside a label: the list of its labels, and the share of documents that print it."""


@dataclass(frozen=True)
class KindFacts:
    """Days and numbers of one document."""

    issued: datetime.date
    first: datetime.date
    last: datetime.date
    consumption: int


def make_kind_facts(rng: random.Random) -> KindFacts:
    """Days and numbers that fit each other."""
    issued = datetime.date(2018, 1, 1) + datetime.timedelta(days=rng.randint(0, 3300))
    first = (issued.replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
    last = issued.replace(day=1) - datetime.timedelta(days=1)
    return KindFacts(issued, first, last, rng.randint(200, 9000))


def kind_pairs(sheet: Sheet, facts: KindFacts) -> list[Pair]:
    """What the document prints beside its title, most of it in the usual order."""
    fields = FIELDS[sheet.kind]
    names = [name for name, (_, share) in fields.items() if sheet.choices.rng.random() < share]
    if sheet.choices.chance("metadata shuffled", 0.3):
        sheet.choices.rng.shuffle(names)
    sheet.choices.log["metadata"] = " ".join(names)
    return [Pair(name, sheet.label(name, group=fields[name][0]), _value(sheet, name, facts)) for name in names]


def _value(sheet: Sheet, name: str, facts: KindFacts) -> str:
    """The value as HTML, marked."""
    rng, issued = sheet.style, facts.issued
    days: Mapping[str, datetime.date] = {
        "valid_until": issued + datetime.timedelta(days=rng.choice([14, 30, 60])),
        "due_date": issued + datetime.timedelta(days=14),
        "start_date": facts.last + datetime.timedelta(days=1),
        "end_date": issued.replace(day=1) + datetime.timedelta(days=365),
        "delivery_date": issued + datetime.timedelta(days=rng.randint(0, 9)),
    }
    others: Mapping[str, Callable[[], str]] = {
        "iban": lambda: _iban(sheet, rng),
        "bic": lambda: sheet.mark("bic", sheet.trade.seller.bic),
        "period": lambda: _period(sheet, facts),
        "employee": lambda: sheet.mark("employee", person(sheet.language, rng)),
        "first_party": lambda: sheet.mark("first_party", sheet.trade.seller.name),
        "second_party": lambda: sheet.mark("second_party", sheet.trade.buyer.name),
        "notice_period": lambda: sheet.mark("notice_period", rng.choice(words(sheet.language, "notes"))),
        "reason": lambda: sheet.mark("reason", rng.choice(words(sheet.language, "notes"))),
        "weight": lambda: _quantity(sheet, "weight", Decimal(rng.randint(20, 9000)) / 10, "kg"),
        "consumption": lambda: _quantity(sheet, "consumption", Decimal(facts.consumption), rng.choice(["kWh", "m³"])),
        "packages": lambda: sheet.mark("packages", str(rng.randint(1, 40))),
        "supply_address": lambda: sheet.mark("supply_address", f"{sheet.trade.buyer.street}, {sheet.trade.buyer.city}"),
        "meter_number": lambda: sheet.mark(
            "meter_number", identifiers.fill(rng.choice(["########", "# ### ####", "EM-######"]), rng)
        ),
        "employee_number": lambda: sheet.mark("employee_number", str(rng.randint(100, 99999))),
        "customer_number": lambda: sheet.mark("customer_number", str(rng.randint(1000, 9_999_999))),
    }
    if name in days:
        return sheet.date(name, days[name])
    if name in others:
        return others[name]()
    if name.endswith("_date") or name == "date":
        return sheet.date(name, issued)
    return sheet.mark(name, document_number(issued.year, issued.month, rng))


def _iban(sheet: Sheet, rng: random.Random) -> str:
    printed = sheet.trade.seller.iban or identifiers.iban("DE", rng) or ""
    return sheet.mark("iban", printed, printed.replace(NBSP, "").replace(" ", ""))


def _period(sheet: Sheet, facts: KindFacts) -> str:
    text = f"{sheet.dates.date(facts.first)} {sheet.style.choice(['-', '–'])} {sheet.dates.date(facts.last)}"
    return sheet.mark("period", text, f"{facts.first.isoformat()}/{facts.last.isoformat()}")


def _quantity(sheet: Sheet, name: str, amount: Decimal, unit: str) -> str:
    plain = f"{amount.normalize():f}"
    return sheet.mark(name, f"{sheet.numbers.quantity(amount)} {unit}", f"{plain} {unit}")


def money_rows(sheet: Sheet, amounts: list[tuple[str, str, Decimal]]) -> str:
    """Amounts below the table: name, list of labels and value of each."""
    bold = sheet.choices.chance("sums bold", 0.5)
    cells = "".join(
        f'<tr><td style="padding:1px 18px 1px 2px">{sheet.label(name, group=labels)}</td>'
        f'<td style="text-align:right;{"font-weight:bold" if bold else ""}">{sheet.amount(name, value)}</td></tr>'
        for name, labels, value in amounts
    )
    side = sheet.choices.pick("sums at", {"right": 3, "left": 1})
    return f'<table style="margin-{"left" if side == "right" else "right"}:auto;margin-top:10px">{cells}</table>'
