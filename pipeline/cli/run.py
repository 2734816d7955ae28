"""``pipeline run``: read the new files of the inbox, or the given paths, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from pipeline.backoff import retry_store_call
from pipeline.cli import options
from pipeline.cli.answers import DocumentAnswer, answers_table, document_answers
from pipeline.cli.console import TABLE_ROWS, RunScreen, TerminalConsole, documents_table, plural
from pipeline.cli.monitors import RunMonitor, monitor_command, monitoring_overrides
from pipeline.cli.signals import stop_on_signals
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import ExitCode, SettingsError
from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import SettleTracker, settled_files
from pipeline.monitoring.events import ABOVE_LIMIT, GONE, OUT_OF_TIME, STILL_BEING_WRITTEN
from pipeline.printable import one_line
from pipeline.publish.publication import Publication
from pipeline.remote.mail_inbox import is_mail_inbox
from pipeline.run.changed_files import ChangedFiles
from pipeline.run.compose import compose
from pipeline.run.file_documents import document_publications
from pipeline.run.job import Job, open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.templates.schema_template import read_schema_text


@click.command("run")
@click.argument("paths", nargs=-1, type=options.path_or_url)
@options.folders
@options.template
@options.schema
@options.engine
@options.model
@options.shard
@click.option(
    "--ask",
    metavar="QUESTION",
    multiple=True,
    help='Answer a question about every page, e.g. "What is the delivery date?". May be given several times.',
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Read at most this many documents, then stop; exit code 1 if files are left."
)
@options.max_minutes
@options.quiet
@options.as_json
@options.log_json
@options.metrics_port
def command(
    paths: tuple[options.PathOrUrl, ...],
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    template: str | None,
    schema: Path | None,
    engine: str | None,
    model: str | None,
    executor: str | None,
    address: str | None,
    shard: str | None,
    ask: tuple[str, ...],
    limit: int | None,
    max_minutes: float | None,
    quiet: bool,
    as_json: bool,
    log_json: bool,
    metrics_port: int | None,
) -> None:
    """Read the new documents in the inbox, then stop.

    With PATHS (files or folders), these are read instead of the inbox, and stay where they are. Files of the inbox are moved or
    deleted only if the settings say so (`after: move`). A document that was read before with the same template and engine is not
    read again, so an interrupted run continues when you start it again. Each document becomes outbox/<path>.json and a row of
    outbox/<template>.csv.

    \b
    Examples:
      pipeline run
      pipeline run --template receipt --inbox ~/Scans/receipts
      pipeline run --schema order.schema.json orders/
      pipeline run offer.pdf --ask "What is the delivery date?" --ask "Who delivers?"
    """
    overrides = {
        "inbox": inbox,
        "outbox": outbox,
        "engine": engine,
        "model": model,
        **options.cluster_overrides(executor, address, shard),
    }
    deadline = options.deadline_after(max_minutes)
    settings = options.read_settings(config, **overrides, **monitoring_overrides(log_json, metrics_port))
    check_inbox(settings, paths)
    schema_text = read_schema_text(schema) if schema else None
    screen = RunScreen(logs_to_stderr=settings.log.as_json)
    with (
        monitor_command("run", settings, screen, quiet=quiet) as monitor,
        open_job(settings, template=template, ask=ask, schema=schema_text) as job,
        Loop(job, monitor, archive_files=not paths) as loop,
        monitor.observe(job, loop),
    ):
        todo, known = split_up_to_date(job, _listed(job, monitor, paths), job.file_records)
        if not paths and loop.recognise_moves(todo, known):
            todo, known = split_up_to_date(job, [*todo, *known], job.file_records)
        if not paths:
            todo += ChangedFiles(job).changed()
        loop.until = deadline
        screen.find_answers = partial(_answers, job)
        for file in known if ask else ():
            screen.answers += _known_answers(job, file)
        read_files(job, loop, screen, monitor, todo, known, limit=limit, quiet=quiet or as_json)
        print_report(screen, settings, quiet=quiet, as_json=as_json)
        exit_with_result(loop, screen)


def _listed(job: Job, monitor: RunMonitor, paths: Sequence[options.PathOrUrl]) -> Iterable[InboxFile]:
    """The files of the inbox; a mailbox that does not answer is asked again for ``intake.wait_seconds``."""
    if not is_mail_inbox(job.objects):
        return job.scan(monitor.file_skipped, paths)
    return retry_store_call(lambda: list(job.scan(monitor.file_skipped, paths)), job.settings.intake.wait_seconds)


def _answers(job: Job, publication: Publication) -> list[DocumentAnswer]:
    """The answers of a document, or of each of the documents that a file holds, to the questions of this run."""
    documents = document_publications(job, publication) if job.questions else []
    return [answer for document in documents or [publication] for answer in document_answers(document, job.questions)]


def _known_answers(job: Job, file: InboxFile) -> list[DocumentAnswer]:
    """The same of a file that was asked the same before and has not changed since."""
    record = job.file_records[str(file.source.path)]
    document = job.ledger.document(record.sha256, stale=True)
    if document is None:
        return []
    accepted = job.settings.review.accepted_error
    return _answers(job, compose(job.ledger, job.templates, file.source, document, record.recipes, accepted))


def check_inbox(settings: Settings, paths: Iterable[options.PathOrUrl]) -> None:
    """Raises SettingsError when there is neither a path nor an inbox."""
    if not tuple(paths) and not settings.inbox_url and not settings.inbox.is_dir():
        raise SettingsError(
            f"there is no inbox at {settings.inbox}", "create one with `pipeline init`, or name one with --inbox"
        )


def exit_with_result(loop: Loop, screen: RunScreen) -> None:
    """Raise what ends the command with the right exit code: interrupted, or some documents failed or were left, or tables are not
    written."""
    if loop.stopping:
        raise KeyboardInterrupt
    if not screen.all_done or loop.publisher.unwritten or loop.publisher.unpublished:
        raise click.exceptions.Exit(ExitCode.SOME_FAILED)


def read_files(
    job: Job,
    loop: Loop,
    screen: RunScreen,
    monitor: RunMonitor,
    todo: list[InboxFile],
    known: list[InboxFile],
    *,
    limit: int | None = None,
    quiet: bool,
) -> None:
    """Read the files ``todo`` with a progress bar. A signal stops it. ``known`` files are up to date and only counted."""
    quiet = quiet or job.settings.log.as_json
    for note in job.notes:
        monitor.warning(note)
    monitor.files_found(min(len(todo), limit or len(todo)), len(known))
    screen.known_failed = sum(job.file_records[str(file.source.path)].status in ("failed", "partial") for file in known)

    def stop() -> None:
        loop.stopping = True
        if not quiet:
            echo("stopping after the pages in work; press again to stop at once", err=True)

    intake = job.settings.intake
    unsettled: list[InboxFile] = []
    gone: list[InboxFile] = []
    unchanged_seconds = 0 if job.objects else intake.unchanged_seconds  # an object in a store is always complete
    wait_seconds = max(intake.wait_seconds, unchanged_seconds)  # a file that no longer changes settles within this time
    settled = settled_files(todo, SettleTracker(unchanged_seconds), wait_seconds, unsettled, gone, lambda: loop.busy)
    unread_before = screen.unread
    with stop_on_signals(stop, monitor.signal_received), screen.progress_bar(quiet):
        loop.round(_limited(settled, limit))
        loop.publisher.archive_published(known)
        loop.publisher.tidy()
    for files, reason in ((unsettled, STILL_BEING_WRITTEN), (gone, GONE)):
        for file in files:
            monitor.file_skipped(file.source.name, reason)
    unread = screen.to_read - screen.documents.total() - (screen.unread - unread_before)
    if loop.out_of_time and unread > 0:
        monitor.file_skipped(plural(unread, "file"), OUT_OF_TIME)
    if limit and len(todo) > limit:
        monitor.file_skipped(plural(len(todo) - limit, "file"), ABOVE_LIMIT)


def _limited(files: Iterator[InboxFile | None], limit: int | None) -> Iterator[InboxFile | None]:
    """The first ``limit`` files. None, which means that no file is ready yet, is passed on and not counted."""
    count = 0
    while limit is None or count < limit:
        try:
            file = next(files)
        except StopIteration:
            return
        count += file is not None
        yield file


def _failed_before(screen: RunScreen) -> str:
    count = screen.known_failed
    return f"; {count:,} of them failed, see `pipeline status`" if count else ""


def print_report(screen: RunScreen, settings: Settings, *, quiet: bool, as_json: bool) -> None:
    """Print what was read and where it was written."""
    skipped = [{"file": name, "why": why} for name, why in screen.skipped_files]
    logs_to_stderr = settings.log.as_json
    for item in skipped:
        if not logs_to_stderr:
            echo(one_line(f"left for later: {item['file']}: {item['why']}"), err=True)
    if screen.more_skipped_files and not logs_to_stderr:
        echo(f"left for later: {screen.more_skipped_files:,} more", err=True)
    if as_json:
        echo_json(
            {
                "documents": dict(screen.documents),
                "containers": dict(screen.containers),
                "units": dict(screen.units),
                "known": screen.known,
                "renamed": screen.renamed,
                "left_for_later": skipped,
                "left_more": screen.more_skipped_files,
                "outbox": settings.outbox_location,
                "read": screen.rows,
                **({"answers": [answer.as_json() for answer in screen.answers]} if screen.answers else {}),
            }
        )
        return
    if quiet and logs_to_stderr:
        return
    if quiet:
        for row in screen.failed_rows:
            echo(one_line(f"{row['status']}: {row['file']}: {row['reason']}: {row['detail']}"), err=True)
        if (more := screen.documents["failed"] + screen.documents["partial"] - len(screen.failed_rows)) > 0:
            echo(f"… and {more:,} more: pipeline status --failed --outbox {settings.outbox_location}", err=True)
        return
    if screen.renamed:
        echo(f"{plural(screen.renamed, 'file')} renamed or moved in the inbox: the results have the new names.")
    if screen.answers:
        _print_answers(screen)
    total = sum(screen.documents.values())
    if not total and skipped:
        echo(f"nothing read: {plural(len(skipped), 'file')} left for later, {plural(screen.known, 'file')} up to date")
        return
    if not total:
        echo(f"nothing to do: {plural(screen.known, 'file')} up to date in {settings.outbox_location}{_failed_before(screen)}")
        return
    _console().print(documents_table(screen))
    if total > len(screen.rows):
        echo(f"… and {total - len(screen.rows):,} more")
    by_status = ", ".join(f"{count:,} {status}" for status, count in sorted(screen.documents.items()))
    echo(f"\n{plural(total, 'document')} ({by_status}); {plural(screen.known, 'file')} known before.")
    if screen.failed_rows:
        echo(f"What to do about the failed ones: pipeline status --outbox {settings.outbox_location}")
    echo(f"Written to {settings.outbox_location}/: one JSON file per document, one CSV file per template, and documents.csv.")


def _print_answers(screen: RunScreen) -> None:
    _console().print(answers_table(screen.answers[:TABLE_ROWS]))
    if (more := len(screen.answers) - TABLE_ROWS) > 0:
        echo(f"… and {more:,} more answers: ask with --json to have them all")
    echo("")


def _console() -> TerminalConsole:
    console = TerminalConsole()
    if not console.is_terminal:
        console.width = 120
    return console
