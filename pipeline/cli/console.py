"""What people see: a progress bar with an honest estimate, a short table of what was read."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from pipeline.errors import CURES
from pipeline.monitoring.events import RunCounts
from pipeline.publish.publication import Publication
from pipeline.records import Result

TABLE_ROWS = 20
SHOWN_FIELDS = 4
CELL = 48
FILE_WIDTH = 40


@dataclass
class Screen(RunCounts):
    """A RunCounts that also draws a progress bar and remembers the first documents for the table."""

    console: Console = field(default_factory=lambda: Console(stderr=True))
    shown: list[dict[str, Any]] = field(default_factory=list)
    known_failed: int = 0
    """Files known and up to date that failed, wholly or in part."""
    failed: list[dict[str, Any]] = field(default_factory=list)
    """The first documents that are not done."""
    logged: bool = False
    """Whether standard error belongs to the log."""
    _progress: Progress | None = None
    _task: Any = None
    _pages: int = 0

    def bar(self, quiet: bool) -> AbstractContextManager[object]:
        """The progress bar while a run goes on; nothing when quiet or when nobody looks."""
        if quiet or not self.console.is_terminal:
            return nullcontext()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("documents · {task.fields[pages]} pages ·"),
            TimeElapsedColumn(),
            TextColumn("· left about"),
            TimeRemainingColumn(),
            console=self.console,
            speed_estimate_period=600,
        )
        self._task = self._progress.add_task("reading", total=self.to_read or None, pages=0)
        return self._progress

    def files_found(self, documents: int, known: int) -> None:
        """See Observer."""
        super().files_found(documents, known)
        self._update(total=self.to_read or None)

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        super().unit_finished(result)
        self._pages += 1
        self._update(pages=self._pages)

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        super().document_published(publication)
        line = summary(publication)
        if len(self.shown) < TABLE_ROWS:
            self.shown.append(line)
        if line["reason"] and len(self.failed) < TABLE_ROWS:
            self.failed.append(line)
        self._update(advance=1)

    def warning(self, message: str) -> None:
        """See Observer."""
        if not self.logged:
            click.echo(f"pipeline: {message}", err=True)

    def _update(self, **changes: Any) -> None:
        if self._progress is not None:
            self._progress.update(self._task, **changes)


def summary(publication: Publication) -> dict[str, Any]:
    """One line about a document: what it is, the first values read, or why it failed."""
    values = [
        " ".join(str(evidence.value).split())
        for fields in publication.fields.values()
        for evidence in fields.values()
        if evidence.value is not None
        and not (isinstance(evidence.value, list) and evidence.value[:1] and isinstance(evidence.value[0], dict))
    ]
    reason = publication.reason
    return {
        "file": publication.source.name,
        "template": " ".join(publication.recipes),
        "status": publication.status,
        "read": " · ".join(value[:CELL] for value in values[:SHOWN_FIELDS]),
        "reason": reason,
        "detail": publication.detail,
        "cure": CURES[reason] if reason else None,
    }


def table(screen: Screen) -> Table:
    """The documents of this run."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    longest = max((len(row["file"]) for row in screen.shown), default=0)
    drawn.add_column("file", overflow="fold", min_width=min(longest, FILE_WIDTH), max_width=FILE_WIDTH)
    drawn.add_column("template", min_width=8)
    drawn.add_column("status", min_width=8)
    drawn.add_column("read", overflow="ellipsis", no_wrap=True)
    colours = {"done": "green", "partial": "yellow", "failed": "red", "skipped": "yellow"}
    for row in screen.shown:
        told = row["read"] if not row["reason"] else f"{row['reason']}: {row['detail']}"
        colour = colours[row["status"]]
        drawn.add_row(escape(row["file"]), row["template"], f"[{colour}]{row['status']}[/]", escape(told))
    return drawn


def echo_json(value: Any) -> None:
    """Print a JSON value on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1, default=str)
    sys.stdout.write("\n")


def one_line(text: str) -> str:
    """Text from outside as one line that no terminal takes for a command: what is not printable is escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def plural(count: int, noun: str) -> str:
    """``1 document``, ``2 documents``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
