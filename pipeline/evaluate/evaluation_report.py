"""The report: one HTML file that opens from disk, with pictures of the misses. It has no scripts and loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.evaluate.comparison import Comparison
from pipeline.evaluate.evaluation import Evaluation
from pipeline.evaluate.intervals import Share
from pipeline.evaluate.marked_pages import Marked, Marks, draw_marked_pages, marks
from pipeline.evaluate.scored_document import ScoredDocument
from pipeline.evaluate.scoring import Cell
from pipeline.evaluate.serialise import format_value
from pipeline.publish.atomic_files import write_atomically
from pipeline.records import Page
from pipeline.report.self_contained import render
from pipeline.settings import Settings
from pipeline.templates.template import TemplateField

HERE = Path(__file__).parent
MAX_GROUPS = 40
MAX_ROWS = 60
"""Rows of a table that a miss lists."""
MOST_PICTURES = 300
"""Misses with a picture, shared out among the fields."""
MOST_MISSES = 1_000
"""Misses of one field that are listed."""


PagesOf = Callable[[str, Collection[int]], Sequence[Page]]
"""Pages of a document by its sha256, those first whose numbers are given."""


@dataclass(frozen=True)
class Miss:
    """A miss as the report shows it."""

    cell: Cell
    picture: Marked | None
    nowhere: bool
    """Whether the true value was looked for and does not stand among the page's words."""
    table: Table | None = None


@dataclass(frozen=True)
class Table:
    """Both tables of a miss: headings, and rows with whether they have a partner on the other side."""

    columns: tuple[str, ...]
    true: tuple[tuple[tuple[str, ...], bool], ...]
    read: tuple[tuple[tuple[str, ...], bool], ...]


def write_report(
    path: Path,
    evaluation: Evaluation,
    comparison: Comparison | None,
    fields: Mapping[str, TemplateField],
    settings: Settings,
    pages_of: PagesOf,
    about: Mapping[str, str],
) -> int:
    """Write the report; ``about`` gives lines for its head. Returns its bytes."""
    values = {
        "evaluation": evaluation,
        "comparison": comparison,
        "changes": _changes(comparison),
        "fields": fields,
        "misses": _by_field(evaluation, fields, settings, pages_of),
        "about": about,
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "most_groups": MAX_GROUPS,
        "most_misses": MOST_MISSES,
    }
    return write_atomically(path, [render(HERE / "report.html", values, {"percent": _percent, "format_value": format_value})])


def _percent(share: float | Share) -> str:
    value = share.value if isinstance(share, Share) else share
    return f"{100 * value:.1f} %"


def _changes(comparison: Comparison | None) -> dict[str, list[Any]]:
    """Pairs that changed, broken ones first: those hurt."""
    pairs = comparison.pairs if comparison else ()
    return {change: [pair for pair in pairs if pair.change == change] for change in ("broken", "fixed")}


def _by_field(
    evaluation: Evaluation,
    fields: Mapping[str, TemplateField],
    settings: Settings,
    pages_of: PagesOf,
) -> dict[str, list[Miss]]:
    """Misses by field."""
    by_field: dict[str, list[tuple[ScoredDocument, Cell]]] = {name: [] for name in evaluation.fields}
    for document in evaluation.documents:
        for cell in document.cells:
            if not cell.right:
                by_field[cell.field].append((document, cell))
    missed = {name: misses for name, misses in by_field.items() if misses}
    each = MOST_PICTURES // max(1, len(missed))
    marked = {_key(miss[1]): _marks(*miss, fields, pages_of) for misses in missed.values() for miss in misses[:each]}
    pictures = draw_marked_pages(((key, mark) for key, mark in marked.items() if mark), settings)
    return {
        name: [_miss(cell, fields[name], marked.get(_key(cell)), pictures.get(_key(cell))) for _, cell in misses]
        for name, misses in missed.items()
    }


def _key(cell: Cell) -> tuple[str, str]:
    return cell.file, cell.field


def _marks(document: ScoredDocument, cell: Cell, fields: Mapping[str, TemplateField], pages_of: PagesOf) -> Marks | None:
    if not document.sha256:
        return None
    pages = pages_of(document.sha256, {cell.read.page} if cell.read.page else ())
    return marks(document.truth.path, cell, pages, fields[cell.field])


def _miss(cell: Cell, field: TemplateField, mark: Marks | None, picture: Marked | None) -> Miss:
    nowhere = bool(mark and not mark.true and cell.truth)
    return Miss(cell, picture, nowhere, _table(cell, field) if field.type == "table" else None)


def _table(cell: Cell, field: TemplateField) -> Table:
    columns = tuple(field.columns)
    matched = cell.rows.matched if cell.rows else ()
    true = [row for row in cell.truth or () if isinstance(row, dict)]
    read = [row for row in cell.read.value if isinstance(row, dict)] if isinstance(cell.read.value, list) else []
    return Table(columns, _lines(true, columns, {a for a, _ in matched}), _lines(read, columns, {b for _, b in matched}))


def _lines(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], matched: set[int]
) -> tuple[tuple[tuple[str, ...], bool], ...]:
    return tuple(
        (tuple(format_value(row.get(name)) for name in columns), n in matched) for n, row in enumerate(rows[:MAX_ROWS])
    )
