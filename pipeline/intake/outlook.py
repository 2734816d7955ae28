"""Parts of a mail in Outlook's own format (``.msg``, [MS-OXMSG]): attachments, enclosed mails, and the body.

The format is a file system in a file (OLE), whose names tell property and type: ``__substg1.0_0037001F`` is the subject as UTF-16. An
enclosed mail is a storage of the same form; its parts are read in place.
"""

from __future__ import annotations

import base64
import email.parser
import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import olefile

from pipeline.intake.compressed_rtf import unpack_rtf
from pipeline.intake.container_members import Member, base_name
from pipeline.intake.inline_pictures import is_small_picture
from pipeline.intake.mail import decode_text, mail_header, one_line

MAX_ATTACHMENTS = 2_048
"""Attachments of one mail ([MS-OXMSG] 2.2.2)."""
MAX_ENCLOSED = 8
"""Mails inside mails in one file: one more than containers are opened, which declines the rest. Each level takes a third more bytes."""
_SUBJECT, _SENDER_NAME, _SENDER_SMTP, _SENDER_ADDRESS, _TO = "0037", "0C1A", "5D01", "0C1F", "0E04"
_HEADERS, _MESSAGE_ID, _BODY, _HTML, _RTF, _CODE_PAGE = "007D", "1035", "1000", "1013", "1009", 0x3FFD
_SUBMITTED, _DELIVERED = 0x0039, 0x0E06
_DATA, _LONG_NAME, _SHORT_NAME, _SHOWN_NAME, _CONTENT_ID = "3701", "3707", "3704", "3001", "3712"
_METHOD, _BY_VALUE, _EMBEDDED, _OLE = 0x3705, 1, 5, 6
"""How an attachment is stored; 2, 3 and 4 name a file elsewhere, which is not fetched."""
_HIDDEN = 0x7FFE
_LOST_ENTRIES = ("double reference", "referenced more than once", "incorrect DirEntry", "OLE directory index out of range")
"""What olefile notes where entries of the directory are not reached, so that parts vanish."""
DAMAGED = "the list of what the mail holds is damaged; what cannot be found is lost; have the mail sent again"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_TYPES = (("001F", "utf-16-le"), ("001E", None))


def outlook_mail(content: bytes) -> tuple[Mapping[str, str], Iterator[Member]]:
    """The fields of a mail's header, and its parts. Raises OSError and ValueError for damaged files."""
    ole = olefile.OleFileIO(io.BytesIO(content))
    message = _Message(ole, [], 32)
    return message.header(), _all_members(ole, message)


def _all_members(ole: olefile.OleFileIO, message: _Message) -> Iterator[Member]:
    yield from message.members()
    if any(mark in text for _, text in ole.parsing_issues for mark in _LOST_ENTRIES):
        yield Member("attachments", 0, io.BytesIO, DAMAGED, True)


class _Message:
    """One mail: the whole file, or a storage in it. ``skip`` is the length of the head of its properties ([MS-OXMSG] 2.4.1)."""

    def __init__(self, ole: olefile.OleFileIO, place: list[str], skip: int, depth: int = 0) -> None:
        self._ole, self._place, self._depth = ole, place, depth
        self._numbers = self._fixed(place, skip)

    def header(self) -> dict[str, str]:
        """As ``mail.mail_header``."""
        headers = self._text(_HEADERS)
        written = mail_header(email.parser.HeaderParser().parsestr(headers)) if headers else {}
        address = self._text(_SENDER_SMTP) or self._text(_SENDER_ADDRESS)
        name = self._text(_SENDER_NAME)
        fields = {
            "from": f"{name} <{address}>" if name and "@" in address else name or address,
            "to": self._text(_TO),
            "date": self._date(),
            "subject": self._text(_SUBJECT),
            "message_id": self._text(_MESSAGE_ID),
        }
        return {key: text for key, value in fields.items() if (text := written.get(key) or one_line(value))}

    def members(self) -> Iterator[Member]:
        """Body, then attachments."""
        yield from self._body()
        for number in range(MAX_ATTACHMENTS):
            place = [*self._place, f"__attach_version1.0_#{number:08X}"]
            if self._ole.exists("/".join(place)):
                yield from self._attachment(place)

    def _body(self) -> Iterator[Member]:
        page = self._stream(f"__substg1.0_{_HTML}0102") or self._text(_HTML).encode()
        if page.strip():
            text = decode_text(page, self._code_page())
            yield Member("body.html", len(page), lambda: io.BytesIO(("\ufeff" + text).encode(errors="replace")))
        elif (plain := self._text(_BODY)).strip():
            yield Member("body.txt", len(plain), lambda: io.BytesIO(plain.encode(errors="replace")))
        elif packed := self._stream(f"__substg1.0_{_RTF}0102"):
            yield Member("body.rtf", 0, lambda: io.BytesIO(unpack_rtf(packed)))

    def _attachment(self, place: list[str]) -> Iterator[Member]:
        numbers = self._fixed(place, 8)
        names = (self._text_at(place, key) for key in (_LONG_NAME, _SHORT_NAME, _SHOWN_NAME))
        name = next(filter(None, map(base_name, map(one_line, names))), "")
        method = numbers.get(_METHOD, _BY_VALUE)
        inner = [*place, f"__substg1.0_{_DATA}000D"]
        if method == _EMBEDDED and self._ole.exists("/".join(inner)):
            yield from self._enclosed(inner, name)
            return
        if method == _OLE:
            yield Member(name or "object", 0, io.BytesIO, "an object drawn in the text of the mail")
            return
        data = self._stream_at([*place, f"__substg1.0_{_DATA}0102"])
        if method not in (_BY_VALUE, 0) or (not data and not name):
            why = "lies elsewhere, and nothing is fetched; save what it holds as a file and put that into the inbox"
            yield Member(name or "attachment", 0, io.BytesIO, why, True, "unsupported")
            return
        is_shown = bool(self._text_at(place, _CONTENT_ID)) or bool(numbers.get(_HIDDEN))
        if is_shown and is_small_picture(data):
            yield Member(name or "picture", 0, io.BytesIO, "a picture in the text of the mail")
            return
        yield Member(name or f"part-{int(place[-1][-8:], 16) + 1}.bin", len(data), partial(io.BytesIO, data))

    def _enclosed(self, place: list[str], name: str) -> Iterator[Member]:
        """An enclosed mail as a plain mail, which the caller opens as any other."""
        inner = _Message(self._ole, place, 24, self._depth + 1)
        title = base_name(name or one_line(inner.text_of_subject()))[:80] or "message"
        title = title.removesuffix(".msg").removesuffix(".eml") + ".eml"
        if self._depth >= MAX_ENCLOSED:
            yield Member(
                title, 0, io.BytesIO, "a mail in too many others; save it and put it into the inbox", True, "too_large"
            )
            return
        yield Member(title, 0, lambda: io.BytesIO(inner.as_mail()))

    def text_of_subject(self) -> str:
        """The subject."""
        return self._text(_SUBJECT)

    def as_mail(self) -> bytes:
        """The mail in the form of RFC 5322, with the same parts."""
        fields, parts = self.header(), list(self.members())
        boundary = f"=_{zlib.crc32(repr(self._place).encode()):08x}_{len(parts)}"
        lines = [f"{name}: {fields[key]}" for name, key in _HEADER_NAMES if key in fields]
        out = io.BytesIO()
        out.write(
            "\r\n".join([*lines, "MIME-Version: 1.0", f'Content-Type: multipart/mixed; boundary="{boundary}"', "", ""]).encode()
        )
        for member in parts:
            if not member.refusal:
                with member.open() as file:
                    out.write(_mime_part(member.name, file.read(), boundary))
            elif member.document_lost:
                out.write(_absent_part(member.name, boundary))
        out.write(f"--{boundary}--\r\n".encode())
        return out.getvalue()

    def _date(self) -> str:
        ticks = self._numbers.get(_SUBMITTED) or self._numbers.get(_DELIVERED) or 0
        try:
            return (_EPOCH + timedelta(microseconds=ticks // 10)).isoformat(timespec="seconds") if ticks else ""
        except OverflowError:
            return ""

    def _code_page(self) -> str | None:
        page = self._numbers.get(_CODE_PAGE, 0)
        return "utf-8" if page == 65001 else f"cp{page}" if page else None

    def _text(self, key: str) -> str:
        return self._text_at(self._place, key)

    def _text_at(self, place: list[str], key: str) -> str:
        for kind, encoding in _TYPES:
            if raw := self._stream_at([*place, f"__substg1.0_{key}{kind}"]):
                return decode_text(raw, encoding or self._code_page()).rstrip("\0")
        return ""

    def _stream(self, name: str) -> bytes:
        return self._stream_at([*self._place, name])

    def _stream_at(self, place: list[str]) -> bytes:
        path = "/".join(place)
        if not self._ole.exists(path) or self._ole.get_type(path) != olefile.STGTY_STREAM:
            return b""
        return bytes(self._ole.openstream(path).read())

    def _fixed(self, place: list[str], skip: int) -> dict[int, int]:
        """Numbers and times among the properties of a storage, by their identifiers ([MS-OXMSG] 2.4.2)."""
        raw = self._stream_at([*place, "__properties_version1.0"])[skip:]
        entries = struct.iter_unpack("<HHIQ", raw[: len(raw) // 16 * 16])
        masks = {0x0003: 0xFFFFFFFF, 0x000B: 0xFFFF, 0x0040: 0xFFFFFFFFFFFFFFFF}  # what follows a short value is undefined
        return {key: value & masks[kind] for kind, key, _, value in entries if kind in masks}


_HEADER_NAMES = (("From", "from"), ("To", "to"), ("Date", "date"), ("Subject", "subject"), ("Message-ID", "message_id"))


def _absent_part(name: str, boundary: str) -> bytes:
    """A part that cannot be in the mail (RFC 2046, 5.2.3), so that it is declined by name where the mail is opened."""
    kind = f'Content-Type: message/external-body; access-type=x-absent; name="{_quoted(name)}"'
    return f"--{boundary}\r\n{kind}\r\n\r\nContent-Type: application/octet-stream\r\n\r\n\r\n".encode()


def _quoted(name: str) -> str:
    return name.replace('"', "'").replace("\\", "_")


def _mime_part(name: str, content: bytes, boundary: str) -> bytes:
    kind = {"body.html": "text/html; charset=utf-8", "body.txt": "text/plain; charset=utf-8"}.get(name)
    head = (
        [f"Content-Type: {kind}"]
        if kind
        else ["Content-Type: application/octet-stream", f'Content-Disposition: attachment; filename="{_quoted(name)}"']
    )
    lines = [f"--{boundary}", *head, "Content-Transfer-Encoding: base64", "", ""]
    return "\r\n".join(lines).encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")
