"""Files that are split, in the ledger: the decision, and the documents that come of it, each with its result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from pipeline.ledger.connection import LedgerConnection
from pipeline.ledger.file_records import listed_json
from pipeline.ledger.journal import append_entry
from pipeline.ledger.split_json import page_range_json, split_json, split_of
from pipeline.split_records import FilePart, PageRange, Split, document_key, part_label
from pipeline.values.times import utc_timestamp


class PartRecords(LedgerConnection):
    """The tables ``splits``, ``person_splits`` and ``parts``."""

    def split_of_file(self, name: str, sha256: str) -> Split | None:
        """How a file is split: as a person says, else as the program has decided; None for one document."""
        return self.person_split(sha256) or self.decided_split(name, sha256)

    def decided_split(self, name: str, sha256: str) -> Split | None:
        """How the program has split a file; None where it has not, or where the file had other contents."""
        query = "SELECT decision FROM splits WHERE name = ? AND sha256 = ?"
        row = self._db.execute(query, [name, sha256]).fetchone()
        return split_of(json.loads(row[0])) if row else None

    def person_split(self, sha256: str) -> Split | None:
        """How a person has split files with these contents; None where nobody has."""
        row = self._db.execute("SELECT decision FROM person_splits WHERE sha256 = ?", [sha256]).fetchone()
        return split_of(json.loads(row[0])) if row else None

    def record_decided_split(self, name: str, sha256: str, split: Split | None) -> None:
        """Record how the program splits a file, as part of an open transaction."""
        self._db.execute("DELETE FROM splits WHERE name = ?", [name])
        if split:
            text = json.dumps(split_json(split), ensure_ascii=False)
            self._db.execute("INSERT INTO splits VALUES (?, ?, ?)", [name, sha256, text])

    def record_person_split(self, sha256: str, split: Split | None, by: str) -> None:
        """Record how a person splits files with these contents, also in the journal; None: the program decides again.

        Part of an open transaction. Raises OutboxError.
        """
        decision, at = split_json(split) if split else None, utc_timestamp()
        append_entry(self.path.parent, {"split": decision, "sha256": sha256, "by": by, "at": at})
        self.restore_person_split(sha256, split, by, at)

    def restore_person_split(self, sha256: str, split: Split | None, by: str, at: str) -> None:
        """Write a person's split to the ledger without the journal, as part of an open transaction."""
        self._db.execute("DELETE FROM person_splits WHERE sha256 = ?", [sha256])
        if split:
            text = json.dumps(split_json(split), ensure_ascii=False)
            self._db.execute("INSERT INTO person_splits VALUES (?, ?, ?, ?)", [sha256, text, by, at])

    def record_parts(self, file: str, sha256: str, parts: Mapping[str, PageRange]) -> None:
        """Record the documents of a file, their pages by name, as part of an open transaction.

        A document that was there with the same pages keeps what is recorded of its result. The results of names that are gone are
        marked as obsolete.
        """
        rows = self._db.execute("SELECT name, sha256, pages FROM parts WHERE file = ?", [file]).fetchall()
        before = {name: (contents, pages) for name, contents, pages in rows}
        self.mark_parts_obsolete(file, before.keys() - parts.keys())
        for name, pages in parts.items():
            text = page_range_json(pages)
            if before.get(name) != (sha256, text):
                self._db.execute("DELETE FROM parts WHERE name = ?", [name])
                row = [name, file, part_label(pages), sha256, text, document_key(sha256, FilePart(file, pages))]
                self._db.execute("INSERT INTO parts (name, file, label, sha256, pages, key) VALUES (?, ?, ?, ?, ?, ?)", row)
                self._db.execute("DELETE FROM obsolete_results WHERE name = ?", [name])

    def mark_parts_obsolete(self, file: str, names: Iterable[str] | None = None) -> None:
        """Take documents of a file out, all without ``names``, and mark their results as obsolete; part of an open transaction."""
        if names is None:
            names = [row[0] for row in self._db.execute("SELECT name FROM parts WHERE file = ?", [file])]
        for name in list(names):
            self._db.execute("INSERT OR IGNORE INTO obsolete_results VALUES (?)", [name])
            self._db.execute("DELETE FROM parts WHERE name = ?", [name])

    def part_names(self) -> list[str]:
        """The names of all documents of files."""
        return [row[0] for row in self._db.execute("SELECT name FROM parts")]

    def record_part_publication(
        self,
        name: str,
        sha256: str,
        recipes: Mapping[str, str],
        status: str,
        reason: str | None,
        *,
        review: Sequence[str] = (),
        corrected: Sequence[str] = (),
        listed: Mapping[str, str] | None = None,
    ) -> None:
        """Record that the result of a document of a file is safely in the outbox; as ``record_publication``."""
        self._db.execute(
            """UPDATE parts SET published = ?, recipes = ?, status = ?, reason = ?, published_at = ?, review = ?, corrected = ?, listed = ?
               WHERE name = ?""",
            [
                *(sha256, json.dumps(dict(sorted(recipes.items()))), status, reason, utc_timestamp()),
                *(json.dumps(list(review)), json.dumps(list(corrected)), listed_json(listed), name),
            ],
        )
