"""Draws what ``training.curves`` measured as SVG: share of right values against the number of layouts learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from math import floor, log
from typing import Protocol

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 56, 500, 24, 364
"""The area of the curves; their names stand right of it."""
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
    counts = sorted({point.layouts_learned for point in points})
    bottom = floor(min(point.low for point in points) / STEP) * STEP

    def x(count: int) -> float:
        first, last = log(counts[0]), log(counts[-1])
        return LEFT + (RIGHT - LEFT) * (0.5 if first == last else (log(count) - first) / (last - first))

    def y(share: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (share - bottom) / (1 - bottom)

    curves: dict[tuple[str, str], list[Measured]] = {}
    for point in sorted(points, key=lambda point: point.layouts_learned):
        curves.setdefault((point.measured, point.real), []).append(point)
    colours = {source: COLOURS[n % len(COLOURS)] for n, source in enumerate(dict.fromkeys(source for source, _ in curves))}
    parts = list(_grid(counts, bottom, x, y))
    heights = _apart([y(curve[-1].share) for curve in curves.values()])
    for ((source, real), curve), height in zip(curves.items(), heights, strict=True):
        colour, dash = colours[source], ' stroke-dasharray="5 4"' if real == "without" else ""
        places = [(x(point.layouts_learned), y(point.share)) for point in curve]
        line = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        for point, (across, down) in zip(curve, places, strict=True):
            ends = f'y1="{y(point.low):.1f}" y2="{y(point.high):.1f}"'
            parts.append(
                f'<line x1="{across:.1f}" x2="{across:.1f}" {ends} stroke="{colour}" stroke-opacity="0.35" stroke-width="2"/>'
            )
            parts.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{colour}"/>')
        name = f"{source}{'' if real == 'without' else ', real ones in training'}: {curve[-1].share:.3f}"
        parts.append(f'<text x="{RIGHT + 12}" y="{height + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">'
        f'<title>Right values on layouts left out, by layouts learned from</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _grid(counts: Sequence[int], bottom: float, x: Callable[[int], float], y: Callable[[float], float]) -> Iterator[str]:
    for n in range(round((1 - bottom) / STEP) + 1):
        share = bottom + n * STEP
        yield f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y(share) + 4:.1f}" text-anchor="end" fill="#444">{share:.2f}</text>'
    for count in counts:
        yield f'<text x="{x(count):.1f}" y="{BOTTOM + 16}" text-anchor="middle" fill="#444">{count:,}</text>'
    middle = (LEFT + RIGHT) / 2
    yield f'<text x="{middle}" y="{BOTTOM + 38}" text-anchor="middle" fill="#444">generated layouts learned from</text>'
    middle = (TOP + BOTTOM) / 2
    yield (
        f'<text x="14" y="{middle}" text-anchor="middle" fill="#444" transform="rotate(-90 14 {middle})">'
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
