"""Orders, delivery notes, bank statements, letters and other kinds of documents: HTML with the truth of the built-in templates' fields."""

from __future__ import annotations

import random
from decimal import Decimal
from html import escape

from pipeline.languages import active
from training.generator.amounts import Sums
from training.generator.choices import Choices
from training.generator.document import Document
from training.generator.invoice_layout import LETTER_COUNTRIES, SIZES
from training.generator.items_table import items_table
from training.generator.kind_facts import KindFacts, kind_pairs, make_kind_facts, money_rows
from training.generator.kind_tables import bank_table, delivery_table, meter_table, pay_table
from training.generator.kinds import PARTIES
from training.generator.metadata import FORMS, metadata_block
from training.generator.new_sheet import invoice_sums, make_sheet
from training.generator.page_layout import arrange, page_html
from training.generator.parties import block, buyer_block, footer, line, sender_line, vendor_block
from training.generator.sheet import Sheet, upper
from training.generator.totals import sum_rows, totals_block
from training.generator.vocabulary import Country, pack_code, words

KINDS = tuple(PARTIES)
LANGUAGES = ("da", "de", "en", "es", "fr", "it", "nl", "no", "pl", "pt", "sv")
"""Languages whose packs have labels of these kinds."""


def kind_languages(kind: str) -> list[str]:
    """The languages in which documents of a kind can be written."""
    return [
        code for code in LANGUAGES if any(name.startswith(f"{kind}.") for name in active().by_code[code].labels["documents"])
    ]


def other_document(
    kind: str, language: str, country: Country, content: random.Random, structure: random.Random, style: random.Random
) -> Document:
    """A document of one of ``KINDS``."""
    choices = Choices(structure)
    sheet = make_sheet(kind, language, country, content, choices, style, None)
    facts = make_kind_facts(style)
    sheet.issued = facts.issued
    paper = "Letter" if country.code in LETTER_COUNTRIES else "A4"
    width, height = SIZES[paper]
    head = _head(sheet, facts)
    table, tail = _body(sheet, facts, country, content)
    foot = footer(sheet, legal_name=False, tax=True, bank=False) if choices.chance("company foot", 0.4) else ""
    html = page_html(sheet, head, "", table, tail, foot, "", width, height)
    return Document(
        kind=kind, language=language, country=country.code, layout=choices.layout_id(), structure=choices.log, html=html, width=width,
        height=height, values=sheet.values, rows=sheet.rows,
    )  # fmt: skip


def _head(sheet: Sheet, facts: KindFacts) -> str:
    choices, rng = sheet.choices, sheet.style
    pairs = kind_pairs(sheet, facts)
    meta = metadata_block(sheet, pairs, choices.pick("metadata form", FORMS), "left")
    align = choices.pick("letterhead align", {"left": 4, "right": 2, "center": 1})
    vendor = vendor_block(sheet, align, name=choices.pick("letterhead", {"big": 4, "plain": 3}), contacts=True, tax=False)
    label = choices.pick("buyer label", {"none": 4, "above": 3})
    has_buyer = sheet.kind not in ("payslip", "contract")
    buyer = buyer_block(sheet, sheet.trade.buyer, label="none" if sheet.kind == "letter" else label) if has_buyer else ""
    if buyer and choices.chance("sender line", 0.3):
        buyer = f"<div>{sender_line(sheet)}{buyer}</div>"
    title = "" if sheet.kind == "letter" else _title(sheet)
    html, side = arrange(
        sheet, {"vendor": vendor, "title": title, "meta": meta, "buyer": buyer, "ship": "", "summary": ""}, "", ""
    )
    if sheet.kind == "letter":
        html += line(_subject(sheet, rng), f"font-weight:bold;margin:{rng.randint(6, 20)}px 0")
    return html + side


def _title(sheet: Sheet) -> str:
    titles = active().by_code[pack_code(sheet.language) or "en"].documents.kinds
    names = next((titles[kind] for kind in titles if kind == sheet.kind), [sheet.kind])
    text = sheet.style.choice(names[:3])
    text = text[:1].upper() + text[1:]
    if sheet.choices.pick("title case", {"as is": 3, "upper": 2}) == "upper":
        text = upper(text, sheet.language)
    size = sheet.style.uniform(1.4, 2.6)
    return block("title", escape(text), f"font-size:{size:.2f}em;font-weight:bold;line-height:1.2")


def _subject(sheet: Sheet, rng: random.Random) -> str:
    subject = f"{rng.choice(words(sheet.language, 'goods'))} {rng.choice(['', str(rng.randint(100, 9999))])}".strip()
    marked = sheet.mark("subject", subject)
    return (
        f"{sheet.label('subject', group='documents.letter.subject')} {marked}"
        if sheet.choices.chance("subject label", 0.8)
        else marked
    )


def _body(sheet: Sheet, facts: KindFacts, country: Country, content: random.Random) -> tuple[str, str]:
    """The table and what stands below it."""
    rng = sheet.style
    if sheet.kind in ("credit_note", "order", "quotation"):
        sums = invoice_sums(sheet, country, content)
        return items_table(sheet, sums, ""), totals_block(sheet, sum_rows(sheet, _without_payments(sums)))
    if sheet.kind == "delivery_note":
        return delivery_table(sheet, rng), _sentences(sheet, 1)
    if sheet.kind == "bank_statement":
        table, balances = bank_table(sheet, facts, rng)
        opening = money_rows(sheet, [("opening_balance", "documents.bank_statement.opening_balance", balances.opening)])
        return opening + table, money_rows(
            sheet, [("closing_balance", "documents.bank_statement.closing_balance", balances.closing)]
        )
    if sheet.kind == "payslip":
        table, amounts = pay_table(sheet, rng)
        labels = {"gross_pay": "gross", "income_tax": "tax", "social_security": "social_security", "net_pay": "net"}
        return table, money_rows(sheet, [(name, f"documents.payslip.{labels[name]}", value) for name, value in amounts.items()])
    if sheet.kind == "utility_bill":
        total = (Decimal(rng.randint(2000, 90000)) / 100).quantize(Decimal("0.01"))
        subtotal = (total / Decimal("1.2")).quantize(Decimal("0.01"))
        amounts = {"subtotal": subtotal, "tax_total": total - subtotal, "total": total}
        rows = money_rows(sheet, [(name, f"invoice.{name}", value) for name, value in amounts.items()])
        return meter_table(sheet, facts, rng), rows
    return "", _sentences(sheet, 12 if sheet.kind == "contract" else 6)


def _without_payments(sums: Sums) -> Sums:
    sums.prepaid = sums.previous = Decimal(0)
    sums.amount_due = sums.total
    return sums


def _sentences(sheet: Sheet, count: int) -> str:
    """Sentences of a letter with salutation and closing, of a contract with numbers."""
    rng = sheet.style
    pack = active().by_code[pack_code(sheet.language) or "en"]
    texts = [escape(rng.choice(words(sheet.language, "texts"))) for _ in range(count)]
    if sheet.kind == "contract":
        return "".join(line(f"§ {at} {text} {rng.choice(texts)}", "margin:6px 0") for at, text in enumerate(texts, 1))
    if sheet.kind != "letter":
        return "".join(map(line, texts))
    greeting = f"{rng.choice((pack.documents.salutations or ['Dear'])[:2])} {rng.choice(words(sheet.language, 'last'))},"
    closing = rng.choice(pack.organisations.closings or ["Kind regards"])
    parts = [
        escape(greeting),
        " ".join(texts[: count // 2]),
        " ".join(texts[count // 2 :]),
        escape(closing),
        escape(sheet.trade.seller.director),
    ]
    return "".join(line(part, "margin:8px 0") for part in parts)
