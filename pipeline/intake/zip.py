"""Members of a zip file, read off its directory one after the other.

``zipfile`` builds the whole directory in memory before it gives out the first member (half a kilobyte each: a directory of a hostile file
takes all there is), and gives up on all members for one name that is not UTF-8. Here only the entry at hand is held.
Unpacking and checking a member's contents is left to ``zipfile``.
"""

from __future__ import annotations

import bz2
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import IO, BinaryIO, cast

from pipeline.intake.members import CHUNK, Member, bad_name

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
_LONGEST_COMMENT = 0xFFFF
_FURTHEST = 1 << 62
"""Places beyond are lies that no file can be asked for."""
_IN_EXTRA = 0xFFFFFFFF
"""Stands for a size or place that does not fit into 32 bits."""
_ENCRYPTED, _PATCHED, _UTF8, _MASKED = 0x1 | 0x40, 0x20, 0x800, 0x2000


def zip_members(file: BinaryIO) -> Iterator[Member]:
    """All members but folders, in the directory's order. Raises zipfile.BadZipFile where the directory cannot be read."""
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
        info = _info(fixed, raw, extra, shift)
        if not (info.filename.endswith("/") or stat.S_ISDIR(info.external_attr >> 16)):
            yield _member(file, info)


def _directory(file: BinaryIO) -> tuple[int, int, int]:
    """Where the directory begins, its bytes, and how far places are shifted because something stands before the archive."""
    length = file.seek(0, os.SEEK_END)
    start = max(0, length - _END.size - _LONGEST_COMMENT)
    tail = _bytes(file, start, length - start, "end")
    found = tail.rfind(_END_MARK)
    if found < 0 or len(tail) - found < _END.size:
        raise zipfile.BadZipFile("it has no directory at its end; it may be cut off")
    _, disk, _, _, _, size, offset, _ = _END.unpack_from(tail, found)
    if disk not in (0, 0xFFFF):
        raise zipfile.BadZipFile("it is one part of several; join them first")
    end = start + found
    if end >= _LOCATOR.size:
        mark, _, place, _ = _LOCATOR.unpack(_bytes(file, end - _LOCATOR.size, _LOCATOR.size, "end"))
        if mark == _LOCATOR_MARK:
            end, size, offset = _large(file, end - _LOCATOR.size, place)
    shift = end - size - offset
    if shift < 0:
        raise zipfile.BadZipFile("its directory lies outside of it; it may be cut off")
    return end - size, size, shift


def _large(file: BinaryIO, before: int, place: int) -> tuple[int, int, int]:
    """End, size and offset of the directory as an archive of more than 4 GB or 65,535 members says them."""
    for at in (before - _END64.size, place):  # the record stands before its locator, unless it has been extended
        fields = _END64.unpack(_bytes(file, at, _END64.size, "end")) if 0 <= at <= before - _END64.size else (b"",)
        if fields[0] == _END64_MARK:
            return at, int(fields[8]), int(fields[9])
    raise zipfile.BadZipFile("its end is damaged")


def _info(fixed: tuple[int, ...], raw: bytes, extra: bytes, shift: int) -> zipfile.ZipInfo:
    """One entry of the directory."""
    _, made, _, flags, method, _, _, crc, packed, size, _, _, _, _, _, attributes, place = fixed
    info = zipfile.ZipInfo()
    info.filename = _name(raw, flags)
    info.create_system, info.flag_bits, info.compress_type, info.external_attr = made >> 8, flags, method, attributes
    info.CRC = crc
    large = _large_fields(extra)
    info.file_size = next(large, size) if size == _IN_EXTRA else size
    info.compress_size = next(large, packed) if packed == _IN_EXTRA else packed
    info.header_offset = (next(large, place) if place == _IN_EXTRA else place) + shift
    return info


def _large_fields(extra: bytes) -> Iterator[int]:
    """Numbers that did not fit into their field, in the order of the fields."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            piece = extra[at + 4 : at + 4 + length]
            yield from (number for (number,) in struct.iter_unpack("<Q", piece[: len(piece) // 8 * 8]))
        at += 4 + length


def _name(raw: bytes, flags: int) -> str:
    """A member's name. What is not UTF-8 counts as code page 437, which gives every name a text of its own.

    Backslashes separate folders only where nothing else does and every letter is ASCII: in Shift-JIS they are halves of letters.
    """
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = raw.decode(errors="surrogateescape") if flags & _UTF8 else raw.decode("cp437")
    return name.replace("\\", "/") if "/" not in name and name.isascii() else name


def _member(file: BinaryIO, info: zipfile.ZipInfo) -> Member:
    refusal, lost = bad_name(info.filename), False
    if not refusal and stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        refusal = "a link or device"
    if not refusal and info.flag_bits & (_ENCRYPTED | _MASKED):
        refusal, lost = "encrypted; unpack it with its password and name the folder", True
    # zipfile's LZMA gives all that a piece of input unpacks to, up to 30 MB for the smallest piece
    chunk = zipfile.ZipExtFile.MIN_READ_SIZE if info.compress_type == zipfile.ZIP_LZMA else CHUNK
    return Member(info.filename, info.file_size, partial(_open, file, info), refusal, lost, chunk)


def _open(file: BinaryIO, info: zipfile.ZipInfo) -> IO[bytes]:
    """The member's contents; reading to the end checks them. Only one member of a file can be read at a time."""
    mark, *_, name, extra = _LOCAL.unpack(_bytes(file, info.header_offset, _LOCAL.size, "member"))
    if mark != _LOCAL_MARK:
        raise zipfile.BadZipFile("its header is damaged")
    if info.flag_bits & _PATCHED:
        raise zipfile.BadZipFile("it is a patch of another file")
    file.seek(name + extra, os.SEEK_CUR)
    if info.compress_type == zipfile.ZIP_BZIP2:  # zipfile would unpack gigabytes at once
        return cast(IO[bytes], bz2.BZ2File(cast(IO[bytes], zipfile.ZipExtFile(file, "r", _packed(info)))))
    return cast(IO[bytes], zipfile.ZipExtFile(file, "r", info))


def _packed(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The member as it stands in the archive; without a checksum, because bzip2 has its own."""
    packed = zipfile.ZipInfo(info.filename)
    packed.file_size = packed.compress_size = info.compress_size
    return packed


def _bytes(file: BinaryIO, at: int, count: int, what: str) -> bytes:
    data = b""
    if 0 <= at < _FURTHEST:
        file.seek(at)
        data = file.read(count)
    if len(data) != count:
        raise zipfile.BadZipFile(f"its {what} is cut off")
    return data
