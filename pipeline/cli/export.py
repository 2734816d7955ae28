"""``pipeline export``: the outbox again, from the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.show import echo_json, plural
from pipeline.errors import SettingsError
from pipeline.ledger.ledger import FILE_NAME, Ledger
from pipeline.publish.export import write_json_lines, write_parquet
from pipeline.publish.files import write_atomically
from pipeline.publish.rows import DOCUMENTS, Row, sheet_columns, sheet_names, sheet_rows
from pipeline.publish.sheets import Book, rebuild
from pipeline.run.composing import publications
from pipeline.run.job import STATE_FOLDER, known_templates, locked, open_ledger
from pipeline.serve.saying import spoken_of, truth
from pipeline.settings import load_settings
from pipeline.templates.model import Template

FORMATS = ("json", "csv", "parquet", "jsonl")


class _Unused:
    """Exporting asks no engine; the book of another folder is not kept."""

    def sheet(self, name: str) -> None:
        """Nothing is known."""
        del name

    def wrote_sheet(self, name: str, columns: object, size: int) -> None:
        """Nothing is kept."""
        del name, columns, size

    def soil_sheets(self, names: Iterable[str]) -> None:
        """Nothing is kept."""
        del names


@click.command("export")
@options.config
@options.outbox
@click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), help="May be repeated [json and csv].")
@click.option("--to", type=options.Path_, help="Another folder than the outbox.")
@click.option(
    "--truth", "with_truth", is_flag=True, help="Write what people corrected and confirmed, for `pipeline eval --truth`."
)
@options.as_json
def command(
    config: Path | None, outbox: Path | None, formats: tuple[str, ...], to: Path | None, with_truth: bool, as_json: bool
) -> None:
    """Write everything in the outbox again from the ledger.

    json: a file a document. csv: a file a template. parquet: the same tables as Parquet. jsonl: documents.jsonl, one document a
    line. Files that somebody deleted or changed come back; nothing is read again. --truth: TEMPLATE.truth.jsonl, a document a line.
    """
    settings = load_settings(config, outbox=outbox)
    if not (settings.outbox / STATE_FOLDER / FILE_NAME).is_file():
        raise SettingsError(f"nothing was read into {settings.outbox} yet", "name the outbox with --outbox")
    with locked(settings.outbox), open_ledger(settings) as ledger:
        folder = to or settings.outbox
        book = ledger if folder == settings.outbox else _Unused()
        export = _Export(ledger, known_templates(settings, ledger), folder, book, settings.review.accepted_error)
        kinds = formats or (() if with_truth else ("json", "csv"))
        written = [str(path) for kind in kinds for path in export.write(kind)]
        if with_truth:
            written += map(str, export.truth())
    if as_json:
        echo_json({"written": written})
    else:
        click.echo(f"{plural(len(written), 'file')} written to {folder}")


@dataclass(frozen=True)
class _Export:
    """One export: from where, to where."""

    ledger: Ledger
    templates: Mapping[str, Template]
    folder: Path
    book: Book
    accepted_error: float

    def write(self, kind: str) -> Iterator[Path]:
        """Write one format; yields the files."""
        if kind == "json":
            for item in publications(self.ledger, self.templates, self.accepted_error):
                path = self.folder / f"{item.source.name}.json"
                write_atomically(path, [item.as_bytes()])
                yield path
        elif kind == "jsonl":
            path = self.folder / "documents.jsonl"
            write_json_lines(path, publications(self.ledger, self.templates, self.accepted_error))
            yield path
        elif kind == "parquet":
            yield from (self._parquet(name) for name in self._sheets())
        else:
            sheets = {name: sheet_columns(name, self.templates) or [] for name in self._sheets()}
            rebuild(self.folder, self.book, sheets, self._rows())
            yield from (self.folder / f"{name}.csv" for name in sheets)

    def truth(self) -> Iterator[Path]:
        """Write what people said, a file a template; yields the files."""
        for template in spoken_of(self.ledger):
            path = self.folder / f"{template}.truth.jsonl"
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in truth(self.ledger, template))
            write_atomically(path, (line.encode(errors="replace") for line in lines))
            yield path

    def _sheets(self) -> list[str]:
        used = {template for file in self.ledger.published_files() for template in file.recipes}
        return [DOCUMENTS, *(name for key in self.templates if key in used for name in sheet_names(self.templates[key]))]

    def _rows(self) -> Iterator[dict[str, list[Row]]]:
        return (sheet_rows(item, self.templates) for item in publications(self.ledger, self.templates, self.accepted_error))

    def _parquet(self, name: str) -> Path:
        path = self.folder / f"{name}.parquet"
        write_parquet(
            path, sheet_columns(name, self.templates) or [], (row for rows in self._rows() for row in rows.get(name, ()))
        )
        return path
