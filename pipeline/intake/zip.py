"""Members of a zip file, one entry of its directory after the other.

``zipfile`` builds the whole directory in memory before it gives the first member (half a kilobyte each, so that a hostile file can fill the
memory), and one name that is not UTF-8 makes all members unreadable. This module holds one entry at a time. ``zipfile`` unpacks and checks
the contents of a member.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import IO, BinaryIO, cast

from pipeline.intake.container_members import CHUNK, LOCKED, DeclinedError, Member, refusal_of_name
from pipeline.intake.zip_encryption import decrypted, packing_method, possible_passwords
from pipeline.records import Reason

_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\5\6"
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_MARK = b"PK\6\7"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_MARK = b"PK\6\6"
_ENTRY = struct.Struct("<4s6H3L5H2L")
_ENTRY_MARK = b"PK\1\2"
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MARK = b"PK\3\4"
_MAX_COMMENT_BYTES = 0xFFFF
_MAX_OFFSET = 1 << 62
"""Larger offsets are false, and no file can seek to them."""
_IN_EXTRA = 0xFFFFFFFF
"""Value of a size or offset that does not fit into 32 bits; the real one is in the extra field."""
_ENCRYPTED, _PATCHED, _STRONG, _UTF8, _MASKED = 0x1, 0x20, 0x40, 0x800, 0x2000
_STRONGLY_ENCRYPTED = (
    "encrypted by a method that is not supported; unpack it with its password and put the files into the inbox"
)


def zip_members(file: BinaryIO, passwords: Sequence[str] = ()) -> Iterator[Member]:
    """All members except folders, in the directory's order. Raises zipfile.BadZipFile for an unreadable directory."""
    for info in _entries(file):
        if not (info.filename.endswith("/") or stat.S_ISDIR(info.external_attr >> 16)):
            yield _member(file, info, passwords)


def zip_names(file: BinaryIO) -> Iterator[str]:
    """The names of all members and folders. Raises zipfile.BadZipFile for an unreadable directory."""
    return (info.filename for info in _entries(file))


def _entries(file: BinaryIO) -> Iterator[zipfile.ZipInfo]:
    at, size, shift = _directory(file)
    end = at + size
    while at < end:
        fixed = _ENTRY.unpack(_bytes(file, at, _ENTRY.size, "directory"))
        if fixed[0] != _ENTRY_MARK:
            raise zipfile.BadZipFile("its directory is damaged")
        lengths = fixed[10:13]
        rest = _bytes(file, at + _ENTRY.size, sum(lengths), "directory")
        raw, extra = rest[: lengths[0]], rest[lengths[0] : lengths[0] + lengths[1]]
        at += _ENTRY.size + sum(lengths)
        yield _info(fixed, raw, extra, shift)


def _directory(file: BinaryIO) -> tuple[int, int, int]:
    """Start of the directory, its length, and the shift of all offsets by bytes that precede the archive."""
    length = file.seek(0, os.SEEK_END)
    start = max(0, length - _END.size - _MAX_COMMENT_BYTES)
    tail = _bytes(file, start, length - start, "end")
    mark_at = tail.rfind(_END_MARK)
    if mark_at < 0 or len(tail) - mark_at < _END.size:
        raise zipfile.BadZipFile("it has no directory at its end; it may be cut off")
    _, disk, _, _, _, size, offset, _ = _END.unpack_from(tail, mark_at)
    if disk not in (0, 0xFFFF):
        raise zipfile.BadZipFile("it is one part of several; join them first")
    end = start + mark_at
    if end >= _LOCATOR.size:
        mark, _, offset64, _ = _LOCATOR.unpack(_bytes(file, end - _LOCATOR.size, _LOCATOR.size, "end"))
        if mark == _LOCATOR_MARK:
            end, size, offset = _zip64_end(file, end - _LOCATOR.size, offset64)
    shift = end - size - offset
    if shift < 0:
        raise zipfile.BadZipFile("its directory lies outside of it; it may be cut off")
    return end - size, size, shift


def _zip64_end(file: BinaryIO, before: int, offset: int) -> tuple[int, int, int]:
    """End, size and offset of the directory in an archive of more than 4 GB or 65,535 members."""
    for at in (before - _END64.size, offset):  # the record precedes its locator, unless the record is extended
        fields = _END64.unpack(_bytes(file, at, _END64.size, "end")) if 0 <= at <= before - _END64.size else (b"",)
        if fields[0] == _END64_MARK:
            return at, int(fields[8]), int(fields[9])
    raise zipfile.BadZipFile("its end is damaged")


def _info(fixed: tuple[int, ...], raw: bytes, extra: bytes, shift: int) -> zipfile.ZipInfo:
    """One entry of the directory."""
    _, made, _, flags, method, time, _, crc, packed, size, _, _, _, _, _, attributes, offset = fixed
    info = zipfile.ZipInfo()
    info.filename = _name(raw, flags)
    info.create_system, info.flag_bits, info.compress_type, info.external_attr = made >> 8, flags, method, attributes
    info.CRC, info.extra = crc, extra
    info._raw_time = time  # type: ignore[attr-defined]  # the check of a password needs it (APPNOTE 6.1.6)
    large = _large_fields(extra)
    info.file_size = next(large, size) if size == _IN_EXTRA else size
    info.compress_size = next(large, packed) if packed == _IN_EXTRA else packed
    info.header_offset = (next(large, offset) if offset == _IN_EXTRA else offset) + shift
    return info


def _large_fields(extra: bytes) -> Iterator[int]:
    """Numbers that did not fit into their 32-bit field, in the order of the fields."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            piece = extra[at + 4 : at + 4 + length]
            yield from (number for (number,) in struct.iter_unpack("<Q", piece[: len(piece) // 8 * 8]))
        at += 4 + length


def _name(raw: bytes, flags: int) -> str:
    """A member's name. Bytes that are not UTF-8 count as code page 437, which maps different bytes to different texts.

    Backslashes separate folders only in ASCII names without slashes: in Shift-JIS a backslash byte can be half of a letter.
    """
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = raw.decode(errors="surrogateescape") if flags & _UTF8 else raw.decode("cp437")
    return name.replace("\\", "/") if "/" not in name and name.isascii() else name


def _member(file: BinaryIO, info: zipfile.ZipInfo, passwords: Sequence[str]) -> Member:
    refusal, document_lost, code = refusal_of_name(info.filename), False, "unreadable"
    if not refusal and stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        refusal = "a link or device"
    password = b""
    if not refusal and info.flag_bits & (_STRONG | _MASKED):
        refusal, document_lost, code = _STRONGLY_ENCRYPTED, True, "unsupported"
    elif not refusal and info.flag_bits & _ENCRYPTED:
        password = _password(file, info, passwords)
        if not password:
            refusal, document_lost, code = LOCKED, True, "needs_password"
    # zipfile's LZMA returns everything that a piece of input unpacks to, up to 30 MB for the smallest piece
    chunk = zipfile.ZipExtFile.MIN_READ_SIZE if packing_method(info) == zipfile.ZIP_LZMA else CHUNK
    opener = partial(_open_encrypted if password else _open, file, info, *([password] if password else []))
    return Member(
        info.filename, info.file_size, opener, refusal, document_lost, cast(Reason, code), chunk, decrypted=bool(password)
    )


def _password(file: BinaryIO, info: zipfile.ZipInfo, passwords: Sequence[str]) -> bytes:
    """The password that opens a member; empty where none does, or the member is damaged."""
    if not passwords:
        return b""
    try:
        _seek_contents(file, info)
    except zipfile.BadZipFile:
        return b""
    possible = possible_passwords(file, info, passwords)
    if len(possible) < 2:
        return possible[0] if possible else b""
    for password in possible:  # the old cipher takes one wrong password in 256 for right
        try:
            with _open_encrypted(file, info, password) as stream:
                while stream.read(zipfile.ZipExtFile.MIN_READ_SIZE):
                    pass
        except (DeclinedError, zipfile.BadZipFile, OSError, NotImplementedError):
            continue
        return password
    return b""


def _seek_contents(file: BinaryIO, info: zipfile.ZipInfo) -> None:
    """Go to the first byte of a member's contents. Raises zipfile.BadZipFile."""
    mark, *_, name, extra = _LOCAL.unpack(_bytes(file, info.header_offset, _LOCAL.size, "member"))
    if mark != _LOCAL_MARK:
        raise zipfile.BadZipFile("its header is damaged")
    if info.flag_bits & _PATCHED:
        raise zipfile.BadZipFile("it is a patch of another file")
    file.seek(name + extra, os.SEEK_CUR)


def _open(file: BinaryIO, info: zipfile.ZipInfo) -> IO[bytes]:
    """A stream of the member's contents. Reading to the end checks them. Only one member of a file can be read at a time."""
    _seek_contents(file, info)
    return _unpacked(file, info)


def _open_encrypted(file: BinaryIO, info: zipfile.ZipInfo, password: bytes) -> IO[bytes]:
    """As ``_open``, for an encrypted member. What does not unpack then raises DeclinedError ``needs_password``."""
    _seek_contents(file, info)
    packed, plain = decrypted(file, info, password)
    return cast(IO[bytes], _LockedStream(_unpacked(cast(BinaryIO, packed), plain)))


def _unpacked(file: BinaryIO, info: zipfile.ZipInfo) -> IO[bytes]:
    if info.compress_type == zipfile.ZIP_BZIP2:  # zipfile would unpack gigabytes in one step
        return cast(IO[bytes], bz2.BZ2File(cast(IO[bytes], zipfile.ZipExtFile(file, "r", _as_stored(info)))))
    return cast(IO[bytes], zipfile.ZipExtFile(file, "r", info))


class _LockedStream(io.RawIOBase):
    """A member that a password seems to open: what does not unpack has another one, or is damaged."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
            raise DeclinedError("needs_password", f"{LOCKED}; or it is damaged: {error}") from error

    def close(self) -> None:
        self._stream.close()
        super().close()


def _as_stored(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The member's compressed bytes as a stored member, without a checksum because bzip2 has its own."""
    packed = zipfile.ZipInfo(info.filename)
    packed.file_size = packed.compress_size = info.compress_size
    return packed


def _bytes(file: BinaryIO, at: int, count: int, what: str) -> bytes:
    """``count`` bytes from offset ``at``. Raises BadZipFile, which names ``what`` is cut off, where the file is shorter."""
    data = b""
    if 0 <= at < _MAX_OFFSET:
        file.seek(at)
        data = file.read(count)
    if len(data) != count:
        raise zipfile.BadZipFile(f"its {what} is cut off")
    return data
