"""Digits of all scripts as 0 to 9, and the signs that Arabic and Persian print among digits.

Every replacement keeps the length of a text, so that positions in it stay what they were.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

ARABIC_DECIMAL, ARABIC_GROUP, ARABIC_COMMA = "\u066b", "\u066c", "\u060c"
"""``٫`` is always a decimal mark and ``٬`` always stands between thousands; ``،`` is the comma of sentences, and of thousands at times."""
ARABIC_PERCENT = "\u066a"
_OWN_SIGN = re.compile("[^\x00-\u065f]")
"""Texts without such a letter have neither digits nor signs of another script."""
_LAST = 0x20000
"""No digit of Unicode stands behind it."""
_COMMA_IN_NUMBER = re.compile(rf"(?<=\d){ARABIC_COMMA}(?=\d)")


def ascii_digits(text: str) -> str:
    """The text with the digits of any script as 0 to 9, and the Arabic marks in numbers as ``.``, ``,`` and ``%``."""
    if not _OWN_SIGN.search(text):
        return text
    plain = text.translate(_digits())
    return _COMMA_IN_NUMBER.sub(",", plain)


@cache
def _digits() -> dict[int, str]:
    signs = {ARABIC_DECIMAL: ".", ARABIC_GROUP: ",", ARABIC_PERCENT: "%"}
    decimals = {n: str(unicodedata.decimal(chr(n))) for n in range(128, _LAST) if unicodedata.decimal(chr(n), -1) >= 0}
    return decimals | {ord(sign): plain for sign, plain in signs.items()}
