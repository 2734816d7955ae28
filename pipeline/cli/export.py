"""``pipeline export``: everything again from the ledger, in the formats of the outbox and others."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pipeline.cli import options
from pipeline.cli.show import echo_json, plural
from pipeline.errors import OutboxError, SettingsError
from pipeline.ledger.ledger import FILE_NAME, Ledger
from pipeline.publish.cells import Kind, TypedRow
from pipeline.publish.document import Publication
from pipeline.publish.files import write_atomically
from pipeline.publish.rows import DOCUMENTS, sheet_kinds, sheet_names, sheet_rows, typed_rows
from pipeline.publish.sheets import Book, rebuild
from pipeline.run.composing import publications
from pipeline.run.job import STATE_FOLDER, known_templates, locked, open_ledger
from pipeline.serve.saying import spoken_of, truth
from pipeline.settings import Settings, load_settings
from pipeline.templates.model import Template

FORMATS = ("json", "csv", "xlsx", "sqlite", "parquet", "jsonl")


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
@click.option("--with", "others", multiple=True, type=options.Path_, help="Another outbox to put with it; may be repeated.")
@click.option(
    "--truth", "with_truth", is_flag=True, help="Write what people corrected and confirmed, for `pipeline eval --truth`."
)
@options.as_json
def command(
    config: Path | None,
    outbox: Path | None,
    formats: tuple[str, ...],
    to: Path | None,
    others: tuple[Path, ...],
    with_truth: bool,
    as_json: bool,
) -> None:
    """Write everything in the outbox again from the ledger, also in other formats.

    \b
    json     a file a document
    csv      a file a template and one a table field, all text
    xlsx     documents.xlsx: the same tables as sheets of an Excel workbook
    sqlite   documents.sqlite: the same as tables, with pages and every value's place
    parquet  the same as Parquet files
    jsonl    documents.jsonl: one document a line

    Files that somebody deleted or changed come back; nothing is read again. --truth: TEMPLATE.truth.jsonl, a document a line.
    --with puts the outboxes of several drivers (`run --shard`) together into the folder --to.
    """
    settings = load_settings(config, outbox=outbox)
    if others and (not to or to.resolve() in [folder.resolve() for folder in (settings.outbox, *others)]):
        raise SettingsError("outboxes are put together in a folder of its own", "name it with --to")
    with ExitStack() as stack:
        ledgers = [stack.enter_context(_opened(settings, folder)) for folder in dict.fromkeys([settings.outbox, *others])]
        folder = to or settings.outbox
        book = ledgers[0] if folder == settings.outbox else _Unused()
        kinds = formats or (() if with_truth else ("json", "csv"))
        with _scratch(folder if to else settings.outbox / STATE_FOLDER) as scratch:
            templates = {name: item for ledger in ledgers for name, item in known_templates(settings, ledger).items()}
            export = _Export(ledgers, templates, folder, book, settings.review.accepted_error, scratch)
            written = [str(path) for kind in dict.fromkeys(kinds) for path in export.write(kind)]
            if with_truth:
                written += map(str, export.truth())
    if as_json:
        echo_json({"written": written})
    else:
        click.echo(f"{plural(len(written), 'file')} written to {folder}")


@contextmanager
def _opened(settings: Settings, outbox: Path) -> Iterator[Ledger]:
    """The ledger of an outbox on which nobody works meanwhile. Raises SettingsError, LockedError, LedgerError."""
    if not (outbox / STATE_FOLDER / FILE_NAME).is_file():
        raise SettingsError(f"nothing was read into {outbox} yet", "name the outbox with --outbox")
    with locked(outbox), open_ledger(settings.model_copy(update={"outbox": outbox})) as ledger:
        yield ledger


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder in ``folder`` for what is half written. Raises OutboxError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = TemporaryDirectory(prefix=".export-", dir=folder, ignore_cleanup_errors=True)
    except OSError as error:
        raise OutboxError(f"{folder}: cannot be written: {error}", "check that you may write there") from error
    with made as path:
        yield Path(path)


@dataclass(frozen=True)
class _Export:
    """One export: from where, to where."""

    ledgers: Sequence[Ledger]
    templates: Mapping[str, Template]
    folder: Path
    book: Book
    accepted_error: float
    scratch: Path

    def write(self, kind: str) -> Iterable[Path]:
        """Write one format; yields the files."""
        if kind == "json":
            return self._json()
        if kind == "csv":
            return self._csv()
        if kind == "parquet":
            from pipeline.publish.parquet import write_parquet

            return write_parquet(self.folder, self._sheets(), self._rows(), self.scratch)
        path = self.folder / f"{DOCUMENTS}.{kind}"
        if kind == "jsonl":
            from pipeline.publish.jsonlines import write_json_lines

            write_json_lines(path, self._publications(), self.scratch)
        elif kind == "sqlite":
            from pipeline.publish.database import write_database

            write_database(path, self._sheets(), self._publications(), self.templates, self.scratch)
        else:
            from pipeline.publish.excel import write_workbook

            write_workbook(path, self._sheets(), self._rows(), self.scratch)
        return [path]

    def truth(self) -> Iterator[Path]:
        """Write what people said, a file a template; yields the files."""
        for template in dict.fromkeys(name for ledger in self.ledgers for name in spoken_of(ledger)):
            path = self.folder / f"{template}.truth.jsonl"
            rows = (row for ledger in self.ledgers for row in truth(ledger, template))
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            write_atomically(path, (line.encode(errors="replace") for line in lines), self.scratch)
            yield path

    def _json(self) -> Iterator[Path]:
        for item in self._publications():
            path = self.folder / f"{item.source.name}.json"
            write_atomically(path, [item.as_bytes()], self.scratch)
            yield path

    def _csv(self) -> list[Path]:
        sheets = {name: list(kinds) for name, kinds in self._sheets().items()}
        rebuild(
            self.folder, self.book, sheets, (sheet_rows(item, self.templates) for item in self._publications()), self.scratch
        )
        return [self.folder / f"{name}.csv" for name in sheets]

    def _sheets(self) -> dict[str, dict[str, Kind]]:
        used = {template for ledger in self.ledgers for file in ledger.published_files() for template in file.recipes}
        names = [DOCUMENTS, *(name for key in self.templates if key in used for name in sheet_names(self.templates[key]))]
        return {name: sheet_kinds(name, self.templates) or {} for name in names}

    def _publications(self) -> Iterator[Publication]:
        """By name. Raises SettingsError when two outboxes have a result of the same name."""
        found = (publications(ledger, self.templates, self.accepted_error) for ledger in self.ledgers)
        last = None
        for item in heapq.merge(*found, key=lambda item: item.source.name):
            if item.source.name == last:
                raise SettingsError(
                    f"two of the outboxes have a result for {last}", "only parts of one inbox can be put together"
                )
            last = item.source.name
            yield item

    def _rows(self) -> Iterator[Mapping[str, Sequence[TypedRow]]]:
        return (typed_rows(item, self.templates) for item in self._publications())
