"""The sums of an invoice below its table: rows, a strip, a sentence, a table of taxes, a box, a payment slip."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from training.generator.amounts import Sums
from training.generator.parties import bank_lines, block, line
from training.generator.sheet import Sheet


@dataclass(frozen=True)
class SumRow:
    """A label and an amount as HTML."""

    name: str
    label: str
    amount: str


def sum_rows(sheet: Sheet, sums: Sums) -> list[SumRow]:
    """The rows that the document prints, from the sum of the rows to what is due."""
    choices = sheet.choices
    rows: list[SumRow] = []

    def add(name: str, label: str, amount: str) -> None:
        rows.append(SumRow(name, label, amount))

    total_only = choices.chance("total only", 0.1)
    inclusive = sums.gross_rows and choices.chance("tax below the total", 0.6)
    if (sums.discount or sums.shipping) and not total_only:
        add(
            "items",
            sheet.other("net")
            if sheet.style.random() < 0.5
            else f"{escape(sheet.cased(sheet.label_text('subtotal')))}{sheet.colon}",
            sheet.amount(None, sums.items_sum),
        )
        if sums.discount:
            add("discount", sheet.other("discount"), sheet.amount(None, -sums.discount))
        if sums.shipping:
            add("shipping", sheet.other("shipping"), sheet.amount(None, sums.shipping))
    if (
        not total_only
        and not (sums.exempt and choices.chance("exempt without subtotal", 0.7))
        and choices.chance("subtotal", 0.9)
    ) and not ((sums.discount or sums.shipping) and choices.chance("no second subtotal", 0.3)):
        add("subtotal", sheet.label("subtotal"), sheet.amount("subtotal", sums.subtotal))
    taxes = [] if total_only else _tax_rows(sheet, sums)
    total = SumRow(
        "total", sheet.label("total"), sheet.amount("total", sums.total, signed=True if sheet.signs == "total" else None)
    )
    if choices.chance("count of items", 0.04):
        add("count", sheet.other("items"), str(len(sums.items)))
    rounding = [SumRow("rounding", sheet.other("rounding"), sheet.amount(None, sums.rounding))] if sums.rounding else []
    rows += [*rounding, total, *taxes] if inclusive else [*taxes, *rounding, total]
    if sums.prepaid:
        add(
            "prepaid",
            sheet.label("prepaid"),
            sheet.amount("prepaid", sums.prepaid)
            if sheet.style.random() < 0.5
            else _minus(sheet, sheet.amount("prepaid", sums.prepaid)),
        )
    if sums.previous:
        add("previous", sheet.other("balance"), sheet.amount(None, sums.previous))
    if sums.prepaid or sums.previous or choices.chance("amount due repeated", 0.15):
        add("amount_due", sheet.label("amount_due"), sheet.amount("amount_due", sums.amount_due))
    return rows


def _minus(sheet: Sheet, html: str) -> str:
    return f"({html})" if sheet.numbers.minus == "brackets" else f"-{html}"


def _tax_rows(sheet: Sheet, sums: Sums) -> list[SumRow]:
    if sums.exempt:
        return []
    rows = []
    form = sheet.choices.pick(
        "tax label", {"label rate": 5, "rate label": 2, "label": 2, "label rate base": 1, "label (rate)": 1}
    )
    several = len(sums.taxes) > 1
    form = "label rate" if several and form == "label" else form
    if several and sheet.choices.chance("one tax row", 0.25):
        return [SumRow("tax_total", sheet.label("tax_total"), sheet.amount("tax_total", sums.tax_total))]
    for rate, base, tax in sums.taxes:
        label = sheet.label("tax_total", colon=False)
        percent = sheet.percent(rate)
        if several:
            label = label.replace('data-l="tax_total"', "data-partial")
        text = {"label": label, "rate label": f"{percent} {label}", "label (rate)": f"{label} ({percent.strip('()')})"}.get(
            form, f"{label} {percent}"
        )
        if form == "label rate base":
            text += sheet.style.choice([" ({})", " / {}", " · {}"]).format(sheet.numbers.number(base))
        rows.append(SumRow("tax", text + sheet.colon, sheet.amount(None if several else "tax_total", tax)))
    if several and sheet.choices.chance("sum of taxes", 0.4):
        rows.append(SumRow("tax_total", sheet.label("tax_total"), sheet.amount("tax_total", sums.tax_total)))
    return rows


def totals_block(sheet: Sheet, rows: list[SumRow]) -> str:
    """The rows in one of many forms."""
    form = sheet.choices.pick(
        "totals", {"right": 7, "full width": 2, "left": 1, "strip": 1.2, "boxes": 1, "sentence": 0.5, "spread": 1.5}
    )
    if form == "strip" and len(rows) > 5:
        form = "right"
    strong = sheet.choices.chance("total bold", 0.75)
    if form == "strip":
        return _strip(sheet, rows)
    if form == "sentence":
        parts = [f"{row.label} {row.amount}" for row in rows]
        return block("totals", sheet.style.choice(["; ", ", ", ". "]).join(parts), "margin:10px 0")
    if form == "boxes":
        cells = "".join(
            f'<div style="border:1px solid #888;padding:3px 10px;text-align:{sheet.style.choice(["center", "right"])}"><div style="font-size:.8em">{row.label}</div><div>{row.amount}</div></div>'
            for row in rows
        )
        return block(
            "totals",
            f'<div style="display:flex;flex-wrap:wrap;justify-content:flex-end;gap:{sheet.style.choice([0, 4, 8])}px">{cells}</div>',
            "margin:8px 0",
        )
    width = {
        "right": sheet.style.randint(34, 60),
        "left": sheet.style.randint(35, 60),
        "full width": 100,
        "spread": sheet.style.randint(60, 100),
    }[form]
    label_align = "right" if sheet.choices.chance("sum labels to the right", 0.35) else "left"
    rule = sheet.choices.pick("sum lines", {"none": 4, "all": 2, "total": 3, "rows": 2})
    body = "".join(_row(sheet, row, label_align, rule, strong=strong) for row in rows)
    side = "0" if form == "left" else "auto"
    return block(
        "totals",
        f'<table class="fit" style="border-collapse:collapse;width:{width}%;margin-left:{side}">{body}</table>',
        f"margin:{sheet.style.randint(2, 18)}px 0",
    )


def foot_rows(sheet: Sheet, rows: list[SumRow]) -> str:
    """The rows as the last rows of the table of items."""
    strong = sheet.choices.chance("total bold", 0.75)
    line_style = "border:1px solid #777;" if sheet.choices.log.get("foot lines") == "yes" else ""
    return "".join(
        f'<tr class="foot" data-b="totals" data-row style="{_weight(row, strong)}"><td colspan="COLUMNS" style="{line_style}text-align:right;padding:2px 8px">{row.label}</td>'
        f'<td style="{line_style}text-align:right;padding:2px 4px;white-space:nowrap">{row.amount}</td></tr>'
        for row in rows
    )


def _weight(row: SumRow, strong: bool) -> str:
    return "font-weight:bold;" if strong and row.name in {"total", "amount_due"} else ""


def _row(sheet: Sheet, row: SumRow, label_align: str, rule: str, *, strong: bool) -> str:
    last = row.name in {"total", "amount_due"}
    border = {
        "all": "border:1px solid #888;",
        "rows": "border-bottom:1px solid #bbb;",
        "total": "border-top:1.5px solid #333;" if last else "",
        "none": "",
    }[rule]
    large = "font-size:1.2em;" if last and sheet.choices.log.get("total large") == "yes" else ""
    return (
        f'<tr style="{_weight(row, strong)}{large}"><td style="{border}text-align:{label_align};padding:1.5px 6px;white-space:nowrap">{row.label}</td>'
        f'<td style="{border}text-align:right;padding:1.5px 4px;white-space:nowrap">{row.amount}</td></tr>'
    )


def _strip(sheet: Sheet, rows: list[SumRow]) -> str:
    border = "border:1px solid #777;" if sheet.choices.chance("strip lines", 0.7) else ""
    align = sheet.style.choice(["right", "center", "left"])
    heads = "".join(f'<td style="{border}padding:2px 6px;font-size:.85em;text-align:{align}">{row.label}</td>' for row in rows)
    cells = "".join(
        f'<td style="{border}padding:2px 6px;text-align:{align};font-weight:bold">{row.amount}</td>' for row in rows
    )
    return block(
        "totals",
        f'<table class="fit" style="border-collapse:collapse;width:100%"><tr>{heads}</tr><tr>{cells}</tr></table>',
        "margin:10px 0",
    )


def tax_table(sheet: Sheet, sums: Sums) -> str:
    """A table with rate, base and tax for each rate, and sometimes their sums."""
    one = len(sums.taxes) == 1
    gross = sheet.choices.chance("tax table gross", 0.5)
    heads = [
        sheet.other("tax_rate", colon=False),
        sheet.other("net", colon=False),
        escape(sheet.cased(sheet.label_text("tax_total"))),
    ]
    heads += [sheet.other("gross", colon=False)] if gross else []
    rows = []
    for rate, base, tax in sums.taxes:
        cells = [
            sheet.percent(rate),
            sheet.amount("subtotal" if one else None, base, signed=False),
            sheet.amount("tax_total" if one else None, tax, signed=False),
        ]
        cells += [sheet.amount("total" if one and not sums.rounding else None, base + tax, signed=False)] if gross else []
        rows.append(cells)
    if not one and sheet.choices.chance("tax table sums", 0.6):
        cells = [
            escape(sheet.cased(sheet.label_text("total"))),
            sheet.amount("subtotal", sums.subtotal, signed=False),
            sheet.amount("tax_total", sums.tax_total, signed=False),
        ]
        cells += (
            [sheet.amount(None if sums.rounding else "total", sums.subtotal + sums.tax_total, signed=False)] if gross else []
        )
        rows.append(cells)
    border = "border:1px solid #999;" if sheet.choices.chance("tax table lines", 0.5) else ""
    body = "".join(
        "<tr>" + "".join(f'<td style="{border}padding:1px 8px;text-align:right">{cell}</td>' for cell in cells) + "</tr>"
        for cells in [heads, *rows]
    )
    return block("taxes", f'<table style="border-collapse:collapse;font-size:.85em">{body}</table>', "margin:8px 0")


def summary_box(sheet: Sheet, sums: Sums) -> str:
    """What is due, large, at the head of the page."""
    name = "amount_due" if sheet.style.random() < 0.6 else "total"
    value = sums.amount_due if name == "amount_due" else sums.total
    size = sheet.style.choice([1.2, 1.6, 2.0])
    html = line(sheet.label(name, colon=False), "font-size:.85em") + line(
        sheet.amount(name, value, signed=True), f"font-size:{size}em;font-weight:bold"
    )
    frame = sheet.style.choice(["border:1px solid #444;", "background:#eef;", "background:#f3f3f3;", ""])
    return block(
        "summary",
        html,
        f"{frame}padding:4px 10px;display:inline-block;text-align:{sheet.style.choice(['left', 'right', 'center'])}",
    )


def payment_slip(sheet: Sheet, sums: Sums, number: str) -> str:
    """A strip at the foot of the page to pay with: bank, amount, reference, and a code as picture."""
    seller, buyer = sheet.trade.seller, sheet.trade.buyer
    name = "amount_due" if sums.prepaid or sums.previous else "total"
    value = sums.amount_due if name == "amount_due" else sums.total
    title = line(sheet.other("payment_slip", colon=False), "font-weight:bold;font-size:1.1em")
    receiver = "".join(line(part) for part in [sheet.mark("vendor_name", seller.name), *[escape(p) for p in seller.address]])
    payer = "".join(line(part) for part in [sheet.mark("buyer_name", buyer.name), *[escape(p) for p in buyer.address]])
    money = f"{sheet.mark('currency', sheet.numbers.currency)} &nbsp; {sheet.amount(name, value, signed=False)}"
    reference = f"{sheet.other('reference')} {sheet.mark('invoice_number', number)}"
    code = f'<svg data-code="{sheet.style.randint(0, 10**9)}" width="86" height="86"></svg>'
    half = (
        "".join(line(part) for part in bank_lines(sheet, seller))
        + receiver
        + line(reference, "margin-top:5px")
        + payer
        + line(money, "margin-top:5px;font-weight:bold")
    )
    left = (
        f'<div style="flex:1;border-right:1px dashed #555;padding:6px">{title}{half}</div>'
        if sheet.choices.chance("slip twice", 0.5)
        else ""
    )
    return block(
        "slip",
        f'{left}<div style="flex:1.6;padding:6px;display:flex;gap:12px"><div>{title}{code}{line(money)}</div><div>{half}</div></div>',
        "display:flex;border-top:1px dashed #555;font-size:.8em;margin-top:12px",
    )
