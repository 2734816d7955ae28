"""Which file names some file systems take for one: names that differ only in case, or in the spelling of accents."""

from __future__ import annotations

import unicodedata


def name_key(name: str) -> str:
    """The same text for names that are one file on some file systems: letters in either case, accents composed or not."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
