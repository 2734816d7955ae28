"""``pipeline watch``: read the inbox and every file that arrives in it, as a service."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.monitors import monitor_command, monitoring_overrides
from pipeline.cli.run import check_inbox
from pipeline.cli.service_retry import ServicePauses, is_temporary
from pipeline.cli.signals import stop_on_signals
from pipeline.cli.terminal import echo_if_possible
from pipeline.intake.folder_watch import FolderWatcher
from pipeline.intake.inbox_poll import InboxPoller
from pipeline.intake.scan import InboxFile
from pipeline.monitoring.events import RecentMessages, RunCounts
from pipeline.printable import one_line
from pipeline.publish.publication import Publication
from pipeline.remote.mail_notices import MailNotices
from pipeline.run.answer_progress import AnswerProgress
from pipeline.run.changed_files import ChangedFiles
from pipeline.run.chat_server import chat_server
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import InboxScanner
from pipeline.run.reread_orders import RereadOrders
from pipeline.run.trash import Trash
from pipeline.settings import Settings


class _DocumentLines(RunCounts):
    """Prints one line per document, unless the log uses standard error."""

    def __init__(self, quiet: bool, logs_to_stderr: bool) -> None:
        super().__init__()
        self._quiet, self._logs_to_stderr = quiet, logs_to_stderr
        self._messages = RecentMessages()

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer. A message that repeats is printed once."""
        if self._messages.add(name, reason) and not self._logs_to_stderr:
            echo_if_possible(one_line(f"left for later: {name}: {reason}"), err=True)

    def warning(self, message: str) -> None:
        """See Observer."""
        if not self._logs_to_stderr:
            echo_if_possible(one_line(f"pipeline: {message}"), err=True)

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        super().document_published(publication)
        line = f"{publication.status}: {publication.source.name}"
        if publication.reason and not self._logs_to_stderr:
            echo_if_possible(one_line(f"{line}: {publication.reason}: {publication.detail}"), err=True)
        elif not publication.reason and not self._quiet:
            echo_if_possible(one_line(line))


def _stop_at_eof(stop: Callable[[], None]) -> None:
    """Call ``stop`` when standard input ends."""
    while os.read(0, 1024):  # a buffered read would hold a lock that the interpreter needs at its exit
        pass
    stop()


def mail_notices(settings: Settings, poller: InboxPoller) -> AbstractContextManager[object]:
    """Let the server of a mailbox say when messages arrive; nothing for another inbox. Lists are rarer while notices come."""
    if not settings.is_mailbox:
        return nullcontext()
    intake = settings.intake

    def on_state(comes: bool) -> None:
        poller.polling = not comes
        poller.seconds = max(intake.rescan_seconds, intake.poll_seconds) if comes else intake.poll_seconds

    return MailNotices(settings, poller.request_scan, on_state)


@click.command("watch")
@options.folders
@options.template
@options.engine
@options.model
@options.shard
@options.quiet
@options.log_json
@options.metrics_port
@click.option(
    "--until-eof",
    is_flag=True,
    hidden=True,
    help="Stop at the end of standard input, to end together with the parent process.",
)
@click.option(
    "--chat-socket",
    type=click.Path(path_type=Path),
    hidden=True,
    help="Unix socket on which the parent process asks the model.",
)
def command(
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
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
    chat_socket: Path | None,
) -> None:
    """Read the inbox and every file that arrives in it, until stopped with Ctrl-C or SIGTERM.

    A file is read once it has stopped changing, so a file that is copied slowly is never read half. The first signal lets the pages
    in work finish; a second one stops at once. The next start continues with the files that are left.
    """
    overrides = {
        "inbox": inbox,
        "outbox": outbox,
        "engine": engine,
        "model": model,
        **options.cluster_overrides(executor, address, shard),
    }
    settings = options.read_settings(config, **overrides, **monitoring_overrides(log_json, metrics_port))
    check_inbox(settings, ())
    logs_to_stderr, progress = settings.log.as_json, AnswerProgress()
    lines = _DocumentLines(quiet or logs_to_stderr, logs_to_stderr)
    with (
        monitor_command("watch", settings, lines, quiet=quiet) as monitor,
        open_job(settings, template=template) as job,
        chat_server(chat_socket, job, progress) as chats,
        Loop(job, monitor, archive_files=True, chats=chats, progress=progress) as loop,
    ):
        scanner = InboxScanner(job, monitor.file_skipped, loop.recognise_moves)

        def scan() -> list[InboxFile]:
            loop.publisher.tidy(now=False)
            loop.publisher.catch_up()
            todo, known = scanner.scan()
            loop.publisher.archive_published(known)
            return todo

        intake = settings.intake
        watcher = (
            InboxPoller(scan, intake.poll_seconds)
            if job.objects
            else FolderWatcher(
                job.inbox,
                job.outbox_names,
                scan,
                quiet=intake.unchanged_seconds,
                rescan=intake.rescan_seconds,
                observer=intake.change_detection,
                poll=intake.poll_seconds,
            )
        )
        if isinstance(watcher, FolderWatcher):
            watcher.on_ready = loop.recognise_moves
            if chats:
                chats.on_submit = watcher.wake
        pauses = ServicePauses(monitor.warning, lambda: loop.stopping)
        reread_orders, trash = RereadOrders(job, monitor), Trash(job, loop.publisher)
        changed_files = ChangedFiles(job, intake.unchanged_seconds, intake.rescan_seconds)

        def is_interrupted() -> bool:
            return reread_orders.is_waiting() or trash.is_waiting()

        def stop() -> None:
            loop.stopping = True
            reread_orders.stop()

        if until_eof:
            threading.Thread(target=_stop_at_eof, args=(stop,), name="parent", daemon=True).start()

        for note in job.notes:
            monitor.warning(note)
        notices = mail_notices(job.settings, watcher) if isinstance(watcher, InboxPoller) else nullcontext()
        with (
            stop_on_signals(stop, monitor.signal_received),
            watcher,
            notices,
            monitor.observe(job, loop, backlog=watcher.backlog),
        ):
            if not (quiet or logs_to_stderr):
                how = " by polling" if watcher.polling and not settings.is_mailbox else ""
                echo_if_possible(
                    f"watching {settings.inbox_location}{how}, writing to {settings.outbox_location}; Ctrl-C ends it"
                )
            trash.carry_out()  # what a crash has interrupted, before files are looked for
            published = 0
            while not loop.stopping:
                try:
                    if (watcher.wait() or (chats and chats.waiting)) and not loop.stopping:
                        loop.round(watcher.pending(lambda: loop.busy), is_interrupted)
                        if is_interrupted():  # documents that are not finished come again
                            watcher.request_scan()
                    if changed := changed_files.settled():
                        loop.round(changed)
                    loop.answer_questions()
                    reread_orders.carry_out()
                    trash.carry_out()
                    loop.publisher.tidy(now=False)
                    pauses.reset()
                except Exception as error:
                    if not is_temporary(error):
                        raise
                    if lines.documents.total() > published:  # it has worked since the last error
                        pauses.reset()
                    published = lines.documents.total()
                    pauses.wait(error)
                    watcher.request_scan()
            loop.publisher.tidy()
            if not (quiet or logs_to_stderr):
                echo_if_possible("stopped")
