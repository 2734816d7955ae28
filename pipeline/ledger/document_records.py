"""Documents (equal bytes are one document) in the ledger, with the recipes and questions that they were read by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from pipeline.ledger.connection import LedgerConnection
from pipeline.records import DocumentInfo
from pipeline.values.times import utc_timestamp


class DocumentRecords(LedgerConnection):
    """The tables ``documents``, ``recipes``, ``questions`` and ``schemas``."""

    def record_withheld_rights(self, sha256: str, rights: int) -> None:
        """Record which rights to read a document withholds, as bits of a mode."""
        self._db.execute("DELETE FROM withheld_rights WHERE sha256 = ?", [sha256])
        if rights:
            self._db.execute("INSERT INTO withheld_rights VALUES (?, ?)", [sha256, rights])

    def withheld_rights(self, sha256: str | None = None) -> int:
        """The rights to read that a document withholds; without ``sha256``, those that any document of the outbox withholds."""
        if sha256 is not None:
            row = self._db.execute("SELECT rights FROM withheld_rights WHERE sha256 = ?", [sha256]).fetchone()
            return int(row[0]) if row else 0
        query = "SELECT 1 FROM withheld_rights JOIN files USING (sha256) WHERE rights & ? LIMIT 1"
        return sum(right for right in (32, 4) if self._db.execute(query, [right]).fetchone())

    def document(self, sha256: str, *, stale: bool = False) -> DocumentInfo | None:
        """A document that was opened before; with ``stale`` also one that is to be opened again."""
        query = "SELECT kind, pages, reason, detail, attachments FROM documents WHERE sha256 = ? AND stale <= ?"
        row = self._db.execute(query, [sha256, stale]).fetchone()
        return DocumentInfo(sha256, *row) if row else None

    def record_document(self, document: DocumentInfo) -> None:
        """Record the kind, the page count or the failure that opening a document gave."""
        self._db.execute(
            """INSERT INTO documents (sha256, kind, pages, reason, detail, attachments, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT (sha256) DO UPDATE SET kind = excluded.kind, pages = excluded.pages, reason = excluded.reason,
               detail = excluded.detail, attachments = excluded.attachments, stale = 0""",
            [
                *(document.sha256, document.kind, document.pages, document.reason, document.detail, document.attachments),
                utc_timestamp(),
            ],
        )

    def chosen_template(self, sha256: str) -> str | None:
        """The template that the classifier chose for a document."""
        row = self._db.execute("SELECT chosen FROM documents WHERE sha256 = ?", [sha256]).fetchone()
        return row[0] if row else None

    def record_chosen_template(self, sha256: str, template: str) -> None:
        """Record the template that the classifier chose for a document."""
        self._db.execute("UPDATE documents SET chosen = ? WHERE sha256 = ?", [template, sha256])

    def seconds_spent(self, sha256: str) -> float:
        """Time that readers and the engine have spent on a document since its last publication, as far as it is recorded."""
        row = self._db.execute("SELECT seconds FROM documents WHERE sha256 = ?", [sha256]).fetchone()
        return float(row[0]) if row else 0.0

    def record_seconds_spent(self, sha256: str, seconds: float) -> None:
        """Record the time that readers and the engine have spent on a document; 0 when it is published."""
        self._db.execute("UPDATE documents SET seconds = ? WHERE sha256 = ?", [seconds, sha256])

    def record_question(self, template: str, question: str) -> None:
        """Record a question of the command line, with the template that was made of it."""
        self._db.execute("INSERT OR REPLACE INTO questions VALUES (?, ?)", [template, question])

    def questions(self) -> list[str]:
        """All questions from the command line."""
        return [row[0] for row in self._db.execute("SELECT question FROM questions ORDER BY template")]

    def forget_question(self, template: str) -> None:
        """Delete a question. The results that answer it stay."""
        self._db.execute("DELETE FROM questions WHERE template = ?", [template])

    def record_schema(self, template: str, schema: str) -> None:
        """Record a JSON Schema of the command line, with the template that was made of it."""
        self._db.execute("INSERT OR REPLACE INTO schemas VALUES (?, ?)", [template, schema])

    def schemas(self) -> dict[str, str]:
        """The JSON Schemas from the command line, by template."""
        return dict(self._db.execute("SELECT template, schema FROM schemas ORDER BY template").fetchall())

    def record_recipes(self, recipes: Mapping[str, str], engine: str, versions: Mapping[str, str]) -> None:
        """Record the engine and the library versions behind some recipes (by template)."""
        with self.transaction():
            for template, recipe in recipes.items():
                self.record_recipe(recipe, template, engine, versions)

    def record_recipe(self, recipe: str, template: str, engine: str, versions: Mapping[str, str]) -> None:
        """Record the engine and the library versions behind one recipe."""
        self._db.execute("INSERT OR REPLACE INTO recipes VALUES (?, ?, ?, ?)", [recipe, template, engine, json.dumps(versions)])

    def engine_and_versions(self, recipes: Iterable[str]) -> tuple[str | None, dict[str, str]]:
        """The engine and the library versions of the first of these recipes that is recorded."""
        for recipe in recipes:
            row = self._db.execute("SELECT engine, versions FROM recipes WHERE recipe = ?", [recipe]).fetchone()
            if row:
                return row[0], json.loads(row[1])
        return None, {}
