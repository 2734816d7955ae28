"""Where each letter of a MuPDF page comes from: its font, the number of its glyph, and when it is painted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Place = tuple[int, int]
"""Where a letter starts on its baseline, in whole points of the page's own coordinates (unrotated)."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """A letter as painted. ``box`` and ``size`` in points, unrotated; ``turn`` counts the painting operations of the page."""

    font: str
    number: int
    char: str
    turn: int
    box: tuple[float, float, float, float]
    size: float
    upright: bool


class PageTrace:
    """The glyphs of a page. It is made only when a question is asked."""

    def __init__(self, page: Any) -> None:
        self._page = page

    @property
    def glyphs(self) -> Iterable[Glyph]:
        """The glyphs of the page."""
        return (glyph for glyphs in self._by_place.values() for glyph in glyphs)

    @cached_property
    def _by_place(self) -> dict[Place, list[Glyph]]:
        places: dict[Place, list[Glyph]] = {}
        for span in self._page.get_texttrace():
            upright = abs(span["dir"][1]) < 0.01 and span["dir"][0] > 0
            for char, number, origin, box in span["chars"]:
                glyph = Glyph(
                    span["font"], number, chr(char) if char >= 0 else "\ufffd", span["seqno"], box, span["size"], upright
                )
                places.setdefault(_place(origin), []).append(glyph)
        return places

    def glyph_at(self, origin: Sequence[float], char: str) -> Glyph | None:
        """The glyph of this letter that starts here, else another one there, the last one of several; None where there is none."""
        x, y = _place(origin)
        near = [glyph for dx in (0, -1, 1) for dy in (0, -1, 1) for glyph in self._by_place.get((x + dx, y + dy), ())]
        same = [glyph for glyph in near if glyph.char == char]
        found = same or near
        return found[-1] if found else None


def _place(origin: Sequence[float]) -> Place:
    return round(origin[0]), round(origin[1])
