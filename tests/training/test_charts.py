"""Charts are drawn with the truth that they show, and what is read of them is compared with it."""

from __future__ import annotations

import io
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from PIL import Image

from pipeline.engines.embedded.chart.data_row import DataRow
from training.charts.fit import Observed, fitted, wrong_in_summaries
from training.charts.kinds import KINDS
from training.charts.make import _draw, make_chart
from training.charts.reading import matches, same_label


def test_seed_and_number_make_the_same_chart() -> None:
    first, second = make_chart(3, 7), make_chart(3, 7)
    assert first == second
    assert make_chart(3, 8)[2] != first[2]
    assert Image.open(io.BytesIO(first[1])).width > 150


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_with_rows(kind: str) -> None:
    picture, plot = _draw(kind, Random(kind))
    assert picture.width > 150
    assert len({(row.category, row.series) for row in plot.rows}) == len(plot.rows) > 1


def test_a_row_belongs_to_the_true_row_with_its_labels() -> None:
    truth = {
        "chart_type": "bar_grouped",
        "rows": [
            {"category": c, "series": s, "value": v}
            for c, s, v in (("Oslo", "2019", 5.0), ("Oslo", "2024", 7.0), ("Rome", "2019", 9.0))
        ],
    }
    rows = [DataRow("Oslo", "2024", Decimal(7)), DataRow("Rorne", "2019", Decimal(9)), DataRow("Oslo", "2021", Decimal(5))]
    assert matches(truth, rows) == [1, None, None]


def test_years_that_differ_are_no_misread_letters() -> None:
    assert same_label("Quarterly report", "Quarterly reporl")
    assert not same_label("Q1 2023", "Q1 2024")


def test_the_fit_learns_that_doubtful_rows_are_wrong_and_keeps_them_out_of_summaries() -> None:
    random = np.random.default_rng(1)
    charts = []
    for _ in range(120):
        doubts = random.random(4) < 0.4
        right = [bool(not doubt or random.random() < 0.1) for doubt in doubts]
        rows = [DataRow(str(n), None, Decimal(10 + n), printed=True) for n in range(4)]
        features = [{"printed:constant": 1.0, "printed:misread": float(doubt)} for doubt in doubts]
        charts.append(Observed("bar", 1.0, rows, features, right, right))
    weights, left_out = fitted(charts)
    untrue, told = wrong_in_summaries(charts, left_out)
    assert weights["printed:misread"] < -2
    assert untrue <= 0.01
    assert told > 50
