"""Image files by Pillow: by content, upright by EXIF, transparent parts on white, every frame of a TIFF a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.errors import DocumentError
from pipeline.pages.opened import POINTS_PER_INCH, Size
from pipeline.records import Box, PageImage

PLAUSIBLE_DPI = (50.0, 2400.0)
"""Resolutions outside of this are wrong metadata; the image then counts as 72 dpi, a pixel a point."""
REFUSED_FORMATS = frozenset({"EPS", "WMF"})
"""Formats that Pillow hands to an interpreter or to the system."""
MAX_FRAMES = 10_000

pillow_heif.register_heif_opener()


class ImageDocument:
    """An opened image. Animations are one page, their first frame; TIFF frames are pages.

    Raises DocumentError: ``unsupported`` when Pillow knows no such format, ``too_large`` above ``megapixels``, ``unreadable`` else.
    """

    def __init__(self, path: Path, megapixels: int) -> None:
        Image.MAX_IMAGE_PIXELS = None  # our own limit below, before anything is unpacked
        self._max_pixels = megapixels * 1_000_000
        try:
            self._image = Image.open(path, formats=None)
        except UnidentifiedImageError as error:
            raise DocumentError("unsupported", "neither a PDF nor an image format that is known") from error
        except MemoryError:
            raise
        except Exception as error:  # Pillow's plug-ins raise what they like on broken files
            raise DocumentError("unreadable", f"Pillow: {error}") from error
        name = self._image.format or ""
        if name in REFUSED_FORMATS:
            raise DocumentError("unsupported", f"{name} files are programs; convert to PDF or PNG")
        self.kind = name.lower()
        self._check_size()
        self.pages = self._frames() if name == "TIFF" else 1
        self._upright: tuple[int, Image.Image] | None = None

    def _frames(self) -> int:
        try:
            count = int(getattr(self._image, "n_frames", 1))
        except Exception as error:
            raise DocumentError("unreadable", f"Pillow: {error}") from error
        if count > MAX_FRAMES:
            raise DocumentError("too_large", f"{count} frames")
        return max(1, count)

    def _check_size(self) -> None:
        width, height = self._image.size
        if width * height > self._max_pixels:
            raise DocumentError("too_large", f"{width} x {height} pixels (limits.megapixels)")
        if not width or not height:
            raise DocumentError("unreadable", f"{width} x {height} pixels")

    def _frame(self, number: int) -> Image.Image:
        """The frame decoded, upright, in RGB; the last one is kept, as it is drawn several times."""
        if self._upright and self._upright[0] == number:
            return self._upright[1]
        try:
            if self.pages > 1:
                self._image.seek(number - 1)
                self._check_size()
            self._image.load()
            upright = _to_rgb(ImageOps.exif_transpose(self._image))
        except (DocumentError, MemoryError):
            raise
        except Exception as error:  # Pillow's plug-ins raise what they like on broken files
            raise DocumentError("unreadable", f"Pillow, page {number}: {error}") from error
        self._upright = (number, upright)
        return upright

    def native_scale(self, number: int) -> float:
        """Pixels per point, from the file's own resolution where it is plausible."""
        del number
        dpi = self._image.info.get("dpi")
        try:
            value = float(dpi[0]) if dpi else POINTS_PER_INCH
        except (TypeError, ValueError, ZeroDivisionError):
            value = POINTS_PER_INCH
        low, high = PLAUSIBLE_DPI
        return (value if low <= value <= high else POINTS_PER_INCH) / POINTS_PER_INCH

    def size(self, number: int) -> Size:
        """The upright frame's size in points."""
        frame, scale = self._frame(number), self.native_scale(number)
        return Size(frame.width / scale, frame.height / scale)

    def draw(self, number: int, scale: float) -> PageImage:
        """The frame, shrunk where ``scale`` is below its own; it is never enlarged."""
        frame, native = self._frame(number), self.native_scale(number)
        if scale < native:
            width, height = (max(1, round(side * scale / native)) for side in frame.size)
            frame = frame.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
            native = scale
        return PageImage(frame.width, frame.height, frame.tobytes(), native)

    def handle(self, number: int) -> None:
        """Images have no text layer."""
        del number

    def image_boxes(self, number: int) -> list[Box]:
        """The whole page."""
        size = self.size(number)
        return [(0.0, 0.0, size.width, size.height)]

    def close(self) -> None:
        """Release the file."""
        self._image.close()
        self._upright = None


def _to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB; 16-bit and float scaled to 8, transparency on white."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image, dtype=np.float64)
        low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
        scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
        return Image.fromarray(scaled.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        alpha = image.convert("RGBA")
        paper = Image.new("RGBA", alpha.size, "white")
        return Image.alpha_composite(paper, alpha).convert("RGB")
    return image.convert("RGB")
