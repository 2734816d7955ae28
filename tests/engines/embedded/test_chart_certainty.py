"""Every value of a chart has a confidence; what is not sure is null."""

from __future__ import annotations

from dataclasses import replace

from pipeline.engines.embedded.chart.certainty import chart_calibration
from pipeline.engines.embedded.chart.chart_claims import read_chart
from pipeline.records import Claim
from tests.engines.embedded.charts import draw_legend, draw_vertical_bars, draw_y_ticks, titled_sheet
from tests.engines.embedded.page_builder import Sheet, template
from tests.engines.embedded.test_chart import LABELS, VALUES, read


def bars(series: dict[str, list[float]]) -> Sheet:
    sheet = titled_sheet("Sunny days by region", "Region", "Days")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_vertical_bars(sheet, LABELS, series, [0, 80])
    return sheet


def confidences(claims: dict[str, Claim]) -> list[float]:
    return [row["value"] for row in claims["data"].cells]


def test_every_row_has_a_confidence_and_clear_bars_have_a_high_one() -> None:
    claims = read(bars({"": VALUES}))
    assert len(confidences(claims)) == len(claims["data"].value) == len(LABELS)
    assert all(0.7 < sure <= chart_calibration().most < 1 for sure in confidences(claims))


def test_bars_of_unknown_series_are_less_sure_than_with_a_legend() -> None:
    series = {"Men": VALUES, "Women": [float(value) for value in (20, 30, 40, 15, 22)]}
    named, unnamed = bars(series), bars(series)
    draw_legend(named, list(series))
    assert min(confidences(read(named))) > max(confidences(read(unnamed)))


def test_labels_that_were_hard_to_read_make_a_row_less_sure() -> None:
    sheet = bars({"": VALUES})
    page = sheet.page()
    blurred = tuple(replace(word, confidence=0.3) if word.text == "East" else word for word in page.words)
    clear = read_chart(page, sheet.pixels(), template("chart"))
    doubtful = read_chart(replace(page, words=blurred), sheet.pixels(), template("chart"))
    lower = [a < b for a, b in zip(confidences(doubtful), confidences(clear), strict=True)]
    assert [label for label, less in zip(LABELS, lower, strict=True) if less] == ["East"]
