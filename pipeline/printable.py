"""Text from documents, file names and other programs as a terminal may get it.

A terminal obeys control characters: they move the cursor, write over lines, fill the clipboard (C0 and C1, U+0080 to U+009F). Others
turn the order of letters around (U+202A to U+202E, U+2066 to U+2069), or end a line (U+2028, U+2029). None of them reaches it: each is
written as its escape, ``\\x9b`` or ``\\u202e``. Blanks of all widths and the joiners of Persian and Indian scripts stay.
"""

from __future__ import annotations

import json
import re
import unicodedata

_JOINERS = "\u200c\u200d"
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")


def one_line(text: str) -> str:
    """The text as one line: also its line breaks are escaped."""
    return text if text.isprintable() else "".join(c if _is_harmless(c) else ascii(c)[1:-1] for c in text)


def printable(text: str) -> str:
    """The text with its line breaks; all other control characters are escaped."""
    return "\n".join(map(one_line, text.split("\n")))


def printable_json(text: str) -> str:
    """A JSON text that means the same; what is not printable is escaped as JSON does it."""
    return _NOT_ASCII.sub(lambda found: found[0] if _is_harmless(found[0]) else json.dumps(found[0])[1:-1], text)


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"
