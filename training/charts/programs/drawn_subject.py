"""What a chart of another program shows: its form, its data, and the truth that belongs to them."""

from __future__ import annotations

from random import Random
from typing import Any

from training.charts.subjects import Subject, subject

Truth = dict[str, Any]

FORMS = (
    "bar", "bar", "barh", "barh", "grouped", "groupedh", "stacked", "stackedh", "line", "line", "lines", "lines", "dense", "dense",
    "pie", "hist", "scatter", "area", "points",
)  # fmt: skip
"""The forms of charts, frequent ones twice. No program draws ``hist`` yet; without it, every seed would give other charts."""
KINDS = {
    "bar": "bar",
    "barh": "bar_horizontal",
    "grouped": "bar_grouped",
    "groupedh": "bar_grouped_horizontal",
    "stacked": "stacked_bar",
    "stackedh": "stacked_bar_horizontal",
    "line": "line",
    "lines": "line_multi",
    "dense": "line",
    "pie": "pie",
    "hist": "histogram",
    "scatter": "scatter",
    "area": "area",
    "points": "dot",
}
"""The type of each form, as the template names it."""
IN_TIME = ("line", "lines", "dense", "area")
NO_MINUS = ("stacked", "stackedh", "pie", "area", "barh", "hist")
TRIES = 50
DENSE_FROM = 18
"""Years on the axis of a dense line, at least: more than an axis names."""


def form_and_subject(seed: int, program: str, number: int) -> tuple[Random, str, Subject | None]:
    """The form of a chart and its data, and the random numbers that go on to draw it; None where no data suit the form."""
    random = Random(f"{seed}/{program}/{number}")
    form = random.choice(FORMS)
    return random, form, subject_of(form, random)


def subject_of(form: str, random: Random) -> Subject | None:
    """Data that suit a form; None where no try finds any."""
    choices = {"grouped": (2, 3), "stacked": (2, 3, 4), "stackedh": (2, 3), "lines": (2, 3, 4)}
    # All are drawn for every form, in this order: the charts of a seed depend on it.
    drawn = {name: random.choice(counts) for name, counts in choices.items()}
    series = {**drawn, "groupedh": 2}.get(form, 1)
    most = {"dense": 30, "barh": 12}.get(form, 9)
    for _ in range(TRIES):
        try:
            found = subject(random, most, series, positive=form in NO_MINUS, time=form in IN_TIME)
        except IndexError:  # no list of series is long enough for this subject
            continue
        if _suits(found, form):
            return found
    return None


def _suits(found: Subject, form: str) -> bool:
    least = min(min(row) for row in found.values)
    if form == "dense":
        return len(found.categories) >= DENSE_FROM and found.categories[0].isdigit()
    if form == "pie":
        return len(found.categories) <= 7 and least > 0
    return form not in ("stacked", "stackedh", "area") or least >= 0


def has_numbers(drawn: Subject) -> bool:
    """Whether all categories are numbers, such as years."""
    return all(category.isdigit() for category in drawn.categories)


def truth_of(drawn: Subject, form: str, *, printed: bool = False, titled: bool = True) -> Truth:
    """The truth of a chart, as ``make`` writes it: type, title, rows, and whether values are ``printed``."""
    rows = [
        {"category": category, "series": name or None, "value": value}
        for name, values in zip(drawn.series, drawn.values, strict=True)
        for category, value in zip(drawn.categories, values, strict=True)
    ]
    return {
        "chart_type": KINDS[form], "title": drawn.title if titled else None, "x_title": None, "y_title": None,
        "printed": printed, "rows": rows, "damage": [],
    }  # fmt: skip
