"""Containers of every kind, drawn for tests: mails, mailboxes, Outlook messages, signed files, archives, documents with attachments."""

from __future__ import annotations

import base64
import email.message
import io
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import py7zr
import pymupdf
from asn1crypto import algos, cms
from PIL import Image, ImageDraw

from tests.drawing import text_pdf

Members = Sequence[tuple[str, bytes]]
SENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HEADER = {
    "from": "Ann Example <ann@example.com>",
    "to": "bob@example.com",
    "date": "2026-03-02T09:00:00+00:00",
    "subject": "Rechnung März",
    "message_id": "<1@example.com>",
}
"""The header of every drawn mail, as results have it."""


def mail(
    members: Members = (),
    *,
    text: str | None = "The body of the mail.",
    page: str | None = None,
    subject: str = HEADER["subject"],
) -> bytes:
    """A mail with attachments."""
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = HEADER["from"], HEADER["to"], subject
    message["Date"], message["Message-ID"] = SENT, HEADER["message_id"]
    if text is not None:
        message.set_content(text)
    if page is not None:
        message.add_alternative(page, subtype="html")
    for name, content in members:
        if name.endswith(".eml"):
            message.add_attachment(email.message_from_bytes(content, policy=email.policy.default), filename=name)
        else:
            message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def raw_mail(*parts: str, boundary: str = "b0undary", kind: str = "mixed") -> bytes:
    """A mail of parts that are written by hand, with their own headers."""
    head = f"From: {HEADER['from']}\r\nSubject: by hand\r\nMIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary={boundary}\r\n"
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f"{head}\r\n{body}--{boundary}--\r\n".encode("utf-8", "surrogateescape")


def mailbox(*mails: bytes) -> bytes:
    """A mailbox in one file."""
    return b"".join(
        b"From ann@example.com Mon Mar  2 10:00:00 2026\n" + item.replace(b"\r\n", b"\n") + b"\n\n" for item in mails
    )


def zip_of(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as pack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that come twice are meant
        for name, content in members:
            pack.writestr(name, content)
    return buffer.getvalue()


def locked_zip_of(members: Members, password: str, *, aes: bool = True, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip whose members have a password: by AES, or by the old cipher."""
    if not aes:
        return _old_locked_zip(members, password.encode())
    import pyzipper

    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", compression=method, encryption=pyzipper.WZ_AES) as pack:
        pack.setpassword(password.encode())
        for name, content in members:
            pack.writestr(name, content)
    return buffer.getvalue()


def _old_locked_zip(members: Members, password: bytes) -> bytes:
    """By the cipher of APPNOTE 6.1, which no library of Python writes."""
    content = bytearray(zip_of(members, zipfile.ZIP_STORED))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as pack:
        infos = pack.infolist()
    pieces, directory, start = [], [], 0
    for info in infos:
        head = bytearray(content[info.header_offset : info.header_offset + 30 + len(info.filename)])
        plain = bytes(content[info.header_offset + len(head) :][: info.file_size])
        packed = _old_cipher(password, bytes(11) + bytes([info.CRC >> 24]) + plain)
        head[6] |= 1
        head[18:22] = struct.pack("<L", len(packed))
        entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 1, 0, 0, 33, info.CRC, len(packed), info.file_size,
                            len(info.filename), 0, 0, 0, 0, 0, start)  # fmt: skip
        directory.append(entry + info.filename.encode())
        pieces += [bytes(head), packed]
        start += len(head) + len(packed)
    table = b"".join(directory)
    return b"".join(pieces) + table + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(infos), len(infos), len(table), start, 0)


def _old_cipher(password: bytes, plain: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]

    def follow(byte: int) -> None:
        keys[0] = zlib.crc32(bytes([byte]), keys[0] ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = zlib.crc32(bytes([keys[1] >> 24]), keys[2] ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    for byte in password:
        follow(byte)
    out = bytearray()
    for byte in plain:
        mask = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ (mask * (mask ^ 1) >> 8 & 0xFF))
        follow(byte)
    return bytes(out)


def tar_of(members: Members, *odd: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as pack:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            pack.addfile(info, io.BytesIO(content))
        for info in odd:
            pack.addfile(info)
    return buffer.getvalue()


def seven_zip_of(members: Members, password: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", password=password) as pack:
        for name, content in members:
            pack.writestr(content, name)
    return buffer.getvalue()


def signed(content: bytes | None) -> bytes:
    """A signed file (CAdES) as DER; with None a signature alone. Nobody has signed it: the signature is not checked."""
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "data", **({} if content is None else {"content": content})},
            "signer_infos": [],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump())


def signed_with_open_lengths(content: bytes) -> bytes:
    """The same in BER, with lengths that are left open and the contents in two pieces, as many programs for signing write it."""
    half = len(content) // 2

    def octets(piece: bytes) -> bytes:
        return b"\x04\x84" + struct.pack(">I", len(piece)) + piece

    pieces = b"\x24\x80" + octets(content[:half]) + octets(content[half:]) + b"\0\0"
    info = b"\x30\x80" + bytes.fromhex("06092a864886f70d010701") + b"\xa0\x80" + pieces + b"\0\0" + b"\0\0"
    algorithms = bytes.fromhex("310d300b0609608648016503040201")
    inner = b"\x30\x80" + b"\x02\x01\x01" + algorithms + info + b"\x31\x00" + b"\0\0"
    return b"\x30\x80" + bytes.fromhex("06092a864886f70d010702") + b"\xa0\x80" + inner + b"\0\0" + b"\0\0"


def as_pem(content: bytes) -> bytes:
    return b"-----BEGIN PKCS7-----\n" + base64.encodebytes(content) + b"-----END PKCS7-----\n"


def signed_mail(members: Members) -> bytes:
    """A mail that is signed as a whole (S/MIME, opaque): the mail inside has its own parts."""
    inner = mail(members)
    wrapped = base64.encodebytes(signed(inner)).decode()
    head = f"From: {HEADER['from']}\nSubject: signed\nMIME-Version: 1.0\n"
    kind = 'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"\n'
    return f"{head}{kind}Content-Transfer-Encoding: base64\n\n{wrapped}".encode()


def pdf_with(members: Members, text: str = "A page", *, at_page: bool = False) -> bytes:
    """A PDF with attachments, in its list or ``at_page`` as annotations."""
    document = pymupdf.open(stream=text_pdf([text]), filetype="pdf")
    for number, (name, content) in enumerate(members):
        if at_page:
            document[0].add_file_annot((72, 72), content, name)
        else:
            document.embfile_add(f"{number} {name}", content, filename=name, ufilename=name)
    return bytes(document.tobytes())


def photograph(text: str = "RECEIPT 12.50", size: tuple[int, int] = (900, 1200)) -> bytes:
    """A picture that is large enough to show a document."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).text((60, 60), text, fill="black", font_size=60)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def logo() -> bytes:
    return photograph("ACME", (200, 80))


def office_file(pictures: Members) -> bytes:
    """A text document (OOXML) with pictures."""
    content = '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body/></w:document>'
    types = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    parts = [("[Content_Types].xml", types.encode()), ("word/document.xml", content.encode())]
    return zip_of([*parts, *((f"word/media/{name}", picture) for name, picture in pictures)])


def einvoice_with(members: Members) -> bytes:
    """A UBL invoice with files inside (BT-125)."""
    files = "".join(
        f'<AdditionalDocumentReference><Attachment><EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="{name}">'
        f"{base64.b64encode(content).decode()}</EmbeddedDocumentBinaryObject></Attachment></AdditionalDocumentReference>"
        for name, content in members
    )
    head = (
        '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>R-17</ID><IssueDate>2026-03-02</IssueDate>'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>{head}{files}</Invoice>'.encode()


def winmail(members: Members) -> bytes:
    """Attachments in Outlook's form for other programs (TNEF)."""
    out = struct.pack("<IH", 0x223E9F78, 1)
    for name, content in members:
        for key, value in ((0x069002, bytes(14)), (0x018010, name.encode() + b"\0"), (0x06800F, content)):
            out += struct.pack("<BII", 2, key, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)
    return out


# ---- Outlook's own format -------------------------------------------------------------------------------

Storage = dict[str, "bytes | Storage"]


def outlook_mail(members: Members, enclosed: Storage | None = None) -> bytes:
    """A mail in Outlook's own format."""
    return compound_file(outlook_storage(members, enclosed, 32))


def outlook_storage(members: Members, enclosed: Storage | None = None, head: int = 24) -> Storage:
    """A mail as a storage: a whole file, or an enclosed mail with a shorter ``head``."""
    ticks = int((SENT - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
    storage: Storage = {
        "__properties_version1.0": bytes(head) + struct.pack("<HHIQ", 0x40, 0x39, 6, ticks),
        "__substg1.0_0037001F": HEADER["subject"].encode("utf-16-le"),
        "__substg1.0_0C1A001F": "Ann Example".encode("utf-16-le"),
        "__substg1.0_5D01001F": "ann@example.com".encode("utf-16-le"),
        "__substg1.0_0E04001F": HEADER["to"].encode("utf-16-le"),
        "__substg1.0_1035001F": HEADER["message_id"].encode("utf-16-le"),
        "__substg1.0_1000001F": "The body of the mail.".encode("utf-16-le"),
    }
    for number, (name, content) in enumerate(members):
        storage[f"__attach_version1.0_#{number:08X}"] = {
            "__properties_version1.0": bytes(8) + struct.pack("<HHIQ", 0x3, 0x3705, 6, 1),
            "__substg1.0_3707001F": name.encode("utf-16-le"),
            "__substg1.0_37010102": content,
        }
    if enclosed is not None:
        storage[f"__attach_version1.0_#{len(members):08X}"] = {
            "__properties_version1.0": bytes(8) + struct.pack("<HHIQ", 0x3, 0x3705, 6, 5),
            "__substg1.0_3701000D": enclosed,
        }
    return storage


def compound_file(storage: Storage) -> bytes:
    """A file system in a file ([MS-CFB], version 3), with small streams among the others: each takes a sector of its own."""
    entries: list[tuple[str, int, bytes, list[int]]] = [("Root Entry", 5, b"", [])]

    def add(items: Storage, parent: int) -> None:
        for name, value in items.items():
            entries.append((name, 2 if isinstance(value, bytes) else 1, value if isinstance(value, bytes) else b"", []))
            entries[parent][3].append(len(entries) - 1)
            if not isinstance(value, bytes):
                add(value, len(entries) - 1)

    add(storage, 0)
    small = bytearray()
    starts: dict[int, int] = {}
    for number, (_, _, data, _) in enumerate(entries):
        if data and len(data) < 4096:
            starts[number] = len(small) // 64
            small += data + bytes(-len(data) % 64)
    chains: list[bytes] = []
    large = {number: entry[2] for number, entry in enumerate(entries) if len(entry[2]) >= 4096}
    large[0] = bytes(small)
    fat: list[int] = []
    for number, data in large.items():
        if data:
            starts[number] = _chain(fat, len(data))
            chains.append(data + bytes(-len(data) % 512))
    mini_fat = _small_fat(entries)
    mini_start = _chain(fat, len(mini_fat)) if mini_fat else 0xFFFFFFFE
    chains.append(mini_fat + b"\xff" * (-len(mini_fat) % 512))
    directory = b"".join(_entry(number, entries, starts, len(small)) for number in range(len(entries)))
    directory += bytes(-len(directory) % 512)
    directory_start = _chain(fat, len(directory))
    chains.append(directory)
    fat_sectors = 1
    while (len(fat) + fat_sectors) * 4 > fat_sectors * 512:
        fat_sectors += 1
    assert fat_sectors <= 109
    places = list(range(len(fat), len(fat) + fat_sectors))
    fat += [0xFFFFFFFD] * fat_sectors
    fat += [0xFFFFFFFF] * (fat_sectors * 128 - len(fat))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    head += struct.pack("<2I", fat_sectors, directory_start) + bytes(4) + struct.pack("<2I", 4096, mini_start)
    head += struct.pack("<3I", len(mini_fat + b"\0" * 511) // 512, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *places, *[0xFFFFFFFF] * (109 - fat_sectors))
    return head + b"".join(chains) + struct.pack(f"<{len(fat)}I", *fat)


def _chain(fat: list[int], length: int) -> int:
    start, count = len(fat), -(-length // 512)
    fat += [*range(start + 1, start + count), 0xFFFFFFFE]
    return start


def _small_fat(entries: list[tuple[str, int, bytes, list[int]]]) -> bytes:
    links: list[int] = []
    for _, _, data, _ in entries:
        if data and len(data) < 4096:
            count = -(-len(data) // 64)
            links += [*range(len(links) + 1, len(links) + count), 0xFFFFFFFE]
    return struct.pack(f"<{len(links)}I", *links)


def _entry(number: int, entries: list[tuple[str, int, bytes, list[int]]], starts: dict[int, int], small: int) -> bytes:
    name, kind, data, children = entries[number]
    raw = name.encode("utf-16-le")
    parent = next((item for item in entries if number in item[3]), None)
    siblings = parent[3] if parent else []
    after = siblings[siblings.index(number) + 1] if number in siblings[:-1] else 0xFFFFFFFF
    size = small if number == 0 else len(data)
    links = struct.pack("<3I", 0xFFFFFFFF, after, children[0] if children else 0xFFFFFFFF)
    tail = struct.pack("<IQ", starts.get(number, 0xFFFFFFFE if size == 0 else 0), size)
    return raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw) + 2, kind, 1) + links + bytes(36) + tail


KINDS: dict[str, Callable[[Members], bytes]] = {
    "a.eml": mail,
    "a.mbox": lambda members: mailbox(mail(members[:1]), mail(members[1:])),
    "a.msg": outlook_mail,
    "a.zip": zip_of,
    "a.tar.gz": tar_of,
    "a.7z": seven_zip_of,
    "winmail.dat": winmail,
    "a.pdf": pdf_with,
    "at page.pdf": lambda members: pdf_with(members, at_page=True),
    "a.xml": einvoice_with,
    "signed.eml": signed_mail,
}
"""How a container of each kind is drawn, by a file name."""


def office_with(members: Members) -> bytes:
    """An office file whose pictures have these names, and these contents behind a photograph."""
    picture = photograph()
    return office_file([(f"{name}.png", picture + content) for name, content in members])


EVERY_KIND = KINDS | {
    "a.mbox": lambda members: mailbox(*(mail([member], text=None) for member in members)),
    "a.docx": office_with,
    "a.zip.p7m": lambda members: signed(zip_of(members)),
}
"""Also those that hold the parts in another form: a mail for each, as pictures, in a signed archive."""
