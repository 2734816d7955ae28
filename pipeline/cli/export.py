"""``pipeline export``: everything again from the ledger, in the formats of the outbox and others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pipeline.cli import options
from pipeline.cli.console import echo_json, plural
from pipeline.errors import OutboxError, SettingsError
from pipeline.ledger.connection import LEDGER_FILE
from pipeline.ledger.corrections import corrected_templates
from pipeline.ledger.ledger import Ledger
from pipeline.publish.atomic_files import write_atomically
from pipeline.remote.local_copy import update_local_copy
from pipeline.remote.mirror import Mirror, mirrored
from pipeline.run.export_formats import FORMATS, Exporting, Unused
from pipeline.run.job import all_templates, known_templates, open_ledger
from pipeline.runtime.lock import locked
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.web.correction_input import truth_rows


@click.command("export")
@options.config
@options.outbox
@click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), help="May be repeated [json and csv].")
@click.option("--to", type=options.PATH, help="Another folder than the outbox.")
@click.option("--with", "others", multiple=True, type=options.PATH, help="Another outbox to put with it; may be repeated.")
@click.option(
    "--truth", "with_truth", is_flag=True, help="Write what people corrected and confirmed, for `pipeline eval --truth`."
)
@options.as_json
def command(
    config: Path | None,
    outbox: options.PathOrUrl | None,
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
    settings = options.read_settings(config, outbox=outbox)
    update_local_copy(settings)
    if others and (not to or to.resolve() in [folder.resolve() for folder in (settings.outbox, *others)]):
        raise SettingsError("outboxes are put together in a folder of its own", "name it with --to")
    with ExitStack() as stack:
        mirror, ledger = stack.enter_context(_opened(settings))
        elsewhere = [settings.model_copy(update={"outbox": other}) for other in dict.fromkeys(others)]
        ledgers = [ledger, *(stack.enter_context(_opened(other))[1] for other in elsewhere)]
        folder = to or settings.outbox
        book = ledger if folder == settings.outbox else Unused()
        kinds = formats or (() if with_truth else ("json", "csv"))
        with _scratch(folder if to else settings.outbox / STATE_FOLDER) as scratch:
            templates = {name: item for one in ledgers for name, item in known_templates(all_templates(settings), one).items()}
            export = Exporting(ledgers, templates, folder, book, settings.review.accepted_error, scratch)
            written = [str(path) for kind in dict.fromkeys(kinds) for path in export.write(kind)]
            if with_truth:
                written += map(str, _truth(ledgers, folder, scratch))
        if mirror and not to:
            mirror.attach(ledger)
            mirror.finish()
    if as_json:
        echo_json({"written": written})
    else:
        click.echo(f"{plural(len(written), 'file')} written to {to or settings.outbox_location}")


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Mirror | None, Ledger]]:
    """The ledger of an outbox on which nobody works meanwhile. Raises SettingsError, LockedError, LedgerError, StoreError."""
    if not (settings.outbox / STATE_FOLDER / LEDGER_FILE).is_file():
        raise SettingsError(f"nothing was read into {settings.outbox_location} yet", "name the outbox with --outbox")
    with locked(settings.outbox), mirrored(settings) as mirror, open_ledger(settings) as ledger:
        yield mirror, ledger


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


def _truth(ledgers: Sequence[Ledger], folder: Path, scratch: Path) -> Iterator[Path]:
    """Write what people said, a file a template; yields the files."""
    for template in dict.fromkeys(name for ledger in ledgers for name in corrected_templates(ledger)):
        path = folder / f"{template}.truth.jsonl"
        rows = (row for ledger in ledgers for row in truth_rows(ledger, template))
        write_atomically(path, ((json.dumps(row, ensure_ascii=False) + "\n").encode(errors="replace") for row in rows), scratch)
        yield path
