"""What a MuPDF page paints, in the order of painting."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.pymupdf_import import pymupdf

MAX_OPERATIONS = 20_000
"""A page with more operations is a drawing: it is not asked what covers what."""
Floats = NDArray[np.float64]
STROKE = "stroke-path"
PICTURES = ("fill-image", "fill-shade", "fill-imgmask")
SCRIBBLE_PARTS = 8
"""Lines and curves of one stroke from which on a thin pen can black out what it goes over."""
_mupdf = pymupdf.mupdf


class PaintLog:
    """The shapes and pictures that a page paints.

    ``kinds``: the operations as MuPDF names them (``fill-path``, ``stroke-path``, ``fill-image``, ``fill-imgmask``, ``fill-shade``);
    ``boxes``: theirs in points on the page as displayed, one a row; ``turns`` counts all operations of the page, also those of text.
    All are empty for a page with more than ``MAX_OPERATIONS``.
    """

    def __init__(self, page: Any) -> None:
        device = _run(page)
        self.is_whole = device.turn <= MAX_OPERATIONS
        """Whether it has all that the page paints."""
        found = device.found if self.is_whole else []
        self.kinds = np.array([kind for kind, _, _ in found], np.str_)
        self.turns = np.array([turn for _, turn, _ in found], np.int64)
        stored = np.array([box for _, _, box in found], np.float64).reshape(-1, 4)
        self.boxes = stored if not page.rotation else _turned(stored, tuple(page.rotation_matrix))

        self._page = page

    @cached_property
    def _drawings(self) -> dict[int, dict[str, Any]]:
        """MuPDF's description of the paths of the page, by turn."""
        return {drawing["seqno"]: drawing for drawing in self._page.get_cdrawings()}

    def is_thick(self, stroke: int, least_width: float) -> bool:
        """Whether a stroke (its turn) can hide what is below it: it is a scribble or of a pen of at least ``least_width`` points.

        The boxes of other strokes are mostly frames, with nothing inside.
        """
        drawing = self._drawings.get(stroke, {})
        return float(drawing.get("width") or 0) >= least_width or len(drawing.get("items", ())) >= SCRIBBLE_PARTS

    @property
    def may_have_pictures(self) -> bool:
        """Whether the page paints a picture, or has so many operations that nothing is known of them."""
        return not self.is_whole or bool(self.of(PICTURES).any())

    def of(self, kinds: Collection[str]) -> NDArray[np.bool_]:
        """Which operations are of these kinds."""
        chosen = np.zeros(len(self.kinds), bool)
        for kind in kinds:
            chosen |= self.kinds == kind
        return chosen


class _Log(_mupdf.FzDevice2):  # type: ignore[misc, name-defined]
    """A device that notes boxes. MuPDF calls it for each operation, so that it does as little as possible."""

    def __init__(self, cookie: Any) -> None:
        super().__init__()
        self.turn = 0
        self.found: list[tuple[str, int, tuple[float, float, float, float]]] = []
        self._cookie = cookie
        for name in ("fill_path", "stroke_path", "fill_text", "stroke_text", "ignore_text"):
            getattr(self, f"use_virtual_{name}")()
        for name in ("fill_shade", "fill_image", "fill_image_mask"):
            getattr(self, f"use_virtual_{name}")()

    def _count(self) -> None:
        self.turn += 1
        if self.turn > MAX_OPERATIONS:
            self._cookie.m_internal.abort = 1

    def _note(self, kind: str, box: Any) -> None:
        self.found.append((kind, self.turn, (box.x0, box.y0, box.x1, box.y1)))
        self._count()

    def fill_path(self, _context: Any, path: Any, _even_odd: Any, matrix: Any, *_rest: Any) -> None:
        self._note("fill-path", _mupdf.ll_fz_bound_path(path, None, matrix))

    def stroke_path(self, _context: Any, path: Any, stroke: Any, matrix: Any, *_rest: Any) -> None:
        self._note(STROKE, _mupdf.ll_fz_bound_path(path, stroke, matrix))

    def fill_shade(self, _context: Any, shade: Any, matrix: Any, *_rest: Any) -> None:
        self._note("fill-shade", _mupdf.ll_fz_bound_shade(shade, matrix))

    def fill_image(self, _context: Any, _image: Any, matrix: Any, *_rest: Any) -> None:
        self._note("fill-image", _mupdf.ll_fz_transform_rect(_mupdf.fz_unit_rect, matrix))

    def fill_image_mask(self, _context: Any, _image: Any, matrix: Any, *_rest: Any) -> None:
        self._note("fill-imgmask", _mupdf.ll_fz_transform_rect(_mupdf.fz_unit_rect, matrix))

    def fill_text(self, *_arguments: Any) -> None:
        self._count()

    def stroke_text(self, *_arguments: Any) -> None:
        self._count()

    def ignore_text(self, *_arguments: Any) -> None:
        self._count()


def _run(page: Any) -> _Log:
    """The operations of the page in its own coordinates (unrotated)."""
    rotation = page.rotation
    cookie = _mupdf.FzCookie()
    device = _Log(cookie)
    if rotation:
        page.set_rotation(0)
    try:
        _mupdf.fz_run_page(page.this, device, _mupdf.FzMatrix(), cookie)
        _mupdf.fz_close_device(device)
    finally:
        if rotation:
            page.set_rotation(rotation)
    return device


def _turned(boxes: Floats, matrix: tuple[float, ...]) -> Floats:
    """The boxes on the page as displayed."""
    a, b, c, d, e, f = matrix
    xs, ys = boxes[:, [0, 2, 0, 2]], boxes[:, [1, 1, 3, 3]]
    x, y = a * xs + c * ys + e, b * xs + d * ys + f
    return np.stack([x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)], axis=1)
