"""The pixels of a chart sorted into its few colours, and the rectangles painted in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.chart.chart_labels import Label
from pipeline.records import Box, PageImage

SIDE = 1600
"""Longest side in pixels that is looked at."""
PIECES = 4000
"""A colour in more pieces than that is noise."""
COLOURS = 18
"""At most so many colours of marks."""
LEAST = 0.00025
"""Share of the pixels that a colour must fill."""
NEAR = 26
"""Largest difference in a channel between a pixel and its colour."""
FILL = 0.82
"""Share of its box that a rectangle fills."""
RULED = 10
"""A rule is seen in at least so many pixels over the marks, and beside them."""
HOLLOW = 150
"""Pixels in the hole of a ring, at most."""
PAPER = -1


@dataclass(frozen=True, slots=True)
class Painting:
    """``colours`` (n x 3, RGB) and for each pixel the number of its colour, or ``PAPER``.

    In ``index`` the words are painted over: with the bar they are printed on, or with paper; ``raw`` still has them.
    """

    pixels: NDArray[np.uint8]
    paper: NDArray[np.int16]
    colours: NDArray[np.int16]
    index: NDArray[np.int16]
    raw: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in one colour, in pixels."""

    box: Box
    colour: int


def fitted(image: PageImage) -> PageImage:
    """The image, made smaller where a side is longer than ``SIDE``: marks need no more, and time grows with the pixels."""
    factor = SIDE / max(image.width, image.height)
    if factor >= 1:
        return image
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return PageImage(size[0], size[1], small.tobytes(), image.scale * factor)


def paint(image: PageImage, words: Sequence[Label]) -> Painting:
    """Sort the pixels of an image by colour; ``words`` tells where text stands."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    paper = _paper(pixels)
    colours = _colours(pixels, paper, _outside(pixels, words))
    raw = _indexed(pixels, paper, colours)
    return Painting(pixels, paper, colours, _without_words(raw, words, len(colours)), raw)


def _paper(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The ground of the drawing: its commonest colour, unless that is a clear one and the edge of the picture is not."""
    paper = _mode(pixels.reshape(-1, 3))
    edge = _mode(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]))
    return edge if np.ptp(paper) > 30 and np.ptp(edge) <= 30 else paper


def _mode(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    codes = (pixels >> 2).astype(np.int32) @ np.array([4096, 64, 1])
    mode = np.bincount(codes).argmax()
    return np.asarray(np.median(pixels[codes == mode], axis=0), np.int16)


def _outside(pixels: NDArray[np.uint8], words: Sequence[Label]) -> NDArray[np.bool_]:
    outside = np.ones(pixels.shape[:2], bool)
    for word in words:
        outside[_window(word.box)] = False
    return outside


def _window(box: Box, shrink: float = 0.0) -> tuple[slice, slice]:
    x0, y0, x1, y1 = box
    dx, dy = shrink * (x1 - x0), shrink * (y1 - y0)
    return slice(max(0, round(y0 + dy)), max(0, round(y1 - dy)) + 1), slice(max(0, round(x0 + dx)), max(0, round(x1 - dx)) + 1)


def _colours(pixels: NDArray[np.uint8], paper: NDArray[np.int16], outside: NDArray[np.bool_]) -> NDArray[np.int16]:
    """The colours of marks: modes among the pixels that are at least as far from the paper's colour as their neighbours."""
    distance = np.abs(pixels.astype(np.int16) - paper).max(axis=2).astype(np.uint8)
    core = (distance + np.uint8(2) * (distance < 250) >= cv2.dilate(distance, np.ones((3, 3), np.uint8))) & (distance > 24)
    rest = pixels[core & outside].astype(np.int16)
    least = max(12, LEAST * distance.size)
    found: list[NDArray[np.int16]] = []
    while len(found) < COLOURS and len(rest) >= least:
        codes = (rest >> 3).astype(np.int32) @ np.array([1024, 32, 1])
        mode = np.bincount(codes).argmax()
        centre = np.median(rest[codes == mode], axis=0).astype(np.int16)
        near = np.abs(rest - centre).max(axis=1) <= NEAR
        if near.sum() >= least:
            found.append(centre)
        rest = rest[~near]
    return np.array(found, np.int16).reshape(-1, 3)


def _indexed(pixels: NDArray[np.uint8], paper: NDArray[np.int16], colours: NDArray[np.int16]) -> NDArray[np.int16]:
    index = np.full(pixels.shape[:2], PAPER, np.int16)
    best = np.abs(pixels.astype(np.int16) - paper).max(axis=2)
    best = np.where(best > NEAR, NEAR + 1, best)
    for number, colour in enumerate(colours):
        distance = np.abs(pixels.astype(np.int16) - colour).max(axis=2)
        closer = distance < best
        index[closer] = number
        best[closer] = distance[closer]
    return index


def _without_words(raw: NDArray[np.int16], words: Sequence[Label], colours: int) -> NDArray[np.int16]:
    """The index with every word painted over by what it is printed on: the colour on both its sides, else its commonest."""
    index = raw.copy()
    for word in words:
        inner = raw[_window(word.box, 0.15)]
        if not inner.size:
            continue
        sides = {_side(raw, word, edge, colours) for edge in (word.box[0] - 2, word.box[2] + 2)}
        ground = sides.pop() if len(sides) == 1 and PAPER not in sides else _commonest(inner, colours)
        wider = (word.box[0] - 0.15 * word.height, word.box[1], word.box[2] + 0.15 * word.height, word.box[3])
        index[_window(wider)] = _painted_over(raw, _window(wider), ground)
    return index


def _side(raw: NDArray[np.int16], word: Label, x: float, colours: int) -> int:
    column = min(max(0, round(x)), raw.shape[1] - 1)
    quarter = word.height / 4
    return _commonest(raw[max(0, round(word.box[1] + quarter)) : round(word.box[3] - quarter) + 1, column], colours)


def _commonest(index: NDArray[np.int16], colours: int) -> int:
    return int(np.bincount((index + 1).ravel(), minlength=colours + 1).argmax()) - 1 if index.size else PAPER


def _painted_over(raw: NDArray[np.int16], place: tuple[slice, slice], ground: int) -> NDArray[np.int16]:
    """A word's window in the colour it is printed on, in the rows and columns that have it right outside of the window too."""
    rows, columns = place
    window = raw[rows, columns]
    if ground == PAPER:
        return np.where(_touches_edge(window), window, PAPER)
    left, right = raw[rows, max(0, columns.start - 1)], raw[rows, min(raw.shape[1], columns.stop) - 1]
    above, below = raw[max(0, rows.start - 1), columns], raw[min(raw.shape[0], rows.stop) - 1, columns]
    level = ((left == ground) | (right == ground))[:, None]
    upright = ((above == ground) | (below == ground))[None, :]
    return np.where(level | upright, ground, np.where(window == ground, ground, PAPER))


def _touches_edge(window: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Rows of a word's window that are one colour from side to side: a bar that reaches into it."""
    same = (window == window[:, :1]).mean(axis=1) > 0.9
    return np.repeat((same & (window[:, 0] != PAPER))[:, None], window.shape[1], axis=1)


def rectangles(painting: Painting, least: float = 3.0) -> list[Rect]:
    """Filled rectangles of at least that many pixels a side; staircases are cut into their steps."""
    found: list[Rect] = []
    for colour in range(len(painting.colours)):
        mask = _bridged((painting.index == colour).astype(np.uint8), painting)
        found += [Rect(box, colour) for box in _boxes(mask, least, whole=True)]
    return found


def frames(painting: Painting) -> list[Rect]:
    """Rectangles by their outlines, of what is not painted evenly: hatched bars, and such as have the colour of the paper."""
    marked = (painting.index != PAPER).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(1 - marked, connectivity=4)
    found: list[Rect] = []
    for x, y, w, h, area in stats[1 : count if count <= PIECES else 0].tolist():
        whole = x > 0 and y > 0 and x + w < marked.shape[1] and y + h < marked.shape[0]
        if whole and min(w, h) >= 8 and area >= 0.95 * w * h and w * h < 0.3 * marked.size:
            found.append(Rect(_to_middle(marked, (x, y, x + w, y + h)), 0))
    return found if found else _hatched(painting)


def _to_middle(marked: NDArray[np.uint8], box: Box) -> Box:
    """A box grown from the inner edges of its outline to the middle of the stroke."""
    x0, y0, x1, y1 = (round(side) for side in box)
    column, row = marked[:, (x0 + x1) // 2], marked[(y0 + y1) // 2]
    left, top, right, bottom = (_stroke(run[:9]) for run in (row[:x0][::-1], column[:y0][::-1], row[x1:], column[y1:]))
    return (x0 - left / 2, y0 - top / 2, x1 + right / 2, y1 + bottom / 2)


def _stroke(run: NDArray[np.uint8]) -> int:
    """How many pixels at the beginning of a run are marked."""
    return int(np.argmin(run)) if len(run) and not run.all() else len(run)


def _hatched(painting: Painting) -> list[Rect]:
    """Rectangles of one colour with thin lines of another all over them."""
    found: list[Rect] = []
    for colour in range(len(painting.colours)):
        if np.ptp(painting.colours[colour]) <= 30:
            continue
        mask = cv2.morphologyEx((painting.index == colour).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        other = ((painting.index != PAPER) & (mask == 0)).astype(np.uint8)
        found += [Rect(_to_middle(other, box), colour) for box in _boxes(mask, 8, whole=False)]
    return found


def _bridged(mask: NDArray[np.uint8], painting: Painting) -> NDArray[np.uint8]:
    """A colour's mask with the rules of other colours that are drawn over it taken as its own."""
    for turned in (False, True):
        grid, index = (mask.T, painting.index.T) if turned else (mask, painting.index)
        closed = cv2.morphologyEx(np.ascontiguousarray(grid), cv2.MORPH_CLOSE, np.ones((5, 1), np.uint8))
        gaps = (closed > 0) & (grid == 0) & (index != PAPER)
        rows = np.flatnonzero(gaps.sum(axis=1) >= RULED)
        over = [row for row in rows.tolist() if _is_rule(row, gaps[row], grid, index)]
        grid[over] |= gaps[over].astype(np.uint8)
    return mask


def _is_rule(row: int, gap: NDArray[np.bool_], grid: NDArray[np.uint8], index: NDArray[np.int16]) -> bool:
    """Whether the gap in a row is a line that goes on beside the marks, which are the same before and behind it."""
    sides = [int(grid[beside].sum()) for beside in (max(0, row - 3), min(len(grid) - 1, row + 3))]
    colour = np.bincount(index[row][gap]).argmax()
    runs = int((np.diff(gap.astype(np.int8)) > 0).sum()) + int(gap[0])
    return int(gap.sum()) >= (0.9 if runs < 3 else 0.5) * max(sides) and int(((index[row] == colour) & ~gap).sum()) >= RULED


def _boxes(mask: NDArray[np.uint8], least: float, whole: bool) -> list[Box]:
    """Boxes of the rectangles in a mask; ``whole``: pieces that are none are looked at again without the thin lines in them."""
    found: list[Box] = []
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    for piece in range(1, count if count <= PIECES else 0):
        x, y, w, h, area = (int(value) for value in stats[piece])
        if w < least or h < least:
            continue
        if area >= FILL * w * h:
            found.append((x, y, x + w, y + h))
        elif w * h > 200:
            part = (pieces[y : y + h, x : x + w] == piece).astype(np.uint8)
            found += [(x + a, y + b, x + c, y + d) for a, b, c, d in _pieces(part, least, whole)]
    return found


def _pieces(part: NDArray[np.uint8], least: float, whole: bool) -> list[Box]:
    """The rectangles that a connected piece is made of: once grid lines of its colour are gone, or as steps of a staircase."""
    steps: list[Box] = list(_steps(part > 0, least)) if part.mean() >= 0.15 else []
    if not whole:
        return steps
    opened = _boxes(cv2.morphologyEx(part, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), least, whole=False)
    return opened if len(opened) >= len(steps) or not steps else steps


def _steps(part: NDArray[np.bool_], least: float) -> list[tuple[int, int, int, int]]:
    """A histogram without lines between its bars, cut where the height of its columns (or rows) changes."""
    for turned in (False, True):
        grid = part.T if turned else part
        length = grid.sum(axis=0)
        if (grid[-2:].any(axis=0) | grid[:2].any(axis=0)).mean() < 0.9 and not (turned and grid[:, :2].any(axis=0).all()):
            continue
        first = grid.argmax(axis=0)
        if (length < 0.9 * (grid.shape[0] - grid[::-1].argmax(axis=0) - first)).mean() > 0.1:
            continue
        cuts = [0, *(np.flatnonzero(np.abs(np.diff(length)) > 1) + 1).tolist(), grid.shape[1]]
        runs = [(a, b) for a, b in pairwise(cuts) if b - a >= least]
        if len(cuts) > 2 and np.median(np.abs(np.diff(length))[np.array(cuts[1:-1]) - 1]) < 4:
            continue
        if 2 <= len(runs) <= 80 and sum(b - a for a, b in runs) >= 0.9 * grid.shape[1]:
            steps = [_step(grid, a, b, turned) for a, b in runs]
            return [step for step in steps if step[2] - step[0] >= least and step[3] - step[1] >= least]
    return []


def _step(grid: NDArray[np.bool_], start: int, end: int, turned: bool) -> tuple[int, int, int, int]:
    rows = np.flatnonzero(grid[:, (start + end) // 2])
    low, high = int(rows[0]), int(rows[-1]) + 1
    return (low, start, high, end) if turned else (start, low, end, high)


def filled_rings(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask with its small holes filled: rings become spots."""
    closed = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8)
    outline, levels = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = closed.copy()
    for number, shape in enumerate(outline if len(outline) <= PIECES else ()):
        if levels[0][number][3] >= 0 and cv2.contourArea(shape) < HOLLOW:
            cv2.drawContours(filled, outline, number, 1, cv2.FILLED)
    return filled


def text_colour(painting: Painting, label: Label) -> int:
    """The number of the mark colour in which a label is printed, or ``PAPER`` when it is in none of them."""
    window = painting.pixels[_window(label.box)].reshape(-1, 3).astype(np.int16)
    if not len(window) or not len(painting.colours):
        return PAPER
    distance = np.abs(window - painting.paper).max(axis=1)
    ink = window[distance >= max(40.0, float(np.percentile(distance, 92)))]
    if not len(ink):
        return PAPER
    colour = np.median(ink, axis=0)
    gaps = np.abs(painting.colours - colour).max(axis=1)
    clear = np.ptp(painting.colours[gaps.argmin()]) > 30 and np.ptp(colour) > 25
    return int(gaps.argmin()) if gaps.min() <= 1.7 * NEAR and clear else PAPER


def tint(painting: Painting, box: Box) -> int:
    """The mark colour that what is drawn in a box is a paler shade of, as strokes thinner than a pixel are; ``PAPER`` when of none."""
    window = painting.pixels[_window(box)].reshape(-1, 3).astype(np.float64) - painting.paper
    strength = np.abs(window).max(axis=1, initial=0)
    if not len(window) or strength.max() <= NEAR or not len(painting.colours):
        return PAPER
    ink = np.median(window[strength >= 0.7 * strength.max()], axis=0)
    marks = painting.colours.astype(np.float64) - painting.paper
    share = np.clip(marks @ ink / np.maximum((marks * marks).sum(axis=1), 1), 0, 1)
    off = np.abs(ink - share[:, None] * marks).max(axis=1) + 1e3 * (share < 0.3)
    return int(off.argmin()) if off.min() <= 0.2 * strength.max() + 6 else PAPER


def paler(painting: Painting, colour: int, other: int) -> bool:
    """Whether a colour is a blend of another one and the paper."""
    ink, mark = (painting.colours[n].astype(np.float64) - painting.paper for n in (colour, other))
    share = float(ink @ mark / max(1.0, float(mark @ mark)))
    return (
        colour != other and 0.15 < share < 0.9 and float(np.abs(ink - share * mark).max()) < 0.1 * float(np.abs(mark).max()) + 4
    )


def edges(painting: Painting, rect: Box, upright: bool) -> tuple[float, float]:
    """Where a rectangle begins and ends (its x, or its y when ``upright``), by the blends in the pixels next to its two edges."""
    pixels = painting.pixels if upright else painting.pixels.transpose(1, 0, 2)
    x0, y0, x1, y1 = (round(side) for side in (rect if upright else (rect[1], rect[0], rect[3], rect[2])))
    third = (x1 - x0) // 3
    strip = pixels[:, x0 + third : max(x0 + third + 1, x1 - third)]
    return y0 - _blend(strip, y0, -1, painting.paper), y1 + _blend(strip, y1 - 1, 1, painting.paper)


def _blend(strip: NDArray[np.uint8], last: int, step: int, paper: NDArray[np.int16]) -> float:
    """How much of the pixel after the last one of a rectangle belongs to it: 0 to 1, half where two marks meet on paper."""
    if not 0 <= last + 2 * step < len(strip) or not 0 <= last < len(strip) or not strip.shape[1]:
        return 0.0
    inside, between, beyond = (np.median(strip[last + n * step], axis=0).astype(np.float64) for n in range(3))
    way = inside - beyond
    if np.abs(way).max() <= NEAR:
        return 0.0
    share = float((between - beyond) @ way / (way @ way))
    off = np.abs(between - beyond - share * way).max()
    if off > 0.12 * np.abs(way).max() + 4:
        return 0.5 if min(np.abs(beyond - paper).max(), np.abs(between - inside).max()) > NEAR else 0.0
    return min(1.0, share) if share > 0.05 else 0.0
