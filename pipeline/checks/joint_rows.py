"""Joins the rows of a table that a language model read with those of the embedded engine, by sums and products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from pipeline.checks.cell_features import product_holds
from pipeline.checks.value_comparison import as_decimal, is_absent, same_value
from pipeline.records import Claim, Json
from pipeline.templates.template import Column, Template, TemplateField

UNCONFIRMED = "unconfirmed"
"""Flag of rows that only a language model has read, and that add up to no total."""
Row = Mapping[str, Json]


def joint_rows(name: str, joint: Mapping[str, Claim], model: Claim, template: Template) -> Claim:
    """The claim of a table: the embedded engine's rows, or the model's where only these add up, or, flagged, where there are no others.

    ``joint`` holds the claims that were chosen for the other fields. Cells that the embedded engine lacks come from the model's row of the
    same amount, where quantity times price is the amount with them.
    """
    own, columns = joint[name], template.fields[name].main_columns()
    if is_absent(model.value):
        return own
    signals, confirmed = {**own.signals, **model.signals}, _adds_up(name, model.value, joint, template)
    if is_absent(own.value):
        rows = _with_details(model.value, template.fields[name])
        return replace(model, value=rows, signals=signals, flags=model.flags if confirmed else (*model.flags, UNCONFIRMED))
    if _adds_up(name, own.value, joint, template):
        return own
    if confirmed:
        return replace(model, value=_with_details(model.value, template.fields[name]), signals=signals)
    return replace(own, value=[_completed(row, model.value, columns) for row in own.value])


def _with_details(rows: Sequence[Row], table: TemplateField) -> list[dict[str, Json]]:
    """The rows of a model, which is not asked for details, with a place for each of them."""
    return [{**{name: None for name, column in table.columns.items() if column.detail}, **row} for row in rows]


def _adds_up(name: str, rows: Sequence[Row], joint: Mapping[str, Claim], template: Template) -> bool:
    """Whether a column of the rows adds up to the amount that a check of the template says, or to any amount of another sum."""
    for check in template.checks:
        columns = [column for table, column in map(template.split_term, check.sum) if column and table == name]
        amounts = [as_decimal(row.get(column)) for row in rows for column in columns]
        present = [amount for amount in amounts if amount is not None]
        if not present or len(present) < len(amounts):
            continue
        totals = {check.equals or "", *(other.equals or "" for other in template.checks if other.sum)}
        targets = [as_decimal(joint[total].value) for total in totals if total in joint]
        tolerance = as_decimal(check.tolerance) or Decimal(0)
        if any(target is not None and abs(sum(present, Decimal(0)) - target) <= tolerance for target in targets):
            return True
    return False


def _completed(row: Row, others: Sequence[Row], columns: Mapping[str, Column]) -> dict[str, Json]:
    """The row with the cells that it lacks, from a row of the other reading, where a product proves them."""
    money = [name for name, column in columns.items() if column.type == "money"]
    missing = [name for name, column in columns.items() if column.type in ("money", "number") and row.get(name) is None]
    for other in others if missing and money else ():
        same = row.get(money[-1]) is not None and same_value("money", row.get(money[-1]), other.get(money[-1]))
        filled = {**row, **{name: other.get(name) for name in missing}}
        if same and product_holds(filled, columns):
            return filled
    return dict(row)
