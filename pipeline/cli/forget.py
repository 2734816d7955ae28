"""``pipeline forget``: take results of documents back, and bring them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.console import plural
from pipeline.cli.export import temporary_folder, write_truth
from pipeline.cli.terminal import echo, echo_json
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.errors import ExitCode, SettingsError
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.replacement import has_ledger
from pipeline.monitoring.events import Observer
from pipeline.printable import one_line
from pipeline.publish.own_files import OwnFiles
from pipeline.publish.rows import DOCUMENTS, sheet_names
from pipeline.run.archive import Archive
from pipeline.run.export_formats import OutboxExport
from pipeline.run.forget import Forgetter
from pipeline.run.forget_selection import Vanished, named_documents, still_there, vanished_documents
from pipeline.run.job import Job, open_job
from pipeline.run.publisher import Publisher
from pipeline.run.trash_records import deletions, empty, request_emptying
from pipeline.run.undo_log import FOLDER, UndoLog, find_undo_log
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.values.times import utc_timestamp

LISTED = 20
"""Names that are listed before the question."""


@click.command("forget")
@click.argument("paths", nargs=-1, type=options.path_or_url)
@options.folders
@click.option("--prune", is_flag=True, help="Forget the documents whose files have vanished from the inbox.")
@click.option("--undo", is_flag=True, help="Bring back what the command took away: the last time, or the given ID.")
@click.option("--empty-trash", is_flag=True, help="Delete for good what people have deleted in the list of `pipeline serve`.")
@click.option("--yes", is_flag=True, help="Do not ask (for scripts).")
@options.as_json
def command(
    paths: tuple[options.PathOrUrl, ...],
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    prune: bool,
    undo: bool,
    empty_trash: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Take results back: the JSON, the rows in all tables, corrections, conversations, and what the ledger knows.

    PATHS are files or folders of the inbox, or names in the outbox. With --prune, they are the documents whose files have vanished
    from the inbox; files that `after: move` or `delete` took away do not count, nor those on a share that is not mounted. The files
    in the inbox are never touched. What goes is listed, and you are asked first. Everything is kept in outbox/.pipeline/forgotten,
    from where --undo brings it back as it was. An interrupted command is completed by the next one.

    \b
    Examples:
      pipeline forget inbox/test-scans
      pipeline forget letters/a.pdf
      pipeline forget --prune
      pipeline forget --undo
      pipeline forget --empty-trash
    """
    _check_arguments(paths, prune, undo, empty_trash)
    settings = options.read_settings(config, inbox=inbox, outbox=outbox)
    if empty_trash:
        _empty_trash(settings, yes=yes, as_json=as_json)
        return
    if not has_ledger(settings.outbox / STATE_FOLDER) and not settings.outbox_url:
        raise SettingsError(f"nothing was read into {settings.outbox_location} yet", "name the outbox with --outbox")
    with _open_forgetter(settings) as (forgetter, resumed):
        for log in resumed:
            echo(f"an interrupted command is completed: {log.id} is {log.state}", err=True)
        if undo and any(log.state == "undone" and (not paths or str(paths[0]) == log.id) for log in resumed):
            return
        if undo:
            log = find_undo_log(settings.outbox, str(paths[0]) if paths else None)
            names = forgetter.undo(log)
            _end(forgetter, log)
            _report({"restored": names, "id": log.id}, f"{plural(len(names), 'document')} brought back", as_json)
            return
        vanished = vanished_documents(forgetter.job) if prune else None
        records = vanished.records if vanished else named_documents(forgetter.job, paths, may_be_gone=bool(resumed))
        if not records:
            _report({"forgotten": [], "id": None}, _nothing(vanished), as_json)
            return
        if not as_json:
            _list(forgetter.job, records)
        _ask(records, vanished, yes=yes, quiet=as_json)
        log = forgetter.forget([record.source.name for record in records])
        _end(forgetter, log)
        names = [record.source.name for record in records]
        text = f"{plural(len(names), 'document')} forgotten; `pipeline forget --undo {log.id}` brings them back"
        _report({"forgotten": names, "id": log.id}, text, as_json)


def _empty_trash(settings: Settings, *, yes: bool, as_json: bool) -> None:
    """Delete for good what people have deleted in the list; also while `pipeline serve` runs."""
    waiting = [item for item in deletions(settings.outbox) if item.state == "deleted"]
    count = sum(len(item.names) for item in waiting)
    if count and not yes:
        try:
            if not click.confirm(f"Delete {plural(count, 'document')} for good?", default=False, err=as_json):
                echo("nothing was changed", err=as_json)
                raise click.exceptions.Exit(ExitCode.SOME_FAILED)
        except click.Abort:
            raise SettingsError("not confirmed", "add --yes where there is nobody to ask; nothing was changed") from None
    for item in request_emptying(settings.outbox, utc_timestamp()) if waiting else ():
        empty(settings.outbox, item)
    names = [name for item in waiting for name in item.names]
    text = f"{plural(count, 'document')} deleted for good" if count else "the trash is empty"
    _report({"deleted": names}, text, as_json)


def _check_arguments(paths: Sequence[options.PathOrUrl], prune: bool, undo: bool, empty_trash: bool) -> None:
    if empty_trash and (paths or prune or undo):
        raise SettingsError("--empty-trash takes nothing else", "name documents, or empty the trash, not both")
    if empty_trash:
        return
    if undo and (prune or len(paths) > 1):
        raise SettingsError(
            "--undo takes at most one ID, and nothing else", f"the IDs are the names in {STATE_FOLDER}/{FOLDER}"
        )
    if prune and paths:
        raise SettingsError("--prune takes no PATHS", "name paths, or use --prune, not both")
    if not (paths or prune or undo):
        raise SettingsError("nothing is named", "name files, folders or results, or use --prune or --undo; see --help")


@contextmanager
def _open_forgetter(settings: Settings) -> Iterator[tuple[Forgetter, list[UndoLog]]]:
    """What takes documents of the outbox back, whose lock is held. Interrupted commands are completed first; these are their logs."""

    def warn(message: str) -> None:
        echo(one_line(f"pipeline: {message}"), err=True)

    with open_job(settings, engine=EmbeddedEngine()) as job:
        if job.mirror:
            job.mirror.on_warning = warn
        for note in job.notes:
            warn(note)
        forgetter = Forgetter(job, Publisher(job, None, warn))
        resumed = forgetter.resume()
        for log in resumed:
            _end(forgetter, log)
        Archive(job, Warnings(warn)).catch_up(may_delete=False)
        yield forgetter, resumed


class Warnings(Observer):
    """Prints which files could not be given their names back."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn

    def file_not_archived(self, name: str, reason: str) -> None:
        """See Observer."""
        self._warn(f"{name}: {reason}")


def _list(job: Job, records: Sequence[FileRecord]) -> None:
    """Print what goes."""
    for record in records[:LISTED]:
        echo(
            one_line(
                f"  {record.source.name}  ({record.status or 'not read yet'}, {', '.join(record.recipes) or 'no template'})"
            )
        )
    if len(records) > LISTED:
        echo(f"  … and {len(records) - LISTED:,} more")
    corrected = sum(1 for record in records if _said(job, record, "corrections"))
    asked = sum(1 for record in records if _said(job, record, "orders"))
    if corrected or asked:
        echo(f"{plural(corrected, 'document')} with corrections, {asked:,} with conversations")
    if present := still_there(job, records):
        echo(f"{plural(len(present), 'file')} still in the inbox: the next run reads them again unless you move them away")


def _said(job: Job, record: FileRecord, table: str) -> bool:
    condition = " AND kind = 'question'" if table == "orders" else ""
    query = f"SELECT 1 FROM {table} WHERE sha256 = ?{condition} LIMIT 1"  # noqa: S608 - inserted are constants
    return any(job.ledger.rows(query, [record.published_sha256 or record.sha256]))


def _ask(records: Sequence[FileRecord], vanished: Vanished | None, *, yes: bool, quiet: bool) -> None:
    """Ask whether to go on. Raises SettingsError where that cannot be asked, Exit for a no."""
    warning = ""
    if vanished and vanished.most_are_gone:
        missing = len(vanished.records) + vanished.unreachable
        warning = (
            f"{missing:,} of {vanished.known:,} files are missing and {plural(vanished.present, 'file')} "
            f"{'is' if vanished.present == 1 else 'are'} in the inbox: it looks as if it were not mounted"
        )
    if yes:
        if warning:
            raise SettingsError(
                warning, "if the files are really gone, run it without --yes, or name them; nothing was changed"
            )
        return
    if warning:
        echo(f"WARNING: {warning}.", err=True)
    try:
        if click.confirm(f"Forget {plural(len(records), 'document')}?", default=False, err=quiet):
            return
    except click.Abort:
        raise SettingsError("not confirmed", "add --yes where there is nobody to ask; nothing was changed") from None
    echo("nothing was changed", err=quiet)
    raise click.exceptions.Exit(ExitCode.SOME_FAILED)


def _nothing(vanished: Vanished | None) -> str:
    if vanished and vanished.unreachable:
        files = plural(vanished.unreachable, "file")
        return f"nothing to forget; {files} not seen, whose folders are not there: is the share mounted?"
    return "nothing to forget"


def _report(content: dict[str, object], text: str, as_json: bool) -> None:
    echo_json(content) if as_json else echo(text)


# ---- other exports in the outbox ----------------------------------------------------------------


def _end(forgetter: Forgetter, log: UndoLog) -> None:
    """Write the exports in the outbox again, then record that the command is complete."""
    _write_exports(forgetter.job, log)
    forgetter.end(log)


def _write_exports(job: Job, log: UndoLog) -> None:
    """Write again what `pipeline export` has written into the outbox before. Files without any document go to the log."""
    outbox, ledger = job.outbox, job.ledger
    kinds = [kind for kind in ("xlsx", "sqlite", "parquet", "jsonl") if (outbox / f"{DOCUMENTS}.{kind}").exists()]
    truths = list(outbox.glob("*.truth.jsonl"))
    with_truth = bool(truths) or (log.state == "undoing" and any(log.folder.glob("*.truth.jsonl")))
    if not kinds and not with_truth:
        return
    with temporary_folder(outbox / STATE_FOLDER, outbox) as temporary:
        files = OwnFiles(ledger, outbox, lambda line: echo(one_line(f"pipeline: {line}"), err=True))
        accepted = job.settings.review.accepted_error
        export = OutboxExport([ledger], job.templates, outbox, ledger, files, accepted, temporary)
        written = [path for kind in kinds for path in export.write(kind)]
        if with_truth:
            written += write_truth([ledger], export)
    used = {template for file in ledger.published_files() for template in file.recipes}
    unused = [name for key, template in job.templates.items() if key not in used for name in sheet_names(template)]
    obsolete = [*truths, *(outbox / f"{name}.parquet" for name in unused if "parquet" in kinds)]
    removed = [path for path in obsolete if path not in written and path.exists()]
    for path in removed:
        path.replace(log.folder / path.name)
    if job.mirror:
        job.mirror.add_files(written)
        job.mirror.remove_files([path.name for path in removed])
