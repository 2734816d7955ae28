"""What happens to the paper before a scanner or a camera sees it: faint print, folds, stains, holes, strokes of a pen."""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np

from training.generator.warp import Pixels


def noise_of(rng: random.Random) -> np.random.Generator:
    """Random numbers for whole images."""
    return np.random.default_rng(rng.getrandbits(64))


def as_pixels(values: Any) -> Pixels:
    """Numbers as pixels, cut at black and white."""
    pixels: Pixels = np.clip(values, 0, 255).astype(np.uint8)
    return pixels


def worn(page: Pixels, rng: random.Random, noise: np.random.Generator, steps: list[str], *, slip: bool) -> Pixels:
    """The paper itself: colour, faint or broken print, folds, stains, holes, strokes of a pen."""
    pixels = page
    if rng.random() < 0.35:
        tint = np.array([rng.uniform(0.93, 1), rng.uniform(0.92, 1), rng.uniform(0.85, 0.98)])
        pixels = (pixels * tint).astype(np.uint8)
    if slip and rng.random() < 0.5:
        pixels = _faint(pixels, rng, noise)
        steps.append("faint")
    if rng.random() < (0.3 if slip else 0.2):
        pixels = _folded(pixels, rng)
        steps.append("fold")
    if rng.random() < 0.08:
        pixels = _stain(pixels, rng)
        steps.append("stain")
    if not slip and rng.random() < 0.12:
        pixels = _holes(pixels)
        steps.append("holes")
    if rng.random() < 0.1:
        pixels = _pen(pixels, rng)
        steps.append("pen")
    if rng.random() < 0.07:
        pixels = _streaks(pixels, rng)
        steps.append("streaks")
    return pixels


def _faint(pixels: Pixels, rng: random.Random, noise: np.random.Generator) -> Pixels:
    """Thermal print: pale, uneven from place to place, with lines that a dot of the head misses."""
    height, width = pixels.shape[:2]
    coarse = noise.uniform(0.35, 1.0, (max(2, height // 160), max(2, width // 160))).astype(np.float32)
    strength: Any = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    strength = np.clip(strength * rng.uniform(0.6, 1.15), 0.2, 1)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        at = rng.randrange(width)
        strength[:, at : at + 2] *= 0.3
    ink = (255 - pixels.astype(np.float32)) * strength[..., None]
    tone = np.array([1.0, rng.uniform(0.9, 1), rng.uniform(0.75, 1)])
    return as_pixels(255 - ink * tone)


def _folded(pixels: Pixels, rng: random.Random) -> Pixels:
    out = pixels.astype(np.float32)
    height, width = pixels.shape[:2]
    for _ in range(rng.choice([1, 1, 2, 3])):
        across = rng.random() < 0.75
        length = height if across else width
        at, reach = rng.uniform(0.2, 0.8) * length, length * rng.uniform(0.004, 0.02)
        place = np.arange(length) - at
        shade = (
            1
            - rng.uniform(0.06, 0.3) * np.exp(-((place / reach) ** 2))
            + rng.uniform(-0.06, 0.06) * np.sign(place) * np.exp(-np.abs(place) / (length * 0.1))
        )
        out *= shade[:, None, None] if across else shade[None, :, None]
    return as_pixels(out)


def _stain(pixels: Pixels, rng: random.Random) -> Pixels:
    height, width = pixels.shape[:2]
    mask: Any = np.zeros((height, width), np.float32)
    centre = (rng.randrange(width), rng.randrange(height))
    radius = int(min(width, height) * rng.uniform(0.06, 0.2)) + 4
    cv2.circle(mask, centre, radius, rng.uniform(0.1, 0.35), thickness=rng.choice([-1, 4, 9]))
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 6))[..., None]
    colour = np.array(rng.choice([(140, 95, 40), (120, 110, 90), (90, 90, 140)]), dtype=np.float32)
    return as_pixels(pixels * (1 - mask) + colour * mask)


def _holes(pixels: Pixels) -> Pixels:
    out: Any = pixels.copy()
    height, width = pixels.shape[:2]
    for y in (0.43, 0.57):
        cv2.circle(out, (int(width * 0.035), int(height * y)), max(4, int(width * 0.012)), (70, 70, 70), -1)
    return out  # type: ignore[no-any-return]


def _pen(pixels: Pixels, rng: random.Random) -> Pixels:
    out: Any = pixels.copy()
    height, width = pixels.shape[:2]
    x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
    line = []
    for step in range(rng.randint(8, 30)):
        x += rng.uniform(-0.01, 0.025) * width
        y += rng.uniform(-0.012, 0.012) * height * (1 if step % 2 else -1)
        line.append((int(x), int(y)))
    cv2.polylines(
        out,
        [np.array(line, np.int32)],
        isClosed=False,
        color=rng.choice([(30, 40, 150), (20, 20, 20), (170, 30, 30)]),
        thickness=rng.choice([1, 2, 3]),
        lineType=cv2.LINE_AA,
    )
    return out  # type: ignore[no-any-return]


def _streaks(pixels: Pixels, rng: random.Random) -> Pixels:
    out = pixels.copy()
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(pixels.shape[1])
        out[:, at : at + rng.choice([1, 1, 2])] = rng.choice([0, 90, 180, 255])
    return out
