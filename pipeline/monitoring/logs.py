"""The events of a run as log lines: JSON or text, on standard error or in a file with rotation.

Python's ``logging`` does the work. An event is a name and fields. Every event is exactly one line, also where a file's name holds
line breaks: JSON escapes all but ASCII, text escapes what is not printable.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import Any, cast

from pipeline.errors import SettingsError
from pipeline.monitoring.events import Observer, RecentMessages
from pipeline.printable import one_line
from pipeline.publish.publication import Publication
from pipeline.records import Result, Source
from pipeline.settings_sections import LogSettings
from pipeline.values.times import format_timestamp

LOGGER = logging.getLogger("pipeline")
"""Other modules log through its children: ``getLogger(__name__).info(event, extra={"fields": {…}})``."""
LOGGER.addHandler(logging.NullHandler())
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
MEGABYTE = 1_000_000


def log_event(level: int, event: str, at: float | None = None, **fields: Any) -> None:
    """Write one line: the event's name and its fields. Fields that are None are left out.

    ``level`` is one of ``logging``'s. ``at`` is the time in seconds since 1970, by default now.
    """
    LOGGER.log(level, event, extra={"fields": fields, "at": at or time.time()})


@contextmanager
def open_log(log: LogSettings, *, quiet: bool = False) -> Iterator[None]:
    """Write the log as the settings say. ``quiet`` keeps lines below warnings off standard error; the file still has them.

    Raises SettingsError when the log file cannot be written.
    """
    handlers: list[logging.Handler] = []
    if log.as_json:
        stderr = logging.StreamHandler(sys.stderr)
        stderr.setLevel(logging.WARNING if quiet else LEVELS[log.level])
        handlers.append(stderr)
    if log.file:
        handlers.append(_open_file(log))
    before = LOGGER.level, LOGGER.propagate
    for handler in handlers:
        handler.setFormatter(_Json() if log.as_json else _Text())
        LOGGER.addHandler(handler)
    LOGGER.setLevel(LEVELS[log.level] if handlers else logging.CRITICAL + 1)
    LOGGER.propagate = False
    try:
        yield
    finally:
        for handler in handlers:
            LOGGER.removeHandler(handler)
            handler.close()
        LOGGER.setLevel(before[0])
        LOGGER.propagate = before[1]


def _open_file(log: LogSettings) -> logging.Handler:
    assert log.file is not None  # noqa: S101 - the caller checks it
    try:
        log.file.parent.mkdir(parents=True, exist_ok=True)
        return _File(log.file, maxBytes=int(log.megabytes * MEGABYTE), backupCount=log.keep, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"the log file {log.file} cannot be written: {error.strerror or error}",
            "check that you may write there, or name another one with `log.file` in the settings",
        ) from error


class _File(RotatingFileHandler):
    """A log file that reports only its first failure, in one line. A full disk does not stop the run."""

    _failed = False
    _mode = 0o600
    """Names of documents and what is wrong with them are for the owner. A mode that the owner gave the file stays when it is rotated."""

    def _open(self) -> TextIOWrapper:
        """The file opened for appending; see FileHandler."""

        def opener(name: str, flags: int) -> int:
            return os.open(name, flags, self._mode)

        stream = open(self.baseFilename, self.mode, encoding=self.encoding, opener=opener)  # noqa: SIM115
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        if self._mode & ~mode & 0o044 and not stream.tell():  # a new file, after the umask
            os.fchmod(stream.fileno(), self._mode)
        else:
            self._mode = mode
        return cast(TextIOWrapper, stream)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of the base class
        """Print once that lines are lost."""
        del record
        if not self._failed:
            self._failed = True
            line = f"pipeline: the log file {self.baseFilename} cannot be written: {sys.exc_info()[1]}"
            print(one_line(line), file=sys.stderr)

    def close(self) -> None:
        """Close the file, also when its last lines cannot be written."""
        with suppress(OSError):
            super().close()


def _line(record: logging.LogRecord) -> dict[str, Any]:
    """The contents of a line. Records of other libraries have no event; they have a message."""
    at = datetime.fromtimestamp(getattr(record, "at", record.created), UTC)
    line = {"ts": format_timestamp(at), "level": record.levelname.lower()}
    fields = getattr(record, "fields", None)
    if fields is None:
        return {**line, "event": "message", "logger": record.name, "message": record.getMessage()}
    return {**line, "event": record.getMessage(), **{name: value for name, value in fields.items() if value is not None}}


class _Json(logging.Formatter):
    """One JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line in ASCII: it holds no control character that a terminal would obey."""
        return json.dumps(_line(record), default=str)


class _Text(logging.Formatter):
    """Time, level, event, then the fields as ``name=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; values with blanks are in quotes."""
        line = _line(record)
        head = f"{line.pop('ts')} {line.pop('level').upper():<7} {line.pop('event')}"
        return " ".join([head, *(f"{name}={_value(value)}" for name, value in line.items())])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(one_line(f"{key}:{count}") for key, count in value.items()) or "-"
    text = str(value)
    if text and text.isprintable() and not set(text) & set(' "='):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


class RunLog(Observer):
    """Writes the events of a run to the log: failures and documents at level info or above, single pages at level debug."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        """Names of the files that are being read, by the hash of their contents."""
        self._messages = RecentMessages()
        self._signal: tuple[float, str] | None = None

    def signal_received(self, name: str) -> None:
        """Remember a signal until the next ``heartbeat``. A signal handler must not write: it may interrupt another write."""
        self._signal = (time.time(), name)

    def heartbeat(self) -> None:
        """See Observer."""
        if self._signal:
            (at, name), self._signal = self._signal, None
            log_event(logging.INFO, "signal", at, signal=name)

    def files_found(self, documents: int, known: int) -> None:
        """See Observer."""
        log_event(logging.INFO, "files_found", to_read=documents, known=known)

    def file_started(self, source: Source, sha256: str) -> None:
        """See Observer."""
        self._names[sha256] = source.name
        log_event(logging.INFO, "file_started", file=source.name, sha256=sha256)

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        log_event(
            logging.INFO if result.status == "failed" else logging.DEBUG,
            "unit_finished",
            file=self._names.get(result.key.sha256),
            page=result.key.page,
            template=result.key.template,
            status=result.status,
            reason=result.reason,
            detail=result.detail or None,
            source=result.source,
            seconds=result.seconds,
        )

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        self._names.pop(publication.document.sha256, None)
        reason = publication.reason
        log_event(
            logging.WARNING if reason else logging.INFO,
            "document_published",
            file=publication.source.name,
            status=publication.status,
            reason=reason,
            detail=publication.detail if reason else None,
            template=" ".join(publication.recipes) or None,
            pages=publication.document.pages,
            seconds=round(sum(unit.seconds for unit in publication.units), 3),
        )

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        self._names = {sha256: started for sha256, started in self._names.items() if started != name}
        if self._messages.add(name, reason):
            log_event(logging.WARNING, "file_skipped", file=name, detail=reason)

    def file_ignored(self, name: str, reason: str) -> None:
        """See Observer."""
        if self._messages.add(name, reason):
            log_event(logging.WARNING, "file_ignored", file=name, detail=reason)

    def file_renamed(self, before: str, name: str) -> None:
        """See Observer."""
        log_event(logging.INFO, "file_renamed", file=name, before=before)

    def file_archived(self, name: str, place: str) -> None:
        """See Observer."""
        log_event(logging.INFO, "file_archived", file=name, place=place or "deleted")

    def file_not_archived(self, name: str, reason: str) -> None:
        """See Observer."""
        if self._messages.add(name, reason):
            log_event(logging.WARNING, "file_not_archived", file=name, detail=reason)

    def reader_lost(self, name: str, page: int, reason: str) -> None:
        """See Observer."""
        log_event(logging.WARNING, "reader_lost", file=name, page=page, detail=reason)

    def warning(self, message: str) -> None:
        """See Observer."""
        log_event(logging.WARNING, "warning", detail=message)
