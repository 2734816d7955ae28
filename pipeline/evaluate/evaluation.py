"""All documents of one variant, scored, and the figures that follow: by field, on average, by group, by review and confidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from pipeline.checks.value_comparison import is_absent
from pipeline.evaluate.calibration import Calibration, calibrate
from pipeline.evaluate.document_groups import GroupFigures, grouped
from pipeline.evaluate.expected import Truth
from pipeline.evaluate.intervals import Share, bootstrap
from pipeline.evaluate.layouts import Known, layouts
from pipeline.evaluate.read_results import ReadDocument
from pipeline.evaluate.review_errors import ReviewErrors, review_errors
from pipeline.evaluate.scored_document import ScoredDocument
from pipeline.evaluate.scoring import Cell, Rows, score
from pipeline.templates.template import TemplateField


@dataclass(frozen=True, slots=True)
class FieldFigures:
    """Outcomes of one field."""

    share: Share
    wrong: int
    missing: int
    invented: int


@dataclass(frozen=True, slots=True)
class TableFigures:
    """Rows of one table field, over all documents."""

    expected: int
    read: int
    matched: int
    columns: Mapping[str, Share]
    """Cells by column."""

    @property
    def precision(self) -> float:
        """Share of the read rows that are true."""
        return self.matched / self.read if self.read else 0.0

    @property
    def recall(self) -> float:
        """Share of the true rows that were read."""
        return self.matched / self.expected if self.expected else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.matched / (self.expected + self.read) if self.expected + self.read else 0.0


_HOW_KNOWN: dict[Known, str] = {
    "truth": "the truth names the layout of {}",
    "sender": "the true sender stands for that of {}",
    "sender as read": "the sender as it was read for that of {}",
    "unknown": "that of {} is unknown and counts as one",
}


@dataclass(frozen=True)
class Evaluation:
    """The scored documents of one variant."""

    label: str
    documents: Sequence[ScoredDocument]
    order: Sequence[str] = ()
    """Of the fields, where they are listed."""

    @cached_property
    def cells(self) -> list[Cell]:
        """Every scored field of every document."""
        return [cell for document in self.documents for cell in document.cells]

    @property
    def micro(self) -> Share:
        """Right cells among all."""
        return Share(sum(cell.right for cell in self.cells), len(self.cells))

    @cached_property
    def micro_interval(self) -> tuple[float, float]:
        """95 % interval of the micro average by a bootstrap over documents."""
        return bootstrap([document.share for document in self.documents])

    @property
    def macro(self) -> float:
        """Mean of the fields' accuracies: every field counts the same."""
        shares = [figures.share.value for figures in self.fields.values()]
        return sum(shares) / len(shares) if shares else 0.0

    @property
    def all_right(self) -> Share:
        """Documents with every scored field right."""
        scored = [document.share for document in self.documents if document.cells]
        return Share(sum(share.right == share.of for share in scored), len(scored))

    @cached_property
    def fields(self) -> dict[str, FieldFigures]:
        """By field, those in ``order`` first."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for cell in self.cells:
            counts[cell.field][cell.outcome] += 1
        names = [*(name for name in self.order if name in counts), *(name for name in counts if name not in self.order)]
        counted = {name: counts[name] for name in names}
        return {
            name: FieldFigures(Share(count["right"], count.total()), count["wrong"], count["missing"], count["invented"])
            for name, count in counted.items()
        }

    @cached_property
    def tables(self) -> dict[str, TableFigures]:
        """Rows of the table fields."""
        by_field: dict[str, list[Rows]] = defaultdict(list)
        for cell in [*self.cells, *(cell for document in self.documents for cell in document.aside)]:
            if cell.rows:
                by_field[cell.field].append(cell.rows)
        figures = {name: _table_figures(tables) for name, tables in by_field.items()}
        return {name: table for name, table in figures.items() if table.expected or table.read}

    @cached_property
    def layouts(self) -> dict[str, list[ScoredDocument]]:
        """Documents by the name of their layout."""
        by_layout: dict[str, list[ScoredDocument]] = defaultdict(list)
        for document in self.documents:
            by_layout[document.layout.name].append(document)
        return by_layout

    @property
    def layouts_known(self) -> Counter[Known]:
        """Documents by how their layout is known."""
        return Counter(document.layout.known for document in self.documents)

    @property
    def basis(self) -> str:
        """For people: on how many documents and layouts, how these are known, and what the intervals count."""
        known = "; ".join(text.format(self.layouts_known[how]) for how, text in _HOW_KNOWN.items() if self.layouts_known[how])
        over = "layouts" if self.over_layouts else "documents, and say nothing about another layout"
        return (
            f"{_counted(self.documents, 'document')} of {_counted(self.layouts, 'layout')} ({known}). Intervals count {over}."
        )

    @property
    def over_layouts(self) -> bool:
        """Whether layouts are known, and more than one, so that intervals can count layouts instead of documents."""
        return len(self.layouts) > 1

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the micro average: by a bootstrap over layouts where they are known, else over documents."""
        return self._interval_of(lambda cells: Share(sum(cell.right for cell in cells), len(cells)))

    @cached_property
    def field_intervals(self) -> dict[str, tuple[float, float]]:
        """The same of every field."""

        def right_ones(cells: Sequence[Cell], field: str) -> Share:
            own = [cell for cell in cells if cell.field == field]
            return Share(sum(cell.right for cell in own), len(own))

        return {name: self._interval_of(partial(right_ones, field=name)) for name in self.fields}

    @cached_property
    def silent_interval(self) -> tuple[float, float]:
        """The same of the share of silent errors."""
        return self._interval_of(lambda cells: review_errors(cells).silent_share)

    def _interval_of(self, share: Callable[[Sequence[Cell]], Share]) -> tuple[float, float]:
        groups = self.layouts.values() if self.over_layouts else [[document] for document in self.documents]
        return bootstrap([share([cell for document in group for cell in document.cells]) for group in groups])

    @property
    def groups(self) -> dict[str, dict[str, GroupFigures]]:
        """By language, country, medium and layout; a kind of group with one member only says nothing and is left out."""
        kinds: dict[str, Callable[[ScoredDocument], str]] = {
            "language": lambda document: document.language,
            "country": lambda document: document.truth.country,
            "medium": lambda document: document.truth.medium,
            "layout": lambda document: document.layout.name,
        }
        by_kind = {kind: grouped(self.documents, key) for kind, key in kinds.items()}
        return {kind: groups for kind, groups in by_kind.items() if len(groups) > 1}

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Documents that were not read, or not wholly, and why. They count all the same."""
        return [(document.truth.file, document.problem) for document in self.documents if document.problem]

    @cached_property
    def review(self) -> ReviewErrors:
        """Silent errors, right values that are marked, absent values that are filled."""
        return review_errors(self.cells)

    @cached_property
    def calibration(self) -> Calibration | None:
        """How well confidence predicts errors; None where results carry none."""
        return _calibrated(self.cells)

    @cached_property
    def by_field(self) -> dict[str, tuple[ReviewErrors, Calibration | None]]:
        """``review`` and ``calibration`` of every field but tables."""
        cells: dict[str, list[Cell]] = {name: [] for name in self.fields}
        for cell in self.cells:
            if cell.rows is None:
                cells[cell.field].append(cell)
        return {name: (review_errors(own), _calibrated(own)) for name, own in cells.items() if own}

    @property
    def flagged(self) -> dict[bool, Share]:
        """Errors among the values that carry a flag (True), and among those that carry none (False)."""
        valued = [cell for cell in self.cells if not is_absent(cell.read.value)]
        by_flag = {flag: [cell for cell in valued if bool(cell.read.flags) == flag] for flag in (False, True)}
        return {flag: Share(sum(not cell.right for cell in cells), len(cells)) for flag, cells in by_flag.items()}


def _counted(items: Sized, noun: str) -> str:
    return f"{len(items):,} {noun}{'' if len(items) == 1 else 's'}"


def _table_figures(tables: Sequence[Rows]) -> TableFigures:
    columns: dict[str, Share] = {}
    for table in tables:
        for name, (right, of) in table.columns.items():
            so_far = columns.get(name, Share(0, 0))
            columns[name] = Share(so_far.right + right, so_far.of + of)
    counts = (sum(t.expected for t in tables), sum(t.read for t in tables), sum(len(t.matched) for t in tables))
    return TableFigures(*counts, columns)


def _calibrated(cells: Iterable[Cell]) -> Calibration | None:
    return calibrate([(cell.read.confidence, cell.right) for cell in cells if cell.read.confidence is not None])


def evaluate(
    label: str,
    truths: Sequence[Truth],
    hashes: Mapping[Path, str],
    results: Mapping[str, ReadDocument],
    fields: Mapping[str, TemplateField],
    language: Callable[[Truth, str], str] = lambda *_: "",
) -> Evaluation:
    """Score all documents; ``hashes`` are the sha256 of those that are there, ``language`` gives that of a document and its sha256."""
    read = [results.get(hashes.get(truth.path, "")) for truth in truths]
    documents = []
    for truth, result, layout in zip(truths, read, layouts(truths, read, fields), strict=True):
        sha256, cells = hashes.get(truth.path, ""), score(truth, result, fields)
        counted = tuple(cell for cell in cells if cell.field not in truth.uncounted)
        aside = tuple(cell for cell in cells if cell.field in truth.uncounted)
        documents.append(ScoredDocument(truth, sha256, result, counted, language(truth, sha256), layout, aside))
    return Evaluation(label, documents, list(fields))
