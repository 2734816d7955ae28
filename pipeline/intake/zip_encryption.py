"""Encrypted members of a zip: the old cipher of PKWARE, and AES as WinZip has added it.

Source: APPNOTE.TXT 6.3.10, section 6.1; "AES Encryption Information: Encryption Specification AE-1 and AE-2" (WinZip).
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

AES_METHOD = 99
"""In place of the method by which a member is packed, which the extra field has then."""
_AES_EXTRA, _AES_FIELDS = 0x9901, struct.Struct("<H2sBH")
_VERSION_2, _STRENGTHS = 2, (1, 2, 3)
_CODE_BYTES = 10
"""Behind a member that is encrypted by AES: the code that its contents must fit."""
_ENCRYPTED = 0x1
_ENCODINGS = ("utf-8", "cp1252", "cp437")
"""In which programs write passwords with letters beyond ASCII: no standard names one."""


@dataclass(frozen=True, slots=True)
class _Aes:
    """The extra field of a member that is encrypted by AES. pyzipper reads the attributes by these names."""

    filename: str
    wz_aes_version: int
    wz_aes_strength: int
    method: int


def packing_method(info: zipfile.ZipInfo) -> int:
    """By which method a member is packed, also an encrypted one."""
    aes = _aes(info)
    return aes.method if aes else info.compress_type


def possible_passwords(file: BinaryIO, info: zipfile.ZipInfo, passwords: Iterable[str]) -> list[bytes]:
    """The passwords that a member's header takes, each as bytes. ``file`` is at the member's contents.

    One wrong password in 256 (AES: in 65,536) is among them.
    """
    start, found = file.tell(), []
    for password in _spellings(passwords):
        file.seek(start)
        try:
            _decrypter(file, info, password)
        except (RuntimeError, KeyError, struct.error, IndexError, ValueError):  # a wrong password; a damaged header
            continue
        found.append(password)
    file.seek(start)
    return found


def _spellings(passwords: Iterable[str]) -> Iterator[bytes]:
    """Each password in the encodings that have its letters, once."""
    seen = set()
    for password in passwords:
        for encoding in _ENCODINGS:
            try:
                spelling = password.encode(encoding)
            except UnicodeEncodeError:
                continue
            if spelling and spelling not in seen:
                seen.add(spelling)
                yield spelling


def decrypted(file: BinaryIO, info: zipfile.ZipInfo, password: bytes) -> tuple[io.RawIOBase, zipfile.ZipInfo]:
    """The packed contents of a member without their encryption, and the entry of such a member. ``file`` is at its contents.

    Raises RuntimeError for a wrong password, zipfile.BadZipFile for a damaged header.
    """
    try:
        decrypter, header_bytes = _decrypter(file, info, password)
    except (KeyError, struct.error, IndexError, ValueError) as error:
        raise zipfile.BadZipFile(f"the header of its encryption is damaged: {error}") from error
    aes = _aes(info)
    size = info.compress_size - header_bytes - (_CODE_BYTES if aes else 0)
    if size < 0:
        raise zipfile.BadZipFile("the header of its encryption is cut off")
    plain = zipfile.ZipInfo(info.filename)
    plain.flag_bits = info.flag_bits & ~_ENCRYPTED
    plain.compress_type, plain.compress_size, plain.file_size = packing_method(info), size, info.file_size
    if not (aes and aes.wz_aes_version == _VERSION_2):  # version 2 has no checksum of the contents
        plain.CRC = info.CRC
    return _DecryptedBytes(file, size, decrypter, has_code=aes is not None), plain


def _decrypter(file: BinaryIO, info: zipfile.ZipInfo, password: bytes) -> tuple[Any, int]:
    """The decrypter of a member, and the bytes of its header, which are read."""
    from pyzipper.zipfile import CRCZipDecrypter  # only few files need it
    from pyzipper.zipfile_aes import AESZipDecrypter

    aes = _aes(info)
    if aes is None:
        length = CRCZipDecrypter.encryption_header_length
        return CRCZipDecrypter(_Checked(info), password, file.read(length)), length
    if aes.wz_aes_strength not in _STRENGTHS:
        raise ValueError("a key of unknown length")
    length = AESZipDecrypter.encryption_header_length(aes)
    return AESZipDecrypter(aes, password, file.read(length)), length


class _Checked:
    """What pyzipper needs of a member to check a password of the old cipher."""

    def __init__(self, info: zipfile.ZipInfo) -> None:
        self.filename, self.CRC, self._raw_time = info.filename, info.CRC, info._raw_time  # type: ignore[attr-defined]
        self.use_datadescripter = bool(info.flag_bits & 0x8)


def _aes(info: zipfile.ZipInfo) -> _Aes | None:
    """The extra field for AES; None for a member without one, or with a damaged one."""
    if info.compress_type != AES_METHOD:
        return None
    at, extra = 0, info.extra
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == _AES_EXTRA and length >= _AES_FIELDS.size and at + 4 + length <= len(extra):
            version, _, strength, method = _AES_FIELDS.unpack_from(extra, at + 4)
            return _Aes(info.filename, version, strength, method)
        at += 4 + length
    return None


class _DecryptedBytes(io.RawIOBase):
    """A member's packed bytes, decrypted as they are read; at their end the code over them is checked where there is one."""

    def __init__(self, file: BinaryIO, size: int, decrypter: Any, *, has_code: bool) -> None:
        self._file, self._left, self._decrypter, self._has_code = file, size, decrypter, has_code

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        count = self._left if size is None or size < 0 else min(size, self._left)
        if not count:
            return b""
        data = self._file.read(count)
        self._left -= len(data)
        plain = bytes(self._decrypter.decrypt(data))
        if not self._left and self._has_code:
            from pyzipper.zipfile import BadZipFile

            try:
                self._decrypter.check_hmac(self._file.read(_CODE_BYTES))
            except BadZipFile as error:  # not the exception of zipfile
                raise zipfile.BadZipFile(str(error)) from error
        return plain
