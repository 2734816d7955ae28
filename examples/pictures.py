"""Draws a shop's receipt, a bar chart, a landscape, and makes a clean drawing look scanned. Equal data gives equal pixels."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from examples.invoices import FONTS

Pixels = Image.Image
_INK = (34, 34, 40)


@dataclass(frozen=True)
class Receipt:
    """A till's receipt with prices that hold the tax. ``lines`` are description, quantity, unit price."""

    vendor: str
    address: Sequence[str]
    vat_label: str
    vat_id: str
    number: str
    date: str
    time: str
    sign: str
    lines: Sequence[tuple[str, int, Decimal]]
    tax_rate: Decimal
    given: Decimal
    words: tuple[str, str, str, str, str] = ("TOTAL", "CASH", "CHANGE", "incl. VAT", "Receipt no.")

    @property
    def total(self) -> Decimal:
        """What the customer pays."""
        return sum((quantity * price for _, quantity, price in self.lines), Decimal(0))

    @property
    def tax_total(self) -> Decimal:
        """The tax within the total, to the cent."""
        return (self.total * self.tax_rate / (100 + self.tax_rate)).quantize(Decimal("0.01"))


def font(size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Vera, which reportlab brings along."""
    return ImageFont.truetype(str(FONTS / ("VeraBd.ttf" if bold else "Vera.ttf")), size)


def jpeg(image: Pixels, quality: int = 82) -> bytes:
    """The bytes of a JPEG file."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def png(image: Pixels) -> bytes:
    """The bytes of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def draw_receipt(receipt: Receipt, width: int = 760) -> Pixels:
    """The clean print on white paper."""
    paper = _Paper(width)
    paper.centred(receipt.vendor, 38, bold=True)
    for line in [*receipt.address, f"{receipt.vat_label} {receipt.vat_id}"]:
        paper.centred(line, 24)
    paper.gap(26)
    total, cash, change, tax, receipt_number = receipt.words
    paper.pair(f"{receipt_number} {receipt.number}", f"{receipt.date}  {receipt.time}", 24)
    paper.rule()
    for description, quantity, price in receipt.lines:
        name = description if quantity == 1 else f"{quantity} x {description}"
        paper.pair(name, f"{quantity * price:.2f}", 26)
    paper.rule()
    paper.pair(total, f"{receipt.sign}{receipt.total:.2f}", 38, bold=True)
    paper.gap(10)
    paper.pair(cash, f"{receipt.given:.2f}", 26)
    paper.pair(change, f"{receipt.given - receipt.total:.2f}", 26)
    paper.gap(14)
    paper.pair(f"{tax} {receipt.tax_rate.normalize():f}%", f"{receipt.tax_total:.2f}", 24)
    paper.rule()
    paper.centred("Thank you, see you soon!", 24)
    return paper.cut()


class _Paper:
    """A roll of paper that text is printed on from top to bottom."""

    def __init__(self, width: int, length: int = 4000, margin: int = 54) -> None:
        self.image = Image.new("RGB", (width, length), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.margin, self.y = margin, 60

    def centred(self, text: str, size: int, *, bold: bool = False) -> None:
        self.draw.text((self.image.width / 2, self.y), text, _INK, font(size, bold=bold), anchor="ma")
        self.y += round(size * 1.45)

    def pair(self, left: str, right: str, size: int, *, bold: bool = False) -> None:
        self.draw.text((self.margin, self.y), left, _INK, font(size, bold=bold))
        self.draw.text((self.image.width - self.margin, self.y), right, _INK, font(size, bold=bold), anchor="ra")
        self.y += round(size * 1.5)

    def rule(self) -> None:
        self.gap(14)
        for x in range(self.margin, self.image.width - self.margin, 16):
            self.draw.line((x, self.y, x + 8, self.y), _INK, 2)
        self.gap(20)

    def gap(self, height: int) -> None:
        self.y += height

    def cut(self) -> Pixels:
        return self.image.crop((0, 0, self.image.width, self.y + 50))


def as_scan(clean: Pixels, *, angle: float = 1.3, blur: float = 0.7, noise: float = 5.0, seed: int = 7) -> Pixels:
    """The drawing on slightly uneven paper, turned by ``angle`` degrees, with a soft lens and a grainy sensor."""
    grain = np.random.default_rng(seed)
    width, height = clean.size
    coarse = grain.normal(0, 4, (height // 60 + 2, width // 60 + 2)).astype(np.float32)
    shade = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    light = np.linspace(6, -12, width, dtype=np.float32)[None, :] + shade
    paper = np.asarray(clean, dtype=np.float32) * (244 / 255) + light[:, :, None] * np.array([1.0, 1.0, 0.9], dtype=np.float32)
    soft = Image.fromarray(np.clip(paper, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(blur))
    turned = soft.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=(118, 112, 106))
    pixels = np.asarray(turned, dtype=np.float32) + grain.normal(0, noise, (turned.height, turned.width, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def draw_bar_chart(
    title: str, x_title: str, y_title: str, bars: Sequence[tuple[str, int]], size: tuple[int, int] = (960, 640)
) -> Pixels:
    """Upright bars with the number above each, a labelled axis with grid lines, titles."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = 130, 100, size[0] - 50, size[1] - 110
    step = _round_step(max(value for _, value in bars))
    highest = step * math.ceil(max(value for _, value in bars) * 1.08 / step)
    draw.text((size[0] / 2, 36), title, "black", font(28, bold=True), anchor="ma")
    for tick in range(0, highest + 1, step):
        y = bottom - (bottom - top) * tick / highest
        draw.line((left, y, right, y), (221, 225, 230), 1)
        draw.text((left - 12, y), str(tick), (70, 70, 70), font(18), anchor="rm")
    slot = (right - left) / len(bars)
    for position, (label, value) in enumerate(bars):
        x, y = left + slot * (position + 0.5), bottom - (bottom - top) * value / highest
        draw.rectangle((x - slot * 0.32, y, x + slot * 0.32, bottom), (46, 111, 158))
        draw.text((x, y - 8), str(value), "black", font(20), anchor="mb")
        draw.text((x, bottom + 12), label, "black", font(20), anchor="ma")
    draw.line((left, top, left, bottom), "black", 2)
    draw.line((left, bottom, right, bottom), "black", 2)
    draw.text(((left + right) / 2, bottom + 56), x_title, "black", font(21), anchor="ma")
    _upwards(image, y_title, (34, (top + bottom) // 2))
    return image


def _round_step(highest: int) -> int:
    rough = highest / 5
    magnitude = 10 ** max(math.floor(math.log10(rough)), 0)
    return int(next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough))


def _upwards(image: Pixels, text: str, centre: tuple[int, int]) -> None:
    """Writes text from bottom to top, as beside a vertical axis."""
    face = font(21)
    box = face.getbbox(text)
    label = Image.new("L", (int(box[2]) + 8, int(box[3]) + 8), 0)
    ImageDraw.Draw(label).text((4, 4), text, 255, face)
    turned = label.rotate(90, expand=True)
    image.paste("black", (centre[0] - turned.width // 2, centre[1] - turned.height // 2), turned)


def draw_landscape(size: tuple[int, int] = (960, 640)) -> Pixels:
    """A lake between mountains under an evening sky, with firs on the shore and a sailing boat."""
    width, height = size
    horizon = round(height * 0.56)
    image = _gradient(size, [(0.0, (58, 104, 168)), (0.56, (250, 206, 150)), (0.561, (92, 136, 170)), (1.0, (28, 62, 92))])
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.66 - 46, horizon - 290, width * 0.66 + 46, horizon - 198), (255, 240, 200))
    for base, roughness, colour, seed in ((150, 90, (122, 132, 164), 1), (90, 60, (78, 92, 122), 2), (40, 26, (46, 70, 74), 3)):
        draw.polygon([(0, horizon), *_ridge(width, horizon, base, roughness, seed), (width, horizon)], colour)
    ripples = np.random.default_rng(4)
    for _ in range(260):
        x, y = ripples.uniform(0, width), ripples.uniform(horizon + 6, height)
        length = (y - horizon) / 4 + 6
        near_sun = abs(x - width * 0.66) < 60 + (y - horizon) * 0.3
        draw.line((x, y, x + length, y), (236, 206, 160) if near_sun else (112, 152, 182), 2)
    _boat(draw, width * 0.36, horizon + 84)
    draw.polygon([(0, height), (0, height - 96), (width * 0.3, height - 46), (width * 0.55, height)], (30, 52, 38))
    for x, tall in ((40, 250), (104, 200), (160, 230), (226, 150), (290, 110)):
        _fir(draw, x, height - 62 + x * 0.16, tall)
    return image.filter(ImageFilter.GaussianBlur(0.8))


def _gradient(size: tuple[int, int], stops: Sequence[tuple[float, tuple[int, int, int]]]) -> Pixels:
    rows = np.linspace(0, 1, size[1])
    channels = [np.interp(rows, [at for at, _ in stops], [colour[channel] for _, colour in stops]) for channel in range(3)]
    column = np.stack(channels, axis=-1)[:, None, :].repeat(size[0], axis=1)
    return Image.fromarray(column.astype(np.uint8))


def _ridge(width: int, horizon: int, base: int, roughness: int, seed: int) -> list[tuple[float, float]]:
    heights = np.random.default_rng(seed).uniform(-1, 1, 13)
    xs = np.linspace(0, width, 97)
    smooth = np.interp(xs, np.linspace(0, width, 13), heights)
    return [(float(x), float(horizon - base - roughness * value)) for x, value in zip(xs, smooth, strict=True)]


def _boat(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    draw.polygon([(x - 46, y), (x + 50, y), (x + 34, y + 20), (x - 32, y + 20)], (120, 62, 40))
    draw.line((x, y, x, y - 104), (60, 40, 30), 4)
    draw.polygon([(x + 5, y - 102), (x + 5, y - 8), (x + 56, y - 8)], (248, 244, 234))
    draw.polygon([(x - 5, y - 90), (x - 5, y - 8), (x - 38, y - 8)], (226, 218, 204))


def _fir(draw: ImageDraw.ImageDraw, x: float, foot: float, tall: int) -> None:
    draw.rectangle((x - 5, foot - 20, x + 5, foot + 12), (52, 38, 28))
    for level in range(4):
        low, half = foot - 14 - tall * 0.2 * level, tall * (0.26 - 0.05 * level)
        draw.polygon([(x - half, low), (x + half, low), (x, low - tall * 0.36)], (24 + 5 * level, 58 + 5 * level, 42))
