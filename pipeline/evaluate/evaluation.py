"""All documents of one variant, scored, and the figures that follow: by field, on average, by language and layout, by confidence."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.checks.value_comparison import is_absent
from pipeline.evaluate.calibration import Calibration, calibrate
from pipeline.evaluate.expected import Truth
from pipeline.evaluate.intervals import Share, bootstrap
from pipeline.evaluate.read_results import ReadDocument
from pipeline.evaluate.scoring import Cell, Rows, score
from pipeline.safe_open import open_named_file
from pipeline.templates.template import TemplateField

MISSING_FILE = "the file is not there"
UNREAD = ("failed", "skipped", "partial")


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """One document with its cells."""

    truth: Truth
    sha256: str
    """Of the file; empty where it is not there."""
    result: ReadDocument | None
    cells: tuple[Cell, ...]
    language: str = ""
    layout: str = ""

    @property
    def share(self) -> Share:
        """Right ones among its cells."""
        return Share(sum(cell.right for cell in self.cells), len(self.cells))

    @property
    def problem(self) -> str:
        """Why it was not read, or not wholly; empty where it was."""
        if not self.sha256:
            return MISSING_FILE
        if self.result is None:
            return "not read"
        if self.result.status in UNREAD:
            return f"{self.result.status}: {self.result.reason}: {self.result.detail}"
        return ""


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
        for cell in self.cells:
            if cell.rows:
                by_field[cell.field].append(cell.rows)
        return {name: _table_figures(tables) for name, tables in by_field.items()}

    @property
    def groups(self) -> dict[str, dict[str, tuple[int, Share]]]:
        """Documents and cells by language and by layout; a kind of group with one member only says nothing and is left out."""
        kinds: dict[str, Callable[[ScoredDocument], str]] = {
            "language": lambda document: document.language,
            "layout": lambda document: document.layout,
        }
        by_kind = {kind: _grouped(self.documents, key) for kind, key in kinds.items()}
        return {kind: groups for kind, groups in by_kind.items() if len(groups) > 1}

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Documents that were not read, or not wholly, and why. They count all the same."""
        return [(document.truth.file, document.problem) for document in self.documents if document.problem]

    @cached_property
    def calibration(self) -> Calibration | None:
        """How well confidence predicts errors; None where results carry none."""
        valued = [cell for cell in self.cells if not is_absent(cell.read.value)]
        return calibrate([(cell.read.confidence, cell.right) for cell in valued if cell.read.confidence is not None])

    @property
    def flagged(self) -> dict[bool, Share]:
        """Errors among the values that carry a flag (True), and among those that carry none (False)."""
        valued = [cell for cell in self.cells if not is_absent(cell.read.value)]
        by_flag = {flag: [cell for cell in valued if bool(cell.read.flags) == flag] for flag in (False, True)}
        return {flag: Share(sum(not cell.right for cell in cells), len(cells)) for flag, cells in by_flag.items()}


def _table_figures(tables: Sequence[Rows]) -> TableFigures:
    columns: dict[str, Share] = {}
    for table in tables:
        for name, (right, of) in table.columns.items():
            so_far = columns.get(name, Share(0, 0))
            columns[name] = Share(so_far.right + right, so_far.of + of)
    counts = (sum(t.expected for t in tables), sum(t.read for t in tables), sum(len(t.matched) for t in tables))
    return TableFigures(*counts, columns)


def _grouped(documents: Iterable[ScoredDocument], key: Callable[[ScoredDocument], str]) -> dict[str, tuple[int, Share]]:
    members: dict[str, list[ScoredDocument]] = defaultdict(list)
    for document in documents:
        members[key(document)].append(document)
    values = {
        name: (len(group), Share(sum(d.share.right for d in group), sum(d.share.of for d in group)))
        for name, group in members.items()
    }
    return dict(sorted(values.items(), key=lambda item: (-item[1][0], item[0])))


def evaluate(
    label: str,
    truths: Sequence[Truth],
    hashes: Mapping[Path, str],
    results: Mapping[str, ReadDocument],
    fields: Mapping[str, TemplateField],
    group: Callable[[Truth, str, ReadDocument | None], tuple[str, str]] = lambda *_: ("", ""),
) -> Evaluation:
    """Score all documents; ``hashes`` are the sha256 of those that are there, ``group`` gives a document's language and layout."""
    documents = []
    for truth in truths:
        sha256 = hashes.get(truth.path, "")
        result = results.get(sha256)
        documents.append(
            ScoredDocument(truth, sha256, result, tuple(score(truth, result, fields)), *group(truth, sha256, result))
        )
    return Evaluation(label, documents, list(fields))


def hashes_of(truths: Iterable[Truth]) -> dict[Path, str]:
    """sha256 of every file that is there and can be read."""
    hashes = {}
    for truth in truths:
        try:
            with open_named_file(truth.path) as file:
                hashes[truth.path] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            continue
    return hashes
