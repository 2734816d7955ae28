"""Parts of a ``winmail.dat``: the form in which Outlook sends attachments to other programs (TNEF, [MS-OXTNEF])."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from functools import partial

from pipeline.intake.compressed_rtf import unpack_rtf
from pipeline.intake.container_members import Member, base_name
from pipeline.intake.mail import decode_text, one_line

_HEAD, _ATTRIBUTE = struct.Struct("<IH"), struct.Struct("<BII")
_MESSAGE, _ATTACHMENT = 1, 2
_TITLE, _DATA, _RENDERING, _PROPERTIES, _MESSAGE_PROPERTIES = 0x018010, 0x06800F, 0x069002, 0x069005, 0x069003
_LONG_NAME, _RTF = 0x3707, 0x1009
_SIZES = {
    0x0002: 4,
    0x0003: 4,
    0x0004: 4,
    0x0005: 8,
    0x0006: 8,
    0x0007: 8,
    0x000A: 4,
    0x000B: 4,
    0x0014: 8,
    0x0040: 8,
    0x0048: 16,
}
"""Bytes of properties of a fixed size, with what fills them up to four ([MS-OXTNEF] 2.1.3.4)."""
_TEXTS = (0x000D, 0x001E, 0x001F, 0x0102)


def winmail_members(content: bytes) -> Iterator[Member]:
    """The attachments, and the text where it is formatted. Raises ValueError for a damaged file."""
    if len(content) < _HEAD.size:
        raise ValueError("it is cut off")
    at, name, data, number = _HEAD.size, "", None, 0
    while at + _ATTRIBUTE.size <= len(content):
        level, key, length = _ATTRIBUTE.unpack_from(content, at)
        start = at + _ATTRIBUTE.size
        value, at = content[start : start + length], start + length + 2
        if level not in (_MESSAGE, _ATTACHMENT) or len(value) != length:
            raise ValueError("an attribute is damaged or cut off")
        if key == _RENDERING:
            if data is not None:
                yield _attachment(name, data, number)
            name, data, number = "", None, number + 1
        elif key == _TITLE:
            name = name or decode_text(value, None).rstrip("\0")
        elif key == _DATA:
            data = value
        elif key == _PROPERTIES:
            name = _property(value, _LONG_NAME).decode("utf-16-le", "replace").rstrip("\0") or name
        elif key == _MESSAGE_PROPERTIES and (packed := _property(value, _RTF)):
            yield Member("body.rtf", 0, partial(_text, packed))
    if data is not None:
        yield _attachment(name, data, number)


def _attachment(name: str, data: bytes, number: int) -> Member:
    return Member(base_name(one_line(name)) or f"part-{number}.bin", len(data), partial(io.BytesIO, data))


def _text(packed: bytes) -> io.BytesIO:
    return io.BytesIO(unpack_rtf(packed))


def _property(raw: bytes, wanted: int) -> bytes:
    """The value of a property whose size varies; empty without it, and where the list cannot be followed to it."""
    try:
        (count,) = struct.unpack_from("<I", raw)
        at = 4
        for _ in range(min(count, 10_000)):
            kind, key = struct.unpack_from("<HH", raw, at)
            at += 4
            if key >= 0x8000:  # a name follows: 16 bytes, and a number or a text
                (is_text,) = struct.unpack_from("<I", raw, at + 16)
                (length,) = struct.unpack_from("<I", raw, at + 20)
                at += 24 + (-(-length // 4) * 4 if is_text else 0)
            if kind & 0x0FFF in _TEXTS:
                values, at = struct.unpack_from("<I", raw, at)[0], at + 4
                for _ in range(min(values, 1_000)):
                    (length,) = struct.unpack_from("<I", raw, at)
                    if key == wanted:
                        return raw[at + 4 : at + 4 + length]
                    at += 4 + -(-length // 4) * 4
            else:
                at += _SIZES[kind]
    except (struct.error, KeyError):
        pass
    return b""
