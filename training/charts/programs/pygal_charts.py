"""Charts of the Python package pygal: SVG with scripts, of which Chromium takes the picture."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from random import Random

from training.charts.programs.browser_page import BrowserPage, lacks_browser
from training.charts.programs.drawn_subject import Truth, truth_of
from training.charts.programs.other_program import lacks_module
from training.charts.subjects import Subject

CLASSES = {
    "bar": "Bar",
    "barh": "HorizontalBar",
    "grouped": "Bar",
    "groupedh": "HorizontalBar",
    "stacked": "StackedBar",
    "stackedh": "HorizontalStackedBar",
    "line": "Line",
    "lines": "Line",
    "dense": "Line",
    "pie": "Pie",
}
STYLES = ("DefaultStyle", "CleanStyle", "LightStyle", "RedBlueStyle", "DarkStyle")
WIDTH, HEIGHT = 800, 500


def lacks_pygal() -> str | None:
    """What to install where pygal or Chromium is missing."""
    return " and ".join(filter(None, (lacks_module("pygal", "pygal"), lacks_browser()))) or None


def draw_pygal(page: BrowserPage, drawn: Subject, form: str, random: Random, out: Path) -> Truth | None:
    """A chart in one of the styles of pygal."""
    if form not in CLASSES:
        return None
    printed = random.random() < 0.3 or form == "pie"
    style = getattr(import_module("pygal.style"), random.choice(STYLES))(value_font_size=14, label_font_size=14)
    chart = getattr(import_module("pygal"), CLASSES[form])(
        title=drawn.title,
        show_legend=len(drawn.series) > 1 or form == "pie",
        print_values=printed,
        style=style,
        width=WIDTH,
        height=HEIGHT,
        disable_xml_declaration=True,
    )
    if form == "pie":
        for category, value in zip(drawn.categories, drawn.values[0], strict=True):
            chart.add(category, value)
    else:
        chart.x_labels = drawn.categories
        for name, row in zip(drawn.series, drawn.values, strict=True):
            chart.add(name or drawn.y_title, row)
    svg = chart.render(is_unicode=True)
    page.picture(f"<html><body style='margin:0'>{svg}</body></html>", out, WIDTH, HEIGHT)
    return truth_of(drawn, form, printed=printed)
