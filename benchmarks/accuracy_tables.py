"""Makes the tables of docs/accuracy.md from what was read of documents whose truth is known, so that nobody types a figure.

    python -m benchmarks.accuracy_tables --set NAME TEMPLATE TRUTH_FOLDER OUTBOX [JUDGED.json] … [--into docs/accuracy.md --block NAME]

``OUTBOX`` is where ``pipeline run`` wrote the documents of ``TRUTH_FOLDER`` (with a ``truth.jsonl``). Values are compared as
``pipeline eval`` does. ``JUDGED.json`` is the report of another scorer, which names what it missed (``misses``: ``file``, ``field``); then
that counts instead. Prints Markdown, or puts it between the marks ``<!-- figures: NAME -->`` and ``<!-- end: NAME -->`` of a page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.evaluate.document_groups import GroupFigures, grouped
from pipeline.evaluate.evaluation import Evaluation, evaluate
from pipeline.evaluate.intervals import Share
from pipeline.evaluate.read_results import read_results
from pipeline.evaluate.scored_document import hashes_of
from pipeline.evaluate.scoring import Cell
from pipeline.evaluate.truth import TruthRow, truths
from pipeline.settings import configs_folder
from pipeline.templates.load import load_template

BLOCK = "<!-- figures: {} -->", "<!-- end: {} -->"
KINDS = ("language", "country", "medium")


@dataclass(frozen=True)
class MeasuredSet:
    """Documents of one kind that were read with one template."""

    name: str
    evaluation: Evaluation
    row_f1: float | None
    """Of tables: mean over documents as the other scorer says, else over all rows; None where the truth has no table."""


def main() -> None:
    """Measure, and print or replace."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", nargs="+", action="append", required=True, metavar="NAME TEMPLATE TRUTH OUTBOX [JUDGED]")
    parser.add_argument("--into", type=Path, help="a page with the marks of --block")
    parser.add_argument("--block", default="measured")
    parser.add_argument("--processor", default="", help="which one read the documents, for the line below the tables")
    given = parser.parse_args()
    if any(len(each) not in (4, 5) for each in given.set):
        parser.error("--set takes a name, a template, a folder with truth.jsonl, an outbox, and perhaps a scorer's report")
    sets = [measured(each[0], each[1], *(Path(path) for path in each[2:])) for each in given.set]
    text = "\n".join(tables(sets, given.processor))
    if given.into:
        given.into.write_text(with_block(given.into.read_text(encoding="utf-8"), given.block, text), encoding="utf-8")
    else:
        print(text)


def with_block(page: str, name: str, text: str) -> str:
    """The page with another text between the marks of a block. Raises ValueError where it has no such marks."""
    begin, end = (mark.format(name) for mark in BLOCK)
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page needs the marks {begin} and {end} once each")
    return f"{page.partition(begin)[0]}{begin}\n{text}\n{end}{page.partition(end)[2]}"


def measured(name: str, template: str, folder: Path, outbox: Path, judged: Path | None = None) -> MeasuredSet:
    """One set, scored."""
    spec = load_template(configs_folder() / "templates" / f"{template}.yaml")
    rows = [truth_row(json.loads(line)) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    known = truths(rows, folder, spec.fields)
    evaluation = evaluate(
        name, known, hashes_of(known), read_results(outbox, template), spec.fields, language=lambda truth, _: truth.language
    )
    figures = list(evaluation.tables.values())
    f1 = figures[0].f1 if figures else None
    if judged:
        report = json.loads(judged.read_text(encoding="utf-8"))
        evaluation = as_judged(evaluation, report["misses"])
        f1 = (report.get("extras") or {}).get("line_items", {}).get("accuracy", f1)
    return MeasuredSet(name, evaluation, f1)


def truth_row(row: dict[str, Any]) -> TruthRow:
    """A line of a ``truth.jsonl``. ``lang`` and ``kind`` stand for ``language`` and ``medium``; rows of tables are no scored values."""
    scored = row["scored"] if "scored" in row else list(row["fields"])
    absent = [name for name in row.get("absent") or () if name not in scored]
    known = {name: row["fields"][name] for name in scored if row["fields"].get(name) is not None}
    return TruthRow(
        row["file"],
        row["file"],
        {**known, **dict.fromkeys(absent)},
        str(row.get("language") or row.get("lang") or ""),
        str(row.get("layout") or ""),
        str(row.get("country") or ""),
        str(row.get("medium") or row.get("kind") or "").replace("_", " "),
        {"line_items": row["line_items"]} if row.get("line_items") else {},
        row.get("aliases") or ({"vendor_name": row["vendor_aliases"]} if row.get("vendor_aliases") else {}),
    )


def as_judged(evaluation: Evaluation, misses: Sequence[dict[str, Any]]) -> Evaluation:
    """The evaluation with another scorer's word on every value that the documents have."""
    missed = {(Path(miss["file"]).name, miss["field"]) for miss in misses}

    def judged(cell: Cell) -> Cell:
        if cell.truth is None or cell.rows is not None:
            return cell
        wrong = (Path(cell.file).name, cell.field) in missed
        outcome = ("missing" if cell.read.value in (None, "", []) else "wrong") if wrong else "right"
        return replace(cell, outcome=outcome)  # type: ignore[arg-type]  # one of the literals

    documents = [replace(document, cells=tuple(map(judged, document.cells))) for document in evaluation.documents]
    return Evaluation(evaluation.label, documents, evaluation.order)


def tables(sets: Sequence[MeasuredSet], processor: str = "") -> Iterator[str]:
    """All sets in one table, then by field, language, country and medium."""
    yield from summary(sets)
    yield ""
    yield from by_field(sets)
    for kind in KINDS:
        yield from by_group(sets, kind)
    if processor:
        yield f"\nRead on {processor}. Intervals are 95 % intervals that count layouts, as `pipeline eval` gives them."


def heading(*names: str) -> Iterator[str]:
    """The first two lines of a table."""
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"


def summary(sets: Sequence[MeasuredSet]) -> Iterator[str]:
    """A line a set."""
    yield from heading(
        *("documents", "how many", "layouts", "values", "right", "silent errors", "right but marked", "absent but filled"),
        *("ECE", "rows of tables, F1"),
    )
    for each in sets:
        found, errors = each.evaluation, each.evaluation.review
        values = Share(errors.values - errors.wrong, errors.values)
        calibration = f"{found.calibration.error:.3f} of {found.calibration.values}" if found.calibration else "–"
        cells = [
            each.name,
            str(len(found.documents)),
            str(len(found.layouts)),
            str(errors.values),
            f"{values.value:.3f} ({ends(printed_interval(found))})",
            f"{errors.silent}: {percent(errors.silent_share)} ({ends(found.silent_interval, 100)} %)",
            f"{errors.marked} of {errors.marked_share.of}",
            f"{errors.filled} of {errors.absent}",
            calibration,
            "–" if each.row_f1 is None else f"{each.row_f1:.3f}",
        ]
        yield f"| {' | '.join(cells)} |"


def printed_interval(evaluation: Evaluation) -> tuple[float, float]:
    """The interval of the share right among the values that the documents have."""
    documents = [replace(d, cells=tuple(c for c in d.cells if c.truth is not None)) for d in evaluation.documents]
    return Evaluation(evaluation.label, documents).interval


def by_field(sets: Sequence[MeasuredSet]) -> Iterator[str]:
    """For every field of every set: right ones, silent errors, and what confidence promised."""
    yield from heading(
        *("documents", "field", "right", "silent errors", "right but marked", "absent but filled"),
        *("mean confidence", "right of these"),
    )
    for each in sets:
        for field, (errors, calibration) in each.evaluation.by_field.items():
            right = f"{errors.values - errors.wrong} of {errors.values}" if errors.values else "–"
            filled = f"{errors.filled} of {errors.absent}" if errors.absent else "–"
            promised = (
                [f"{calibration.confidence:.3f}", f"{calibration.share.value:.3f} of {calibration.share.of}"]
                if calibration
                else ["–", "–"]
            )
            cells = [each.name, f"`{field}`", right, str(errors.silent), str(errors.marked), filled, *promised]
            yield f"| {' | '.join(cells)} |"


def by_group(sets: Sequence[MeasuredSet], kind: str) -> Iterator[str]:
    """The same by language, country or medium; nothing where no truth names one."""
    lines = [line for each in sets for line in _group_lines(each, kind)]
    if lines:
        yield ""
        yield from heading("documents", kind, "how many", "layouts", "right", "silent errors", "right but marked")
        yield from lines


def _group_lines(each: MeasuredSet, kind: str) -> Iterator[str]:
    keys = {"language": lambda d: d.language, "country": lambda d: d.truth.country, "medium": lambda d: d.truth.medium}
    groups: dict[str, GroupFigures] = grouped(each.evaluation.documents, keys[kind])
    if set(groups) == {"unknown"}:
        return
    for name, figures in groups.items():
        errors = figures.review
        right = Share(errors.values - errors.wrong, errors.values)
        cells = [
            each.name,
            name,
            str(figures.documents),
            str(figures.layouts),
            f"{right.right} of {right.of} ({percent(right)})",
        ]
        cells += [str(errors.silent), str(errors.marked)]
        yield f"| {' | '.join(cells)} |"


def percent(share: Share) -> str:
    """With one decimal."""
    return f"{100 * share.value:.1f} %" if share.of else "–"


def ends(interval: tuple[float, float], scale: int = 1) -> str:
    """Both ends of an interval."""
    low, high = (scale * end for end in interval)
    return f"{low:.1f} – {high:.1f}" if scale > 1 else f"{low:.3f} – {high:.3f}"


if __name__ == "__main__":
    main()
