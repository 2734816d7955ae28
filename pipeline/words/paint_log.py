"""What a MuPDF page paints, in the order of painting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.records import Box
from pipeline.runtime.pymupdf_import import pymupdf


@dataclass(frozen=True, slots=True)
class Painting:
    """One operation: ``kind`` as MuPDF names it (``fill-path``, ``fill-image`` …), ``box`` in points on the page as displayed."""

    turn: int
    kind: str
    box: Box


def paint_log(page: Any, kinds: tuple[str, ...]) -> list[Painting]:
    """The operations of these kinds. ``turn`` counts all operations of the page."""
    found = []
    for turn, (kind, box) in enumerate(page.get_bboxlog()):
        if kind in kinds:
            rect = pymupdf.Rect(box) * page.rotation_matrix
            found.append(Painting(turn, kind, (float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1))))
    return found
