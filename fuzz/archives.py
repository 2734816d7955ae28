"""Archives: what is unpacked lies inside its place, and nothing else is written anywhere."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pipeline.intake.containers import UnpackedMember, is_archive, unpack

MAX_BYTES = 100_000


def once(data: bytes) -> None:
    """Every file below the folder is accounted for, and small enough."""
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
        strangers = {path for path in folder.rglob("*") if not path.is_dir()} - {archive, *unpacked}
        assert all(into in path.parents and not path.is_symlink() for path in strangers), strangers
