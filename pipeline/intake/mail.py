"""Parts of a mail (RFC 5322, MIME): attachments, enclosed mails, and the body as a text or a web page.

Of several forms of one text (``multipart/alternative``) the richest is taken. What belongs to the text (logos, signatures, receipts of
delivery) is no document. Nothing is fetched, and a name never is a path.
"""

from __future__ import annotations

import email.parser
import email.policy
import email.utils
import io
import mimetypes
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.header import decode_header
from email.message import Message
from functools import partial
from typing import IO, BinaryIO

from pipeline.intake.container_members import Member, base_name
from pipeline.intake.inline_pictures import is_small_picture
from pipeline.records import Reason

MAX_HEADER_LETTERS = 1_000
"""Letters kept of one field of a mail's header."""
_FIELDS = {"from": "from", "to": "to", "date": "date", "subject": "subject", "message-id": "message_id"}
"""Fields that are kept with every part of a mail, and their names in results."""
_SIGNATURES = frozenset(
    {
        *("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-keys"),
        *("message/delivery-status", "message/disposition-notification", "text/rfc822-headers", "message/feedback-report"),
        *("text/vcard", "text/x-vcard", "text/directory", "text/calendar", "application/ics"),
    }
)
"""Parts that belong to the mail and are no documents."""
_PAGE_PARTS = frozenset({"text/css", "text/javascript", "application/javascript", "application/x-javascript"})
"""Parts of a saved web page that show nothing by themselves."""
_SIGNATURE_NAMES = re.compile(r"(smime\.p7s|signature\.asc|.*\.vcf|openpgp_.*\.asc)", re.IGNORECASE)
_ENCRYPTED = ("multipart/encrypted", "application/pgp-encrypted")
_CID = re.compile(rb"cid:([^\"'\s>)]+)", re.IGNORECASE)
_TAGS = re.compile(r"<(style|script|head)\b.*?</\1\s*>|<[^>]*>|&nbsp;|&#160;", re.IGNORECASE | re.DOTALL)
_PICTURE_TAG = re.compile(r"<img\b", re.IGNORECASE)
_PGP = b"-----BEGIN PGP MESSAGE-----"
LOST = "save what it holds as a file and put that into the inbox"
_ELSEWHERE = {
    "message/external-body": f"lies elsewhere, and nothing is fetched; {LOST}",
    "message/partial": "one piece of a mail that was sent in several; let a program for mail join them",
}
"""Parts that are not in the mail (RFC 2046, 5.2)."""


class _TolerantPolicy(email.policy.Compat32):
    """The oldest policy of the library, which raises least. Header fields with bytes that are not ASCII are text."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        """See Policy."""
        del name
        return raw_text(value)


def read_mail(file: BinaryIO) -> tuple[Mapping[str, str], Iterator[Member]]:
    """The fields of a mail's header, and its parts. Raises RecursionError for parts inside parts without end."""
    message = email.parser.BytesParser(policy=_TolerantPolicy()).parse(file)
    return mail_header(message), _Parts(message).members()


def mail_header(message: Message) -> dict[str, str]:
    """``from``, ``to``, ``date`` (ISO 8601, UTC), ``subject`` and ``message_id`` of a mail, as far as it has them."""
    fields = {key: one_line(decoded(message.get(name, ""))) for name, key in _FIELDS.items()}
    fields["date"] = iso_date(fields["date"])
    return {key: text for key, text in fields.items() if text}


def iso_date(text: str) -> str:
    """A date of a mail as ISO 8601 in UTC; as it is written where it is none."""
    try:
        when = email.utils.parsedate_to_datetime(text)
        return when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, TypeError, IndexError, OverflowError):
        return text


def one_line(text: str) -> str:
    """A text as one printable line of at most ``MAX_HEADER_LETTERS`` letters."""
    line = " ".join(text.split())[:MAX_HEADER_LETTERS]
    return "".join(letter if letter.isprintable() else "_" for letter in line)


def raw_text(value: str) -> str:
    """A header field as text, where the parser could not decode its bytes: UTF-8, else Windows-1252."""
    try:
        raw = value.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return value
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def decoded(value: str) -> str:
    """A header field with its encoded words (RFC 2047) decoded; as it is where they are broken."""
    try:
        pieces = decode_header(value)
    except (ValueError, LookupError, email.errors.HeaderParseError):
        return value
    text = ""
    for piece, charset in pieces:
        text += piece if isinstance(piece, str) else decode_text(piece, charset if charset != "unknown-8bit" else None)
    return text


def decode_text(raw: bytes, charset: str | None) -> str:
    """Bytes as text: by the named character set where it fits, else UTF-8, else Windows-1252."""
    for name in (charset, "utf-8"):
        try:
            if name:
                return raw.decode(name)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return raw.decode("cp1252", "replace")


class _Parts:
    """The parts of one mail."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._shown: set[str] = set()
        """Content identifiers that the mail's web page shows."""
        self._unnamed = 0

    def members(self) -> Iterator[Member]:
        """All parts in their order."""
        yield from self._of(self._message)

    def _of(self, part: Message) -> Iterator[Member]:
        kind = part.get_content_type()
        if kind in _ENCRYPTED:
            yield refused(self._name(part, "encrypted"), f"encrypted for its receiver; {LOST}", "unsupported")
        elif kind in _ELSEWHERE:
            yield refused(self._name(part, kind.rpartition("/")[2]), _ELSEWHERE[kind], "unsupported")
        elif part.is_multipart() and kind.startswith("message/"):
            yield from self._enclosed(part)
        elif kind == "multipart/alternative" and part.is_multipart():
            yield from self._of_alternatives(part)
        elif part.is_multipart():
            children = _children(part)
            if kind == "multipart/signed":
                children = children[:1] + [child for child in children[1:] if not _is_signature(child)]
            for child in children:
                yield from self._of(child)
        else:
            yield from self._leaf(part)

    def _of_alternatives(self, part: Message) -> Iterator[Member]:
        """The richest form of a text. What is no form of a text, such as a file that a program put here, is a part as well."""
        children = _children(part)
        forms = [child for child in children if _is_text(child) or child.is_multipart()]
        best = max(forms, key=_richness, default=None)
        for child in children:
            if child is best or child not in forms:
                yield from self._of(child)
            elif child.is_multipart():  # its attachments are no form of the text
                yield from (member for member in self._of(child) if not member.name.startswith("body."))

    def _enclosed(self, part: Message) -> Iterator[Member]:
        for child in _children(part):
            if part.get_content_type() in _SIGNATURES:
                return
            name = self._name(part, "") or f"{base_name(one_line(decoded(child.get('subject', ''))))[:80] or 'message'}.eml"
            yield Member(name, 0, partial(_flat, child))

    def _leaf(self, part: Message) -> Iterator[Member]:
        kind, name = part.get_content_type(), self._name(part, "")
        if kind in _SIGNATURES or _SIGNATURE_NAMES.fullmatch(name):
            if name or kind in _SIGNATURES:
                yield Member(name or kind, 0, io.BytesIO, "a signature, a card, an appointment or a receipt of delivery")
        elif kind in _PAGE_PARTS:
            yield Member(name or kind, 0, io.BytesIO, "a style sheet or a script of the web page")
        elif _is_body(part, name):
            yield from self._body(part)
        else:
            content = _payload(part)
            if not content and not name:
                return
            if self._is_inline(part) and is_small_picture(content):
                yield Member(name or "picture", 0, io.BytesIO, "a picture in the text of the mail")
                return
            yield Member(name or self._unnamed_file(part), len(content), partial(io.BytesIO, content))

    def _body(self, part: Message) -> Iterator[Member]:
        raw = _payload(part)
        is_page = part.get_content_subtype() == "html"
        text = decode_text(raw, part.get_content_charset())
        if is_page:
            self._shown |= {found.decode("ascii", "replace") for found in _CID.findall(raw)}
        if _PGP in raw[:10_000]:
            yield refused("body.txt", f"encrypted for its receiver; {LOST}", "unsupported")
        elif _TAGS.sub("", text).strip() if is_page else text.strip():
            name = "body.html" if is_page else "body.txt"
            content = ("\ufeff" if is_page else "") + text  # the mark wins over what the page says of its character set
            yield Member(name, 0, lambda: io.BytesIO(content.encode(errors="replace")))

    def _is_inline(self, part: Message) -> bool:
        """Whether the text of the mail shows a part, so far as that is known."""
        identifier = str(part.get("content-id", "")).strip().strip("<>")
        return bool(identifier) or part.get_content_disposition() == "inline" or identifier in self._shown

    def _name(self, part: Message, otherwise: str) -> str:
        try:
            name = part.get_filename() or ""
        except (ValueError, LookupError, TypeError):
            name = ""
        return base_name(one_line(decoded(str(name)))) or otherwise

    def _unnamed_file(self, part: Message) -> str:
        self._unnamed += 1
        ending = mimetypes.guess_extension(part.get_content_type(), strict=False) or ".bin"
        return f"part-{self._unnamed}{ending}"


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _is_text(part: Message) -> bool:
    return part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"


def _is_body(part: Message, name: str) -> bool:
    return _is_text(part) and part.get_content_subtype() in ("plain", "html", "enriched") and not name


def _is_signature(part: Message) -> bool:
    return part.get_content_type() in _SIGNATURES


def _richness(part: Message) -> int:
    """How much a form of a text can show: a web page, also with its pictures, more than plain text."""
    kinds = {child.get_content_type() for child in part.walk()}
    return 2 if "text/html" in kinds else 1 if "text/plain" in kinds else 0


def _payload(part: Message) -> bytes:
    """The contents of a part; what is broken in their encoding is left as it is."""
    content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        return content
    text = part.get_payload()
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""


def _flat(message: Message) -> IO[bytes]:
    """An enclosed mail as a file."""
    return io.BytesIO(message.as_bytes(policy=_TolerantPolicy()))


def refused(name: str, why: str, code: Reason) -> Member:
    """A part that is a document and cannot be unpacked."""
    return Member(name, 0, io.BytesIO, why, True, code)
