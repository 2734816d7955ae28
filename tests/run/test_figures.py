"""Charts among the text of a report are results of their own, with their captions and pages; the pages are read once."""

from __future__ import annotations

import pytest

from tests.report_drawing import (
    ENERGY,
    REGIONS,
    TRADE,
    YEARS,
    chart_pdf,
    chart_png,
    energy,
    regions,
    report_pdf,
    table_pdf,
    trade,
)
from tests.run.test_split import Reading, documents, reading

__all__ = ["reading"]  # a fixture


@pytest.fixture
def charts(reading: Reading) -> Reading:
    reading.template = "chart"
    return reading


def rows(reading: Reading, name: str) -> dict[tuple[str, str], float]:
    """The values of a result by category and series."""
    data = reading.json(name)["results"]["chart"]["fields"]["data"]["value"]
    return {(row["category"], row["series"] or ""): float(row["value"]) for row in data}


def put_report(charts: Reading) -> None:
    pages = [
        [(chart_pdf(regions), "Figure 1: Sales of the four regions"), (chart_pdf(trade), "Figure 2: Trade with neighbours")],
        [],
        [(chart_pdf(energy), "Abb. 3: Sources of energy")],
    ]
    charts.folders.put("report.pdf", report_pdf(pages))


def test_each_chart_of_a_report_is_a_result_with_its_caption_and_page(charts: Reading) -> None:
    put_report(charts)
    charts.run()
    assert documents(charts) == dict.fromkeys(("report.pdf/1.1", "report.pdf/1.2", "report.pdf/3.1"), "done")
    listed = {row["file"]: (row["chart_type"], row["title"], row["caption"]) for row in charts.csv("chart")}
    assert listed == {
        "report.pdf/1.1": ("bar", "Sales by region", "Figure 1: Sales of the four regions"),
        "report.pdf/1.2": ("line_multi", "Trade", "Figure 2: Trade with neighbours"),
        "report.pdf/3.1": ("pie", "Energy", "Abb. 3: Sources of energy"),
    }
    second = charts.json("report.pdf/1.2")
    assert (second["document"]["file_pages"], second["document"]["sheet_part"]) == ([1], 2)
    assert second["results"]["chart"]["fields"]["title"]["box"][1] > 421, "the box is that of the page"
    assert {row["file"] for row in charts.csv("chart.data")} == set(listed)
    split = charts.json("report.pdf")["split"]
    assert split["left_out"] == [{"page": 2, "because": "no chart"}]
    charts.run()
    assert charts.engine.pages == [1, 2, 3], "nothing is read again"


def test_values_of_drawn_charts_are_those_of_their_paths(charts: Reading) -> None:
    put_report(charts)
    charts.run()
    assert rows(charts, "report.pdf/1.1") == {(name, ""): pytest.approx(value, rel=0.005) for name, value in REGIONS.items()}
    assert rows(charts, "report.pdf/1.2") == {
        (str(year), name): pytest.approx(value, rel=0.005)
        for name, values in TRADE.items()
        for year, value in zip(YEARS, values, strict=True)
    }
    assert rows(charts, "report.pdf/3.1") == {(name, ""): pytest.approx(value, rel=0.005) for name, value in ENERGY.items()}
    whole = charts.json("report.pdf")["results"]["chart"]["fields"]
    assert {row["category"] for row in whole["data"]["value"]} == set(REGIONS), "data of two charts are not mixed"


def test_a_chart_that_is_a_picture_in_a_page_is_cut_out(charts: Reading) -> None:
    charts.folders.put("report.pdf", report_pdf([[(chart_png(regions), "Figure 7. Sales")]]))
    charts.run()
    (row,) = charts.csv("chart")
    assert (row["file"], row["chart_type"], row["title"], row["caption"]) == (
        "report.pdf",
        "bar",
        "Sales by region",
        "Figure 7. Sales",
    )
    assert rows(charts, "report.pdf") == {(name, ""): pytest.approx(value, rel=0.05) for name, value in REGIONS.items()}


def test_a_page_that_is_one_chart_is_one_result(charts: Reading) -> None:
    charts.folders.put("chart.pdf", chart_pdf(regions, (6.4, 4.8)))
    charts.run()
    assert documents(charts) == {"chart.pdf": "done"}
    (row,) = charts.csv("chart")
    assert (row["chart_type"], row["title"], row["caption"]) == ("bar", "Sales by region", "")
    assert rows(charts, "chart.pdf") == {(name, ""): pytest.approx(value, rel=0.005) for name, value in REGIONS.items()}


def test_a_table_with_rules_is_no_chart(charts: Reading) -> None:
    charts.folders.put("table.pdf", table_pdf())
    charts.run()
    fields = charts.json("table.pdf")["results"]["chart"]["fields"]
    assert {name: item["value"] for name, item in fields.items() if item["value"]} == {}
