"""Publications and frames for the tests of the export formats."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.publish.cells import ColumnKind, as_cell
from pipeline.publish.csv_dialect import STANDARD, CsvDialect
from pipeline.publish.csv_sheets import append_rows, rebuild
from pipeline.publish.frames import make_frame
from pipeline.publish.own_files import OwnFiles
from pipeline.publish.publication import Publication
from pipeline.publish.rows import sheet_kinds, text_rows
from pipeline.records import DocumentInfo, Evidence, FileMark, Result, Source, UnitKey
from pipeline.templates.template import Template

BILL = Template.model_validate(
    {
        "name": "bill",
        "prompt": "Read.",
        "fields": {
            "number": {"type": "identifier"},
            "day": {"type": "date"},
            "at": {"type": "time"},
            "total": {"type": "money"},
            "weight": {"type": "number"},
            "note": {"type": "text"},
            "tags": {"type": "text", "many": True},
            "items": {"type": "table", "columns": {"code": {"type": "identifier"}, "price": {"type": "money"}}},
        },
    }
)
KINDS: Mapping[str, ColumnKind] = {
    "file": "text",
    "number": "identifier",
    "day": "date",
    "at": "time",
    "total": "money",
    "note": "text",
}


def frame(*rows: Mapping[str, Any], kinds: Mapping[str, ColumnKind] = KINDS) -> pd.DataFrame:
    """A frame with the given values of the results in its rows."""
    return make_frame(([as_cell(row.get(column), kind) for column, kind in kinds.items()] for row in rows), kinds)


def publication(
    name: str, values: Mapping[str, Any] | None, template: Template = BILL, pages: Sequence[str] = ("done",), **evidence: Any
) -> Publication:
    """A document that was read with one template; without values it cannot be opened."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    source = Source(Path("/inbox") / name, name, name)
    if values is None:
        document = DocumentInfo(sha256, "pdf", 0, "unreadable", "damaged")
        return Publication(source, document, {template.name: "r"}, [], {}, {})
    fields = {key: Evidence(value, str(value), 1, (1.0, 2.0, 3.0, 4.0), "exact", **evidence) for key, value in values.items()}
    units = [Result(UnitKey(sha256, number, template.name, "r"), status) for number, status in enumerate(pages, 1)]  # type: ignore[arg-type]
    return Publication(
        source, DocumentInfo(sha256, "pdf", len(pages)), {template.name: "r"}, units, {template.name: fields}, {}
    )


class MemoryLedger:
    """The sheets and files as the ledger knows them."""

    def __init__(self) -> None:
        self.sheets: dict[str, tuple[list[str], int, bool]] = {}
        self.marks: dict[str, FileMark] = {}
        self.begun: FileMark | None = None
        """The mark that was recorded before the last write."""

    def sheet_state(self, name: str) -> tuple[list[str], int, bool] | None:
        return self.sheets.get(name)

    def record_sheet(self, name: str, columns: Sequence[str], size: int) -> None:
        self.sheets[name] = (list(columns), size, False)

    def mark_sheets_outdated(self, names: Iterable[str]) -> None:
        for name in names:
            self.sheets[name] = (*self.sheets.get(name, ([], 0, True))[:2], True)

    def file_mark(self, key: str) -> FileMark | None:
        return self.marks.get(key)

    def record_file_mark(self, key: str, mark: FileMark) -> None:
        self.marks[key] = mark

    def begin_writes(self, marks: Mapping[str, FileMark]) -> None:
        self.marks |= marks
        self.begun = next(iter(marks.values()))


@dataclass
class SheetFolder:
    """The sheet ``bill`` in a folder, with its ledger and the lines about files of others."""

    folder: Path
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    lines: list[str] = field(default_factory=list)
    dialect: CsvDialect = STANDARD

    @property
    def files(self) -> OwnFiles:
        return OwnFiles(self.ledger, self.folder, self.lines.append)

    @property
    def path(self) -> Path:
        return self.folder / "bill.csv"

    def append(self, *documents: Publication) -> bool:
        """Append rows as a run does. Returns whether the sheet took them; else it is to be written anew."""
        kinds = sheet_kinds("bill", {"bill": BILL}) or {}
        columns = list(kinds)
        rows = [row for document in documents for row in text_rows(document, {"bill": BILL})["bill"]]
        mark = append_rows(self.folder, self.ledger, self.files, {"bill": rows}, {"bill": kinds}, dialect=self.dialect).get(
            "bill"
        )
        if mark is not None:
            self.ledger.record_sheet("bill", columns, mark.size)
            self.files.record(self.path, mark)
        return mark is not None

    def rebuild(self, *documents: Publication) -> dict[str, str]:
        return rebuild(self.folder, self.ledger, self.files, ["bill"], documents, {"bill": BILL}, dialect=self.dialect)

    def names(self) -> list[str]:
        """The documents that the sheet lists."""
        with self.path.open(encoding="utf-8", newline="") as file:
            return [row["file"] for row in csv.DictReader(file)]
