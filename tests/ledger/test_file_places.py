"""The ledger says by a column of its own where a file is, also one that an older version wrote."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.ledger import migrations
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.removal_records import Removal
from pipeline.ledger.replacement import LEDGER_FILE
from pipeline.records import Source

VERSION_WITH_MARKED_PATHS = 4


def old_ledger(folder: Path, files: dict[str, bytes]) -> None:
    """A ledger of the version that marked the paths of deleted files: path by result name."""
    with sqlite3.connect(folder / LEDGER_FILE) as db:
        for script in migrations.MIGRATIONS[:VERSION_WITH_MARKED_PATHS]:
            db.executescript(script)
        db.execute(f"PRAGMA user_version = {VERSION_WITH_MARKED_PATHS}")
        db.executemany(
            """INSERT INTO files (path, name, relative, sha256, size, mtime_ns, published, recipes, status, review, pinned)
               VALUES (?, ?, ?, 's', 10, 20, 's', '{"invoice": "r1"}', 'done', '["total"]', 1)""",
            [(path, name, name) for name, path in files.items()],
        )
    db.close()


@pytest.mark.parametrize("times", [1, 2, 50])
@pytest.mark.parametrize("name", ["a.pdf", "bills/März (put away).pdf", "b.pdf~2"])
def test_marked_paths_of_older_versions_become_deleted_files(tmp_path: Path, name: str, times: int) -> None:
    path = b"/inbox/" + os.fsencode(name.removesuffix("~2")) + b"\xff"
    kept = b"/inbox/kept (put away, another.pdf)"
    old_ledger(tmp_path, {name: path + f" (put away, {name})".encode() * times, "kept.pdf": kept})
    with Ledger(tmp_path) as ledger:
        deleted = ledger.file_by_name(name)
        assert deleted
        assert (deleted.place, os.fsencode(deleted.source.path)) == ("deleted", path)
        assert (deleted.published_sha256, deleted.status, deleted.pinned) == ("s", "done", True)
        assert [file.source.name for file in ledger.deleted_files()] == [name]
        assert ledger.file_at(deleted.source.path) is None, "its path is free for another file"
        assert list(ledger.files_by_path()) == [os.fsdecode(kept)]
        assert ledger.file_by_name("kept.pdf").place == "original"  # type: ignore[union-attr]


def test_a_path_is_free_once_its_file_was_moved_or_deleted(tmp_path: Path) -> None:
    path = Path("/inbox/scan.pdf")
    with Ledger(tmp_path) as ledger:
        for name in ("scan.pdf", "scan.pdf~2"):
            ledger.record_file(Source(path, name, "scan.pdf"), name, 1, 2)
            ledger.record_publication(name, name, {}, "done", None)
            ledger.record_deletion(path)
        ledger.record_file(Source(path, "scan.pdf~3", "scan.pdf"), "third", 1, 2)
        ledger.record_move(path, Path("/archive/scan.pdf"), "archive")
        ledger.record_file(Source(path, "scan.pdf~4", "scan.pdf"), "fourth", 1, 2)
        places = {file.source.name: file.place for file in [*ledger.files_by_path().values(), *ledger.deleted_files()]}
        assert places == {"scan.pdf": "deleted", "scan.pdf~2": "deleted", "scan.pdf~3": "archive", "scan.pdf~4": "original"}
        assert {file.source.name for file in ledger.published_files()} == {"scan.pdf", "scan.pdf~2"}


@pytest.mark.parametrize("inode", [7, 2**63 - 1, 2**63, 2**64 - 1])
def test_inodes_of_network_file_systems_are_kept(tmp_path: Path, inode: int) -> None:
    removal = Removal(Path("/inbox/a.pdf"), "archive", Path("/archive/a.pdf"), None, inode, inode, inode, 10, 20, "s")
    with Ledger(tmp_path) as ledger:
        ledger.begin_removals([removal])
        assert ledger.open_removals() == [removal]


def test_programs_that_open_an_old_ledger_at_once_migrate_it_once(tmp_path: Path) -> None:
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        old_ledger(folder, {"a.pdf": b"/inbox/a.pdf (put away, a.pdf)", "b.pdf": b"/inbox/b.pdf"})
        barrier = threading.Barrier(4)

        def open_ledger(folder: Path = folder, barrier: threading.Barrier = barrier) -> list[str]:
            barrier.wait()
            with Ledger(folder) as ledger:
                return [file.place for file in ledger.published_files()]

        with ThreadPoolExecutor(4) as pool:
            opened = [pool.submit(open_ledger) for _ in range(4)]
            assert [item.result() for item in opened] == [["deleted", "original"]] * 4
