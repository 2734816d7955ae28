"""``pipeline run``: one pass over the inbox or the paths given."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from rich.console import Console

from pipeline.cli import options
from pipeline.cli.console import Screen, echo_json, one_line, plural, table
from pipeline.cli.monitors import Eyes, monitored, overrides
from pipeline.cli.signals import graceful
from pipeline.errors import ExitCode, SettingsError
from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import SettleTracker, settled_files
from pipeline.monitoring.events import HARMLESS_SKIP_REASONS, OUT_OF_TIME, STILL_BEING_WRITTEN
from pipeline.run.job import Job, open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import only_new
from pipeline.settings import Settings, load_settings


@click.command("run")
@click.argument("paths", nargs=-1, type=options.place)
@options.folders
@options.template
@options.engine
@options.model
@options.shard
@click.option("--ask", metavar="QUESTION", help='Ask every page a question, e.g. "What is the delivery date?".')
@click.option("--limit", type=click.IntRange(min=1), help="Read at most this many documents, then stop.")
@options.max_minutes
@options.quiet
@options.as_json
@options.log_json
@options.metrics_port
def command(
    paths: tuple[options.Place, ...],
    config: Path | None,
    inbox: options.Place | None,
    outbox: options.Place | None,
    template: str | None,
    engine: str | None,
    model: str | None,
    executor: str | None,
    address: str | None,
    shard: str | None,
    ask: str | None,
    limit: int | None,
    max_minutes: float | None,
    quiet: bool,
    as_json: bool,
    log_json: bool,
    metrics_port: int | None,
) -> None:
    """Read what is new in the inbox, then stop.

    PATHS (files or folders) are read where they lie instead of the inbox. Nothing is moved or deleted unless the settings say so
    (`after: move`). What was read before with the same template and engine is not read again; an interrupted run goes on where
    it was. Every file ends as outbox/<path>.json and as a row of outbox/<template>.csv.

    \b
    Examples:
      pipeline run
      pipeline run --template receipt --inbox ~/Scans/receipts
      pipeline run offer.pdf --ask "What is the delivery date?"
    """
    chosen = {"inbox": inbox, "outbox": outbox, "engine": engine, "model": model, **options.placed(executor, address, shard)}
    settings, until = load_settings(config, **chosen, **overrides(log_json, metrics_port)), options.until(max_minutes)
    check_inbox(settings, paths)
    screen = Screen(logged=settings.log.as_json)
    with (
        monitored("run", settings, screen, quiet=quiet) as eyes,
        open_job(settings, template=template, ask=ask) as job,
        Loop(job, eyes, shelve=not paths) as loop,
        eyes.on(job, loop),
    ):
        todo, known = only_new(job, job.scan(eyes.file_skipped, paths), job.known)
        loop.until = until
        read(job, loop, screen, eyes, todo, known, limit=limit, quiet=quiet or as_json)
        report(screen, settings, quiet=quiet, as_json=as_json)
        finish(loop, screen)


def check_inbox(settings: Settings, paths: Iterable[options.Place]) -> None:
    """Raises SettingsError when there is nothing to look into."""
    if not tuple(paths) and not settings.inbox_url and not settings.inbox.is_dir():
        raise SettingsError(f"there is no inbox at {settings.inbox}", "make it with `pipeline init`, or name one with --inbox")


def finish(loop: Loop, screen: Screen) -> None:
    """End with the exit code that fits what happened."""
    if loop.stopping:
        raise KeyboardInterrupt
    if not screen.all_done:
        raise click.exceptions.Exit(ExitCode.SOME_FAILED)


def read(
    job: Job,
    loop: Loop,
    screen: Screen,
    eyes: Eyes,
    todo: list[InboxFile],
    known: list[InboxFile],
    *,
    more: Iterable[InboxFile | None] = (),
    limit: int | None = None,
    quiet: bool,
) -> None:
    """One round over the files that are new, then over ``more``, with a progress bar, stoppable by signals."""
    quiet = quiet or job.settings.log.as_json
    for note in job.notes:
        eyes.warning(note)
    eyes.files_found(min(len(todo), limit or len(todo)), len(known))
    screen.known_failed = sum(job.known[str(found.source.path)].status in ("failed", "partial") for found in known)

    def stop() -> None:
        loop.stopping = True
        if not quiet:
            click.echo("stopping after the pages in flight; once more to stop now", err=True)

    intake = job.settings.intake
    left: list[InboxFile] = []
    quiet_seconds = 0 if job.objects else intake.unchanged_seconds  # objects are whole or not there
    settled = settled_files(todo, SettleTracker(quiet_seconds), intake.wait_seconds, left)
    with graceful(stop, eyes.signal_received), screen.bar(quiet):
        loop.round(itertools.chain(_limited(settled, limit), more))
        loop.put_away(known)
        loop.tidy()
    for found in left:
        eyes.file_skipped(found.source.name, STILL_BEING_WRITTEN)
    if loop.out_of_time and (unread := screen.to_read - sum(screen.documents.values())) > 0:
        eyes.file_skipped(plural(unread, "file"), OUT_OF_TIME)


def _limited(files: Iterator[InboxFile | None], limit: int | None) -> Iterator[InboxFile | None]:
    """At most so many files; those that did not settle do not count."""
    taken = 0
    while limit is None or taken < limit:
        try:
            found = next(files)
        except StopIteration:
            return
        taken += found is not None
        yield found


def _failed_before(screen: Screen) -> str:
    count = screen.known_failed
    return f"; {count:,} of them failed, see `pipeline status`" if count else ""


def report(screen: Screen, settings: Settings, *, quiet: bool, as_json: bool) -> None:
    """What was read and where it was written."""
    left = [{"file": name, "why": why} for name, why in screen.skipped_files]
    if as_json:
        echo_json(
            {
                "documents": dict(screen.documents),
                "units": dict(screen.units),
                "known": screen.known,
                "left_for_later": left,
                "left_more": screen.more_skipped_files,
                "outbox": settings.outbox_location,
                "read": screen.shown,
            }
        )
        return
    logged = settings.log.as_json
    for item in left:
        if not logged and not (quiet and item["why"] in HARMLESS_SKIP_REASONS):
            click.echo(one_line(f"left for later: {item['file']}: {item['why']}"), err=True)
    if screen.more_skipped_files and not logged:
        click.echo(f"left for later: {screen.more_skipped_files:,} more", err=True)
    if quiet and logged:
        return
    if quiet:
        for row in screen.failed:
            click.echo(one_line(f"{row['status']}: {row['file']}: {row['reason']}: {row['detail']}"), err=True)
        if (more := screen.documents["failed"] + screen.documents["partial"] - len(screen.failed)) > 0:
            click.echo(f"… and {more:,} more: pipeline status --failed --outbox {settings.outbox_location}", err=True)
        return
    total = sum(screen.documents.values())
    if not total and left:
        click.echo(f"nothing read: {plural(len(left), 'file')} left for later, {plural(screen.known, 'file')} up to date")
        return
    if not total:
        click.echo(
            f"nothing to do: {plural(screen.known, 'file')} known and up to date in {settings.outbox_location}{_failed_before(screen)}"
        )
        return
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table(screen))
    if total > len(screen.shown):
        click.echo(f"… and {total - len(screen.shown):,} more")
    told = ", ".join(f"{count:,} {status}" for status, count in sorted(screen.documents.items()))
    click.echo(f"\n{plural(total, 'document')} ({told}); {plural(screen.known, 'file')} known before.")
    if screen.failed:
        click.echo(f"What to do about those that failed: pipeline status --outbox {settings.outbox_location}")
    click.echo(f"Written to {settings.outbox_location}/: a JSON file a document, a CSV file a template, and documents.csv.")
