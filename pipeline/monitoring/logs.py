"""What happens in a run as log lines, JSON or text, on standard error or in a file with rotation; standard logging underneath.

An event is a name and fields. Whatever a file is called, its line stays one line: JSON escapes all but ASCII, text all that is not
printable.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import Any

from pipeline.errors import SettingsError
from pipeline.monitoring.events import MERELY_WAITS, Observer, Once
from pipeline.publish.publication import Publication
from pipeline.records import Result, Source
from pipeline.settings import Log

LOGGER = logging.getLogger("pipeline")
"""Modules that have something to say on their own use its children: ``getLogger(__name__).info(event, extra={"fields": {…}})``."""
LOGGER.addHandler(logging.NullHandler())
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
MEGABYTE = 1_000_000


def tell(level: int, event: str, at: float | None = None, **fields: Any) -> None:
    """One line: a level of ``logging``, the event's name, its fields (None is left out). ``at`` is when, if not now."""
    LOGGER.log(level, event, extra={"fields": fields, "at": at or time.time()})


@contextmanager
def logging_to(log: Log, *, quiet: bool = False) -> Iterator[None]:
    """Write lines as the settings say. ``quiet`` keeps all but warnings off standard error, not out of the file.

    Raises SettingsError when the log file cannot be written.
    """
    handlers: list[logging.Handler] = []
    if log.as_json:
        screen = logging.StreamHandler(sys.stderr)
        screen.setLevel(logging.WARNING if quiet else LEVELS[log.level])
        handlers.append(screen)
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


def _open_file(log: Log) -> logging.Handler:
    assert log.file is not None  # noqa: S101 - asked by the caller
    try:
        log.file.parent.mkdir(parents=True, exist_ok=True)
        return _File(log.file, maxBytes=int(log.megabytes * MEGABYTE), backupCount=log.keep, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"the log file {log.file} cannot be written: {error.strerror or error}",
            "check that you may write there, or name another one with `log.file` in the settings",
        ) from error


class _File(RotatingFileHandler):
    """A file that fails once in words rather than with a traceback for every line: a full disk is no reason to stop reading."""

    _failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class calls it so
        """Say once that lines are lost."""
        del record
        if not self._failed:
            self._failed = True
            print(f"pipeline: the log file {self.baseFilename} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)

    def close(self) -> None:
        """Close it, also where its last lines cannot be written."""
        with suppress(OSError):
            super().close()


def _line(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says; records of libraries that know no events have a message instead."""
    at = datetime.fromtimestamp(getattr(record, "at", record.created), UTC)
    line = {"ts": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "level": record.levelname.lower()}
    fields = getattr(record, "fields", None)
    if fields is None:
        return {**line, "event": "message", "logger": record.name, "message": record.getMessage()}
    return {**line, "event": record.getMessage(), **{name: value for name, value in fields.items() if value is not None}}


class _Json(logging.Formatter):
    """One JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """In ASCII, so that no terminal and no line reader finds control characters in it."""
        return json.dumps(_line(record), default=str)


class _Text(logging.Formatter):
    """Time, level, event, then the fields as ``name=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Values with blanks in quotes."""
        line = _line(record)
        head = f"{line.pop('ts')} {line.pop('level').upper():<7} {line.pop('event')}"
        return " ".join([head, *(f"{name}={_value(value)}" for name, value in line.items())])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}:{count}" for key, count in value.items()) or "-"
    text = str(value)
    if text and text.isprintable() and not set(text) & set(' "='):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


class RunLog(Observer):
    """Tells the log what the loop tells: failures and whole documents as they come, single pages only at debug."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        """Of files under way, by the hash of their contents."""
        self._said = Once()
        self._signal: tuple[float, str] | None = None

    def signalled(self, name: str) -> None:
        """Remember a signal for the next ``turn``: a handler that wrote itself could meet itself in the middle of a line."""
        self._signal = (time.time(), name)

    def turn(self) -> None:
        """See Observer."""
        if self._signal:
            (at, name), self._signal = self._signal, None
            tell(logging.INFO, "signal", at, signal=name)

    def found(self, documents: int, known: int) -> None:
        """See Observer."""
        tell(logging.INFO, "files_found", to_read=documents, known=known)

    def taken(self, source: Source, sha256: str) -> None:
        """See Observer."""
        self._names[sha256] = source.name
        tell(logging.INFO, "file_taken", file=source.name, sha256=sha256)

    def unit(self, result: Result) -> None:
        """See Observer."""
        tell(
            logging.INFO if result.status == "failed" else logging.DEBUG,
            "unit_ended",
            file=self._names.get(result.key.sha256),
            page=result.key.page,
            template=result.key.template,
            status=result.status,
            reason=result.reason,
            detail=result.detail or None,
            source=result.source,
            seconds=result.seconds,
        )

    def document(self, publication: Publication) -> None:
        """See Observer."""
        self._names.pop(publication.document.sha256, None)
        reason = publication.reason
        tell(
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

    def left(self, name: str, why: str) -> None:
        """See Observer."""
        self._names = {sha256: taken for sha256, taken in self._names.items() if taken != name}
        if self._said.new(name, why):
            tell(logging.INFO if why in MERELY_WAITS else logging.WARNING, "file_left", file=name, detail=why)

    def put_away(self, name: str, place: str) -> None:
        """See Observer."""
        tell(logging.INFO, "file_put_away", file=name, place=place or "deleted")

    def not_put_away(self, name: str, why: str) -> None:
        """See Observer."""
        if self._said.new(name, why):
            tell(logging.WARNING, "file_not_put_away", file=name, detail=why)

    def reader_lost(self, name: str, page: int, why: str) -> None:
        """See Observer."""
        tell(logging.WARNING, "reader_lost", file=name, page=page, detail=why)

    def trouble(self, what: str) -> None:
        """See Observer."""
        tell(logging.WARNING, "trouble", detail=what)
