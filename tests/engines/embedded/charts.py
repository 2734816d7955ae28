"""Draws charts from data, so that a test knows what must be read from them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.engines.embedded.page_builder import BLUE, GOLD, GREEN, RED, Colour, Sheet

LEFT, TOP, RIGHT, BOTTOM = 90, 90, 560, 400
COLOURS: tuple[Colour, ...] = (BLUE, RED, GREEN, GOLD)
Series = dict[str, list[float]]


def titled_sheet(title: str = "", x_title: str = "", y_title: str = "") -> Sheet:
    """Return a sheet with the titles that are not empty."""
    sheet = Sheet()
    if title:
        sheet.text(LEFT - 60, 30, title, 22, "lm", (0, 0, 0))
    if x_title:
        sheet.text((LEFT + RIGHT) / 2, BOTTOM + 48, x_title, 14, "mm")
    if y_title:
        sheet.turned(24, (TOP + BOTTOM) / 2, y_title)
    return sheet


def draw_y_ticks(sheet: Sheet, ticks: Sequence[float], suffix: str = "") -> None:
    """Draw a vertical axis from the first tick at the bottom to the last at the top, with grey grid lines."""
    for tick in ticks:
        y = _y(tick, ticks)
        sheet.draw.line((LEFT, y, RIGHT, y), (224, 224, 224))
        sheet.text(LEFT - 8, y, f"{tick:g}{suffix}", 13, "rm")


def draw_x_ticks(sheet: Sheet, ticks: Sequence[float]) -> None:
    """Draw a horizontal axis from the first tick on the left to the last on the right."""
    for tick in ticks:
        x = _x(tick, ticks)
        sheet.draw.line((x, TOP, x, BOTTOM), (224, 224, 224))
        sheet.text(x, BOTTOM + 14, f"{tick:g}", 13, "mm")


def _y(value: float, ticks: Sequence[float]) -> float:
    return BOTTOM - (value - ticks[0]) / (ticks[-1] - ticks[0]) * (BOTTOM - TOP)


def _x(value: float, ticks: Sequence[float]) -> float:
    return LEFT + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (RIGHT - LEFT)


def draw_legend(sheet: Sheet, names: Sequence[str]) -> None:
    """Draw swatches beside names, below each other, right of the plot."""
    for number, name in enumerate(names):
        y = TOP + 10 + 20 * number
        sheet.draw.rectangle((RIGHT + 8, y - 5, RIGHT + 18, y + 5), COLOURS[number])
        sheet.text(RIGHT + 24, y, name, 12)


def draw_vertical_bars(
    sheet: Sheet, labels: Sequence[str], series: Series, ticks: Sequence[float], stacked: bool = False
) -> None:
    """Draw vertical bars without printed values. Several series are grouped or stacked."""
    pitch = (RIGHT - LEFT) / len(labels)
    width = 0.7 * pitch / (1 if stacked else len(series))
    for n, label in enumerate(labels):
        base = 0.0
        for k, values in enumerate(series.values()):
            x0 = LEFT + (n + 0.15) * pitch + (0 if stacked else k * width)
            low, high = (base, base + values[n]) if stacked else (0.0, values[n])
            sheet.draw.rectangle(
                (round(x0), round(_y(high, ticks)), round(x0 + width) - 1, round(_y(low, ticks)) - 1), COLOURS[k]
            )
            base += values[n]
        sheet.text(LEFT + (n + 0.5) * pitch, BOTTOM + 14, label, 13, "mm")


def draw_horizontal_bars(
    sheet: Sheet, labels: Sequence[str], values: Sequence[float], printed: bool, ticks: Sequence[float]
) -> None:
    """Draw horizontal bars with labels on their left, and values at their ends when ``printed``."""
    pitch = (BOTTOM - TOP) / len(labels)
    for n, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = TOP + (n + 0.5) * pitch
        end = round(_x(value, ticks))
        sheet.draw.rectangle((LEFT, round(y - 0.3 * pitch), end, round(y + 0.3 * pitch)), BLUE)
        sheet.text(LEFT - 6, y, label, 13, "rm")
        if printed:
            sheet.text(end + 6, y, f"{value:g}", 13)


def draw_lines(sheet: Sheet, series: Series, x_values: Sequence[float], ticks: Sequence[float], dots: bool) -> None:
    """Draw lines over a numeric axis, with a dot at each value when ``dots``."""
    for colour, values in zip(COLOURS, series.values(), strict=False):
        points = [(_x(x, x_values), _y(value, ticks)) for x, value in zip(x_values, values, strict=True)]
        sheet.draw.line(points, colour, 2)
        for x, y in points if dots else ():
            sheet.draw.ellipse((x - 4, y - 4, x + 4, y + 4), colour)


def draw_pie(sheet: Sheet, shares: dict[str, float], hole: bool = False, printed: bool = True) -> None:
    """Draw a pie or a donut with a legend; the percentages stand in the sectors when ``printed``, else in the legend."""
    box = (140, 100, 420, 380)
    start = -90.0
    for number, (name, share) in enumerate(shares.items()):
        end = start + 3.6 * share
        sheet.draw.pieslice(box, start, end, COLOURS[number])
        start = end
        sheet.draw.rectangle((470, 140 + 24 * number, 482, 152 + 24 * number), COLOURS[number])
        sheet.text(488, 146 + 24 * number, name + (f" {share:g}%" if not printed else ""), 13)
    if hole:
        sheet.draw.ellipse((215, 175, 345, 305), (255, 255, 255))
    if printed:
        _percentages(sheet, list(shares.values()))


def _percentages(sheet: Sheet, shares: Sequence[float]) -> None:
    from math import cos, radians, sin

    start = -90.0
    for share in shares:
        middle = radians(start + 1.8 * share)
        sheet.text(280 + 110 * cos(middle), 240 + 110 * sin(middle), f"{share:g}%", 13, "mm", (255, 255, 255))
        start += 3.6 * share
