"""What commands print for people: a progress bar and a table of the documents of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from pipeline.cli.answers import DocumentAnswer
from pipeline.cli.terminal import echo_if_possible
from pipeline.errors import cure_of
from pipeline.monitoring.events import RunCounts
from pipeline.printable import one_line, printable
from pipeline.publish.publication import Publication
from pipeline.records import Result

TABLE_ROWS = 20
TABLE_VALUES = 4
"""Values of a document that its row shows."""
VALUE_LENGTH = 48
FILE_WIDTH = 40
TEMPLATE_WIDTH = 24


class TerminalConsole(Console):
    """A rich console on which text stays text: no markup, no emoji codes, no control characters, whatever a document says."""

    def __init__(self, *, stderr: bool = False, width: int | None = None, quiet: bool = False) -> None:
        super().__init__(stderr=stderr, width=width, quiet=quiet, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See Console. Only rich's own control sequences pass as they are."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)


@dataclass
class RunScreen(RunCounts):
    """Counts what a run does, draws a progress bar, and keeps the first documents for the table."""

    console: Console = field(default_factory=lambda: TerminalConsole(stderr=True))
    rows: list[dict[str, Any]] = field(default_factory=list)
    """The first documents, for the table."""
    known_failed: int = 0
    """Files that are up to date and that failed in an earlier run, wholly or in part."""
    failed_rows: list[dict[str, Any]] = field(default_factory=list)
    """The first documents that failed, wholly or in part."""
    find_answers: Callable[[Publication], list[DocumentAnswer]] = field(default=lambda _: [])
    """The answers of a document to the questions of this run."""
    answers: list[DocumentAnswer] = field(default_factory=list)
    """All answers, in the order in which the documents were ready."""
    logs_to_stderr: bool = False
    """Whether the log uses standard error; then no text is printed there."""
    _progress: Progress | None = None
    _task: Any = None
    _pages: int = 0

    def progress_bar(self, quiet: bool) -> AbstractContextManager[object]:
        """Draw a progress bar until the context ends; nothing when ``quiet`` or when standard error is no terminal."""
        if quiet or not self.console.is_terminal:
            return nullcontext()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("documents · {task.fields[pages]} pages ·", markup=False),
            TimeElapsedColumn(),
            TextColumn("· about", markup=False),
            TimeRemainingColumn(),
            TextColumn("left", markup=False),
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
        row = document_row(publication)
        if len(self.rows) < TABLE_ROWS:
            self.rows.append(row)
        if row["reason"] and len(self.failed_rows) < TABLE_ROWS:
            self.failed_rows.append(row)
        self.answers += self.find_answers(publication)
        self._update(advance=1)

    def warning(self, message: str) -> None:
        """See Observer."""
        if not self.logs_to_stderr:
            echo_if_possible(one_line(f"pipeline: {message}"), err=True)

    def _update(self, **changes: Any) -> None:
        if self._progress is not None:
            self._progress.update(self._task, **changes)


def document_row(publication: Publication) -> dict[str, Any]:
    """The row of a document: file, template, status, and its first values or the reason of its failure. Answers to questions are none
    of them."""
    texts = [
        _value_text(evidence.value)
        for template, fields in publication.fields.items()
        for evidence in fields.values()
        if template not in publication.questions and not _is_table(evidence.value)
    ]
    reason = publication.reason
    return {
        "file": publication.source.name,
        "template": " ".join(name for name in publication.recipes if name not in publication.questions),
        "status": publication.status,
        "read": " · ".join(text[:VALUE_LENGTH] for text in list(filter(None, texts))[:TABLE_VALUES]),
        "reason": reason,
        "detail": publication.detail,
        "cure": cure_of(reason, publication.source.name) if reason else None,
    }


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _value_text(value: Any) -> str:
    """A value in one line; empty for an absent one. What is empty in a list or an object is left out."""
    if isinstance(value, dict):
        return _value_text(list(value.values()))
    if isinstance(value, list):
        return "; ".join(filter(None, map(_value_text, value)))
    return "" if value is None else " ".join(str(value).split())


def documents_table(screen: RunScreen) -> Table:
    """The first documents of this run."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    longest = max((len(one_line(row["file"])) for row in screen.rows), default=0)
    table.add_column("file", overflow="fold", min_width=min(longest, FILE_WIDTH), max_width=FILE_WIDTH)
    words = [len(word) for row in screen.rows for word in row["template"].split()]
    table.add_column("template", min_width=min(max(words, default=0), TEMPLATE_WIDTH))
    table.add_column("status", min_width=8)
    table.add_column("read", overflow="ellipsis", no_wrap=True)
    colours = {"done": "green", "partial": "yellow", "failed": "red", "skipped": "yellow"}
    for row in screen.rows:
        text = row["read"] if not row["reason"] else f"{row['reason']}: {row['detail']}"
        status = Text(row["status"], style=colours[row["status"]])
        table.add_row(one_line(row["file"]), row["template"], status, one_line(text))
    return table


def plural(count: int, noun: str) -> str:
    """``1 document``, ``2 documents``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
