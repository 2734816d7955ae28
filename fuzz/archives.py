"""Fuzzes archives: members are unpacked inside the target folder, and nothing else is written."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pipeline.intake.containers import UnpackedMember, is_archive, unpack

MAX_BYTES = 100_000


def once(data: bytes) -> None:
    """Every file below the folder is expected and small enough."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive, into = folder / "archive", folder / "place" / "into"
        archive.write_bytes(data)
        is_archive(archive)
        unpacked = [item.path for item in unpack(archive, into, max_bytes=MAX_BYTES) if isinstance(item, UnpackedMember)]
        assert len(set(unpacked)) == len(unpacked)
        for path in unpacked:
            assert path.is_file(), path
            assert into.resolve() in path.resolve().parents, path
            assert path.stat().st_size <= MAX_BYTES
        unexpected = {path for path in folder.rglob("*") if not path.is_dir()} - {archive, *unpacked}
        assert all(into in path.parents and not path.is_symlink() for path in unexpected), unexpected
