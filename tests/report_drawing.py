"""Reports with charts among text: matplotlib draws the charts, MuPDF puts them on pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pymupdf
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

TEXT = (
    "The regional offices collected these numbers and checked them twice before they were sent to the head office. Readers who want to "
    "compare them with other years find tables in the annex, with notes on how each number was defined and which offices reported late. "
    "Nothing in this paragraph belongs to a chart. It only stands around one, as text does in a report of many pages. "
)
REGIONS = {"North": 12.5, "South": 31.2, "East": 8.4, "West": 22.7}
YEARS = [2015, 2016, 2017, 2018, 2019, 2020]
TRADE = {"Exports": [3.2, 4.1, 3.7, 5.9, 6.4, 7.3], "Imports": [2.2, 2.1, 3.1, 3.9, 4.4, 4.3]}
ENERGY = {"Coal": 43.7, "Gas": 29.6, "Wind": 15.4, "Sun": 11.3}
Draw = Callable[[Axes], object]


def regions(ax: Axes) -> None:
    ax.bar(list(REGIONS), list(REGIONS.values()), color="#1f77b4")
    ax.set_title("Sales by region")


def trade(ax: Axes) -> None:
    for (name, values), colour in zip(TRADE.items(), ("#d62728", "#2ca02c"), strict=True):
        ax.plot(YEARS, values, color=colour, label=name)
    ax.legend()
    ax.set_title("Trade")


def energy(ax: Axes) -> None:
    ax.pie(list(ENERGY.values()), labels=list(ENERGY))
    ax.set_title("Energy")


def chart_pdf(draw: Draw, size: tuple[float, float] = (4.2, 2.6)) -> bytes:
    """A PDF of one chart and nothing else."""
    figure = Figure(figsize=size)
    FigureCanvasPdf(figure)
    draw(figure.add_subplot())
    stream = io.BytesIO()
    figure.savefig(stream, format="pdf", bbox_inches="tight", metadata={"CreationDate": None})
    return stream.getvalue()


def chart_png(draw: Draw, size: tuple[float, float] = (4.2, 2.6)) -> bytes:
    """A picture of one chart."""
    figure = Figure(figsize=size, dpi=150)
    FigureCanvasAgg(figure)
    draw(figure.add_subplot())
    stream = io.BytesIO()
    figure.savefig(stream, format="png", bbox_inches="tight")
    return stream.getvalue()


def report_pdf(pages: Sequence[Sequence[tuple[bytes, str]]]) -> bytes:
    """Pages of text with figures, each a PDF or a picture with its caption; a page without figures has text alone."""
    with pymupdf.open() as report:
        for figures in pages:
            page, y = report.new_page(width=595, height=842), 72.0
            page.insert_textbox((72, y, 523, y + 70), TEXT, fontsize=10)
            y += 80
            for content, caption in figures:
                box = pymupdf.Rect(130, y, 460, y + 205)
                if content.startswith(b"%PDF"):
                    with pymupdf.open(stream=content) as chart:
                        page.show_pdf_page(box, chart, 0)
                else:
                    page.insert_image(box, stream=content)
                if caption:
                    page.insert_text((130, y + 222), caption, fontsize=9)
                page.insert_textbox((72, y + 236, 523, y + 300), TEXT, fontsize=10)
                y += 305
            if not figures:
                page.insert_textbox((72, y, 523, y + 400), TEXT * 3, fontsize=10)
        data: bytes = report.tobytes(no_new_id=True)
    return data


def table_pdf() -> bytes:
    """A page of text with a table that has rules, grounds and numbers that count up."""
    with pymupdf.open() as report:
        page = report.new_page(width=595, height=842)
        page.insert_textbox((72, 72, 523, 142), TEXT, fontsize=10)
        for row in range(9):
            y = 160 + 22 * row
            if row % 2:
                page.draw_rect((72, y, 523, y + 22), color=None, fill=(0.85, 0.92, 1))
            page.draw_line((72, y), (523, y), width=0.5)
            for column, text in enumerate((f"{10 * row}", f"Item {row}", f"{3.7 * row + 1.2:.1f}")):
                page.insert_text((80 + 150 * column, y + 15), text, fontsize=10)
        for x in (72, 222, 372, 523):
            page.draw_line((x, 160), (x, 358), width=0.5)
        page.insert_textbox((72, 380, 523, 780), TEXT * 3, fontsize=10)
        data: bytes = report.tobytes(no_new_id=True)
    return data
