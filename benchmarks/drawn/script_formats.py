"""Dates, amounts and numbers of taxpayers as twelve languages print them."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale

DIGITS = {"ar": "٠١٢٣٤٥٦٧٨٩", "fa": "۰۱۲۳۴۵۶۷۸۹", "hi": "०१२३४५६७८९", "th": "๐๑๒๓๔๕๖๗๘๙"}
JALALI_MONTHS = ("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند")
WITHOUT_CENTS = ("KRW", "JPY", "IRR")
_COMMA = ("ru", "uk", "el")
"""Languages with a comma before the cents."""


class Formats:
    """How one sender prints; every choice is made once."""

    def __init__(self, language: str, words: dict[str, Any], currency: str, chance: random.Random) -> None:
        self.language, self.currency = language, currency
        self.native = language in DIGITS and chance.random() < float(words.get("native_digits", 0))
        self.buddhist = chance.random() < float(words.get("buddhist", 0))
        self.jalali = bool(words.get("jalali"))
        self.date_form = chance.choice(str(words["dates"]).split("|"))
        comma = language in _COMMA and chance.random() < 0.85
        spaced = chance.random() < float(words.get("space_thousands", 0))
        self.point = "," if comma else "."
        self.thousands = "\u00a0" if spaced else "." if comma and language == "el" else " " if comma else ","
        if self.native and language == "ar" and chance.random() < 0.5:
            self.point, self.thousands = "٫", "٬"
        if self.native and language == "fa" and chance.random() < 0.4:
            self.thousands = "٬"
        self.indian = bool(words.get("indian_grouping"))

    def digits(self, text: str) -> str:
        """The text in the digits of this sender."""
        return text.translate(str.maketrans("0123456789", DIGITS[self.language])) if self.native else text

    def amount(self, value: Decimal) -> str:
        """An amount without its currency."""
        places = 0 if self.currency in WITHOUT_CENTS else 2
        whole, _, cents = f"{value:.{places}f}".partition(".")
        groups, size = [whole[-3:]], 2 if self.indian else 3
        whole = whole[:-3]
        while whole:
            groups.insert(0, whole[-size:])
            whole = whole[:-size]
        return self.digits(self.thousands.join(groups) + (self.point + cents if cents else ""))

    def day(self, day: date) -> str:
        """A date."""
        year, month, number = jalali(day) if self.jalali else (day.year, day.month, day.day)
        if self.buddhist:
            year += 543
        form = self.date_form
        names = Locale(self.language).months["format"]["wide"]
        short = Locale(self.language).months["format"]["abbreviated"]
        if "MMMM" in form or "MMM" in form:
            name = JALALI_MONTHS[month - 1] if self.jalali else names[month]
            text = form.replace("MMMM", "\x00").replace("MMM", "\x01").replace("Y", str(year)).replace("d", str(number))
            return self.digits(text.replace("\x00", name).replace("\x01", short[month]))
        asian = "日" in form or "일" in form
        day_text, month_text = (str(number), str(month)) if asian else (f"{number:02}", f"{month:02}")
        text = form.replace("Y", str(year)).replace("y", f"{year % 100:02}")
        text = text.replace("d", day_text).replace("D", day_text).replace("m", month_text).replace("M", month_text)
        return self.digits(text)


def jalali(day: date) -> tuple[int, int, int]:
    """Year, month and day of the solar Hijri calendar (arithmetic form, right for 1800 to 2100)."""
    before = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
    year, leap_year = day.year - 1600, day.year + 1 if day.month > 2 else day.year
    days = 365 * year + (leap_year - 1597) // 4 - (leap_year - 1501) // 100 + (leap_year - 1201) // 400
    days += before[day.month - 1] + day.day - 80
    result = 979 + 33 * (days // 12053)
    days %= 12053
    result += 4 * (days // 1461)
    days %= 1461
    if days > 365:
        result += (days - 1) // 365
        days = (days - 1) % 365
    return (result, 1 + days // 31, 1 + days % 31) if days < 186 else (result, 7 + (days - 186) // 30, 1 + (days - 186) % 30)


def tax_number(scheme: str, chance: random.Random) -> str:
    """A number of a taxpayer; ``#`` in the scheme is a digit."""
    if scheme == "ru":
        digits = [chance.randrange(1, 10) if n < 2 else chance.randrange(10) for n in range(9)]
        weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
        check = sum(d * w for d, w in zip(digits, weights, strict=True)) % 11 % 10
        return "".join(map(str, [*digits, check]))
    if scheme == "kr":
        digits = [chance.randrange(1, 10), *(chance.randrange(10) for _ in range(8))]
        weights = (1, 3, 7, 1, 3, 7, 1, 3, 5)
        total = sum(d * w for d, w in zip(digits, weights, strict=True)) + digits[8] * 5 // 10
        text = "".join(map(str, digits)) + str(-total % 10)
        return f"{text[:3]}-{text[3:5]}-{text[5:]}"
    if scheme == "gr":
        digits = [chance.choice((0, 8, 9)), *(chance.randrange(10) for _ in range(7))]
        check = sum(d << (8 - n) for n, d in enumerate(digits)) % 11 % 10
        return "".join(map(str, digits)) + str(check)
    if scheme == "gstin":
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        pan = (
            "".join(chance.choices(letters, k=3))
            + "F"
            + chance.choice(letters)
            + f"{chance.randrange(10000):04}"
            + chance.choice(letters)
        )
        text = f"{chance.choice((8, 9, 10, 23, 27)):02}{pan}1Z"
        alphabet = "0123456789" + letters
        total = 0
        for n, letter in enumerate(text):
            product = alphabet.index(letter) * (1 + n % 2)
            total += product // 36 + product % 36
        return text + alphabet[-total % 36]
    return "".join(str(chance.randrange(10)) if letter == "#" else letter for letter in scheme)
