"""Identifiers of companies with right check digits, telephone numbers, and numbers of documents."""

from __future__ import annotations

import importlib
import random
import string
from collections.abc import Callable

from stdnum import iban as stdnum_iban
from stdnum import luhn

SCHEMES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    # name: module of stdnum, patterns of the number (# a digit, @ a letter), ways in which it is printed ({} the number)
    "ein": ("us.ein", ("##-#######",), ("{}",)),
    "gb": ("gb.vat", ("#########",), ("GB{3}", "GB {3}", "{3}", "GB{}", "{}")),
    "ie": ("ie.vat", ("#######@", "#######@H"), ("IE{}", "IE {}")),
    "abn": ("au.abn", ("###########",), ("{a}", "{}")),
    "nz_ird": ("nz.ird", ("#########",), ("{g}", "{}")),
    "za": ("", ("4#########",), ("{}",)),
    "de": ("de.vat", ("#########",), ("DE{}", "DE{}", "DE {3}", "DE {}")),
    "at": ("at.uid", ("U########",), ("AT{}", "AT{}", "AT {}")),
    "lu": ("lu.tva", ("########",), ("LU{}", "LU {}")),
    "be": ("be.vat", ("0#########",), ("BE{}", "BE {b}", "BE{b}", "BE {}")),
    "es": ("es.cif", ("B########", "A########"), ("{}", "ES{}", "{}", "{h}")),
    "rfc": ("mx.rfc", ("@@@######@#@", "@@@######@##"), ("{}",)),
    "cuit": ("ar.cuit", ("30#########",), ("{c}", "{}")),
    "nit": ("co.nit", ("9#########",), ("{n}", "{}")),
    "rut": ("cl.rut", ("#########",), ("{r}",)),
    "it": ("it.iva", ("#######0###",), ("IT{}", "{}", "{}", "IT {}")),
    "nl": ("nl.btw", ("#########B0#",), ("NL{}", "NL {}", "NL{}", "NL.{}")),
    "pl": ("pl.nip", ("##########",), ("{p}", "{}", "PL{}", "PL {}", "{}")),
    "pt": ("pt.nif", ("5########",), ("{}", "PT{}", "{3}", "PT {}")),
    "cnpj": ("br.cnpj", ("########0001##",), ("{j}",)),
    "cz": ("cz.dic", ("########",), ("CZ{}",)),
    "sk": ("", ("20########",), ("SK{}",)),
    "si": ("si.ddv", ("########",), ("SI{}", "SI {}")),
    "hr": ("hr.oib", ("###########",), ("{}", "HR{}")),
    "rs": ("rs.pib", ("#########",), ("{}",)),
    "hu": ("hu.anum", ("########",), ("{u}", "HU{}")),
    "ro": ("ro.cui", ("########", "#######"), ("RO{}", "RO {}", "{}")),
    "bg": ("bg.vat", ("#########",), ("BG{}",)),
    "dk": ("dk.cvr", ("########",), ("{}", "DK{}", "{d}", "DK {}")),
    "no": ("no.orgnr", ("9########",), ("NO {3} MVA", "{3} MVA", "NO{}MVA", "{3}", "{}MVA")),
    "fi": ("fi.alv", ("########",), ("FI{}", "{y}")),
    "ee": ("ee.kmkr", ("10#######",), ("EE{}",)),
    "lt": ("lt.pvm", ("#######1#",), ("LT{}",)),
    "lv": ("lv.pvn", ("40#########",), ("LV{}", "LV{}", "LV {}")),
    "tr": ("tr.vkn", ("##########",), ("{}", "{t}")),
    "gr": ("gr.vat", ("#########",), ("{}", "EL{}", "EL {}")),
    "cy": ("cy.vat", ("1#######@",), ("CY{}",)),
    "npwp": ("id.npwp", ("###############",), ("{i}",)),
    "my_sst": ("", ("W10-####-########", "00##########", "B16-####-########"), ("{}",)),
    "vn": ("vn.mst", ("01########", "03########"), ("{}",)),
    "jp": ("jp.cn", ("#############",), ("T{}", "T{}", "T-{}")),
    "kr": ("kr.brn", ("###8######",), ("{k}",)),
    "tw": ("tw.ubn", ("########",), ("{}",)),
    "uen": ("sg.uen", ("20#######@",), ("{}", "{}")),
}
TRIES = 20_000
_LETTERS = string.ascii_uppercase.replace("I", "").replace("O", "")


def tax_id(scheme: str, rng: random.Random) -> str:
    """A tax number of the scheme, as printed, valid by its check digits where the scheme has any."""
    if scheme in _CALCULATED:
        return _CALCULATED[scheme](rng)
    module, patterns, prints = SCHEMES[scheme]
    validator = importlib.import_module(f"stdnum.{module}") if module else None
    for _ in range(TRIES):
        number = fill(rng.choice(patterns), rng)
        if validator is None or validator.is_valid(number):
            return _printed(number, rng.choice(prints))
    message = f"no valid number of the scheme {scheme} after {TRIES} tries"
    raise RuntimeError(message)


def is_right(scheme: str, printed: str) -> bool:
    """Whether a printed tax number of the scheme has right check digits."""
    plain = "".join(c for c in printed if c.isalnum()).upper()
    if scheme in _CALCULATED:
        names = {"ch": "ch.vat", "fr": "fr.tva", "se": "se.vat", "ca_bn": "ca.bn", "gstin": "in_.gstin", "cn": "cn.uscc"}
        return bool(importlib.import_module(f"stdnum.{names[scheme]}").is_valid(plain))
    module = SCHEMES[scheme][0]
    if not module:
        return True
    prefixes = {p.split("{")[0].strip(" .-") for p in SCHEMES[scheme][2]} - {""}
    plain = next((plain[len(p) :] for p in prefixes if plain.startswith(p)), plain)
    plain = plain.removesuffix("MVA") if scheme == "no" else plain[:8] if scheme == "hu" else plain
    return bool(importlib.import_module(f"stdnum.{module}").is_valid(plain))


def fill(pattern: str, rng: random.Random) -> str:
    """The pattern with random digits for ``#`` and letters for ``@``."""
    return "".join(rng.choice(string.digits) if c == "#" else rng.choice(_LETTERS) if c == "@" else c for c in pattern)


def _grouped(number: str, *sizes: int, marks: str = " ") -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return "".join(part + (marks[min(i, len(marks) - 1)] if i < len(parts) - 1 else "") for i, part in enumerate(parts))


def _printed(number: str, how: str) -> str:
    n = number
    shapes: dict[str, Callable[[], str]] = {
        "{}": lambda: n,
        "{3}": lambda: " ".join(n[i : i + 3] for i in range(0, len(n), 3)),
        "{a}": lambda: _grouped(n, 2, 3, 3, 3),
        "{g}": lambda: _grouped(n, 3, 3, 3, marks="-"),
        "{b}": lambda: _grouped(n, 4, 3, 3, marks="."),
        "{h}": lambda: f"{n[0]}-{n[1:]}",
        "{c}": lambda: _grouped(n, 2, 8, 1, marks="-"),
        "{n}": lambda: f"{n[:3]}.{n[3:6]}.{n[6:9]}-{n[9:]}",
        "{r}": lambda: f"{n[:2]}.{n[2:5]}.{n[5:8]}-{n[8:]}",
        "{p}": lambda: _grouped(n, 3, 3, 2, 2, marks="-"),
        "{j}": lambda: f"{n[:2]}.{n[2:5]}.{n[5:8]}/{n[8:12]}-{n[12:]}",
        "{u}": lambda: f"{n}-2-{int(n[:2]) % 42 + 2:02d}",
        "{d}": lambda: _grouped(n, 2, 2, 2, 2),
        "{y}": lambda: f"{n[:7]}-{n[7:]}",
        "{t}": lambda: _grouped(n, 3, 3, 4),
        "{i}": lambda: f"{n[:2]}.{n[2:5]}.{n[5:8]}.{n[8]}-{n[9:12]}.{n[12:]}",
        "{k}": lambda: _grouped(n, 3, 2, 5, marks="-"),
    }
    for key, shape in shapes.items():
        if key in how:
            return how.replace(key, shape())
    return how


def _swiss(rng: random.Random) -> str:
    while True:
        number = fill("########", rng)
        check = (11 - sum(int(d) * w for d, w in zip(number, (5, 4, 3, 2, 7, 6, 5, 4), strict=True)) % 11) % 11
        if check < 10:
            full = f"{number}{check}"
            dotted = _grouped(full, 3, 3, 3, marks=".")
            return rng.choice(
                [f"CHE-{dotted} MWST", f"CHE-{dotted} MWST", f"CHE-{dotted} TVA", f"CHE-{full} MWST", f"CHE{full}MWST"]
            )


def _with_luhn(number: str) -> str:
    return f"{number}{luhn.calc_check_digit(number)}"


def _french(rng: random.Random) -> str:
    siren = _with_luhn(fill("########", rng))
    key = f"{(12 + 3 * (int(siren) % 97)) % 97:02d}"
    return rng.choice(
        [f"FR{key}{siren}", f"FR {key} {siren}", f"FR{key} {_grouped(siren, 3, 3, 3)}", f"FR {key} {_grouped(siren, 3, 3, 3)}"]
    )


def _swedish(rng: random.Random) -> str:
    number = _with_luhn(fill("556######", rng))
    return rng.choice([f"SE{number}01", f"SE{number}01", f"SE {number} 01"])


def _canadian(rng: random.Random) -> str:
    number = _with_luhn(fill("########", rng))
    return rng.choice([f"{number} RT0001", f"{number}RT0001", f"{_grouped(number, 5, 4)} RT0001"])


def _indian(rng: random.Random) -> str:
    base = f"{rng.choice(['27', '33', '08', '32', '29', '07'])}{fill('@@@C@', rng)}{rng.randint(1000, 9999)}{fill('@', rng)}1Z"
    alphabet = string.digits + string.ascii_uppercase
    return f"{base}{luhn.calc_check_digit(base, alphabet)}"


def _chinese(rng: random.Random) -> str:
    from stdnum.cn import uscc

    base = (
        "91"
        + rng.choice(["310000", "320100", "440300", "330100", "510100"])
        + "MA"
        + fill("#@##@##", rng).replace("S", "A").replace("V", "B").replace("Z", "C")
    )
    return base + str(uscc.calc_check_digit(base))


_CALCULATED: dict[str, Callable[[random.Random], str]] = {
    "ch": _swiss,
    "fr": _french,
    "se": _swedish,
    "ca_bn": _canadian,
    "gstin": _indian,
    "cn": _chinese,
}

BBANS = {
    "AT": "################", "BE": "############", "BG": "@@@@##############", "CH": "#################", "CY": "########################",
    "CZ": "####################", "DE": "##################", "DK": "##############", "EE": "################", "ES": "####################",
    "FI": "##############", "FR": "#######################", "GB": "@@@@##############", "GR": "#######################", "HR": "#################",
    "HU": "########################", "IE": "@@@@##############", "IT": "@######################", "LT": "################", "LU": "################",
    "LV": "@@@@#############", "NL": "@@@@##########", "NO": "###########", "PL": "########################", "PT": "#####################",
    "RO": "@@@@################", "RS": "##################", "SE": "####################", "SI": "###############", "SK": "####################",
    "TR": "#####0################",
}  # fmt: skip
"""Patterns of account numbers in an IBAN, by country."""


def iban(country: str, rng: random.Random) -> str | None:
    """An IBAN with right check digits, in groups or in one word; None for a country without IBAN."""
    pattern = BBANS.get(country)
    if pattern is None:
        return None
    bban = fill(pattern, rng)
    number = f"{country}{stdnum_iban.calc_check_digits(f'{country}00{bban}')}{bban}"
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4)) if rng.random() < 0.75 else number


def bic(country: str, rng: random.Random) -> str:
    """A bank's BIC."""
    return fill(f"@@@@{country}##", rng) + rng.choice(["", "XXX"])


NUMBER_PATTERNS = (
    "####", "#####", "######", "########", "20{y}-####", "RE-####", "R{y}#####", "INV-#####", "INV#####", "{y}/####", "20{y}/###", "F{y}-####",
    "#### ####", "FV/##/{m}/20{y}", "@#####", "@@-######", "20{y}{m}##", "FA-20{y}-0###", "INV/20{y}/####", "##.###", "####/{y}", "@@{y}{m}-###",
    "0000####", "1/########", "{y}-{m}-###", "#########", "SI-#####-@", "#-####", "##########", "A-20{y}-#####", "{y}.#####",
)  # fmt: skip
"""Patterns of document numbers; {y} is the year, {m} the month."""


def document_number(year: int, month: int, rng: random.Random) -> str:
    """A number of an invoice, an order or a delivery."""
    number = fill(rng.choice(NUMBER_PATTERNS).format(y=f"{year % 100:02d}", m=f"{month:02d}"), rng)
    return "1" + number[1:] if number.startswith("0") and number.isdigit() and rng.random() < 0.7 else number
