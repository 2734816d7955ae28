"""Exports all published documents from the ledger, in any of the formats."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import OutboxError, SettingsError
from pipeline.ledger.ledger import Ledger
from pipeline.publish.atomic_files import write_atomically
from pipeline.publish.cells import ColumnKind
from pipeline.publish.csv_dialect import STANDARD, CsvDialect
from pipeline.publish.csv_sheets import SheetLedger, rebuild
from pipeline.publish.own_files import FileInUseError, OwnFiles
from pipeline.publish.publication import Publication
from pipeline.publish.result_files import write_result
from pipeline.publish.rows import DOCUMENTS, sheet_kinds, sheet_names
from pipeline.run.compose import publications
from pipeline.run.rebuilt_records import stay_for_export
from pipeline.templates.template import Template

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.publish.frames import Batch

FORMATS = ("json", "csv", "xlsx", "sqlite", "parquet", "jsonl")


class NullSheetLedger:
    """A ledger of sheets and files that stores nothing, for an export to a folder that is not the outbox."""

    def sheet_state(self, name: str) -> None:
        """Always None: every sheet is unknown."""
        del name

    def record_sheet(self, name: str, columns: object, size: int) -> None:
        """Does nothing."""
        del name, columns, size

    def mark_sheets_outdated(self, names: Iterable[str]) -> None:
        """Does nothing."""
        del names

    def file_mark(self, key: str) -> None:
        """Always None: every file is unknown."""
        del key

    def record_file_mark(self, key: str, mark: object) -> None:
        """Does nothing."""
        del key, mark

    def begin_writes(self, marks: object) -> None:
        """Does nothing."""
        del marks


@dataclass(frozen=True)
class OutboxExport:
    """One export from ledgers to a folder. ``scratch`` holds files until they are complete.

    Raises OutboxError for a file that cannot be written.
    """

    ledgers: Sequence[Ledger]
    """One ledger, or the ledgers of several machines that shared an inbox (see the setting ``shard``)."""
    templates: Mapping[str, Template]
    folder: Path
    sheet_ledger: SheetLedger
    files: OwnFiles
    """The files of ``folder``: one that somebody else has changed is kept under another name."""
    accepted_error: float
    scratch: Path
    dialect: CsvDialect = STANDARD
    """How CSV files are written."""
    names: frozenset[str] | None = None
    """The results to export; None for all."""

    def write(self, kind: str) -> Iterable[Path]:
        """Write one format. Yields the files."""
        if kind == "json":
            return self._json()
        if kind == "csv":
            return self._csv()
        if kind == "parquet":
            from pipeline.publish.parquet import write_parquet

            return self._put(write_parquet(self._new_folder(), self._sheets(), self._frames(), self.scratch))
        path = self._new_folder() / f"{DOCUMENTS}.{kind}"
        if kind == "jsonl":
            from pipeline.publish.json_lines import write_json_lines

            write_json_lines(path, self._publications(), self.scratch)
        elif kind == "sqlite":
            from pipeline.publish.database import write_database

            write_database(path, self._sheets(), self._batches(), self.scratch)
        else:
            from pipeline.publish.excel import write_workbook

            write_workbook(path, self._sheets(), self._frames(), self.scratch)
        return self._put([path])

    def write_lines(self, name: str, lines: Iterable[bytes]) -> Path:
        """Write one more file."""
        path = self._new_folder() / name
        write_atomically(path, lines, self.scratch)
        return self._put([path])[0]

    def _new_folder(self) -> Path:
        """The folder of complete files that are not at their place yet."""
        folder = self.scratch / "complete"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _put(self, complete: Sequence[Path]) -> list[Path]:
        """Move complete files to their place."""
        paths = [self.folder / path.name for path in complete]
        for new, path in zip(complete, paths, strict=True):
            try:
                self.files.put(new, path)
            except FileInUseError as error:
                raise OutboxError(str(error), "close the program that has it open, then export again") from error
        return paths

    def _json(self) -> Iterator[Path]:
        for item in self._publications():
            path = self.folder / f"{item.source.name}.json"
            withheld = reduce(or_, (ledger.withheld_rights(item.document.sha256) for ledger in self.ledgers))
            records = (ledger.file_by_name(item.source.name) for ledger in self.ledgers)
            record = next((found for found in records if found), None)
            content = item.as_bytes(stay_for_export(self.folder, record, item.source.name))
            write_result(path, content, self.scratch, self.files.notify, sync_name=False, withheld=withheld)
            yield path

    def _csv(self) -> list[Path]:
        sheets = list(self._sheets())
        unwritten = rebuild(
            self.folder, self.sheet_ledger, self.files, sheets, self._publications(), self.templates, self.scratch, self.dialect
        )
        for reason in unwritten.values():
            raise OutboxError(reason, "close the program that has it open, then export again")
        return [self.folder / f"{name}.csv" for name in sheets]

    def _sheets(self) -> dict[str, dict[str, ColumnKind]]:
        templates = {template for ledger in self.ledgers for file in ledger.published_files() for template in file.recipes}
        names = [DOCUMENTS, *(name for key in self.templates if key in templates for name in sheet_names(self.templates[key]))]
        return {name: sheet_kinds(name, self.templates) or {} for name in names}

    def _publications(self) -> Iterator[Publication]:
        """Publications sorted by name. Raises SettingsError when two outboxes have a result of the same name."""
        by_ledger = (publications(ledger, self.templates, self.accepted_error, self.names) for ledger in self.ledgers)
        last = None
        for item in heapq.merge(*by_ledger, key=lambda item: item.source.name):
            if item.source.name == last:
                raise SettingsError(
                    f"two of the outboxes have a result for {last}", "only parts of one inbox can be put together"
                )
            last = item.source.name
            yield item

    def _batches(self) -> Iterator[Batch]:
        from pipeline.publish.frames import frame_batches

        return frame_batches(self._publications(), self.templates, self._sheets())

    def _frames(self) -> Iterator[Mapping[str, pd.DataFrame]]:
        return (batch.frames for batch in self._batches())
