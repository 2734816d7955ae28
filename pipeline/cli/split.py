"""``pipeline split``: show which documents a file holds, or change it."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from pipeline.checks.split.page_list import parse_split
from pipeline.cli import options
from pipeline.cli.console import plural
from pipeline.cli.file_argument import find_file
from pipeline.cli.terminal import echo, echo_json
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.errors import LockedError, SettingsError
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import open_orders
from pipeline.ledger.person_splits import place_split
from pipeline.ledger.replacement import has_ledger
from pipeline.ledger.split_json import split_json
from pipeline.run.job import open_job, open_ledger
from pipeline.run.publish_again import publish_again
from pipeline.run.publisher import Publisher
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.split_records import Cut, Split, page_list, pages_text


@click.command("split")
@click.argument("file")
@click.argument("pages", required=False)
@options.folders
@click.option("--auto", is_flag=True, help="Let the program decide again.")
@options.as_json
def command(
    file: str,
    pages: str | None,
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    auto: bool,
    as_json: bool,
) -> None:
    """Show which documents FILE holds, with the reasons; or say it by PAGES.

    FILE is a file of the inbox or its name in the outbox. PAGES are documents between commas: `1-3,4,5-6`; `1+4` are pages that do not
    follow each other; `whole` is one document. Pages that are not named belong to no document. A page with
    several receipts or invoices gives them where it stands alone. Nothing is read again.

    \b
    Examples:
      pipeline split inbox/stack.pdf
      pipeline split stack.pdf 1-3,4,5-6
      pipeline split stack.pdf whole
      pipeline split stack.pdf --auto
    """
    settings = options.read_settings(config, inbox=inbox, outbox=outbox)
    if pages and auto:
        raise SettingsError("--auto takes no pages", "name pages, or use --auto, not both")
    if not has_ledger(settings.outbox / STATE_FOLDER):
        raise SettingsError(f"nothing was read into {settings.outbox_location} yet", "name the outbox with --outbox")
    with open_ledger(settings) as ledger:
        record = _find(ledger, settings, file)
        if pages or auto:
            place_split(ledger, record.sha256, _split(ledger, record, pages) if pages else None, getpass.getuser())
    waits = (pages or auto) and not _publish(settings)
    with open_ledger(settings) as ledger:
        _show(ledger, record, as_json=as_json)
    if waits and not as_json:
        echo("The run that works on the outbox publishes this within a second.")


def _find(ledger: Ledger, settings: Settings, name: str) -> FileRecord:
    """The file that FILE means. Raises SettingsError."""
    found = find_file(ledger, settings, name)
    if found is None:
        raise SettingsError(f"{name}: no document that was read", "name a file of the inbox, or a name of documents.csv")
    return found


def _split(ledger: Ledger, record: FileRecord, pages: str) -> Split:
    document = ledger.document(record.sha256, stale=True)
    count = document.pages if document else 0
    try:
        return parse_split(pages, count, ledger.sheets(record.sha256))
    except ValueError as error:
        raise SettingsError(str(error), "for example: pipeline split stack.pdf 1-3,4,5-6") from None


def _publish(settings: Settings) -> bool:
    """Publish what is ordered. Returns False where a run is at work, which does that."""
    try:
        with open_job(settings, engine=EmbeddedEngine()) as job:
            publisher = Publisher(job, warn=lambda message: echo(f"pipeline: {message}", err=True))
            publish_again(job, publisher, open_orders(job.ledger, "publishing"))
            publisher.tidy()
    except LockedError:
        return False
    return True


def _show(ledger: Ledger, record: FileRecord, *, as_json: bool) -> None:
    split = ledger.split_of_file(record.source.name, record.sha256)
    parts = ledger.documents_of(record.source.name)
    names = [part.source.name for part in parts]
    if as_json:
        echo_json({"file": record.source.name, "documents": names, "split": split_json(split) if split else None})
        return
    echo(f"{record.source.name}: {plural(max(1, len(names)), 'document')}" + (f", by {split.source}" if split else ""))
    for part in parts:
        if part.part:
            copies = f" (copies: {page_list(part.part.pages.copies)})" if part.part.pages.copies else ""
            echo(f"  {part.source.name}: {part.status or 'waiting'}, pages {pages_text(part.part.pages)}{copies}")
    if split and split.order_note:
        echo(f"  order: {split.order_note}")
    for page, because in split.left_out if split else ():
        echo(f"  page {page} is left out: {because}")
    for cut in split.cuts if split else ():
        echo(f"  {_cut_text(cut)}")


def _cut_text(cut: Cut) -> str:
    said = "begins a document" if cut.is_cut else "belongs to the page before"
    doubt = "  ← please check" if cut.is_doubtful else ""
    sure = f"{min(100 * max(cut.probability, 1 - cut.probability), 99.9):.3g} %"
    return f"page {cut.before} {said} ({sure}): {'; '.join(cut.reasons)}{doubt}"
