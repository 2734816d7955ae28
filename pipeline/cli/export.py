"""``pipeline export``: everything again from the ledger, in the formats of the outbox and others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pipeline.cli import options
from pipeline.cli.show import echo_json, plural
from pipeline.errors import OutboxError, SettingsError
from pipeline.ledger.ledger import FILE_NAME, Ledger
from pipeline.publish.files import write_atomically
from pipeline.run.exporting import FORMATS, Exporting, Unused
from pipeline.run.job import STATE_FOLDER, known_templates, locked, open_ledger
from pipeline.run.looking import look_into
from pipeline.run.mirror import mirrored
from pipeline.serve.saying import spoken_of, truth
from pipeline.settings import load_settings


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
    config: Path | None,
    outbox: options.Place | None,
    formats: tuple[str, ...],
    to: Path | None,
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
    """
    settings = load_settings(config, outbox=outbox)
    look_into(settings)
    if not (settings.outbox / STATE_FOLDER / FILE_NAME).is_file():
        raise SettingsError(f"nothing was read into {settings.told_outbox} yet", "name the outbox with --outbox")
    with locked(settings.outbox), mirrored(settings) as mirror, open_ledger(settings) as ledger:
        folder = to or settings.outbox
        book = ledger if folder == settings.outbox else Unused()
        kinds = formats or (() if with_truth else ("json", "csv"))
        with _scratch(folder if to else settings.outbox / STATE_FOLDER) as scratch:
            export = Exporting(ledger, known_templates(settings, ledger), folder, book, settings.review.accepted_error, scratch)
            written = [str(path) for kind in dict.fromkeys(kinds) for path in export.write(kind)]
            if with_truth:
                written += map(str, _truth(ledger, folder, scratch))
        if mirror and not to:
            mirror.attach(ledger)
            mirror.finish()
    if as_json:
        echo_json({"written": written})
    else:
        click.echo(f"{plural(len(written), 'file')} written to {to or settings.told_outbox}")


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


def _truth(ledger: Ledger, folder: Path, scratch: Path) -> Iterator[Path]:
    """Write what people said, a file a template; yields the files."""
    for template in spoken_of(ledger):
        path = folder / f"{template}.truth.jsonl"
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in truth(ledger, template))
        write_atomically(path, (line.encode(errors="replace") for line in lines), scratch)
        yield path
