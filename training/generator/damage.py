"""What a scanner, a copier, a fax or a telephone's camera makes of a page."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from training.generator.choices import draw
from training.generator.paper import as_pixels, noise_of, worn
from training.generator.warp import Pixels, Points, Warped, displace, perspective, still

QUALITIES = (25, 35, 45, 60, 75, 85, 92)


@dataclass(frozen=True)
class Capture:
    """An image of a page: its pixels, where points of the page stand on it, how it is stored."""

    pixels: Pixels
    move: Callable[[Points], Points]
    quality: int
    """Of the JPEG."""
    grey: bool
    steps: tuple[str, ...]
    """What was done to it."""


def scan(page: Pixels, rng: random.Random, *, slip: bool) -> Capture:
    """The page as a scanner or a fax gives it."""
    noise = noise_of(rng)
    steps: list[str] = []
    warped = still(worn(page, rng, noise, steps, slip=slip))
    height, width = page.shape[:2]
    angle = rng.gauss(0, 0.7)
    if abs(angle) > 0.05:
        corners = _turned(width, height, angle, rng.uniform(-0.01, 0.01))
        warped = perspective(warped, corners, (width, height))
    pixels = warped.pixels
    kind = draw(rng, {"grey": 5, "colour": 4, "fax": 1, "bilevel": 1.5, "copy": 1.5})
    steps.append(kind)
    pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 0.9))
    if kind == "copy":
        pixels = _contrast(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.6, 1.2)), 1.4, rng.uniform(-20, 25))
        pixels = _speckles(pixels, rng, noise, 0.0006)
    pixels = _noisy(pixels, noise, rng.uniform(1, 9))
    if rng.random() < 0.35:
        pixels = _contrast(pixels, rng.uniform(0.75, 1.1), rng.uniform(-12, 20))
    if rng.random() < 0.15:
        pixels = _scanner_edge(pixels, rng)
    if kind in {"grey", "fax", "bilevel", "copy"}:
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if kind in {"fax", "bilevel"}:
        grey = pixels[..., 0].astype(np.float32) + noise.normal(0, 12 if kind == "fax" else 4, pixels.shape[:2])
        pixels = np.repeat(np.where(grey > rng.uniform(140, 200), 255, 0).astype(np.uint8)[..., None], 3, axis=2)
        if kind == "fax":
            pixels = _speckles(pixels, rng, noise, 0.0008)
    return Capture(pixels, warped.move, rng.choice(QUALITIES[2:]), kind not in {"colour"}, tuple(steps))


def photograph(page: Pixels, rng: random.Random, *, slip: bool) -> Capture:
    """The page as a telephone's camera gives it: from above or aslant, on a table, in uneven light."""
    noise = noise_of(rng)
    steps: list[str] = []
    warped = still(worn(page, rng, noise, steps, slip=slip))
    if rng.random() < (0.7 if slip else 0.45):
        warped = _curled(warped, rng, steps)
    height, width = page.shape[:2]
    margin = rng.uniform(0.02, 0.16) if rng.random() < 0.8 else 0.0
    out_width, out_height = int(width * (1 + 2 * margin) + height * 0.02), int(height * (1 + margin))
    tilt = rng.uniform(0, 0.06 if rng.random() < 0.7 else 0.11)
    base = _turned(width, height, rng.gauss(0, 2.0 if slip else 1.5), 0.0)
    shift = np.array([[(out_width - width) / 2, (out_height - height) / 2]])
    corners = (
        base
        + shift
        + np.array([[rng.uniform(-tilt, tilt) * width * 0.6, rng.uniform(-tilt, tilt) * height * 0.25] for _ in range(4)])
    )
    warped = perspective(warped, corners, (out_width, out_height), _table(out_width, out_height, rng, noise))
    pixels = _light(warped.pixels, rng, steps)
    if rng.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.3))
        steps.append("blur")
    if rng.random() < 0.12:
        pixels = _motion(pixels, rng)
        steps.append("motion")
    pixels = _noisy(pixels, noise, rng.uniform(1, 7))
    return Capture(pixels, warped.move, rng.choice(QUALITIES), False, tuple(steps))


def _turned(width: int, height: int, degrees: float, shear: float) -> Points:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle) + shear], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width / 2, height / 2])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    turned: Points = (corners - middle) @ turn.T + middle
    return turned


def _contrast(pixels: Pixels, factor: float, offset: float) -> Pixels:
    return as_pixels((pixels.astype(np.float32) - 128) * factor + 128 + offset)


def _noisy(pixels: Pixels, noise: np.random.Generator, sigma: float) -> Pixels:
    grain = noise.normal(0, sigma, (*pixels.shape[:2], 1)).astype(np.float32)
    return as_pixels(pixels.astype(np.float32) + grain)


def _speckles(pixels: Pixels, rng: random.Random, noise: np.random.Generator, share: float) -> Pixels:
    out = pixels.copy()
    mask = noise.random(pixels.shape[:2]) < share * rng.uniform(0.2, 1)
    grown: Any = cv2.dilate(mask.astype(np.uint8), np.ones((2, 2), np.uint8))
    out[grown > 0] = rng.choice([0, 40, 90])
    return out


def _scanner_edge(pixels: Pixels, rng: random.Random) -> Pixels:
    out = pixels.astype(np.float32)
    width = pixels.shape[1]
    reach = int(width * rng.uniform(0.01, 0.04)) + 1
    shade = np.linspace(rng.uniform(0.2, 0.7), 1, reach)[None, :, None]
    if rng.random() < 0.5:
        out[:, :reach] *= shade
    else:
        out[:, -reach:] *= shade[:, ::-1]
    return out.astype(np.uint8)


def _curled(warped: Warped, rng: random.Random, steps: list[str]) -> Warped:
    """Paper that does not lie flat: its lines are bent."""
    height, width = warped.pixels.shape[:2]
    x = np.linspace(0, 1, width)[None, :]
    y = np.linspace(0, 1, height)[:, None]
    bow, wave = rng.uniform(-0.012, 0.012) * width, rng.uniform(-0.004, 0.004) * width
    dy = bow * np.sin(np.pi * x) * (0.4 + 0.6 * y) + wave * np.sin(2 * np.pi * (x + y * rng.uniform(0, 1)))
    dx = rng.uniform(-0.006, 0.006) * width * np.sin(np.pi * y) * np.ones_like(x)
    steps.append("curl")
    return displace(warped, np.broadcast_to(dx, (height, width)), np.broadcast_to(dy, (height, width)))


def _table(width: int, height: int, rng: random.Random, noise: np.random.Generator) -> Pixels:
    """What the paper lies on."""
    colour = np.array(
        rng.choice(
            [
                (120, 90, 60),
                (70, 70, 75),
                (170, 160, 150),
                (200, 200, 205),
                (40, 35, 30),
                (150, 120, 90),
                (90, 110, 120),
                (225, 225, 220),
            ]
        )
    )
    coarse = noise.normal(0, 12, (max(2, height // 60), max(2, width // rng.choice([60, 400])), 1)).astype(np.float32)
    grain: Any = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return as_pixels(colour[None, None, :] + grain[..., None])


def _light(pixels: Pixels, rng: random.Random, steps: list[str]) -> Pixels:
    """Uneven light, shadows, a tint, a glare."""
    height, width = pixels.shape[:2]
    x = np.linspace(-1, 1, width)[None, :]
    y = np.linspace(-1, 1, height)[:, None]
    shade = 1 + rng.uniform(-0.25, 0.25) * x + rng.uniform(-0.25, 0.25) * y - rng.uniform(0, 0.25) * (x**2 + y**2) / 2
    if rng.random() < 0.3:
        edge = x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) - rng.uniform(-0.4, 0.6)
        shade = shade * (1 - rng.uniform(0.1, 0.4) / (1 + np.exp(-edge * rng.uniform(6, 40))))
        steps.append("shadow")
    shade = shade * rng.uniform(0.72, 1.05)
    warm = rng.gauss(0, 0.05)
    tint = np.array([1 + warm, 1 + rng.gauss(0, 0.012), 1 - warm])
    return as_pixels(pixels * shade[..., None] * tint)


def _motion(pixels: Pixels, rng: random.Random) -> Pixels:
    size = rng.choice([3, 5, 5, 7])
    kernel: Any = np.zeros((size, size), np.float32)
    if rng.random() < 0.5:
        kernel[size // 2] = 1 / size
    else:
        kernel[:, size // 2] = 1 / size
    blurred: Any = cv2.filter2D(pixels, -1, kernel)
    return blurred  # type: ignore[no-any-return]
