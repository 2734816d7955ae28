"""Parts of containers in the ledger: where each comes from, and how it ended.

A part that was unpacked is a file like any other (its row in ``files`` has the path to which it is unpacked). The rows here say which
container holds it, and keep what was declined.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.ledger.file_records import FileRecord, file_record
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.moved_files import mark_obsolete
from pipeline.records import DocumentStatus, PartOf, PartStatus


def record_part(
    ledger: Ledger, root: str, number: int, parent: str, part: PartStatus, mail: Mapping[str, str] | None = None
) -> None:
    """Record a part of the container ``root``, in place of the one that had this number before."""
    ledger.change(
        """INSERT OR REPLACE INTO contained (root, number, parent, name, shown, status, reason, detail, mail)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            root,
            number,
            parent,
            part.name,
            part.shown,
            part.status,
            part.reason,
            part.detail,
            json.dumps(mail) if mail else None,
        ],
    )


def end_part(ledger: Ledger, name: str, status: DocumentStatus | None, reason: str | None, detail: str = "") -> bool:
    """Record how a part ended. Returns whether there is such a part whose end was another one before."""
    query = "UPDATE contained SET status = ?, reason = ?, detail = ? WHERE name = ? AND number > 0 AND (status, reason) IS NOT (?, ?)"
    return bool(ledger.change(query, [status, reason, detail, name, status, reason]))


def end_parts(ledger: Ledger, root: str, last: int, folder: Path, sheets: list[str]) -> list[str]:
    """Record that the container was taken apart to its end, with ``last`` parts, whose files were below ``folder``.

    Parts that an earlier version of it had are forgotten, and their results are obsolete. Returns their names.
    """
    with ledger.transaction():
        ledger.change("DELETE FROM contained WHERE root = ? AND number > ?", [root, last])
        query = """SELECT name FROM files WHERE path > ? AND path < ?
                   AND NOT EXISTS (SELECT 1 FROM contained WHERE contained.name = files.name)"""
        first, end = os.fsencode(f"{folder}/"), os.fsencode(f"{folder}0")  # "0" is the letter after "/"
        names = [row["name"] for row in ledger.rows(query, [first, end])]
        for name in names:
            ledger.change("DELETE FROM files WHERE name = ?", [name])
        if names:
            mark_obsolete(ledger, names)
            ledger.mark_sheets_outdated(sheets)
    return names


def parts_in(ledger: Ledger, container: str) -> list[PartStatus]:
    """The parts that a container holds directly, in their order."""
    query = "SELECT name, shown, status, reason, detail FROM contained WHERE parent = ? AND number > 0 ORDER BY root, number"
    return [
        PartStatus(*(row[key] for key in ("name", "shown", "status", "reason", "detail")))
        for row in ledger.rows(query, [container])
    ]


def part_of(ledger: Ledger, name: str) -> PartOf | None:
    """Where a document comes from; None for one that is no part and no container."""
    query = "SELECT root, parent, mail FROM contained WHERE name = ? LIMIT 1"
    row = next(iter(ledger.rows(query, [name])), None)
    return PartOf(row["root"], row["parent"], json.loads(row["mail"] or "{}")) if row else None


def records_of_parts(ledger: Ledger, root: str) -> Iterator[FileRecord]:
    """The files of all parts of an outermost container that were unpacked, in their order."""
    query = """SELECT known.* FROM contained JOIN known ON known.name = contained.name
               WHERE contained.root = ? AND contained.number > 0 ORDER BY contained.number"""
    return map(file_record, ledger.rows(query, [root]))


def container_passwords(ledger: Ledger, root: str, sha256: str) -> dict[str, tuple[str, ...]]:
    """The passwords that belong to an outermost container with these contents, and to containers and documents inside of it.

    By the sha256 of each; that of the outermost one itself is empty.
    """
    passwords = DocumentPasswords(ledger.path.parent)
    known = passwords.documents()
    found = {"": passwords.of(sha256)} if sha256 in known else {}
    query = "SELECT 1 FROM files JOIN contained USING (name) WHERE sha256 = ? AND root = ? LIMIT 1"
    return found | {other: passwords.of(other) for other in known if next(iter(ledger.rows(query, [other, root])), None)}


def locked_parent(ledger: Ledger, name: str) -> str | None:
    """The result name of the container that holds a declined part, which is named with its outermost container."""
    query = "SELECT parent FROM contained WHERE name IS NULL AND root || '/' || shown = ? LIMIT 1"
    return next((str(row["parent"]) for row in ledger.rows(query, [name])), None)


def locked_names(ledger: Ledger) -> list[str]:
    """Names of the results that lack a password: documents, and the containers around members that do."""
    query = """SELECT name FROM files JOIN documents USING (sha256) WHERE documents.reason = 'needs_password' UNION
               SELECT parent FROM contained WHERE name IS NULL AND reason = 'needs_password' ORDER BY 1"""
    return [str(row["name"]) for row in ledger.rows(query)]


def earliest_retry(ledger: Ledger, root: str, without: Iterable[str] = ()) -> str | None:
    """When the first part of a container is due to be read again, ``without`` those with these names."""
    query = (
        "SELECT name, retry_at FROM contained JOIN files USING (name) WHERE root = ? AND number > 0 AND retry_at IS NOT NULL"
    )
    passed = set(without)
    return min((row["retry_at"] for row in ledger.rows(query, [root]) if row["name"] not in passed), default=None)


def unpublished_parts(ledger: Ledger, root: str) -> list[str]:
    """Names of the parts of a container whose present result is not recorded as published."""
    query = """SELECT name FROM contained LEFT JOIN files USING (name) WHERE root = ? AND number > 0 AND contained.name IS NOT NULL
               AND (published IS NULL OR published != sha256)"""
    return [row["name"] for row in ledger.rows(query, [root])]
