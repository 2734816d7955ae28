"""Numbers of lists as people print them: 3, c, iii, 03."""

from __future__ import annotations

_ROMAN = {
    1000: "m", 900: "cm", 500: "d", 400: "cd", 100: "c", 90: "xc", 50: "l", 40: "xl", 10: "x", 9: "ix", 5: "v", 4: "iv", 1: "i",
}  # fmt: skip


def list_label(number: int, form: str) -> str:
    """A number in the form of a list: ``decimal``, ``lowerLetter``, ``upperRoman`` … (ECMA-376-1, 17.18.59); ``none`` is empty."""
    if form == "none":
        return ""
    if form == "decimalZero":
        return f"{number:02d}"
    if form in ("lowerLetter", "upperLetter") and 0 < number <= 26 * 30:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter if form.startswith("lower") else letter.upper()
    if form in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        return roman(number) if form.startswith("lower") else roman(number).upper()
    return str(number)


def roman(number: int) -> str:
    """A positive number below 4000 in lower-case Roman numerals."""
    text = ""
    for value, letters in _ROMAN.items():
        count, number = divmod(number, value)
        text += letters * count
    return text
