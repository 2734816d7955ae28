"""``pipeline watch``: the inbox as a service."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.pausing import PASSING, Pauses
from pipeline.cli.run import check_inbox
from pipeline.cli.signals import graceful
from pipeline.intake.scan import Found, scan_inbox
from pipeline.intake.watch import Watcher
from pipeline.publish.document import Publication
from pipeline.run.job import open_job
from pipeline.run.loop import Loop, only_new
from pipeline.run.observer import Tally
from pipeline.settings import load_settings

REMEMBERED = 1_000
"""Files left for later that were named already."""


class _Lines(Tally):
    """A line a document."""

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self._quiet = quiet
        self._said: dict[tuple[str, str], None] = {}

    def left(self, name: str, why: str) -> None:
        """See Observer; the same thing is said once."""
        if (name, why) not in self._said:
            self._said[name, why] = None
            click.echo(f"left for later: {name}: {why}", err=True)
        while len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]

    def trouble(self, what: str) -> None:
        """Something keeps the service from working for a while."""
        click.echo(f"pipeline: {what}", err=True)

    def document(self, publication: Publication) -> None:
        """See Observer."""
        super().document(publication)
        if publication.reason:
            click.echo(f"{publication.status}: {publication.source.name}: {publication.reason}: {publication.detail}", err=True)
        elif not self._quiet:
            click.echo(f"{publication.status}: {publication.source.name}")


@click.command("watch")
@options.folders
@options.template
@options.engine
@options.model
@options.quiet
def command(
    config: Path | None,
    inbox: Path | None,
    outbox: Path | None,
    template: str | None,
    engine: str | None,
    model: str | None,
    quiet: bool,
) -> None:
    """Read what is in the inbox and what comes into it, until stopped with Ctrl-C or SIGTERM.

    A file is read once it has not changed for a moment, so files that are copied slowly are never read half. Stopping finishes the
    pages in flight; a second signal stops at once. What was not read is read at the next start.
    """
    settings = load_settings(config, inbox=inbox, outbox=outbox, engine=engine, model=model)
    check_inbox(settings, ())
    lines = _Lines(quiet)
    with open_job(settings, template=template) as job, Loop(job, lines, shelve=True) as loop:

        def scan() -> list[Found]:
            todo, known = only_new(job, scan_inbox(job.inbox, job.namer, lines.left), job.ledger.known_files())
            loop.put_away(known)
            return todo

        intake = settings.intake
        watcher = Watcher(
            job.inbox,
            job.namer,
            scan,
            quiet=intake.quiet_seconds,
            rescan=intake.rescan_seconds,
            observer=intake.observer,
            poll=intake.poll_seconds,
        )
        pauses = Pauses(lines.trouble, lambda: loop.stopping)

        def stop() -> None:
            loop.stopping = True

        for note in job.notes:
            lines.trouble(note)
        with graceful(stop), watcher:
            if not quiet:
                how = " by looking" if watcher.polling else ""
                click.echo(f"watching {settings.inbox}{how}, writing to {settings.outbox}; Ctrl-C ends it")
            while not loop.stopping:
                try:
                    if watcher.wait() and not loop.stopping:
                        loop.round(watcher.pending(lambda: loop.busy))
                    loop.tidy(now=False)
                    pauses.over()
                except PASSING as error:
                    pauses.wait(error)
                    watcher.look_around()
            loop.tidy()
            if not quiet:
                click.echo("stopped")
