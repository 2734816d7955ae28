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


STROKE = "stroke-path"
SCRIBBLE_PARTS = 8
"""Lines and curves of one stroke from which on a thin pen can black out what it goes over."""


def paint_log(page: Any, kinds: tuple[str, ...]) -> list[Painting]:
    """The operations of these kinds. ``turn`` counts all operations of the page."""
    found = []
    for turn, (kind, box) in enumerate(page.get_bboxlog()):
        if kind in kinds:
            rect = pymupdf.Rect(box) * page.rotation_matrix
            found.append(Painting(turn, kind, (float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1))))
    return found


def thick_strokes(page: Any, least_width: float) -> list[Painting]:
    """Strokes that can hide what is below them: those of a pen of at least ``least_width`` points, and scribbles.

    The boxes of other strokes are mostly frames, with nothing inside.
    """
    strokes = [stroke for stroke in paint_log(page, (STROKE,)) if min(_sides(stroke.box)) >= least_width]
    if not strokes:
        return []
    drawings = {drawing["seqno"]: drawing for drawing in page.get_cdrawings()}

    def hides(drawing: dict[str, Any]) -> bool:
        return float(drawing.get("width") or 0) >= least_width or len(drawing.get("items", ())) >= SCRIBBLE_PARTS

    return [stroke for stroke in strokes if stroke.turn in drawings and hides(drawings[stroke.turn])]


def _sides(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]
