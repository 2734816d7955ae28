"""Where each letter of a MuPDF page comes from: its font, the number of its glyph, and when it is painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Place = tuple[int, int]
"""Where a letter starts on its baseline, in whole points of the page's own coordinates (unrotated)."""
_NEAR = [(dx, dy) for dx in (0, -1, 1) for dy in (0, -1, 1)]
_Letter = tuple[int, int, tuple[float, float], tuple[float, float, float, float]]
"""A letter as MuPDF traces it: Unicode, number of the glyph, origin, box."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """A letter as painted. ``box`` and ``size`` in points, unrotated; ``turn`` counts the painting operations of the page."""

    font: str
    number: int
    char: str
    turn: int
    box: tuple[float, float, float, float]
    size: float


class PageTrace:
    """The glyphs of a page. It is made only when a question is asked."""

    def __init__(self, page: Any) -> None:
        self._page = page

    @cached_property
    def _spans(self) -> list[dict[str, Any]]:
        return list(self._page.get_texttrace())

    def digits(self) -> Mapping[str, Mapping[str, Mapping[int, Glyph]]]:
        """By font and digit, the glyphs that count as this digit, by number, each where it is first painted upright."""
        found: dict[str, dict[str, dict[int, Glyph]]] = {}
        for span in self._spans:
            if not (abs(span["dir"][1]) < 0.01 and span["dir"][0] > 0):
                continue
            for letter in span["chars"]:
                if 48 <= letter[0] <= 57:  # 0 to 9
                    glyphs = found.setdefault(span["font"], {}).setdefault(chr(letter[0]), {})
                    if letter[1] not in glyphs:
                        glyphs[letter[1]] = _glyph(span, letter)
        return found

    @cached_property
    def first_turn(self) -> int:
        """When the first letter of the page is painted."""
        return min((span["seqno"] for span in self._spans), default=0)

    @cached_property
    def _by_place(self) -> dict[Place, list[tuple[dict[str, Any], _Letter]]]:
        places: dict[Place, list[tuple[dict[str, Any], _Letter]]] = {}
        for span in self._spans:
            for letter in span["chars"]:
                x, y = letter[2]
                place = round(x), round(y)
                if place in places:
                    places[place].append((span, letter))
                else:
                    places[place] = [(span, letter)]
        return places

    def glyph_at(self, origin: Sequence[float], char: str) -> Glyph | None:
        """The glyph of this letter that starts here, else another one there, the last one of several; None where there is none."""
        x, y = round(origin[0]), round(origin[1])
        places = self._by_place
        near = [found for dx, dy in _NEAR for found in places.get((x + dx, y + dy), ())]
        same = [found for found in near if _char(found[1]) == char]
        chosen = same or near
        return _glyph(*chosen[-1]) if chosen else None


def _char(letter: _Letter) -> str:
    return chr(letter[0]) if letter[0] >= 0 else "\ufffd"


def _glyph(span: dict[str, Any], letter: _Letter) -> Glyph:
    return Glyph(span["font"], letter[1], _char(letter), span["seqno"], letter[3], span["size"])
