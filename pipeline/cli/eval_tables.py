"""An evaluation on the terminal: tables, misses, and what changed."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from pipeline.cli.console import TerminalConsole, plural
from pipeline.cli.terminal import echo
from pipeline.evaluate.calibration import Calibration
from pipeline.evaluate.comparison import Comparison
from pipeline.evaluate.evaluation import Evaluation
from pipeline.evaluate.intervals import Share
from pipeline.evaluate.review_errors import ReviewErrors
from pipeline.evaluate.serialise import format_value
from pipeline.printable import one_line

MAX_GROUPS = 12
WIDTH = 110
"""Columns where the output is no terminal."""


def headline(evaluation: Evaluation) -> str:
    """The evaluation in one line."""
    low, high = evaluation.interval
    micro, whole, silent = evaluation.micro, evaluation.all_right, evaluation.review.silent
    return (
        f"{_percent(micro.value)} of {micro.of:,} values right (95 %: {_percent(low)} to {_percent(high)}); "
        f"{whole.right:,} of {plural(whole.of, 'document')} wholly; {plural(silent, 'silent error')}"
    )


def print_evaluation(evaluation: Evaluation) -> None:
    """By field, on average, by group; whether people would find what is wrong, and whether confidence tells it."""
    console = _console()
    table = _table("field", "right", "accuracy", "95 % interval", "wrong", "missing", "invented")
    for name, figures in evaluation.fields.items():
        counts = (figures.wrong, figures.missing, figures.invented)
        table.add_row(name, *_share(figures.share, evaluation.field_intervals[name]), *(str(n or "·") for n in counts))
    table.add_section()
    table.add_row("all values (micro)", *_share(evaluation.micro, evaluation.interval), style="bold")
    table.add_row("mean of fields (macro)", "", _percent(evaluation.macro))
    table.add_row("documents all right", *_share(evaluation.all_right))
    console.print(table)
    for name, rows in evaluation.tables.items():
        console.print(
            f"rows of {name}: {rows.matched:,} of {rows.expected:,} found, {rows.read:,} read; F1 {_percent(rows.f1)}",
            style="dim",
        )
        text = ", ".join(f"{column} {_percent(share.value)}" for column, share in rows.columns.items())
        console.print(f"cells of {name}: {text}", style="dim")
    console.print(evaluation.basis)
    _print_review(console, evaluation)
    _print_calibration(console, evaluation.calibration)
    _print_groups(console, evaluation)


def _print_review(console: TerminalConsole, evaluation: Evaluation) -> None:
    """Silent errors, right values that are marked, absent values that are filled, and what confidence says, by field."""
    console.print()
    table = _table("field", "silent errors", "", "right but marked", "absent but filled", "confidence", "right", "ECE")
    for name, (errors, calibration) in evaluation.by_field.items():
        table.add_row(name, *_review_cells(errors, calibration))
    table.add_section()
    table.add_row("all values", *_review_cells(evaluation.review, evaluation.calibration), style="bold")
    console.print(table)
    low, high = evaluation.silent_interval
    console.print(
        f"Silent: wrong, and neither named for review nor flagged. 95 % interval {_percent(low)} – {_percent(high)}. "
        "Tables are left out.",
        style="dim",
    )


def _review_cells(errors: ReviewErrors, calibration: Calibration | None) -> list[str]:
    counts = [_of(errors.silent_share), _percent(errors.silent_share.value) if errors.values else ""]
    counts += [_of(errors.marked_share), _of(errors.filled_share)]
    if calibration is None:
        return [*counts, "", "", ""]
    return [*counts, f"{calibration.confidence:.3f}", f"{calibration.share.value:.3f}", f"{calibration.error:.3f}"]


def _of(share: Share) -> str:
    return f"{share.right:,} of {share.of:,}" if share.of else "·"


def _print_calibration(console: TerminalConsole, calibration: Calibration | None) -> None:
    """What confidence says, what is true, and how many values would escape a review at a threshold."""
    if calibration is None:
        return
    console.print(f"\nexpected calibration error {calibration.error:.3f} over {plural(calibration.values, 'value')}")
    table = _table("confidence says", "right are", "values", "95 % interval")
    for part in calibration.bins:
        low, high = part.share.interval
        shown = f"{part.share.value:.3f}", f"{part.share.of:,}", f"{_percent(low)} – {_percent(high)}"
        table.add_row(f"{part.confidence:.3f}", *shown)
    console.print(table)
    table = _table("review below", "not reviewed", "of these wrong", "error rate")
    for item in calibration.thresholds:
        table.add_row(str(item.threshold), str(item.errors.of), str(item.errors.right), _percent(item.errors.value))
    console.print(table)


def _print_groups(console: TerminalConsole, evaluation: Evaluation) -> None:
    for kind, groups in evaluation.groups.items():
        console.print()
        table = _table(kind, "documents", "layouts", "right", "accuracy", "95 % interval", "silent errors")
        for name, figures in list(groups.items())[:MAX_GROUPS]:
            shown = _share(figures.share, figures.interval)
            counts = str(figures.documents), str(figures.layouts)
            table.add_row(one_line(name), *counts, *shown, _of(figures.review.silent_share))
        console.print(table)
        if len(groups) > MAX_GROUPS:
            console.print(f"… and {len(groups) - MAX_GROUPS} more: --json or --report", style="dim")


def print_misses(evaluation: Evaluation) -> None:
    """A line a miss: outcome, file, field, truth and what was read."""
    echo()
    for cell in evaluation.cells:
        if not cell.right:
            rows = f" ({len(cell.rows.matched)} of {cell.rows.expected} rows)" if cell.rows else ""
            echo(
                one_line(
                    f"{cell.outcome}: {cell.file}: {cell.field}{rows}: {format_value(cell.truth)} | {format_value(cell.read.value)}"
                )
            )


def print_comparison(comparison: Comparison) -> None:
    """What was fixed and broken, and the verdict."""
    console = _console()
    console.print(Text.assemble("\nagainst ", (one_line(comparison.before.label), "bold")))
    table = _table("field", "fixed", "broken", "both right", "both wrong")
    for name, counts in comparison.fields.items():
        table.add_row(name, *(str(counts[change] or "·") for change in ("fixed", "broken", "right", "wrong")))
    console.print(table)
    for pair in comparison.pairs:
        if pair.change == "broken":
            old, new = format_value(pair.before.read.value), format_value(pair.after.read.value)
            text = f"broken: {pair.after.file}: {pair.after.field}: {old} → {new}"
            console.print(one_line(text), style="red", overflow="fold", highlight=False)
    documents = comparison.documents
    console.print(comparison.verdict, style="bold", highlight=False)
    before, after = comparison.shares
    console.print(
        f"{_percent(before.value)} right before, {_percent(after.value)} now, of {after.of:,} values", highlight=False
    )
    silent = [side.review.silent_share for side in (comparison.before, comparison.after)]
    console.print(f"silent errors: {_of(silent[0])} before, {_of(silent[1])} now", highlight=False)
    console.print(
        f"by documents: {documents['better']:,} better, {documents['worse']:,} worse, p = {comparison.documents_p:.2g}",
        highlight=False,
    )
    if comparison.unpaired:
        console.print(f"{plural(comparison.unpaired, 'document')} unknown to the other side: left out of the comparison")


def _console() -> TerminalConsole:
    console = TerminalConsole()
    if not console.is_terminal:
        console.width = WIDTH
    return console


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _share(share: Share, interval: tuple[float, float] | None = None) -> tuple[str, str, str]:
    low, high = interval or share.interval
    return f"{share.right:,} of {share.of:,}", _percent(share.value), f"{_percent(low)} – {_percent(high)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
