"""Draws what ``training.curves`` measured as SVG: share of right values against the number of layouts learned from.

One panel for each kind of document, the last word of what was measured: "real invoices" and "generated invoices" share one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from math import floor, log
from typing import Protocol

WIDTH, HEIGHT = 760, 330
"""Of one panel."""
LEFT, RIGHT, TOP, BOTTOM = 56, 460, 34, 278
"""The area of the curves in it; their names stand right of it."""
COLOURS = ("#2e6aa8", "#b8562b", "#3f7f3f", "#7a4fa0", "#8a6d1f", "#a03a5c")
APART = 16
"""Least distance of two names."""
STEP = 0.05
"""Between two lines of the grid."""


class Measured(Protocol):
    """One point of a curve."""

    @property
    def measured(self) -> str:
        """What was measured; curves of one source have one colour."""

    @property
    def real(self) -> str:
        """``with`` or ``without`` real documents in the training; a full or a dashed line."""

    @property
    def layouts_learned(self) -> int:
        """Where the point stands."""

    @property
    def share(self) -> float:
        """How high the point stands."""

    @property
    def low(self) -> float:
        """Lower end of its 95 % interval."""

    @property
    def high(self) -> float:
        """Upper end of its 95 % interval."""


def draw_curves(points: Sequence[Measured]) -> str:
    """The SVG. Raises ValueError without points."""
    if not points:
        raise ValueError("there are no points to draw")
    panels: dict[str, list[Measured]] = {}
    for point in sorted(points, key=lambda point: (point.measured, point.real, point.layouts_learned)):
        panels.setdefault(point.measured.rpartition(" ")[2], []).append(point)
    bottom = floor(min(point.share for point in points) / STEP) * STEP
    counts = sorted({point.layouts_learned for point in points})
    height = HEIGHT * len(panels)
    drawn = [
        f'<g transform="translate(0 {HEIGHT * n})">{"".join(_panel(kind, own, counts, bottom))}</g>'
        for n, (kind, own) in enumerate(panels.items())
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">'
        f'<title>Right values on layouts left out, by layouts learned from</title><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f"{''.join(drawn)}</svg>\n"
    )


def _panel(kind: str, points: Sequence[Measured], counts: Sequence[int], bottom: float) -> Iterator[str]:
    def x(count: int) -> float:
        first, last = log(counts[0]), log(counts[-1])
        return LEFT + (RIGHT - LEFT) * (0.5 if first == last else (log(count) - first) / (last - first))

    def y(share: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (max(share, bottom) - bottom) / (1 - bottom)

    curves: dict[tuple[str, str], list[Measured]] = {}
    for point in points:
        curves.setdefault((point.measured, point.real), []).append(point)
    sources = dict.fromkeys(source for source, _ in curves)
    colours = dict(zip(sources, COLOURS * len(sources), strict=False))
    yield f'<text x="{LEFT}" y="{TOP - 14}" font-size="14" font-weight="bold" fill="#222">{escape(kind)}</text>'
    yield from _grid(counts, bottom, x, y)
    heights = _apart([y(curve[-1].share) for curve in curves.values()])
    for n, (((source, real), curve), height) in enumerate(zip(curves.items(), heights, strict=True)):
        colour, dash = colours[source], ' stroke-dasharray="5 4"' if real == "without" else ""
        aside = 3 * (n - (len(curves) - 1) / 2)  # so that intervals do not lie upon each other
        places = [(x(point.layouts_learned) + aside, y(point.share)) for point in curve]
        line = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        for point, (across, down) in zip(curve, places, strict=True):
            ends = f'y1="{y(point.low):.1f}" y2="{y(point.high):.1f}"'
            yield f'<line x1="{across:.1f}" x2="{across:.1f}" {ends} stroke="{colour}" stroke-opacity="0.3" stroke-width="1.5"/>'
            yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{colour}"/>'
        name = f"{source.rpartition(' ')[0] or source}{'' if real == 'without' else ', real ones learned too'}: {curve[-1].share:.3f}"
        yield f'<text x="{RIGHT + 20}" y="{height + 4:.1f}" fill="{colour}">{escape(name)}</text>'


def _grid(counts: Sequence[int], bottom: float, x: Callable[[int], float], y: Callable[[float], float]) -> Iterator[str]:
    for n in range(round((1 - bottom) / STEP) + 1):
        share = bottom + n * STEP
        yield f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 14}" y="{y(share) + 4:.1f}" text-anchor="end" fill="#444">{share:.2f}</text>'
    for count in counts:
        yield f'<text x="{x(count):.1f}" y="{BOTTOM + 16}" text-anchor="middle" fill="#444">{count:,}</text>'
    middle = (LEFT + RIGHT) / 2
    yield f'<text x="{middle}" y="{BOTTOM + 38}" text-anchor="middle" fill="#444">generated layouts learned from</text>'
    middle = (TOP + BOTTOM) / 2
    yield (
        f'<text x="10" y="{middle}" text-anchor="middle" fill="#444" transform="rotate(-90 10 {middle})">'
        "share right on layouts left out</text>"
    )


def _apart(heights: Sequence[float]) -> list[float]:
    """The heights, moved so that no two names overlap."""
    placed: dict[int, float] = {}
    lowest: float = TOP - APART
    for at in sorted(range(len(heights)), key=lambda at: heights[at]):
        lowest = max(heights[at], lowest + APART)
        placed[at] = lowest
    return [placed[at] for at in range(len(heights))]
