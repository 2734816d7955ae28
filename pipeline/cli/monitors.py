"""Eyes on a run for the commands that read: log, metrics and progress, side by side with what is on the screen."""

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
from pipeline.errors import EngineUnavailableError, ExitCode, PipelineError, SettingsError
from pipeline.monitoring.events import Observers, RunCounts
from pipeline.monitoring.logs import RunLog, log_event, open_log
from pipeline.monitoring.progress import Progress
from pipeline.run.job import Job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from pipeline.values.times import format_duration

if TYPE_CHECKING:
    from pipeline.monitoring.metrics import Metrics


_LEVELS: dict[int, int] = {
    ExitCode.OK: logging.INFO,
    ExitCode.SOME_FAILED: logging.WARNING,
    ExitCode.INTERRUPTED: logging.WARNING,
}
"""Of the last line, by exit code; for all others it is an error."""


def overrides(log_json: bool, metrics_port: int | None = None) -> dict[str, Any]:
    """What the options say, for ``load_settings``."""
    return {
        "log": {"json": True} if log_json else None,
        "metrics": {"port": metrics_port} if metrics_port is not None else None,
    }


class Eyes(Observers):
    """The observer of a run: the ``tally``, which is the screen's, and all that the settings ask for."""

    def __init__(self, command: str, settings: Settings, tally: RunCounts, metrics: Metrics | None) -> None:
        self._command, self.tally, self._metrics = command, tally, metrics
        self.progress = Progress(command)
        self._log = RunLog() if settings.log.as_json or settings.log.file else None
        super().__init__(*filter(None, (tally, self._log, self.progress, metrics)))

    @contextmanager
    def on(self, job: Job, loop: Loop, backlog: Callable[[], int] | None = None) -> Iterator[None]:
        """Watch a run that holds the lock, to its end. ``backlog`` tells how many files wait, where ``found`` does not."""
        self.progress.backlog = backlog
        cluster = job.cluster
        self.progress.cluster = (lambda: cluster.told) if cluster else None
        log_event(logging.INFO, "engine_ready", engine=job.engine.identity)
        self.progress.begin(job.outbox, job.engine.identity)
        if self._metrics:
            depths: dict[str, Callable[[], float]] = {
                "files": lambda: self.progress.waiting,
                "pages": lambda: loop.under_way[0],
                "units": lambda: loop.under_way[1],
            }
            self._metrics.begin(self._command, job.engine.identity, depths)
            if cluster:
                self._metrics.watch(lambda: cluster.told)
        try:
            yield
        except BaseException as error:
            self.progress.end(exit_code(error), _message(error))
            raise
        self.progress.end(ExitCode.OK)

    def signal_received(self, name: str) -> None:
        """A signal asks the run to stop; called from its handler."""
        if self._log:
            self._log.signal_received(name)


@contextmanager
def monitored(command: str, settings: Settings, tally: RunCounts, *, quiet: bool) -> Iterator[Eyes]:
    """Log a command from its start to its end, whatever the end is.

    Where standard error is JSON, errors become its last line instead of text. Where it is ``quiet``, a run that did not go well ends
    with one line that sums it up. Raises SettingsError when the log or the metrics cannot be.
    """
    _check(settings)
    started = time.monotonic()
    with open_log(settings.log, quiet=quiet), _serving(settings) as metrics:
        eyes = Eyes(command, settings, tally, metrics)
        log_event(
            logging.INFO,
            "run_started",
            command=command,
            version=__version__,
            pid=os.getpid(),
            inbox=settings.inbox_location,
            outbox=settings.outbox_location,
        )
        try:
            yield eyes
        except BaseException as error:
            code = exit_code(error)
            _ended(eyes, code, time.monotonic() - started, error)
            if quiet and not settings.log.as_json and tally.documents:
                click.echo(summary(tally, time.monotonic() - started, code), err=True)
            if settings.log.as_json:
                raise click.exceptions.Exit(code) from error
            raise
        _ended(eyes, ExitCode.OK, time.monotonic() - started)


def _check(settings: Settings) -> None:
    log = settings.log.file
    if log and log.resolve().is_relative_to(settings.inbox.resolve()):
        raise SettingsError(f"the log file {log} lies inside the inbox", "choose another place for `log.file`")


def _serving(settings: Settings) -> AbstractContextManager[Metrics | None]:
    if not settings.metrics.port:
        return nullcontext()
    from pipeline.monitoring.metrics import serving

    return serving(settings.metrics)


def _ended(eyes: Eyes, code: int, seconds: float, error: BaseException | None = None) -> None:
    """The last line of a run."""
    eyes.heartbeat()  # a signal that nobody has told of yet
    if isinstance(error, EngineUnavailableError):
        log_event(logging.ERROR, "engine_unavailable", detail=error.message, cure=error.cure or None)
    lines = "".join(traceback.format_exception(error)) if code == ExitCode.DEFECT and error else None
    log_event(
        _LEVELS.get(code, logging.ERROR),
        "run_ended",
        exit_code=code,
        documents=dict(eyes.tally.documents),
        units=dict(eyes.tally.units),
        pages=eyes.progress.pages,
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
    if isinstance(error, click.ClickException | sqlite3.Error):
        return ExitCode.USAGE
    return ExitCode.DEFECT


def _message(error: BaseException | None) -> str | None:
    if error is None or isinstance(error, click.exceptions.Exit):
        return None
    if isinstance(error, PipelineError):
        return error.message
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"


def summary(tally: RunCounts, seconds: float, code: int) -> str:
    """One line about a run: ``412 documents: 409 done, 3 failed; 12 min; exit 1``."""
    documents = tally.documents
    told = ", ".join(
        f"{documents[status]:,} {status}" for status in ("done", "partial", "failed", "skipped") if documents[status]
    )
    return f"{plural(documents.total(), 'document')}: {told}; {format_duration(seconds)}; exit {code}"
