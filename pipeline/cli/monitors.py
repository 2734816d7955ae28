"""The monitoring of a command that reads documents: its log, metrics and progress file, beside what it prints."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from pipeline import __version__
from pipeline.cli.console import plural
from pipeline.cli.terminal import echo
from pipeline.errors import EngineUnavailableError, ExitCode, PipelineError, SettingsError, is_machine_fault
from pipeline.monitoring.events import Observers, RunCounts
from pipeline.monitoring.logs import RunLog, log_event, open_log
from pipeline.monitoring.progress import Progress
from pipeline.run.job import Job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from pipeline.values.times import format_duration

if TYPE_CHECKING:
    from pipeline.monitoring.metrics import RunMetrics


_LEVELS: dict[int, int] = {
    ExitCode.OK: logging.INFO,
    ExitCode.SOME_FAILED: logging.WARNING,
    ExitCode.INTERRUPTED: logging.WARNING,
}
"""Log level of the last line, by exit code; it is an error for all other codes."""


def monitoring_overrides(log_json: bool, metrics_port: int | None = None) -> dict[str, Any]:
    """The options ``--log-json`` and ``--metrics-port`` as overrides of the settings."""
    return {
        "log": {"json": True} if log_json else None,
        "metrics": {"port": metrics_port} if metrics_port is not None else None,
    }


class RunMonitor(Observers):
    """The observer of a run: ``counts``, the progress file, and the log and metrics if the settings ask for them."""

    def __init__(self, command: str, settings: Settings, counts: RunCounts, metrics: RunMetrics | None) -> None:
        self._command, self.counts, self._metrics = command, counts, metrics
        self.progress = Progress(command)
        self._log = RunLog() if settings.log.as_json or settings.log.file else None
        super().__init__(*filter(None, (counts, self._log, self.progress, metrics)))

    @contextmanager
    def observe(self, job: Job, loop: Loop, backlog: Callable[[], int] | None = None) -> Iterator[None]:
        """Monitor a run from the moment it holds the lock to its end. ``backlog`` returns how many files wait, for a watcher."""
        self.progress.backlog = backlog
        cluster = job.cluster
        self.progress.cluster = (lambda: cluster.status) if cluster else None
        log_event(logging.INFO, "engine_ready", engine=job.engine.identity)
        self.progress.begin(job.outbox, job.engine.identity)
        if self._metrics:
            depths: dict[str, Callable[[], float]] = {
                "files": lambda: self.progress.waiting,
                "pages": lambda: loop.in_flight[0],
                "units": lambda: loop.in_flight[1],
            }
            self._metrics.begin(self._command, job.engine.identity, depths)
            if cluster:
                self._metrics.add_cluster(lambda: cluster.status)
        try:
            yield
        except BaseException as error:
            self.progress.end(exit_code(error), _message(error))
            raise
        self.progress.end(ExitCode.OK)

    def signal_received(self, name: str) -> None:
        """Log a signal. A signal handler calls this."""
        if self._log:
            self._log.signal_received(name)


@contextmanager
def monitor_command(command: str, settings: Settings, counts: RunCounts, *, quiet: bool) -> Iterator[RunMonitor]:
    """Log a command from its start to its end, also when it ends with an error.

    If standard error is JSON, the error is its last line instead of text. If ``quiet``, a run with failures ends with one line of
    summary. Raises SettingsError when the log or the metrics cannot be opened.
    """
    _check_log_file(settings)
    started = time.monotonic()
    with open_log(settings.log, quiet=quiet), _serve_metrics(settings) as metrics:
        monitor = RunMonitor(command, settings, counts, metrics)
        log_event(
            logging.INFO,
            "run_started",
            command=command,
            version=__version__,
            pid=os.getpid(),
            inbox=settings.inbox_location,
            outbox=settings.outbox_location,
        )
        for line in settings.deprecations:
            log_event(logging.WARNING, "setting_renamed", detail=line)
        try:
            yield monitor
        except BaseException as error:
            code = exit_code(error)
            _log_end(monitor, code, time.monotonic() - started, error)
            if quiet and not settings.log.as_json and counts.documents:
                echo(run_summary(counts, time.monotonic() - started, code), err=True)
            if settings.log.as_json:
                raise click.exceptions.Exit(code) from error
            raise
        _log_end(monitor, ExitCode.OK, time.monotonic() - started)


def _check_log_file(settings: Settings) -> None:
    log = settings.log.file
    if log and log.resolve().is_relative_to(settings.inbox.resolve()):
        raise SettingsError(f"the log file {log} is inside the inbox", "choose another folder for `log.file`")


def _serve_metrics(settings: Settings) -> AbstractContextManager[RunMetrics | None]:
    if not settings.metrics.port:
        return nullcontext()
    from pipeline.monitoring.metrics import serve_metrics

    return serve_metrics(settings.metrics)


def _log_end(monitor: RunMonitor, code: int, seconds: float, error: BaseException | None = None) -> None:
    """Write the last line of the log."""
    monitor.heartbeat()  # logs a signal that came after the last heartbeat
    if isinstance(error, EngineUnavailableError):
        log_event(logging.ERROR, "engine_unavailable", detail=error.message, cure=error.cure or None)
    lines = "".join(traceback.format_exception(error)) if code == ExitCode.DEFECT and error else None
    log_event(
        _LEVELS.get(code, logging.ERROR),
        "run_ended",
        exit_code=code,
        documents=dict(monitor.counts.documents),
        units=dict(monitor.counts.units),
        pages=monitor.progress.pages,
        seconds=round(seconds, 3),
        error=_message(error),
        cure=(error.cure or None) if isinstance(error, PipelineError) else None,
        traceback=lines,
    )


def exit_code(error: BaseException) -> int:
    """The exit code that ``main`` gives an exception."""
    if isinstance(error, click.exceptions.Exit | PipelineError):
        return int(error.exit_code)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException | sqlite3.Error) or is_machine_fault(error):
        return ExitCode.USAGE
    return ExitCode.DEFECT


def _message(error: BaseException | None) -> str | None:
    if error is None or isinstance(error, click.exceptions.Exit):
        return None
    if isinstance(error, PipelineError):
        return error.message
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"


def run_summary(counts: RunCounts, seconds: float, code: int) -> str:
    """One line about a run: ``412 documents: 409 done, 3 failed; 12 min; exit 1``."""
    documents = counts.documents
    by_status = ", ".join(
        f"{documents[status]:,} {status}" for status in ("done", "partial", "failed", "skipped") if documents[status]
    )
    return f"{plural(documents.total(), 'document')}: {by_status}; {format_duration(seconds)}; exit {code}"
