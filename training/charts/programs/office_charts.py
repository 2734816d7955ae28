"""Charts of LibreOffice: openpyxl writes a workbook, LibreOffice prints it, and the print is cut to the chart."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pymupdf
from openpyxl import chart as charts
from openpyxl.chart.label import DataLabelList
from PIL import Image, ImageChops

from training.charts.programs.drawn_subject import Truth, truth_of
from training.charts.programs.other_program import DrawingFailedError, run_program
from training.charts.subjects import Subject

CLASSES = {
    "bar": "BarChart",
    "barh": "BarChart",
    "grouped": "BarChart",
    "groupedh": "BarChart",
    "stacked": "BarChart",
    "stackedh": "BarChart",
    "line": "LineChart",
    "lines": "LineChart",
    "dense": "LineChart",
    "pie": "PieChart",
}
EDGE = 6
"""Pixels of paper that stay around a chart."""


def lacks_office() -> str | None:
    """What to install where LibreOffice is missing."""
    return None if shutil.which("soffice") else "soffice (Debian package libreoffice-calc)"


def draw_office(drawn: Subject, form: str, random: Random, out: Path) -> Truth | None:
    """A chart of a spreadsheet, as LibreOffice prints it."""
    if form not in CLASSES:
        return None
    chart = getattr(charts, CLASSES[form])()
    chart.title, chart.style = drawn.title, random.choice((2, 10, 11, 12))
    chart.width, chart.height = random.choice(((16, 9), (20, 12)))  # centimetres
    if CLASSES[form] == "BarChart":
        chart.type = "bar" if form.endswith("h") else "col"
    if form.startswith("stacked"):
        chart.grouping, chart.overlap = "stacked", 100
    if form != "pie":
        chart.x_axis.delete = chart.y_axis.delete = False
        if len(drawn.series) == 1:
            chart.legend = None
    printed = form == "pie" or random.random() < 0.25
    if printed:
        chart.dataLabels = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)
    with TemporaryDirectory() as folder:
        book, pdf = Path(folder, "chart.xlsx"), Path(folder, "chart.pdf")
        _workbook(drawn, chart).save(book)
        # A profile of its own: an office that is open would take the work over and end at once.
        profile = f"-env:UserInstallation={Path(folder, 'profile').as_uri()}"
        run_program(
            ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", folder, str(book)], folder=Path(folder)
        )
        if not pdf.exists():
            raise DrawingFailedError("LibreOffice wrote no PDF")
        _picture(pdf, random.choice((80, 96, 120, 150))).save(out)
    return truth_of(drawn, form, printed=printed)


def _workbook(drawn: Subject, chart: Any) -> Any:
    """A workbook whose only visible sheet has the chart."""
    book = openpyxl.Workbook()
    data = book.active
    data.title = "data"
    data.append(["", *(name or drawn.y_title for name in drawn.series)])
    for category, *values in zip(drawn.categories, *drawn.values, strict=True):
        data.append([category, *values])
    last = 1 + len(drawn.categories)
    values = charts.Reference(data, min_col=2, max_col=1 + len(drawn.series), min_row=1, max_row=last)
    chart.add_data(values, titles_from_data=True)
    chart.set_categories(charts.Reference(data, min_col=1, min_row=2, max_row=last))
    sheet = book.create_sheet("c")
    sheet.add_chart(chart, "A1")
    sheet.page_setup.orientation = "landscape"
    data.sheet_state = "hidden"
    book.active = 1
    return book


def _picture(pdf: Path, dpi: int) -> Image.Image:
    with pymupdf.open(pdf) as document:
        pixels = document[0].get_pixmap(dpi=dpi)
    picture = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
    if box is None:
        raise DrawingFailedError("LibreOffice printed an empty page")
    left, top, right, bottom = box
    return picture.crop(
        (max(0, left - EDGE), max(0, top - EDGE), min(picture.width, right + EDGE), min(picture.height, bottom + EDGE))
    )
