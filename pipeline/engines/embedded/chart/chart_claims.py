"""Reads the fields of a chart: type, titles, data and summary, from the words and the coloured marks of a picture.

Printed numbers are preferred to measured ones. Measured numbers come from axes that are calibrated on their ticks. What cannot be read is
left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.engines.embedded.chart.certainty import chart_calibration, rated_rows
from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.chart_reader import analyse_chart
from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.engines.embedded.chart.summary import summarize
from pipeline.records import Claim, Json, Page, PageImage, Shape
from pipeline.templates.template import Template
from pipeline.values.numbers import plain_decimal


def read_chart(page: Page, image: PageImage, template: Template, shapes: Sequence[Shape] = ()) -> dict[str, Claim]:
    """Return a claim for each of ``chart_type title caption x_title y_title data summary`` that the template has a field for.

    The caption has no value: it stands outside the chart. ``shapes`` are what the file draws on the page.
    """
    reading = analyse_chart(page, image, shapes)
    title = reading.title.text if reading.title else None
    rows = rated_rows(reading.kind, reading.rows, reading.signals)
    summary = summarize(reading.kind, title, rows, reading.unmatched, chart_calibration().sure_from)
    claims = {
        "chart_type": Claim(value=reading.kind, score=0.8 if reading.rows else 0.5),
        "title": _text(reading.title),
        "caption": Claim(value=None),
        "x_title": _text(reading.x_title),
        "y_title": _text(reading.y_title),
        "data": _data(rows),
        "summary": Claim(value=summary, score=0.8 if reading.rows else 0.4),
    }
    return {name: claim for name, claim in claims.items() if name in template.fields}


def _text(label: ChartLabel | None) -> Claim:
    if label is None:
        return Claim(value=None)
    return Claim(value=label.text, printed=label.text, words=label.words, score=0.8)


def _data(rows: Sequence[DataRow]) -> Claim:
    values: list[Json] = [
        {"category": row.category, "series": row.series, "value": None if row.value is None else plain_decimal(row.value)}
        for row in rows
    ]
    cells = [{"value": row.confidence} if row.confidence is not None else {} for row in rows]
    words = tuple(sorted({index for row in rows for index in row.words}))
    return Claim(value=values or None, words=words, score=0.8 if rows else 0.0, cells=cells)
