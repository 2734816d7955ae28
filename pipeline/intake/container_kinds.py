"""Recognises containers by their contents: files that hold documents of their own.

Two families. A *wrapper* (archive, mail, mailbox, signed file) has no pages: all that it says is in its parts. A *host* (PDF, office file,
e-invoice) is a document with pages and may hold further documents: attachments, photographs, scans.
"""

from __future__ import annotations

import base64
import binascii
import re
import zipfile
from itertools import islice
from pathlib import Path

import olefile

from pipeline.intake.compression import single_file_kind
from pipeline.intake.mailbox_file import mailbox_members
from pipeline.intake.tar import is_tar, may_be_tar
from pipeline.intake.zip import zip_names
from pipeline.safe_open import open_file

HEAD = 8192
"""First bytes of a file that are looked at."""
DECLINED_FORMATS = {
    "rar": "RAR archives",
    "zstd": "Zstandard archives",
    "cab": "Cabinet archives",
    "ace": "ACE archives",
}
"""Wrappers that are recognised and not read, in words."""
WINMAIL = b"\x78\x9f\x3e\x22"
_MARKS = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"MSCF\0\0\0\0": "cab",
    WINMAIL: "winmail",
}
_ACE, _ACE_AT = b"**ACE**", 7
_ZIP_MARKS = (b"PK\3\4", b"PK\5\6")
_OLE = olefile.MAGIC
_OUTLOOK_STREAM = "__properties_version1.0"
"""The stream that every message in Outlook's format has ([MS-OXMSG] 2.4)."""
_PROGRAM_MEMBERS = (b"META-INF/", b"mimetype")
"""Names of the first member in zip files that are programs or e-books."""
_OFFICE_NAMES = ("[Content_Types].xml", "mimetype", "content.xml")
_IWORK_FOLDER = re.compile(r"^[^/]+\.(pages|numbers|key)/")
_IWORK_INDEX = frozenset({"index.xml", "index.xml.gz", "index.apxl", "index.apxl.gz"})
_OFFICE_LOOK = 2_000
"""Names of a zip that are looked at."""
_PEM = re.compile(rb"\s*-----BEGIN (PKCS7|CMS|SIGNED MESSAGE|PKCS #7 SIGNED DATA)-----")
_BASE64 = re.compile(rb"MI[A-Za-z0-9+/\s]{60,}={0,2}\s*")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
TIMESTAMPED_DATA = bytes.fromhex("060b2a864886f70d010910011f")
_CMS_TYPES = (SIGNED_DATA, ENVELOPED_DATA, TIMESTAMPED_DATA)
"""Object identifiers of PKCS #7 (RFC 5652) and of time-stamped data (RFC 5544), as DER."""
_FIELD = re.compile(rb"([!-9;-~]{1,76}):")
_MAIL_ONLY = frozenset(
    {
        b"mime-version",
        b"message-id",
        b"received",
        b"return-path",
        b"delivered-to",
        b"content-type",
        b"content-transfer-encoding",
    }
)
"""Fields that a letter which begins with "From:" does not have (RFC 5322, 2045)."""
_LETTER_FIELDS = frozenset({b"from", b"to", b"subject", b"date"})
_BEFORE_MAIL = re.compile(rb"(\xef\xbb\xbf)?[\r\n]*(\d{1,9}[ \t]*\r?\n(?=[!-9;-~]{1,76}:))?")


def may_be_wrapper(path: Path) -> bool:
    """Whether ``wrapper_kind`` may name one, by the first bytes alone: nothing is decompressed or parsed."""
    try:
        head = head_of(path)
    except OSError:
        return False
    return _may_be_wrapper(head)


def _may_be_wrapper(head: bytes) -> bool:
    return head.startswith((*_ZIP_MARKS, *_MARKS, _OLE)) or may_be_tar(head) or bool(_plain_kind(head))


def wrapper_kind(path: Path) -> str:
    """The kind of wrapper: ``zip``, ``tar``, ``gz``, ``bz2``, ``xz``, ``7z``,
    ``eml``, ``mbox``, ``msg``, ``p7m``, ``winmail``, one of ``DECLINED_FORMATS``.

    Empty for other files. Raises OSError.
    """
    head = head_of(path)
    if head.startswith(_ZIP_MARKS):
        return "" if head[30:].startswith(_PROGRAM_MEMBERS) or is_office(path, head) or _is_iwork(path) else "zip"
    if head.startswith(_OLE):
        return "msg" if _is_outlook_message(path) else ""
    kind = _plain_kind(head) or ("tar" if is_tar(path, head) else single_file_kind(head))
    return "eml" if kind == "mbox" and not _has_second_message(path) else kind


def _has_second_message(path: Path) -> bool:
    """Whether a file that begins as a mailbox holds more than one mail: programs for mail save single ones in this form, too."""
    with open_file(path) as file:
        return next(islice(mailbox_members(file), 1, None), None) is not None


def host_kind(path: Path) -> str:
    """``pdf``, ``office`` or ``xml`` for a document that may hold others; else "". Raises OSError."""
    head = head_of(path)
    if head.startswith(_ZIP_MARKS):
        return "office" if is_office(path, head) else ""
    if b"%PDF-" in head[:1024]:
        return "pdf"
    return "xml" if head.lstrip(b" \t\r\n\xef\xbb\xbf").startswith((b"<?xml", b"<")) and b"<html" not in head.lower() else ""


def is_office(path: Path, head: bytes) -> bool:
    """Whether a zip file is an office document: OOXML or OpenDocument."""
    if head[30:].startswith((b"[Content_Types].xml", b"_rels/", b"docProps/", b"mimetypeapplication/vnd.oasis")):
        return True
    try:
        with open_file(path) as file:
            return any(name in _OFFICE_NAMES for name, _ in zip(zip_names(file), range(_OFFICE_LOOK), strict=False))
    except (zipfile.BadZipFile, OSError):
        return False


def _is_iwork(path: Path) -> bool:
    """Whether a zip file is a document of Pages, Numbers or Keynote: nothing in it is a document of its own."""
    try:
        with open_file(path) as file:
            names = {_IWORK_FOLDER.sub("", name) for name, _ in zip(zip_names(file), range(_OFFICE_LOOK), strict=False)}
    except (zipfile.BadZipFile, OSError):
        return False
    return (
        "Index/Document.iwa" in names
        or ("buildversionhistory.plist" in {name.lower() for name in names} and not names.isdisjoint(_IWORK_INDEX))
        or {"Index.zip", "Metadata/BuildVersionHistory.plist"} <= names
    )


def _plain_kind(head: bytes) -> str:
    """The kind of a wrapper that its first bytes prove."""
    for mark, kind in _MARKS.items():
        if head.startswith(mark):
            return kind
    if head[_ACE_AT:].startswith(_ACE):
        return "ace"
    if _is_cms(head):
        return "p7m"
    text = head[mail_start(head) :]
    if text.startswith(b"From ") and _is_mail(text[text.find(b"\n") + 1 :]):
        return "mbox"
    return "eml" if _is_mail(text) else ""


def mail_start(head: bytes) -> int:
    """Where the mail begins: behind a byte order mark, blank lines, and the number of bytes that Apple's mails begin with."""
    start = _BEFORE_MAIL.match(head)
    return start.end() if start else 0


def _is_cms(head: bytes) -> bool:
    if head[:1] == b"0":
        return any(kind in head[:32] for kind in _CMS_TYPES)
    if _PEM.match(head):
        return True
    if not _BASE64.match(head[:128].strip()):
        return False
    letters = b"".join(head[:128].split())
    try:
        return _is_cms(base64.b64decode(letters[: len(letters) // 4 * 4]))
    except binascii.Error:
        return False


def _is_mail(head: bytes) -> bool:
    """Whether a text begins with the header of a message."""
    names: set[bytes] = set()
    for line in head.splitlines():
        if not line.strip():
            break
        if line[:1] in b" \t" and names:
            continue
        field = _FIELD.match(line)
        if field is None:
            if len(names) < 3:  # the last line may be cut off, and some programs write a broken line
                return False
            continue
        names.add(field[1].lower())
    return bool(names & _MAIL_ONLY) or (b"from" in names and len(names & _LETTER_FIELDS) > 2)


def _is_outlook_message(path: Path) -> bool:
    try:
        with open_file(path) as file, olefile.OleFileIO(file) as ole:
            return bool(ole.exists(_OUTLOOK_STREAM))
    except MemoryError:
        raise
    except Exception:  # olefile raises many types on damaged files
        return False


def head_of(path: Path) -> bytes:
    """The first bytes of a file. Raises OSError."""
    with open_file(path) as file:
        return file.read(HEAD)
