"""Puts the parts of an invoice on the page: which stand where is drawn for every document anew."""

from __future__ import annotations

import datetime
import random
from html import escape

from training.generator.amounts import Sums, rounded
from training.generator.choices import Choices, draw
from training.generator.document import Document
from training.generator.items_table import items_table
from training.generator.metadata import FORMS, Facts, later_facts, make_facts, make_pairs, metadata_block
from training.generator.new_sheet import invoice_sums, make_sheet
from training.generator.page_layout import arrange, page_html
from training.generator.parties import bank_lines, block, buyer_block, footer, line, logo, sender_line, vendor_block
from training.generator.sheet import Sheet, upper
from training.generator.totals import foot_rows, payment_slip, sum_rows, summary_box, tax_table, totals_block
from training.generator.vocabulary import Country, pack_labels, words

SIZES = {"A4": (794, 1123), "Letter": (816, 1056), "A5": (559, 794), "A4 landscape": (1123, 794)}
"""Paper in CSS pixels."""
LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "CO", "CL"})
TYPES = {
    "invoice": 86, "credit_note": 5, "partial_invoice": 2, "prepayment_invoice": 2, "proforma_invoice": 2, "corrected_invoice": 1.5,
    "debit_note": 1, "self_billed_invoice": 0.5,
}  # fmt: skip
"""What documents call themselves."""
TAX_INVOICE = frozenset({"AU", "NZ", "MY", "IN", "SG", "ZA"})
"""Countries where an invoice is headed "Tax invoice"."""


def invoice(
    language: str,
    country: Country,
    content: random.Random,
    structure: random.Random,
    style: random.Random,
    second: str | None,
    kind: str = "invoice",
    issue: int = 0,
) -> Document:
    """An invoice, or a receipt on letter paper where ``kind`` says so; ``issue`` as in ``make_document``."""
    choices = Choices(structure)
    sheet = make_sheet(kind, language, country, content, choices, style, second, shop=kind == "receipt")
    if issue > 0:
        content = sheet.style = random.Random(f"{style.random()} issue {issue}")
    sums = invoice_sums(sheet, country, content)
    facts = make_facts(sheet)
    sheet.style = style
    if issue < 0:
        facts = later_facts(facts, -issue)
    sheet.issued = facts.issued
    rows = sum_rows(sheet, sums)
    foot = ""
    choices.chance("foot lines", 0.4)
    choices.chance("total large", 0.25)
    choices.chance("group sums", 0.5)
    if choices.chance("sums in the table", 0.18) and choices.log.get("items") != "paragraphs":
        foot = foot_rows(sheet, rows)
    table = items_table(sheet, sums, foot)
    in_foot = bool(foot) and choices.log["items"] == "table"
    letterhead, company_foot = _letterhead(sheet)
    head, side = _head(sheet, facts, sums, letterhead)
    tail = _tail(sheet, facts, sums, "" if in_foot else totals_block(sheet, rows))
    paper = choices.pick(
        "paper", {"A4" if country.code not in LETTER_COUNTRIES else "Letter": 20, "A5": 0.5, "A4 landscape": 0.4}
    )
    width, height = SIZES[paper]
    html = page_html(sheet, head, side, table, tail, company_foot, _repeated_head(sheet, facts), width, height)
    return Document(
        kind=kind, language=language, country=country.code, layout=choices.layout_id(), structure=choices.log, html=html, width=width,
        height=height, values=sheet.values, rows=sheet.rows, aliases={"vendor_name": [sheet.trade.seller.brand]},
        sums={
            "items": str(sums.items_sum), "discount": str(sums.discount), "shipping": str(sums.shipping), "subtotal": str(sums.subtotal),
            "tax": str(sums.tax_total), "rounding": str(sums.rounding), "total": str(sums.total), "prepaid": str(sums.prepaid),
            "previous": str(sums.previous), "due": str(sums.amount_due), "gross_rows": str(sums.gross_rows),
        },
    )  # fmt: skip


def _letterhead(sheet: Sheet) -> tuple[str, str]:
    """How the seller shows at the head (full, plain, logo, only logo, sender line, none) and the lines at the foot."""
    choices = sheet.choices
    kind = choices.pick(
        "letterhead", {"big": 5, "plain": 3, "logo": 3, "only logo": 2, "none": 1.2, "big without address": 1.5}
    )
    needs_foot = kind in {"only logo", "none", "big without address"}
    has_foot = needs_foot or choices.chance("company foot", 0.5)
    choices.chance("tax id at the head", 0.35)
    tax_at_head = choices.log["tax id at the head"] == "yes" and not needs_foot
    foot = ""
    if has_foot:
        legal = kind in {"only logo", "none"} or choices.chance("name in the foot", 0.6)
        foot = footer(
            sheet,
            legal_name=legal,
            tax=not tax_at_head and choices.chance("tax id in the foot", 0.85),
            bank=choices.chance("bank in the foot", 0.5),
        )
    return kind, foot


def _title(sheet: Sheet, facts: Facts) -> tuple[str, set[str]]:
    """The title as HTML, and the metadata that it has said already."""
    kind = draw(sheet.style, TYPES)
    names = pack_labels(sheet.language, f"invoice.document_type.{kind}")
    if not names:
        kind, names = "invoice", pack_labels(sheet.language, "invoice.document_type.invoice") or ["Invoice"]
    if sheet.kind == "receipt":
        kind, names = (
            "receipt",
            [name for name in ("Receipt",) if sheet.language == "en"] or words(sheet.language, "receipt_title"),
        )
    text = sheet.style.choice(names[:3])
    if kind == "invoice" and sheet.trade.country.code in TAX_INVOICE and sheet.language == "en" and sheet.style.random() < 0.6:
        text = "Tax Invoice"
    second = pack_labels(sheet.second, f"invoice.document_type.{kind}") if sheet.second else []
    if second:
        text = f"{text} / {second[0]}"
    if sheet.choices.pick("title case", {"as is": 3, "upper": 2}) == "upper":
        text = upper(text, sheet.language)
    form = sheet.choices.pick(
        "title",
        {"large": 7, "plain": 2, "with number": 3, "with number and date": 1, "sentence": 0.6, "none": 0.4, "spaced": 0.3},
    )
    size = 1.0 if form == "plain" else sheet.style.uniform(1.2, 2.6)
    look = f"font-size:{size:.2f}em;font-weight:{'bold' if sheet.style.random() < 0.7 else 'normal'};line-height:1.2;"
    said: set[str] = set()
    if form == "none":
        return "", said
    if form == "sentence":
        sentence = sheet.style.choice(words(sheet.language, "sentence"))
        html = escape(sentence).format(
            number=sheet.mark("invoice_number", facts.number), date=sheet.date("invoice_date", facts.issued)
        )
        return block("title", html, "font-weight:bold" if sheet.style.random() < 0.5 else ""), {
            "invoice_number",
            "invoice_date",
        }
    html = sheet.mark("document_type", text, kind)
    if form == "spaced":
        look += "letter-spacing:.3em;"
    if form.startswith("with number"):
        between = sheet.style.choice([" ", " ", f" {sheet.style.choice(['Nr.', 'No.', '#', 'n°', 'nr'])} ", ": "])
        html = f"{html}{between}{sheet.mark('invoice_number', facts.number)}"
        said.add("invoice_number")
    if form == "with number and date":
        html += f"{sheet.style.choice([' ', ' / ', ', ', ' - '])}{sheet.date('invoice_date', facts.issued)}"
        said.add("invoice_date")
    return block("title", html, look), said


def _repeated_head(sheet: Sheet, facts: Facts) -> str:
    """The line at the head of the second page and those behind it."""
    rng = sheet.style
    number = f"{sheet.label('invoice_number')} {sheet.mark('invoice_number', facts.number)}"
    parts = [number, sheet.date("invoice_date", facts.issued), sheet.mark("vendor_name", sheet.trade.seller.name)]
    chosen = [part for part in parts if rng.random() < 0.6] or [number]
    return block("repeated", rng.choice([" &nbsp; ", " | ", ", "]).join(chosen), "font-size:.85em;margin-bottom:8px")


def _head(sheet: Sheet, facts: Facts, sums: Sums, letterhead: str) -> tuple[str, str]:
    """All above the table: rows of blocks side by side, in random order."""
    choices, rng = sheet.choices, sheet.style
    title, said = _title(sheet, facts)
    place_line = ""
    if "invoice_date" not in said and choices.chance("town and date", 0.07):
        town = sheet.trade.seller.city.strip("0123456789- ")
        place_line = block(
            "date", f"{escape(town)}, {sheet.date('invoice_date', facts.issued)}", f"text-align:{rng.choice(['right', 'left'])}"
        )
        said.add("invoice_date")
    pairs = make_pairs(sheet, facts, said)
    form = choices.pick("metadata form", FORMS)
    extra = ""
    if len(pairs) > 3 and choices.chance("metadata in two places", 0.25):
        cut = rng.randint(2, len(pairs) - 1)
        second_form = choices.pick("second metadata form", {"strip": 4, "boxed grid": 2, "aligned rows": 1, "paragraph": 1})
        extra = metadata_block(sheet, pairs[cut:], second_form, "left")
        pairs = pairs[:cut]
    meta = metadata_block(sheet, pairs, form, choices.pick("metadata align", {"left": 3, "right": 2})) if pairs else ""
    if form == "strip" and meta:  # needs the width of the page
        extra, meta = meta + extra, ""
    vendor = ""
    if letterhead != "none":
        name = letterhead.replace(" without address", "")
        align = choices.pick("letterhead align", {"left": 4, "right": 2, "center": 1.5})
        bare = letterhead in {"only logo", "big without address"}
        contacts = not bare and choices.chance("contacts at the head", 0.6)
        tax = not bare and choices.log["tax id at the head"] == "yes"
        vendor = _bare_vendor(sheet, name, align) if bare else vendor_block(sheet, align, name=name, contacts=contacts, tax=tax)
    label = choices.pick("buyer label", {"none": 4, "above": 4, "before": 1})
    buyer = (
        buyer_block(sheet, sheet.trade.buyer, label=label)
        if choices.chance("buyer", 0.97 if sheet.kind == "invoice" else 0.4)
        else ""
    )
    if buyer and label == "none" and choices.chance("sender line", 0.4):
        buyer = f"<div>{sender_line(sheet)}{buyer}</div>"
    ship = (
        buyer_block(sheet, sheet.trade.ship_to if rng.random() < 0.6 else sheet.trade.buyer, label="above", name="ship_to")
        if choices.chance("ship to", 0.15)
        else ""
    )
    summary = summary_box(sheet, sums) if choices.chance("summary box", 0.08) else ""
    return arrange(
        sheet,
        {"vendor": vendor, "title": title, "meta": meta, "buyer": buyer, "ship": ship, "summary": summary},
        place_line,
        extra,
    )


def _bare_vendor(sheet: Sheet, name: str, align: str) -> str:
    if name == "only logo":
        return block("vendor", logo(sheet), f"text-align:{align}")
    size = sheet.style.uniform(1.3, 2.2)
    return block(
        "vendor",
        sheet.mark("vendor_name", sheet.trade.seller.name),
        f"text-align:{align};font-size:{size:.2f}em;font-weight:bold",
    )


def _tail(sheet: Sheet, facts: Facts, sums: Sums, totals: str) -> str:
    """All below the table."""
    choices, rng = sheet.choices, sheet.style
    taxes = tax_table(sheet, sums) if not sums.exempt and choices.chance("tax table", 0.22) else ""
    bank = (
        block("bank", "".join(line(part) for part in bank_lines(sheet, sheet.trade.seller)), "font-size:.9em")
        if choices.chance("bank below", 0.3)
        else ""
    )
    sentences = _sentences(sheet, facts, sums)
    notes = (
        block(
            "terms",
            "".join(line(sentence, "margin-bottom:2px") for sentence in sentences),
            f"font-size:{rng.uniform(0.8, 1):.2f}em",
        )
        if sentences
        else ""
    )
    exempt = line(escape(rng.choice(words(sheet.language, "exempt"))), "margin:4px 0") if sums.exempt else ""
    beside = choices.pick("beside the sums", {"nothing": 5, "taxes": 1.5, "notes": 1.5, "bank": 1})
    left = {"taxes": taxes, "notes": notes, "bank": bank}.get(beside, "")
    parts = [totals]
    if left and totals:
        parts = [
            f'<div style="display:flex;gap:20px"><div style="flex:1">{left}</div><div style="flex:1.1">{totals}</div></div>'
        ]
    parts += [
        part
        for part in (taxes if left != taxes else "", exempt, notes if left != notes else "", bank if left != bank else "")
        if part
    ]
    if choices.chance("tail turned", 0.12):
        parts = [*parts[1:], parts[0]] if rng.random() < 0.5 else [parts[-1], *parts[:-1]]
    if choices.chance("payment slip", 0.3 if sheet.trade.country.code == "CH" else 0.05) and sheet.kind == "invoice":
        parts.append(payment_slip(sheet, sums, facts.number))
    elif choices.chance("signature", 0.08):
        parts.append(line(sheet.other("signature") + " ____________________", "margin-top:28px;text-align:right"))
    parts = [part for part in parts if part]
    pinned = {"nothing": None, "all": 0, "last": len(parts) - 1}[
        choices.pick("at the bottom", {"nothing": 5, "all": 1.2, "last": 1.5})
    ]
    return "".join(f'<div style="{"margin-top:auto" if at == pinned else ""}">{part}</div>' for at, part in enumerate(parts))


def _sentences(sheet: Sheet, facts: Facts, sums: Sums) -> list[str]:
    rng = sheet.style
    values = {
        "date": sheet.date("due_date", facts.due),
        "days": str(facts.days),
        "percent": rng.choice(["2", "3", "1,5" if sheet.numbers.decimal == "," else "1.5"]),
        "discount_days": str(rng.choice([5, 7, 8, 10])),
        "discount_date": sheet.date(None, facts.issued + datetime.timedelta(days=rng.choice([5, 7, 10]))),
        "number": sheet.mark("invoice_number", facts.number),
        "amount": sheet.amount("amount_due" if sums.prepaid or sums.previous else "total", sums.amount_due, signed=True),
    }
    chosen = []
    if sheet.kind == "invoice" and sheet.choices.chance("payment sentence", 0.5):
        chosen.append(rng.choice(words(sheet.language, "terms")))
        if rng.random() < 0.2:
            chosen.append(rng.choice(words(sheet.language, "terms")))
    chosen += [text for text in words(sheet.language, "texts") if rng.random() < 0.18]
    rng.shuffle(chosen)
    written = [escape(sentence).format(**values) for sentence in chosen]
    if sheet.kind == "invoice" and sheet.choices.chance("discount as amount", 0.06):
        left = rounded(sums.amount_due * 97 / 100, sheet.numbers.decimals)
        off = sheet.amount(None, sums.amount_due - left, signed=True)
        written.append(f"{sheet.other('discount')} 3 % = {off}, {sheet.other('net')} {sheet.amount(None, left, signed=True)}")
    return written
