"""Sorts the pixels of a chart by its few colours, and finds the rectangles in each colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.records import Box, PageImage

MAX_SIDE = 1600
"""Longest side, in pixels, of the image that is read."""
MAX_PIECES = 4000
"""Most connected pieces of a colour. A colour in more pieces is noise."""
MAX_COLOURS = 18
"""Most colours of marks."""
MIN_SHARE = 0.00025
"""Least share of the pixels that a colour fills."""
COLOUR_TOLERANCE = 26
"""Largest difference in a channel between a pixel and its colour."""
MIN_FILL = 0.82
"""Least share of its box that a rectangle fills."""
MIN_RULE_PIXELS = 10
"""Fewest pixels of a rule over the marks, and beside them."""
MAX_HOLE_AREA = 150
"""Largest hole of a ring, in pixels."""
PLAIN_EDGE = 0.97
"""Least share of one colour at the edge of a picture that has a plain background."""
BACKGROUND = -1
"""Number of the background's colour."""


@dataclass(frozen=True, slots=True)
class ColourRegions:
    """``colours`` (n x 3, RGB), and for each pixel the number of its colour, or ``BACKGROUND``.

    In ``index`` each word is filled with what it is printed on: a mark, or the background. ``raw_index`` still has the words.
    """

    pixels: NDArray[np.uint8]
    background: NDArray[np.int16]
    colours: NDArray[np.int16]
    index: NDArray[np.int16]
    raw_index: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in one colour, in pixels."""

    box: Box
    colour: int


def shrink_to_fit(image: PageImage) -> PageImage:
    """Return the image, made smaller when a side is longer than ``MAX_SIDE``. More pixels take more time and show no more marks."""
    factor = MAX_SIDE / max(image.width, image.height)
    if factor >= 1:
        return image
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return PageImage(size[0], size[1], small.tobytes(), image.scale * factor)


def segment_colours(image: PageImage, words: Sequence[ChartLabel]) -> ColourRegions:
    """Return the pixels of an image sorted by colour. ``words`` are its texts."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    background = _background_colour(pixels)
    colours = _mark_colours(pixels, background, _outside_words(pixels, words))
    raw_index = _index_colours(pixels, background, colours)
    return ColourRegions(pixels, background, colours, _fill_words(raw_index, words, len(colours)), raw_index)


def _background_colour(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the most common colour; where this is a mark's, that of the picture's edge, which is grey or plain."""
    background = _commonest_colour(pixels.reshape(-1, 3))
    sides = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    edge = _commonest_colour(sides)
    plain = (np.abs(sides.astype(np.int16) - edge).max(axis=1) <= 4).mean() > PLAIN_EDGE
    apart = int(np.abs(background - edge).max()) > 2 * COLOUR_TOLERANCE
    coloured = np.ptp(background) > 30 and np.ptp(edge) <= 30
    return edge if coloured or (plain and apart) else background


def _commonest_colour(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    codes = (pixels >> 2).astype(np.int32) @ np.array([4096, 64, 1])
    mode = np.bincount(codes).argmax()
    return np.asarray(np.median(pixels[codes == mode], axis=0), np.int16)


def _outside_words(pixels: NDArray[np.uint8], words: Sequence[ChartLabel]) -> NDArray[np.bool_]:
    outside = np.ones(pixels.shape[:2], bool)
    for word in words:
        outside[_window(word.box)] = False
    return outside


def _window(box: Box, shrink: float = 0.0) -> tuple[slice, slice]:
    x0, y0, x1, y1 = box
    dx, dy = shrink * (x1 - x0), shrink * (y1 - y0)
    return slice(max(0, round(y0 + dy)), max(0, round(y1 - dy)) + 1), slice(max(0, round(x0 + dx)), max(0, round(x1 - dx)) + 1)


def _mark_colours(pixels: NDArray[np.uint8], background: NDArray[np.int16], outside: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return the colours of marks: modes of the pixels that differ from the background at least as much as their neighbours."""
    distance = np.abs(pixels.astype(np.int16) - background).max(axis=2).astype(np.uint8)
    core = (distance + np.uint8(2) * (distance < 250) >= cv2.dilate(distance, np.ones((3, 3), np.uint8))) & (distance > 24)
    rest = pixels[core & outside].astype(np.int16)
    least = max(12, MIN_SHARE * distance.size)
    modes: list[NDArray[np.int16]] = []
    while len(modes) < MAX_COLOURS and len(rest) >= least:
        codes = (rest >> 3).astype(np.int32) @ np.array([1024, 32, 1])
        mode = np.bincount(codes).argmax()
        centre = np.median(rest[codes == mode], axis=0).astype(np.int16)
        near = np.abs(rest - centre).max(axis=1) <= COLOUR_TOLERANCE
        if near.sum() >= least:
            modes.append(centre)
        rest = rest[~near]
    return np.array(modes, np.int16).reshape(-1, 3)


def _index_colours(pixels: NDArray[np.uint8], background: NDArray[np.int16], colours: NDArray[np.int16]) -> NDArray[np.int16]:
    index = np.full(pixels.shape[:2], BACKGROUND, np.int16)
    best = np.abs(pixels.astype(np.int16) - background).max(axis=2)
    best = np.where(best > COLOUR_TOLERANCE, COLOUR_TOLERANCE + 1, best)
    for number, colour in enumerate(colours):
        distance = np.abs(pixels.astype(np.int16) - colour).max(axis=2)
        closer = distance < best
        index[closer] = number
        best[closer] = distance[closer]
    return index


def _fill_words(raw_index: NDArray[np.int16], words: Sequence[ChartLabel], colours: int) -> NDArray[np.int16]:
    """Return the index with every word filled: with the colour on both its sides, else with its most common colour."""
    index = raw_index.copy()
    for word in words:
        inner = raw_index[_window(word.box, 0.15)]
        if not inner.size:
            continue
        sides = {_colour_beside(raw_index, word, edge, colours) for edge in (word.box[0] - 2, word.box[2] + 2)}
        fill = sides.pop() if len(sides) == 1 and BACKGROUND not in sides else _commonest_index(inner, colours)
        wider = (word.box[0] - 0.15 * word.height, word.box[1], word.box[2] + 0.15 * word.height, word.box[3])
        index[_window(wider)] = _fill_window(raw_index, _window(wider), fill)
    return index


def _colour_beside(raw_index: NDArray[np.int16], word: ChartLabel, x: float, colours: int) -> int:
    column = min(max(0, round(x)), raw_index.shape[1] - 1)
    quarter = word.height / 4
    return _commonest_index(raw_index[max(0, round(word.box[1] + quarter)) : round(word.box[3] - quarter) + 1, column], colours)


def _commonest_index(index: NDArray[np.int16], colours: int) -> int:
    return int(np.bincount((index + 1).ravel(), minlength=colours + 1).argmax()) - 1 if index.size else BACKGROUND


def _fill_window(raw_index: NDArray[np.int16], window: tuple[slice, slice], fill: int) -> NDArray[np.int16]:
    """Return a word's window, filled with ``fill`` in the rows and columns that have this colour just outside of the window, too."""
    rows, columns = window
    inside = raw_index[rows, columns]
    if fill == BACKGROUND:
        return np.where(_uniform_rows(inside), inside, BACKGROUND)
    left, right = raw_index[rows, max(0, columns.start - 1)], raw_index[rows, min(raw_index.shape[1], columns.stop) - 1]
    above, below = raw_index[max(0, rows.start - 1), columns], raw_index[min(raw_index.shape[0], rows.stop) - 1, columns]
    level = ((left == fill) | (right == fill))[:, None]
    vertical = ((above == fill) | (below == fill))[None, :]
    return np.where(level | vertical, fill, np.where(inside == fill, fill, BACKGROUND))


def _uniform_rows(window: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return a mask of the rows that have one mark's colour from side to side: a bar that reaches into the window."""
    same = (window == window[:, :1]).mean(axis=1) > 0.9
    return np.repeat((same & (window[:, 0] != BACKGROUND))[:, None], window.shape[1], axis=1)


def find_rectangles(regions: ColourRegions, least: float = 3.0) -> list[Rect]:
    """Return filled rectangles whose sides are at least ``least`` pixels. Staircases are cut into their steps."""
    rects: list[Rect] = []
    for colour in range(len(regions.colours)):
        mask = _bridge_rules((regions.index == colour).astype(np.uint8), regions)
        rects += [Rect(box, colour) for box in _rectangle_boxes(mask, least, open_pieces=True)]
    return rects


def find_frames(regions: ColourRegions) -> list[Rect]:
    """Return rectangles by their outlines: bars in the colour of the background, else hatched bars."""
    marked = (regions.index != BACKGROUND).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(1 - marked, connectivity=4)
    rects: list[Rect] = []
    for x, y, w, h, area in stats[1 : count if count <= MAX_PIECES else 0].tolist():
        enclosed = x > 0 and y > 0 and x + w < marked.shape[1] and y + h < marked.shape[0]
        if enclosed and min(w, h) >= 8 and area >= 0.95 * w * h and w * h < 0.3 * marked.size:
            rects.append(Rect(_grow_to_stroke_middle(marked, (x, y, x + w, y + h)), 0))
    return rects or _find_hatched(regions)


def _grow_to_stroke_middle(marked: NDArray[np.uint8], box: Box) -> Box:
    """Return a box grown from the inner edges of its outline to the middle of the stroke."""
    x0, y0, x1, y1 = (round(side) for side in box)
    column, row = marked[:, (x0 + x1) // 2], marked[(y0 + y1) // 2]
    left, top, right, bottom = (_stroke_width(run[:9]) for run in (row[:x0][::-1], column[:y0][::-1], row[x1:], column[y1:]))
    return (x0 - left / 2, y0 - top / 2, x1 + right / 2, y1 + bottom / 2)


def _stroke_width(run: NDArray[np.uint8]) -> int:
    """Return how many pixels at the beginning of a run are marked."""
    return int(np.argmin(run)) if len(run) and not run.all() else len(run)


def _find_hatched(regions: ColourRegions) -> list[Rect]:
    """Return rectangles of one colour that are covered with thin lines of another."""
    rects: list[Rect] = []
    for colour in range(len(regions.colours)):
        if np.ptp(regions.colours[colour]) <= 30:
            continue
        mask = cv2.morphologyEx((regions.index == colour).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        other = ((regions.index != BACKGROUND) & (mask == 0)).astype(np.uint8)
        rects += [Rect(_grow_to_stroke_middle(other, box), colour) for box in _rectangle_boxes(mask, 8, open_pieces=False)]
    return rects


def _bridge_rules(mask: NDArray[np.uint8], regions: ColourRegions) -> NDArray[np.uint8]:
    """Return a colour's mask with the rules of other colours that cross it filled in."""
    for transposed in (False, True):
        grid, index = (mask.T, regions.index.T) if transposed else (mask, regions.index)
        closed = cv2.morphologyEx(np.ascontiguousarray(grid), cv2.MORPH_CLOSE, np.ones((5, 1), np.uint8))
        gaps = (closed > 0) & (grid == 0) & (index != BACKGROUND)
        rows = np.flatnonzero(gaps.sum(axis=1) >= MIN_RULE_PIXELS)
        over = [row for row in rows.tolist() if _is_rule(row, gaps[row], grid, index)]
        grid[over] |= gaps[over].astype(np.uint8)
    return mask


def _is_rule(row: int, gap: NDArray[np.bool_], grid: NDArray[np.uint8], index: NDArray[np.int16]) -> bool:
    """Return whether the gap in a row is a rule that continues beside the marks."""
    sides = [int(grid[beside].sum()) for beside in (max(0, row - 3), min(len(grid) - 1, row + 3))]
    colour = np.bincount(index[row][gap]).argmax()
    runs = int((np.diff(gap.astype(np.int8)) > 0).sum()) + int(gap[0])
    return (
        int(gap.sum()) >= (0.9 if runs < 3 else 0.5) * max(sides)
        and int(((index[row] == colour) & ~gap).sum()) >= MIN_RULE_PIXELS
    )


def _rectangle_boxes(mask: NDArray[np.uint8], least: float, open_pieces: bool) -> list[Box]:
    """Return the boxes of the rectangles in a mask. ``open_pieces`` also searches other pieces, without their thin lines."""
    boxes: list[Box] = []
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    for piece in range(1, count if count <= MAX_PIECES else 0):
        x, y, w, h, area = (int(value) for value in stats[piece])
        if w < least or h < least:
            continue
        if area >= MIN_FILL * w * h:
            boxes.append((x, y, x + w, y + h))
        elif w * h > 200:
            part = (pieces[y : y + h, x : x + w] == piece).astype(np.uint8)
            boxes += [(x + a, y + b, x + c, y + d) for a, b, c, d in _split_piece(part, least, open_pieces)]
    return boxes


def _split_piece(part: NDArray[np.uint8], least: float, open_pieces: bool) -> list[Box]:
    """Return the rectangles in a connected piece: those left without its thin lines, or the steps of a staircase."""
    steps: list[Box] = list(_staircase_steps(part > 0, least)) if part.mean() >= 0.15 else []
    if not open_pieces:
        return steps
    opened = _rectangle_boxes(cv2.morphologyEx(part, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), least, open_pieces=False)
    return opened if len(opened) >= len(steps) or not steps else steps


def _staircase_steps(part: NDArray[np.bool_], least: float) -> list[tuple[int, int, int, int]]:
    """Return the bars of a histogram without lines between them, cut where the height of its columns or rows changes."""
    for transposed in (False, True):
        grid = part.T if transposed else part
        length = grid.sum(axis=0)
        if (grid[-2:].any(axis=0) | grid[:2].any(axis=0)).mean() < 0.9 and not (transposed and grid[:, :2].any(axis=0).all()):
            continue
        first = grid.argmax(axis=0)
        if (length < 0.9 * (grid.shape[0] - grid[::-1].argmax(axis=0) - first)).mean() > 0.1:
            continue
        cuts = [0, *(np.flatnonzero(np.abs(np.diff(length)) > 1) + 1).tolist(), grid.shape[1]]
        runs = [(a, b) for a, b in pairwise(cuts) if b - a >= least]
        if len(cuts) > 2 and np.median(np.abs(np.diff(length))[np.array(cuts[1:-1]) - 1]) < 4:
            continue
        if 2 <= len(runs) <= 80 and sum(b - a for a, b in runs) >= 0.9 * grid.shape[1]:
            steps = [_step_box(grid, a, b, transposed) for a, b in runs]
            return [step for step in steps if step[2] - step[0] >= least and step[3] - step[1] >= least]
    return []


def _step_box(grid: NDArray[np.bool_], start: int, end: int, transposed: bool) -> tuple[int, int, int, int]:
    rows = np.flatnonzero(grid[:, (start + end) // 2])
    low, high = int(rows[0]), int(rows[-1]) + 1
    return (low, start, high, end) if transposed else (start, low, end, high)


def fill_rings(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask with its small holes filled: rings become spots."""
    closed = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8)
    outline, levels = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = closed.copy()
    for number, shape in enumerate(outline if len(outline) <= MAX_PIECES else ()):
        if levels[0][number][3] >= 0 and cv2.contourArea(shape) < MAX_HOLE_AREA:
            cv2.drawContours(filled, outline, number, 1, cv2.FILLED)
    return filled


def text_colour(regions: ColourRegions, label: ChartLabel) -> int:
    """Return the number of the mark colour that a label is printed in; ``BACKGROUND`` when it is none of them."""
    window = regions.pixels[_window(label.box)].reshape(-1, 3).astype(np.int16)
    if not len(window) or not len(regions.colours):
        return BACKGROUND
    distance = np.abs(window - regions.background).max(axis=1)
    ink = window[distance >= max(40.0, float(np.percentile(distance, 92)))]
    if not len(ink):
        return BACKGROUND
    colour = np.median(ink, axis=0)
    gaps = np.abs(regions.colours - colour).max(axis=1)
    clear = np.ptp(regions.colours[gaps.argmin()]) > 30 and np.ptp(colour) > 25
    return int(gaps.argmin()) if gaps.min() <= 1.7 * COLOUR_TOLERANCE and clear else BACKGROUND


def tint_colour(regions: ColourRegions, box: Box) -> int:
    """Return the mark colour that a box shows in a paler shade, as thin strokes do; ``BACKGROUND`` when there is none."""
    window = regions.pixels[_window(box)].reshape(-1, 3).astype(np.float64) - regions.background
    strength = np.abs(window).max(axis=1, initial=0)
    if not len(window) or strength.max() <= COLOUR_TOLERANCE or not len(regions.colours):
        return BACKGROUND
    ink = np.median(window[strength >= 0.7 * strength.max()], axis=0)
    marks = regions.colours.astype(np.float64) - regions.background
    share = np.clip(marks @ ink / np.maximum((marks * marks).sum(axis=1), 1), 0, 1)
    errors = np.abs(ink - share[:, None] * marks).max(axis=1) + 1e3 * (share < 0.3)
    return int(errors.argmin()) if errors.min() <= 0.2 * strength.max() + 6 else BACKGROUND


def is_paler(regions: ColourRegions, colour: int, other: int) -> bool:
    """Return whether a colour is a blend of another one and the background."""
    ink, mark = (regions.colours[n].astype(np.float64) - regions.background for n in (colour, other))
    share = float(ink @ mark / max(1.0, float(mark @ mark)))
    return (
        colour != other and 0.15 < share < 0.9 and float(np.abs(ink - share * mark).max()) < 0.1 * float(np.abs(mark).max()) + 4
    )


def blended_edges(regions: ColourRegions, rect: Box, vertical: bool) -> tuple[float, float]:
    """Return start and end of a rectangle (in x, or in y when ``vertical``) by the blended pixels next to its edges."""
    pixels = regions.pixels if vertical else regions.pixels.transpose(1, 0, 2)
    x0, y0, x1, y1 = (round(side) for side in (rect if vertical else (rect[1], rect[0], rect[3], rect[2])))
    third = (x1 - x0) // 3
    strip = pixels[:, x0 + third : max(x0 + third + 1, x1 - third)]
    return y0 - _edge_share(strip, y0, -1, regions.background), y1 + _edge_share(strip, y1 - 1, 1, regions.background)


def _edge_share(strip: NDArray[np.uint8], last: int, step: int, background: NDArray[np.int16]) -> float:
    """Return the share (0 to 1) of the pixel after a rectangle's last one that belongs to it; half where two marks meet."""
    if not 0 <= last + 2 * step < len(strip) or not 0 <= last < len(strip) or not strip.shape[1]:
        return 0.0
    inner, between, outer = (np.median(strip[last + n * step], axis=0).astype(np.float64) for n in range(3))
    difference = inner - outer
    if np.abs(difference).max() <= COLOUR_TOLERANCE:
        return 0.0
    share = float((between - outer) @ difference / (difference @ difference))
    error = np.abs(between - outer - share * difference).max()
    if error > 0.12 * np.abs(difference).max() + 4:
        return 0.5 if min(np.abs(outer - background).max(), np.abs(between - inner).max()) > COLOUR_TOLERANCE else 0.0
    return min(1.0, share) if share > 0.05 else 0.0
