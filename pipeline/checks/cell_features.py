"""What speaks for and against the cells of a table, as numbers by name."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipeline.checks.arithmetic import rows_add_up
from pipeline.checks.confidence_features import Features, doubts, log_odds
from pipeline.checks.value_comparison import as_decimal
from pipeline.records import Evidence, Json
from pipeline.templates.template import Column, Template

_ROUNDING = Decimal("0.02")


def cell_features(template: Template, name: str, fields: Mapping[str, Evidence]) -> list[dict[str, Features]]:
    """For each row of a table the features of the cells of which the engine says how likely they are, by column."""
    evidence, columns = fields[name], template.fields[name].main_columns()
    adds_up = rows_add_up(name, fields, template)
    known = [column for column, spec in columns.items() if spec.type in ("money", "number")]
    last = known[-1] if known else ""
    found = []
    for row, cells in zip(evidence.value, evidence.cells, strict=True):
        product = product_holds(row, columns)
        least = min(cells.values(), default=1.0)
        shared = {
            "always": 1.0,
            "product holds": float(product is True),
            "product fails": float(product is False),
            "rows add up": float(adds_up is True),
            "rows do not add up": float(adds_up is False),
            "least odds of the row": log_odds(least),
            "ocr": float(evidence.legible < 1),
            **doubts(evidence.signals),
        }
        found.append(
            {
                column: {
                    **shared,
                    f"column {columns[column].type}": 1.0,
                    "last column": float(column == last),
                    "odds": log_odds(likely),
                }
                for column, likely in cells.items()
                if column in columns and row.get(column) is not None
            }
        )
    return found


def product_holds(row: Mapping[str, Json], columns: Mapping[str, Column]) -> bool | None:
    """Whether quantity times price is the amount, by the columns' types; None where one of them is missing."""
    number = next((name for name, column in columns.items() if column.type == "number" and not column.detail), "")
    money = [name for name, column in columns.items() if column.type == "money" and not column.detail]
    if not number or len(money) < 2:
        return None
    quantity, price, amount = (as_decimal(row.get(name)) for name in (number, money[0], money[-1]))
    if quantity is None or price is None or amount is None:
        return None
    return abs(quantity * price - amount) <= max(_ROUNDING, abs(amount) / 1000)
