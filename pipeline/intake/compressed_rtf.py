"""Unpacks the text of a mail in Outlook's format that is formatted and packed ([MS-OXRTFCP])."""

from __future__ import annotations

import struct

_RTF_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbol"
    b"ArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
"""With which the window of compressed RTF begins ([MS-OXRTFCP] 2.1.2.1)."""


def unpack_rtf(packed: bytes) -> bytes:
    """Compressed RTF as RTF ([MS-OXRTFCP]). Raises ValueError."""
    if len(packed) < 16:
        raise ValueError("its text is cut off")
    _, raw_size, kind = struct.unpack_from("<II4s", packed)
    body = packed[16:]
    if kind == b"MELA":
        return body[:raw_size]
    if kind != b"LZFu":
        raise ValueError("its text is packed in an unknown way")
    window = bytearray(_RTF_DICTIONARY.ljust(4096, b"\0"))
    write, at, out = len(_RTF_DICTIONARY), 0, bytearray()
    while at < len(body):
        control, at = body[at], at + 1
        for bit in range(8):
            if at + (control >> bit & 1) >= len(body):
                return bytes(out[:raw_size])
            if control >> bit & 1:
                token = body[at] << 8 | body[at + 1]
                at += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == write:
                    return bytes(out[:raw_size])
                run = []
                for step in range(length):
                    letter = window[(offset + step) % 4096]
                    run.append(letter)
                    window[write] = letter
                    write = (write + 1) % 4096
                out += bytes(run)
            else:
                out.append(body[at])
                window[write] = body[at]
                write, at = (write + 1) % 4096, at + 1
    return bytes(out[:raw_size])
