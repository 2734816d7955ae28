"""An evaluation as JSON data for ``--json``, and values as text for people."""

from __future__ import annotations

from typing import Any

from pipeline.evaluate.calibration import Calibration
from pipeline.evaluate.comparison import Comparison
from pipeline.evaluate.evaluation import Evaluation
from pipeline.evaluate.intervals import Share
from pipeline.evaluate.review_errors import ReviewErrors
from pipeline.evaluate.scoring import Cell
from pipeline.records import Json

MAX_LENGTH = 300
"""Most characters of a value in one line."""


def format_value(value: Json) -> str:
    """A true or read value in one line: alternatives with "or", lists with ";", rows of a table in brackets."""
    if value is None or value in ("", [], ()):
        return "—"
    if isinstance(value, tuple):
        text = " or ".join(map(str, value))
    elif isinstance(value, list):
        text = "; ".join(_row(row) if isinstance(row, dict) else str(row) for row in value)
    else:
        text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"


def _row(row: dict[str, Json]) -> str:
    return f"[{' · '.join('—' if cell is None else str(cell) for cell in row.values())}]"


def share_json(share: Share, interval: tuple[float, float] | None = None) -> dict[str, Any]:
    """A share with its 95 % interval."""
    low, high = interval or share.interval
    return {
        "right": share.right,
        "of": share.of,
        "accuracy": round(share.value, 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """All figures of one variant."""
    fields: dict[str, Any] = {
        name: {**share_json(item.share), "wrong": item.wrong, "missing": item.missing, "invented": item.invented}
        for name, item in evaluation.fields.items()
    }
    for name, (low, high) in evaluation.field_intervals.items():
        fields[name]["interval"] = {"low": round(low, 4), "high": round(high, 4)}
    for name, (errors, calibration) in evaluation.by_field.items():
        fields[name] |= {"review": review_json(errors), "calibration": _calibration_json(calibration, thresholds=False)}
    for name, table in evaluation.tables.items():
        fields.setdefault(name, {})["rows"] = {
            "truth": table.expected,
            "read": table.read,
            "matched": table.matched,
            "precision": round(table.precision, 4),
            "recall": round(table.recall, 4),
            "f1": round(table.f1, 4),
            "columns": {column: share_json(share) for column, share in table.columns.items()},
        }
    return {
        "label": evaluation.label,
        "documents": len(evaluation.documents),
        "not_read": [{"file": file, "why": why} for file, why in evaluation.problems],
        "layouts": {
            "count": len(evaluation.layouts),
            "documents_by_source": dict(evaluation.layouts_known),
            "interval_over": "layouts" if evaluation.over_layouts else "documents",
        },
        "interval": dict(zip(("low", "high"), (round(end, 4) for end in evaluation.interval), strict=True)),
        "micro": share_json(evaluation.micro, evaluation.micro_interval),
        "macro": round(evaluation.macro, 4),
        "all_right": share_json(evaluation.all_right),
        "fields": fields,
        "groups": {
            kind: {
                name: {
                    "documents": figures.documents,
                    "layouts": figures.layouts,
                    **share_json(figures.share, figures.interval),
                    "review": review_json(figures.review),
                }
                for name, figures in groups.items()
            }
            for kind, groups in evaluation.groups.items()
        },
        "flags": {
            ("flagged" if flag else "unflagged"): {
                "values": share.of,
                "errors": share.right,
                "error_rate": round(share.value, 4),
            }
            for flag, share in evaluation.flagged.items()
        },
        "review": review_json(evaluation.review, evaluation.silent_interval),
        "calibration": _calibration_json(evaluation.calibration),
    }


def review_json(errors: ReviewErrors, interval: tuple[float, float] | None = None) -> dict[str, Any]:
    """Whether people find what is wrong; ``interval`` is the 95 % interval of the share of silent errors."""
    ends = {"silent_low": round(interval[0], 4), "silent_high": round(interval[1], 4)} if interval else {}
    return {
        "values": errors.values,
        "wrong": errors.wrong,
        "silent": errors.silent,
        "silent_share": round(errors.silent_share.value, 4),
        **ends,
        "right_but_marked": errors.marked,
        "absent": errors.absent,
        "absent_but_filled": errors.filled,
        "absent_but_filled_unmarked": errors.filled_silently,
    }


def _calibration_json(calibration: Calibration | None, *, thresholds: bool = True) -> dict[str, Any] | None:
    if calibration is None:
        return None
    figures: dict[str, Any] = {
        "values": calibration.values,
        "ece": round(calibration.error, 4),
        "confidence": round(calibration.confidence, 4),
        "accuracy": round(calibration.share.value, 4),
        "bins": [
            {"confidence": round(item.confidence, 4), "accuracy": round(item.share.value, 4), "values": item.share.of}
            for item in calibration.bins
        ],
    }
    if thresholds:
        figures["errors_at"] = [
            {
                "threshold": item.threshold,
                "values": item.errors.of,
                "errors": item.errors.right,
                "error_rate": round(item.errors.value, 4),
            }
            for item in calibration.thresholds
        ]
    return figures


def cell_json(cell: Cell) -> dict[str, Any]:
    """One cell, for the list of misses."""
    truth = list(cell.truth) if isinstance(cell.truth, tuple) and len(cell.truth) > 1 else cell.truth
    return {
        "file": cell.file,
        "field": cell.field,
        "outcome": cell.outcome,
        "truth": truth[0] if isinstance(truth, tuple) else truth,
        "read": cell.read.value,
        "printed": cell.read.printed or None,
        "page": cell.read.page,
        "confidence": cell.read.confidence,
        "marked": cell.marked,
        **(
            {"rows": {"truth": cell.rows.expected, "read": cell.rows.read, "matched": len(cell.rows.matched)}}
            if cell.rows
            else {}
        ),
        **({"unread": cell.unread} if cell.unread else {}),
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The differences between two variants."""
    changed = [pair for pair in comparison.pairs if pair.change in ("fixed", "broken")]
    return {
        "verdict": comparison.verdict,
        "pairs": len(comparison.pairs),
        "unpaired_documents": comparison.unpaired,
        **{change: comparison.counts[change] for change in ("fixed", "broken", "right", "wrong")},
        "p": comparison.p,
        "documents": {**comparison.documents, "p": comparison.documents_p},
        "fields": {
            name: {change: count[change] for change in ("fixed", "broken", "right", "wrong")}
            for name, count in comparison.fields.items()
        },
        "changes": [{"change": pair.change, "before": pair.before.read.value, **cell_json(pair.after)} for pair in changed],
    }
