"""Whether bytes are text, and in which encoding."""

from __future__ import annotations

import codecs

MAX_PROBED = 1 << 16
"""Bytes at the beginning by which an encoding is chosen, where the text does not name it."""
MAX_OTHERS = 0.3
"""Share of letters beyond ASCII in Western languages, generously."""
MAX_CONTROLS = 0.002
"""Share of control characters from which bytes are no text."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ALLOWED = frozenset("\t\n\r\f\v\x1a\x1b\x85")


def decode(content: bytes, declared: str = "") -> str | None:
    """The text; None for bytes that are no text. ``declared`` is an encoding that the text names itself, and that may be wrong."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _checked(content.decode(encoding, "replace"))
    if declared and (name := _known(declared)) and (text := _strict(content, name)) is not None:
        return _checked(text)
    if b"\0" in content[:MAX_PROBED]:
        encoding = _without_mark(content[:MAX_PROBED])
        return _checked(content.decode(encoding, "replace")) if encoding else None
    if (text := _strict(content, "utf-8")) is not None:
        return _checked(text)
    encoding = _guess(content[:MAX_PROBED])
    return _checked(content.decode(encoding, "replace")) if encoding else None


def _known(name: str) -> str:
    """Python's name of an encoding; empty for unknown ones and for those that are no encodings of text."""
    try:
        info = codecs.lookup(name.strip().strip("\"'"))
    except (LookupError, ValueError):
        return ""
    if not info._is_text_encoding or info.name in ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"):
        return ""
    return "cp1252" if info.name in ("iso8859-1", "ascii") else info.name  # as browsers do (WHATWG Encoding, 4.2)


def _strict(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _without_mark(head: bytes) -> str:
    """UTF-16 without a byte order mark, by the zero bytes of Latin letters; else empty."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 4 or not odd:
        return ""
    zero_even, zero_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if zero_odd > 0.4 and zero_even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if zero_even > 0.4 and zero_odd < 0.05 else ""


def _guess(head: bytes) -> str:
    """An encoding by the letters that it would give; Windows-1252 where nothing else is likely."""
    from charset_normalizer import from_bytes

    if _is_western(head):
        return "cp1252"
    best = from_bytes(head, steps=5, chunk_size=2048).best()
    return (_known(best.encoding) if best else "") or "cp1252"


def _is_western(head: bytes) -> bool:
    """Whether the bytes are mostly ASCII, and the others usual letters of Windows-1252: short texts of this kind fit many encodings."""
    others = [byte for byte in head if byte > 127]
    text = _strict(bytes(others), "cp1252")
    return text is not None and len(others) < MAX_OTHERS * len(head) and all(letter in _USUAL for letter in text)


_USUAL = frozenset("äöüÄÖÜßéèêëàâáåãæçíìîïñóòôõøœúùûÿÉÈÊËÀÂÁÅÃÆÇÍÌÎÏÑÓÒÔÕØŒÚÙÛ€£§°«»„“”‚‘’–—…·•¿¡ºª²³½¼¾±×÷µ©®™\xa0\xad´¨¸¹")


def _checked(text: str) -> str | None:
    """The text; None where it has control characters that texts do not have."""
    head = text[:MAX_PROBED]
    strange = sum(letter < " " and letter not in _ALLOWED for letter in head) + head.count("\ufffd")
    return None if strange > MAX_CONTROLS * len(head) + (len(head) > 200) else text
