"""The values that the codes of a page state, by the standard that each code follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pipeline.records import CodeFacts
from pipeline.split_records import Barcode
from pipeline.words.codes.argentina_afip import parse_argentina_afip
from pipeline.words.codes.china_fapiao import parse_china_fapiao
from pipeline.words.codes.croatia import parse_croatian_receipt, parse_hub3
from pipeline.words.codes.czech_spd import parse_czech_spd
from pipeline.words.codes.epc import parse_epc
from pipeline.words.codes.gst_india import parse_gst_india
from pipeline.words.codes.mexico_cfdi import parse_mexico_cfdi
from pipeline.words.codes.pay_by_square import parse_pay_by_square
from pipeline.words.codes.payload import Facts
from pipeline.words.codes.portugal import parse_portugal
from pipeline.words.codes.rksv import parse_rksv
from pipeline.words.codes.serbia import parse_nbs_ips, parse_serbian_receipt
from pipeline.words.codes.slovenia import parse_slovenian_receipt, parse_upn
from pipeline.words.codes.swiss_qr_bill import parse_swiss_qr_bill
from pipeline.words.codes.tse import parse_tse
from pipeline.words.codes.verifactu import parse_verifactu
from pipeline.words.codes.zatca import parse_zatca

MAX_LETTERS = 4_296
"""Letters of the largest QR code (ISO/IEC 18004)."""
PARSERS: Mapping[str, Callable[[str], Facts | None]] = {
    "EPC": parse_epc,
    "Swiss QR bill": parse_swiss_qr_bill,
    "ZATCA": parse_zatca,
    "GST India": parse_gst_india,
    "VERI*FACTU": parse_verifactu,
    "ATCUD": parse_portugal,
    "SPD": parse_czech_spd,
    "PAY by square": parse_pay_by_square,
    "RKSV": parse_rksv,
    "TSE": parse_tse,
    "JIR/ZKI": parse_croatian_receipt,
    "HUB 3": parse_hub3,
    "FURS": parse_slovenian_receipt,
    "UPN QR": parse_upn,
    "SUF": parse_serbian_receipt,
    "NBS IPS QR": parse_nbs_ips,
    "CFDI": parse_mexico_cfdi,
    "AFIP": parse_argentina_afip,
    "fapiao": parse_china_fapiao,
}
"""Parsers by the name of their standard. Each gives None for the texts of all others."""


def parse_code(text: str) -> tuple[str, Facts] | None:
    """The standard of a code's text, and what it states; None for a text that follows none of the standards."""
    if len(text) > MAX_LETTERS:
        return None
    for standard, parse in PARSERS.items():
        if facts := parse(text):
            return standard, facts
    return None


def facts_of_codes(codes: Iterable[Barcode]) -> tuple[CodeFacts, ...]:
    """What the codes of a page state, each with its box; equal codes count once."""
    found: dict[str, CodeFacts] = {}
    for code in codes:
        if code.text not in found and (parsed := parse_code(code.text)):
            found[code.text] = CodeFacts(parsed[0], parsed[1], code.box)
    return tuple(found.values())
