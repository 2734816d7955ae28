"""Blocks of an invoice that say who sells and who buys, and the lines of company data at the foot."""

from __future__ import annotations

from html import escape

from training.generator.business import Party
from training.generator.choices import draw
from training.generator.formats import NBSP
from training.generator.sheet import Sheet

SEPARATORS = {" · ": 3, " | ": 3, ", ": 3, " - ": 2, " • ": 2, " / ": 0.7, "   ": 1}


def line(html: str, style: str = "") -> str:
    """One line of a block."""
    return f'<div style="{style}">{html}</div>' if style else f"<div>{html}</div>"


def block(name: str, html: str, style: str = "") -> str:
    """A block whose box is reported."""
    return f'<div data-b="{name}" style="{style}">{html}</div>'


def vendor_name(sheet: Sheet, *, big: bool) -> str:
    """The seller's name as a line, as heading where ``big``."""
    size = sheet.style.uniform(1.3, 2.4) if big else 1.0
    weight = "bold" if sheet.choices.chance("vendor bold", 0.65) else "normal"
    return line(
        sheet.mark("vendor_name", sheet.trade.seller.name), f"font-size:{size:.2f}em;font-weight:{weight};line-height:1.15"
    )


def logo(sheet: Sheet) -> str:
    """A drawn sign with the brand, as text of its own, or as a picture that the text layer lacks."""
    seller, hue = sheet.trade.seller, sheet.style.randint(0, 359)
    size = sheet.style.randint(18, 34)
    shape = sheet.choices.pick("logo shape", {"circle": 2, "square": 2, "bars": 1, "none": 1, "triangle": 1})
    drawn = {
        "circle": f'<circle cx="20" cy="20" r="17" fill="hsl({hue},60%,45%)"/>',
        "square": f'<rect x="4" y="4" width="32" height="32" rx="{sheet.style.randint(0, 12)}" fill="hsl({hue},50%,40%)"/>',
        "bars": f'<path d="M5 35V15h7v20zM16 35V5h7v30zM27 35V20h7v15z" fill="hsl({hue},60%,40%)"/>',
        "triangle": f'<path d="M20 4L37 36H3z" fill="hsl({hue},55%,45%)"/>',
        "none": "",
    }[shape]
    sign = f'<svg width="{size + 12}" height="{size + 12}" viewBox="0 0 40 40" style="vertical-align:middle">{drawn}</svg>'
    return f'{sign} <img data-picture="{escape(seller.brand)}" data-p="vendor_name" data-hue="{hue}" data-size="{size}" style="vertical-align:middle;max-width:75%">'


def address_lines(sheet: Sheet, party: Party, *, seller: bool) -> list[str]:
    """The lines of an address as HTML; marked as the vendor's address where a receipt asks for it."""
    return [sheet.mark("address", part, ", ".join(party.address)) if seller else escape(part) for part in party.address]


def contact_lines(sheet: Sheet, party: Party, *, seller: bool, share: float = 0.75, register: float = 0.25) -> list[str]:
    """Telephone, mail, web and numbers of a party, each with or without its label."""
    lines = []
    bare = sheet.choices.chance("bare contacts", 0.2)
    for name, text in (("phone", party.phone), ("fax", party.fax), ("mail", party.mail), ("web", party.web)):
        if text and sheet.style.random() < share * (0.5 if name == "fax" else 1):
            lines.append(
                escape(text)
                if bare and name != "fax"
                else f"{sheet.other(name)}{'' if sheet.colon and sheet.style.random() < 0.1 else NBSP}{escape(text)}"
            )
    if seller and sheet.style.random() < register:
        lines.append(f"{sheet.other('reg_no')} {escape(party.register)}")
    return lines


def tax_parts(sheet: Sheet) -> tuple[str, str]:
    """The seller's tax number as label and value."""
    party = sheet.trade.seller
    if not party.tax_id:
        return sheet.other("tax_no"), sheet.mark("vendor_vat_id", party.tax_number)
    if party.tax_label:
        text = escape(sheet.cased(party.tax_label.rstrip(":")))
        return f'<span data-l="vendor_vat_id">{text}</span>{sheet.colon}', sheet.tax_id(party.tax_id)
    return sheet.label("vendor_vat_id"), sheet.tax_id(party.tax_id)


def tax_line(sheet: Sheet) -> str:
    """The seller's tax number with its label, in one line."""
    return ("" if sheet.style.random() < 0.06 else " ").join(tax_parts(sheet))


def vendor_block(sheet: Sheet, align: str, *, name: str, contacts: bool, tax: bool) -> str:
    """The seller's block. ``name``: big, plain, logo (a picture above the name), only logo."""
    seller = sheet.trade.seller
    lines: list[str] = []
    labelled = name == "plain" and sheet.choices.chance("vendor label", 0.35)
    if labelled:
        lines.append(line(sheet.label("vendor_name"), "font-weight:bold"))
    if name in {"logo", "only logo"}:
        lines.append(line(logo(sheet)))
    if name != "only logo":
        lines.append(vendor_name(sheet, big=name == "big"))
    if name == "big" and sheet.style.random() < 0.15:
        lines.append(line(escape(sheet.style.choice(sheet.trade.goods)), "font-size:.85em"))
    parts = address_lines(sheet, seller, seller=True)
    if sheet.choices.chance("vendor address in one line", 0.25):
        parts = [draw(sheet.style, SEPARATORS).join(parts)]
    if contacts:
        parts += contact_lines(sheet, seller, seller=True)
    if tax:
        parts.append(tax_line(sheet))
    small = sheet.style.uniform(0.8, 1.0)
    lines += [line(part, f"font-size:{small:.2f}em") for part in parts if part]
    return block("vendor", "".join(lines), f"text-align:{align}")


def buyer_block(sheet: Sheet, party: Party, *, label: str, name: str = "buyer") -> str:
    """The buyer's block. ``label``: none, above, before the name."""
    text = sheet.label("buyer_name") if name == "buyer" else sheet.other("ship_to")
    mark = sheet.mark("buyer_name", party.name) if name == "buyer" else escape(party.name)
    lines = []
    if label == "above":
        weight = sheet.style.choice(["bold", "normal"])
        shade = "background:#ddd;padding:1px 4px;" if sheet.choices.chance(f"{name} label shaded", 0.15) else ""
        lines.append(line(text, f"{shade}font-weight:{weight};font-size:{sheet.style.choice(['.85em', '1em', '1.1em'])}"))
    if label == "before":
        lines.append(line(f"{text} {mark}"))
    else:
        if sheet.style.random() < 0.06 and party.person and sheet.language in {"de", "en", "fr", "it"}:
            lines.append(
                line(
                    sheet.style.choice(
                        {"de": ["Herrn", "Frau"], "en": ["Mr.", "Ms"], "fr": ["Monsieur", "Madame"], "it": ["Spett.le"]}[
                            sheet.language
                        ]
                    )
                )
            )
        lines.append(line(mark, "font-weight:bold" if sheet.choices.chance(f"{name} bold", 0.35) else ""))
    lines += [line(part) for part in address_lines(sheet, party, seller=False)]
    if sheet.choices.chance(f"{name} tax id", 0.2) and party.tax_id:
        own = (
            escape(sheet.cased(party.tax_label)) if party.tax_label else sheet.cased(escape(sheet.label_text("vendor_vat_id")))
        )
        lines.append(line(f"{own}{sheet.colon} {escape(party.tax_id)}"))
    if name == "buyer" and sheet.style.random() < 0.1:
        lines.append(line(f"{sheet.other('phone')} {escape(party.phone)}"))
    return block(name, "".join(lines))


def sender_line(sheet: Sheet) -> str:
    """The small line above the address window: the seller's name and address in one line."""
    seller = sheet.trade.seller
    separator = draw(sheet.style, SEPARATORS)
    parts = [sheet.mark("vendor_name", seller.name), *address_lines(sheet, seller, seller=True)]
    underline = "border-bottom:.5px solid #555;" if sheet.style.random() < 0.5 else ""
    return f'<div data-b="sender" style="font-size:.7em;{underline}display:inline-block;margin-bottom:6px">{separator.join(parts)}</div>'


def bank_lines(sheet: Sheet, party: Party) -> list[str]:
    """Bank, IBAN and BIC, or an account number where the country has no IBAN."""
    lines = [f"{sheet.other('bank')} {escape(party.bank)}"] if sheet.style.random() < 0.7 else [escape(party.bank)]
    if party.iban:
        lines.append(f"IBAN{sheet.colon} {escape(party.iban)}")
        if sheet.style.random() < 0.8:
            lines.append(f"{sheet.style.choice(['BIC', 'SWIFT', 'BIC/SWIFT'])}{sheet.colon} {escape(party.bic)}")
    else:
        code = {"US": "Routing", "AU": "BSB", "IN": "IFSC", "CA": "Transit", "GB": "Sort code"}.get(party.country)
        if code:
            lines.append(f"{code}{sheet.colon} {party.register[:3]}-{party.register[3:6]}")
        lines.append(f"{sheet.other('account')} {escape(party.account)}")
    if party.country == "GB" and party.iban:
        lines.append(f"Sort code{sheet.colon} {party.account[:2]}-{party.account[2:4]}-40")
    return lines


def footer(sheet: Sheet, *, legal_name: bool, tax: bool, bank: bool) -> str:
    """Company data at the foot of each page, in columns or lines; empty where the document has none."""
    seller = sheet.trade.seller
    company = [sheet.mark("vendor_name", seller.name)] if legal_name else []
    company += address_lines(sheet, seller, seller=True) if sheet.style.random() < 0.6 else []
    contacts = contact_lines(sheet, seller, seller=True, share=0.5, register=0)
    legal = [tax_line(sheet)] if tax else []
    if sheet.style.random() < 0.5:
        legal.append(f"{sheet.other('director')} {escape(seller.director)}")
    if sheet.style.random() < 0.5:
        legal.append(f"{sheet.other('reg_no')} {escape(seller.register)}")
    if tax and sheet.style.random() < 0.4 and seller.tax_id:
        legal.append(f"{sheet.other('tax_no')} {escape(seller.tax_number)}")
    columns = [column for column in (company, contacts, legal, bank_lines(sheet, seller) if bank else []) if column]
    if not columns:
        return ""
    rule = "border-top:1px solid #888;padding-top:4px;" if sheet.choices.chance("footer rule", 0.6) else ""
    if sheet.choices.pick("footer", {"columns": 3, "lines": 2}) == "columns":
        body = "".join(f"<div>{''.join(line(part) for part in column)}</div>" for column in columns)
        return f'<div data-b="footer" style="{rule}display:flex;justify-content:space-between;gap:14px;font-size:.72em">{body}</div>'
    separator = draw(sheet.style, SEPARATORS)
    body = "".join(line(separator.join(column)) for column in columns)
    return (
        f'<div data-b="footer" style="{rule}font-size:.72em;text-align:{sheet.style.choice(["center", "left"])}">{body}</div>'
    )
