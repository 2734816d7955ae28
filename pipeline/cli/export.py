"""``pipeline export``: write all results of the ledger again, in the formats of the outbox and others."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import reduce
from operator import or_
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.console import plural
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import OutboxError, SettingsError
from pipeline.ledger.corrections import corrected_templates
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replacement import has_ledger
from pipeline.publish.csv_dialect import DIALECTS
from pipeline.publish.own_files import OwnFiles
from pipeline.remote.local_copy import update_local_copy
from pipeline.remote.mirror import Mirror, mirrored
from pipeline.run.export_formats import FORMATS, NullSheetLedger, OutboxExport
from pipeline.run.job import all_templates, known_templates, open_ledger
from pipeline.runtime.lock import locked
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.web.correction_input import truth_rows


@click.command("export")
@options.config
@options.outbox
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Format to write; may be repeated [json and csv]."
)
@click.option("--to", type=options.local_path, metavar="PATH", help="Folder to write to, instead of the outbox.")
@click.option(
    "--with",
    "others",
    multiple=True,
    type=options.local_path,
    metavar="PATH",
    help="Another outbox whose results are added; may be repeated.",
)
@click.option(
    "--truth",
    "with_truth",
    is_flag=True,
    help="Write the values that people corrected and confirmed, for `pipeline eval --truth`.",
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
    """Write all results again, also in other formats.

    \b
    json     one file per document
    csv      one file per template and per table field
    xlsx     documents.xlsx: the same tables as sheets of an Excel workbook
    sqlite   documents.sqlite: the same tables in a database, with pages and the position of every value
    parquet  the same as Parquet files
    jsonl    documents.jsonl: one document per line

    The results come from the ledger: no document is read again, and result files that were deleted or changed are restored; a
    table that another program changed is kept under another name. --truth
    writes TEMPLATE.truth.jsonl, one document per line. --with combines the outboxes of several drivers (`run --shard`) in the folder
    --to.
    """
    settings = options.read_settings(config, outbox=outbox)
    update_local_copy(settings)
    if others and (not to or to.resolve() in [folder.resolve() for folder in (settings.outbox, *others)]):
        raise SettingsError("several outboxes are combined in a separate folder", "name it with --to")
    with ExitStack() as stack:
        mirror, ledger = stack.enter_context(_open_outbox(settings))
        other_settings = [settings.model_copy(update={"outbox": other}) for other in dict.fromkeys(others)]
        ledgers = [ledger, *(stack.enter_context(_open_outbox(other))[1] for other in other_settings)]
        folder = to or settings.outbox
        sheet_records = ledger if folder == settings.outbox else NullSheetLedger()
        kinds = formats or (() if with_truth else ("json", "csv"))
        with temporary_folder(folder if to else settings.outbox / STATE_FOLDER, settings.outbox) as temporary:
            templates = {name: item for one in ledgers for name, item in known_templates(all_templates(settings), one).items()}
            files = OwnFiles(
                ledger,
                settings.outbox,
                lambda line: echo(f"pipeline: {line}", err=True),
                lambda: reduce(or_, (one.withheld_rights() for one in ledgers)),
            )
            error, dialect = settings.review.accepted_error, DIALECTS[settings.csv.dialect]
            export = OutboxExport(ledgers, templates, folder, sheet_records, files, error, temporary, dialect)
            paths = [str(path) for kind in dict.fromkeys(kinds) for path in export.write(kind)]
            if with_truth:
                paths += map(str, write_truth(ledgers, export))
        if mirror and not to:
            mirror.attach(ledger)
            mirror.finish()
    if as_json:
        echo_json({"written": paths})
    else:
        echo(f"{plural(len(paths), 'file')} written to {to or settings.outbox_location}")


@contextmanager
def _open_outbox(settings: Settings) -> Iterator[tuple[Mirror | None, Ledger]]:
    """The ledger of an outbox, whose lock is held meanwhile. Raises SettingsError, LockedError, LedgerError, StoreError."""
    if not has_ledger(settings.outbox / STATE_FOLDER):
        raise SettingsError(f"nothing was read into {settings.outbox_location} yet", "name the outbox with --outbox")
    with locked(settings.outbox), mirrored(settings) as mirror, open_ledger(settings) as ledger:
        yield mirror, ledger


@contextmanager
def temporary_folder(folder: Path, outbox: Path) -> Iterator[Path]:
    """A folder in ``folder`` for files that are not complete yet. Raises OutboxError.

    Each outbox has its own, and the caller holds the outbox's lock: what is in it is left from an export that was killed.
    """
    temporary = folder / f".export-{hashlib.sha256(os.fsencode(outbox.resolve())).hexdigest()[:12]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
    except OSError as error:
        raise OutboxError(f"{folder}: cannot be written: {error}", "check that you may write there") from error
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_truth(ledgers: Sequence[Ledger], export: OutboxExport) -> Iterator[Path]:
    """Write corrected and confirmed values, one file per template. Yields the files."""
    for template in dict.fromkeys(name for ledger in ledgers for name in corrected_templates(ledger)):
        fields = export.templates[template].fields if template in export.templates else {}
        rows = (row for ledger in ledgers for row in truth_rows(ledger, template, fields))
        lines = ((json.dumps(row, ensure_ascii=False) + "\n").encode(errors="replace") for row in rows)
        yield export.write_lines(f"{template}.truth.jsonl", lines)
