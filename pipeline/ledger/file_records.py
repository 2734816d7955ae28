"""The files of the inbox in the ledger: where each lies, what it contained last, and which result of it is published.

A row is identified by the name of its result. ``place`` says where the file is: where it was read (``original``), in the archive, in the
folder of failed files, or nowhere (``deleted``). The ledger does not conclude from an absent file that it was moved or deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pipeline.ledger.connection import LedgerConnection
from pipeline.ledger.split_json import page_range_of
from pipeline.records import DocumentStatus, Source
from pipeline.split_records import FilePart, document_key
from pipeline.values.times import utc_timestamp

BATCH_ROWS = 1_000
"""Rows of published files in memory at a time."""

FilePlace = Literal["original", "archive", "failed", "deleted"]
"""Where a file is: where it was read, where finished files are moved to, where failed files are moved to, or nowhere."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file with its last recorded state and its published result."""

    source: Source
    """Its path is where the file is now; of a deleted file, where it was."""
    sha256: str
    size: int
    mtime_ns: int
    published_sha256: str | None
    """sha256 of the contents whose result is in the outbox; None without a result."""
    recipes: Mapping[str, str]
    """Recipe by template of that result."""
    status: DocumentStatus | None
    reason: str | None
    requested_templates: tuple[str, ...]
    """Templates that the user named for it on the command line."""
    stale: bool
    """Whether it is to be read again."""
    chosen_template: str | None
    """The template that the classifier chose for its contents."""
    unreadable: bool
    """Whether its contents cannot be opened."""
    retry_at: str | None = None
    """When it is due to be read again, as a UTC timestamp; None: never by itself."""
    published_at: str | None = None
    """When its result was published, as a UTC timestamp."""
    pinned: bool = False
    """Whether its result stays although the present recipes differ, because the user ordered this reading."""
    place: FilePlace = "original"
    archived_at: str | None = None
    """When it was moved or deleted, as a UTC timestamp."""
    inode: str | None = None
    """The file system's number of it; None where that is not known, or may change while the file does not."""
    part: FilePart | None = None
    """Which part of the file the document is; None for the file itself."""
    is_split: bool = False
    """Whether the file is split into documents, which have results of their own."""
    kind: str = ""
    """What its contents are, as ``DocumentInfo.kind``."""
    has_parts: bool = False
    """Whether it is an outermost container that was taken apart."""

    @property
    def key(self) -> str:
        """What corrections of its published result are recorded under."""
        return document_key(self.published_sha256 or "", self.part)


class FileRecords(LedgerConnection):
    """The table ``files``."""

    def files_by_path(self) -> dict[str, FileRecord]:
        """All files by absolute path, without the deleted ones."""
        query = "SELECT * FROM known WHERE path IS NOT NULL"
        return {os.fsdecode(row["path"]): file_record(row) for row in self.rows(query)}

    def deleted_files(self) -> list[FileRecord]:
        """Files that were deleted after they were read. Their results stay."""
        return [file_record(row) for row in self.rows("SELECT * FROM known WHERE path IS NULL")]

    def file_at(self, path: Path) -> FileRecord | None:
        """The file that is at this absolute path; a deleted file is not at its old path."""
        query = "SELECT * FROM known WHERE path = ?"
        return next((file_record(row) for row in self.rows(query, [os.fsencode(path)])), None)

    def file_by_name(self, name: str) -> FileRecord | None:
        """The file, or the document of a file, whose result has this name in the outbox."""
        return next((file_record(row) for row in self.rows("SELECT * FROM results WHERE name = ?", [name])), None)

    def documents_of(self, name: str) -> list[FileRecord]:
        """The documents that the file with this name is split into, in the order of their pages; none where it is not."""
        query = "SELECT * FROM results WHERE name IN (SELECT name FROM parts WHERE file = ?)"
        found = [file_record(row) for row in self.rows(query, [name])]
        return sorted(found, key=lambda record: _place_in_file(record.part))

    def files_with_contents(self, sha256: str) -> list[FileRecord]:
        """All files with these contents."""
        return [file_record(row) for row in self.rows("SELECT * FROM known WHERE sha256 = ?", [sha256])]

    def files_of_size(self, size: int) -> list[FileRecord]:
        """All files that had this size in bytes when they were read."""
        return [file_record(row) for row in self.rows("SELECT * FROM known WHERE size = ?", [size])]

    def original_below(self, folder: Path, limit: int) -> list[FileRecord]:
        """Some files below ``folder`` that the program did not move, at most ``limit``."""
        query = "SELECT * FROM known WHERE path > ? AND path < ? AND place = 'original' AND size >= 0 LIMIT ?"
        first, end = os.fsencode(f"{folder}/"), os.fsencode(f"{folder}0")  # "0" is the letter after "/"
        return [file_record(row) for row in self.rows(query, [first, end, limit])]

    def first_name_below(self, folder: Path) -> str | None:
        """The result name of some file below ``folder`` whose result lies in a subfolder of the outbox."""
        query = "SELECT name FROM files WHERE path > ? AND path < ? AND name LIKE '%/%' LIMIT 1"
        first, end = os.fsencode(f"{folder}/"), os.fsencode(f"{folder}0")  # "0" is the letter after "/"
        return next((str(row["name"]) for row in self.rows(query, [first, end])), None)

    def published_files(self) -> Iterator[FileRecord]:
        """Files, and documents of files, with a published result, by name. Memory does not grow with their number."""
        query = f"SELECT * FROM results WHERE published IS NOT NULL AND name > ? ORDER BY name LIMIT {BATCH_ROWS}"  # noqa: S608 - inserted are constants
        last = ""
        while rows := list(self.rows(query, [last])):
            yield from map(file_record, rows)
            last = rows[-1]["name"]

    def published_names(self) -> list[str]:
        """Names of all published results."""
        return [row["name"] for row in self.rows("SELECT name FROM results WHERE published IS NOT NULL")]

    def record_file(
        self,
        source: Source,
        sha256: str,
        size: int,
        mtime_ns: int,
        requested_templates: Sequence[str] = (),
        inode: str | None = None,
    ) -> None:
        """Record a file and its present contents. Its published result stays until ``record_publication``."""
        self._db.execute(
            """INSERT INTO files (path, name, relative, sha256, size, mtime_ns, told, inode) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT (path) DO UPDATE SET relative = excluded.relative, size = excluded.size, mtime_ns = excluded.mtime_ns,
               inode = excluded.inode,
               pinned = pinned AND sha256 = excluded.sha256, sha256 = excluded.sha256, told = excluded.told""",
            [
                *(os.fsencode(source.path), source.name, source.relative, sha256, size, mtime_ns),
                json.dumps(list(requested_templates)),
                inode,
            ],
        )

    def record_inodes(self, inodes: Mapping[str, str]) -> None:
        """Record the file systems' numbers of files that an older version has recorded, by name."""
        with self.transaction():
            self._db.executemany("UPDATE files SET inode = ? WHERE name = ?", ((inode, name) for name, inode in inodes.items()))

    def record_publication(
        self,
        name: str,
        sha256: str,
        recipes: Mapping[str, str],
        status: str,
        reason: str | None,
        retry_at: str | None = None,
        *,
        review: Sequence[str] = (),
        corrected: Sequence[str] = (),
        listed: Mapping[str, str] | None = None,
    ) -> None:
        """Record that the result ``name`` of these contents is safely in the outbox; ``retry_at`` is when it is to be read again.

        ``review`` and ``corrected`` name the fields that a person should review and those that a person corrected; ``listed`` is what
        lists show of it.
        """
        self._db.execute(
            """UPDATE files SET published = ?, recipes = ?, status = ?, reason = ?, published_at = ?, retry_at = ?, stale = 0,
               review = ?, corrected = ?, listed = ? WHERE name = ?""",
            [
                *(sha256, json.dumps(dict(sorted(recipes.items()))), status, reason, utc_timestamp(), retry_at),
                *(json.dumps(list(review)), json.dumps(list(corrected)), listed_json(listed), name),
            ],
        )

    def record_move(self, old: Path, new: Path, place: FilePlace, *, watch: bool = False) -> None:
        """Record that a file was moved; its result keeps its name. With ``watch``, changes of the moved file are looked for.

        A file that was at its new path before is no longer there: somebody has removed it.
        """
        at = None if place == "original" else utc_timestamp()
        if new != old:
            self.record_deletion(new)
        self._db.execute(
            "UPDATE files SET path = ?, place = ?, archived_at = ?, watched = ? WHERE path = ?",
            [os.fsencode(new), place, at, watch, os.fsencode(old)],
        )

    def record_deletion(self, path: Path) -> None:
        """Record that a file was deleted. Its result keeps its name, which no other file gets."""
        self._db.execute(
            "UPDATE files SET path = NULL, place = 'deleted', deleted_path = path, archived_at = ?, watched = 0 WHERE path = ?",
            [utc_timestamp(), os.fsencode(path)],
        )

    def record_return(self, name: str, path: Path) -> None:
        """Record that the file of this result is at another path, where no file is recorded. The program has not moved it."""
        self._db.execute(
            """UPDATE files SET path = ?, place = 'original', deleted_path = NULL, archived_at = NULL, watched = 0 WHERE name = ?""",
            [os.fsencode(path), name],
        )

    def record_deleted_file(self, source: Source, sha256: str) -> None:
        """Record a file that was at its path and is no longer there, with unknown size and time. No other file gets its name."""
        self._db.execute(
            """INSERT INTO files (name, place, deleted_path, relative, sha256, size, mtime_ns, archived_at)
               VALUES (?, 'deleted', ?, ?, ?, -1, -1, ?)""",
            [source.name, os.fsencode(source.path), source.relative, sha256, utc_timestamp()],
        )

    def record_place_below(self, folder: Path, place: FilePlace) -> None:
        """Record the place of the files below ``folder`` that ledgers of older versions do not tell from those of the inbox.

        Changes of failed files are looked for from now on.
        """
        self._db.execute(
            "UPDATE files SET place = ?, watched = ? WHERE path > ? AND path < ? AND place = 'original'",
            [place, place == "failed", os.fsencode(f"{folder}/"), os.fsencode(f"{folder}0")],  # "0" is the letter after "/"
        )

    def watched_files(self) -> list[FileRecord]:
        """Moved files whose changes are looked for."""
        return [file_record(row) for row in self.rows("SELECT * FROM known WHERE watched ORDER BY name")]

    def end_watch(self, paths: Sequence[Path]) -> None:
        """Look for changes of these files no longer."""
        with self.transaction():
            self._db.executemany("UPDATE files SET watched = 0 WHERE path = ?", [(os.fsencode(path),) for path in paths])

    def record_folder_move(self, old: Path, new: Path) -> None:
        """Record that all files below ``old`` now lie below ``new``."""
        before, after = os.fsencode(f"{old}/"), os.fsencode(f"{new}/")
        with self.transaction():
            for table, column in (("files", "path"), ("files", "deleted_path"), ("removals", "path"), ("removals", "target")):
                query = f"SELECT {column} FROM {table} WHERE substr({column}, 1, ?) = ?"  # noqa: S608 - inserted are constants
                paths = [row[0] for row in self._db.execute(query, [len(before), before])]
                self._db.executemany(
                    f"UPDATE {table} SET {column} = ? WHERE {column} = ?",  # noqa: S608 - inserted are constants
                    [(after + path[len(before) :], path) for path in dict.fromkeys(paths)],
                )

    def mark_stale(self, name: str) -> None:
        """Mark the file with this result to be read again. Units that were answered under the same recipe are kept."""
        self.change("UPDATE files SET stale = 1, pinned = 0 WHERE name = ?", [name])

    def pin(self, name: str) -> None:
        """Keep a published result although the present recipes differ."""
        self.change("UPDATE files SET pinned = 1 WHERE name = ?", [name])


def listed_json(listed: Mapping[str, str] | None) -> str | None:
    """What lists show of a result, as the ledger holds it."""
    return None if listed is None else json.dumps(dict(listed), ensure_ascii=False)


def _place_in_file(part: FilePart | None) -> tuple[int, int]:
    return (min(part.pages.pages), part.pages.sheet_part) if part else (0, 0)


@lru_cache(maxsize=1024)
def _parsed_json(text: str) -> Any:
    """A JSON value that is never modified. The cache pays because most files share a few values."""
    return json.loads(text)


def file_record(row: Mapping[str, Any]) -> FileRecord:
    """A row of the view ``known``."""
    return FileRecord(
        source=Source(Path(os.fsdecode(row["path"] or row["deleted_path"])), row["name"], row["relative"]),
        sha256=row["sha256"],
        size=row["size"],
        mtime_ns=row["mtime_ns"],
        published_sha256=row["published"],
        recipes=_parsed_json(row["recipes"] or "{}"),
        status=row["status"],
        reason=row["reason"],
        requested_templates=tuple(_parsed_json(row["told"])),
        stale=bool(row["stale"]),
        chosen_template=row["chosen"],
        unreadable=bool(row["unreadable"]),
        retry_at=row["retry_at"],
        published_at=row["published_at"],
        pinned=bool(row["pinned"]),
        place=row["place"],
        archived_at=row["archived_at"],
        inode=row["inode"],
        part=FilePart(row["file"], page_range_of(row["part"])) if row.get("part") else None,
        is_split=bool(row.get("is_split")),
        kind=row.get("kind") or "",
        has_parts=bool(row.get("has_parts")),
    )
