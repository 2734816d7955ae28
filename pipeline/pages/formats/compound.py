"""Compound files (OLE): old Word, Excel and PowerPoint files, encrypted new ones, mails of Outlook. Only names of streams are read.

Source: MS-CFB 2.6 (directory entries hold names in UTF-16), MS-OFFCRYPTO 2.3.
"""

from __future__ import annotations

from typing import BinaryIO, Literal

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CompoundKind = Literal["encrypted", "doc", "xls", "ppt", "msg", "vsd", "pub", "mpp", "msi", "works", "hwp", "other"]
_STREAMS: tuple[tuple[str, CompoundKind], ...] = (
    ("EncryptedPackage", "encrypted"),
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
    ("__nameid_version1.0", "msg"),
    ("VisioDocument", "vsd"),
    ("Quill", "pub"),
    ("Props14", "mpp"),
    ("Props12", "mpp"),
    ("Props9", "mpp"),
    ("\x05HwpSummaryInformation", "hwp"),
    ("MatOST", "works"),
    ("\u4840\u3f7f\u4164\u422f\u4836", "msi"),
)
MAX_SECTORS = 200_000
"""Sectors of the directory that are followed: its entries are 128 bytes each."""
_END = 0xFFFFFFFA
"""Sector numbers from here on have other meanings."""


def compound_kind(file: BinaryIO) -> CompoundKind:
    """What a compound file is, by the names in its directory; ``other`` for those that are not known or damaged."""
    names = _names(file)
    return next((kind for name, kind in _STREAMS if name in names), "other")


def _names(file: BinaryIO) -> set[str]:
    file.seek(0)
    header = file.read(512)
    if len(header) < 512:
        return set()
    shift = int.from_bytes(header[30:32], "little")
    if shift not in (9, 12):
        return set()
    size = 1 << shift
    names: set[str] = set()
    sector = int.from_bytes(header[48:52], "little")
    table = _first_table_sectors(header)
    seen: set[int] = set()
    while sector < _END and sector not in seen and len(seen) < MAX_SECTORS:
        seen.add(sector)
        file.seek((sector + 1) * size)
        data = file.read(size)
        for start in range(0, len(data) - 127, 128):
            length = int.from_bytes(data[start + 64 : start + 66], "little")
            if 2 <= length <= 64:
                names.add(data[start : start + length - 2].decode("utf-16-le", "replace"))
        sector = _next_sector(file, table, sector, size)
    return names


def _first_table_sectors(header: bytes) -> list[int]:
    """Sectors of the allocation table that the header names: the first 109."""
    numbers = [int.from_bytes(header[at : at + 4], "little") for at in range(76, 512, 4)]
    return [number for number in numbers if number < _END]


def _next_sector(file: BinaryIO, table: list[int], sector: int, size: int) -> int:
    index, offset = divmod(sector, size // 4)
    if index >= len(table):
        return _END
    file.seek((table[index] + 1) * size + 4 * offset)
    data = file.read(4)
    return int.from_bytes(data, "little") if len(data) == 4 else _END
