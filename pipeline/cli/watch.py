"""``pipeline watch``: the inbox as a service."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.console import one_line
from pipeline.cli.monitors import monitored, overrides
from pipeline.cli.run import check_inbox
from pipeline.cli.service_retry import PASSING, Pauses
from pipeline.cli.signals import graceful
from pipeline.intake.folder_watch import FolderWatcher
from pipeline.intake.poll import InboxPoller
from pipeline.intake.scan import InboxFile
from pipeline.monitoring.events import RecentMessages, RunCounts
from pipeline.publish.publication import Publication
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import Rescan
from pipeline.run.reread import Rereading
from pipeline.settings import load_settings


class _Lines(RunCounts):
    """A line a document; none where the log writes them."""

    def __init__(self, quiet: bool, logged: bool) -> None:
        super().__init__()
        self._quiet, self._logged = quiet, logged
        self._messages = RecentMessages()

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer; the same thing is said once."""
        if self._messages.add(name, reason) and not self._logged:
            click.echo(one_line(f"left for later: {name}: {reason}"), err=True)

    def warning(self, message: str) -> None:
        """See Observer."""
        if not self._logged:
            click.echo(f"pipeline: {message}", err=True)

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        super().document_published(publication)
        line = f"{publication.status}: {publication.source.name}"
        if publication.reason and not self._logged:
            click.echo(one_line(f"{line}: {publication.reason}: {publication.detail}"), err=True)
        elif not publication.reason and not self._quiet:
            click.echo(one_line(line))


def _at_eof(stop: Callable[[], None]) -> None:
    while os.read(0, 1024):  # a buffered read would hold a lock that the interpreter's end wants
        pass
    stop()


@click.command("watch")
@options.folders
@options.template
@options.engine
@options.model
@options.shard
@options.quiet
@options.log_json
@options.metrics_port
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input does: for a parent that may die.")
def command(
    config: Path | None,
    inbox: options.Place | None,
    outbox: options.Place | None,
    template: str | None,
    engine: str | None,
    model: str | None,
    executor: str | None,
    address: str | None,
    shard: str | None,
    quiet: bool,
    log_json: bool,
    metrics_port: int | None,
    until_eof: bool,
) -> None:
    """Read what is in the inbox and what comes into it, until stopped with Ctrl-C or SIGTERM.

    A file is read once it has not changed for a moment, so files that are copied slowly are never read half. Stopping finishes the
    pages in flight; a second signal stops at once. What was not read is read at the next start.
    """
    chosen = {"inbox": inbox, "outbox": outbox, "engine": engine, "model": model, **options.placed(executor, address, shard)}
    settings = load_settings(config, **chosen, **overrides(log_json, metrics_port))
    check_inbox(settings, ())
    logged = settings.log.as_json
    lines = _Lines(quiet or logged, logged)
    with (
        monitored("watch", settings, lines, quiet=quiet) as eyes,
        open_job(settings, template=template) as job,
        Loop(job, eyes, shelve=True) as loop,
    ):
        rescan = Rescan(job, eyes.file_skipped)

        def scan() -> list[InboxFile]:
            loop.flush()
            todo, known = rescan.look()
            loop.put_away(known)
            return todo

        intake = settings.intake
        watcher = (
            InboxPoller(scan, intake.poll_seconds)
            if job.objects
            else FolderWatcher(
                job.inbox,
                job.namer,
                scan,
                quiet=intake.unchanged_seconds,
                rescan=intake.rescan_seconds,
                observer=intake.change_detection,
                poll=intake.poll_seconds,
            )
        )
        pauses = Pauses(eyes.warning, lambda: loop.stopping)
        rereading = Rereading(job, eyes)

        def stop() -> None:
            loop.stopping = True
            rereading.stop()

        if until_eof:
            threading.Thread(target=_at_eof, args=(stop,), name="parent", daemon=True).start()

        for note in job.notes:
            eyes.warning(note)
        with graceful(stop, eyes.signal_received), watcher, eyes.on(job, loop, backlog=watcher.backlog):
            if not (quiet or logged):
                how = " by looking" if watcher.polling else ""
                click.echo(f"watching {settings.inbox_location}{how}, writing to {settings.outbox_location}; Ctrl-C ends it")
            while not loop.stopping:
                try:
                    if watcher.wait() and not loop.stopping:
                        loop.round(rereading.until_due(watcher.pending(lambda: loop.busy)))
                    loop.attend()
                    rereading.turn()
                    loop.tidy(now=False)
                    pauses.over()
                except PASSING as error:
                    pauses.wait(error)
                    watcher.request_scan()
            loop.tidy()
            if not (quiet or logged):
                click.echo("stopped")
