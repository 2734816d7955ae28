"""Pages of image files, by Pillow: upright by EXIF, transparent parts on white. Each frame of a TIFF is a page."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.errors import DocumentError
from pipeline.pages.blank import is_blank
from pipeline.pages.protocol import POINTS_PER_INCH, Size
from pipeline.records import Box, PageImage

PLAUSIBLE_DPI = (50.0, 2400.0)
"""A resolution outside this range is wrong metadata. The image then counts as 72 dpi, one pixel per point."""
REFUSED_FORMATS = frozenset({"EPS", "WMF"})
"""Formats that Pillow passes to an interpreter or to the operating system."""
MAX_FRAMES = 10_000
ANIMATED = frozenset({"gif", "png", "webp", "avif"})
"""Kinds whose frames are an animation, not pages."""
MAX_SEARCHED_FRAMES = 50
"""Frames of an animation that are searched for one that is not blank."""

pillow_heif.register_heif_opener()


class ImageDocument:
    """An opened image. Each frame of a TIFF is a page; an animation is one page, its first frame that is not blank.

    Raises DocumentError: ``unsupported`` for formats that Pillow does not know, ``too_large`` above ``megapixels``, else ``unreadable``.
    """

    def __init__(self, file: BinaryIO, megapixels: int) -> None:
        Image.MAX_IMAGE_PIXELS = None  # _check_size applies the limit before a pixel is decoded
        self._max_pixels = megapixels * 1_000_000
        try:
            self._image = Image.open(file, formats=None)
        except UnidentifiedImageError as error:
            raise DocumentError("unsupported", "neither a PDF nor an image format that is known") from error
        except MemoryError:
            raise
        except Exception as error:  # Pillow's plug-ins raise any exception on broken files
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
        """The decoded frame, upright, in RGB. The last one is cached, because a page is drawn several times."""
        if self._upright and self._upright[0] == number:
            return self._upright[1]
        try:
            if self.pages > 1:
                self._image.seek(number - 1)
                self._check_size()
            upright = self._decode()
            if self.kind in ANIMATED and getattr(self._image, "is_animated", False) and is_blank(_page_image(upright)):
                upright = self._first_visible_frame() or upright
        except (DocumentError, MemoryError):
            raise
        except Exception as error:  # Pillow's plug-ins raise any exception on broken files
            raise DocumentError("unreadable", f"Pillow, page {number}: {error}") from error
        self._upright = (number, upright)
        return upright

    def _decode(self) -> Image.Image:
        self._image.load()
        return _to_rgb(ImageOps.exif_transpose(self._image))

    def _first_visible_frame(self) -> Image.Image | None:
        """The first later frame that is not blank. Animations often begin with an empty frame."""
        for index in range(1, MAX_SEARCHED_FRAMES):
            try:
                self._image.seek(index)
                self._check_size()
                frame = self._decode()
            except Exception:  # the animation ends or is damaged here; its first frame was readable
                return None
            if not is_blank(_page_image(frame)):
                return frame
        return None

    def native_scale(self, number: int) -> float:
        """Pixels per point, from the file's own resolution where that is plausible."""
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
        """The frame, reduced where ``scale`` (pixels per point) is below its own. It is never enlarged."""
        frame, native = self._frame(number), self.native_scale(number)
        if scale < native:
            width, height = (max(1, round(side * scale / native)) for side in frame.size)
            frame = frame.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
            native = scale
        return _page_image(frame, native)

    def native_page(self, number: int) -> None:
        """None: images have no text layer."""
        del number

    def loss_warning(self, number: int) -> str:
        """Empty: Pillow raises an error where it cannot decode a part."""
        del number
        return ""

    def image_boxes(self, number: int) -> list[Box]:
        """The whole page."""
        size = self.size(number)
        return [(0.0, 0.0, size.width, size.height)]

    def close(self) -> None:
        """Release the file."""
        self._image.close()
        self._upright = None


def _to_rgb(image: Image.Image) -> Image.Image:
    """The image as 8-bit RGB. 16-bit and float values are scaled; transparent parts become white."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image, dtype=np.float64)
        low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
        scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
        return Image.fromarray(scaled.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return _on_background(image.convert("RGBA"))
    return image.convert("RGB")


def _on_background(image: Image.Image) -> Image.Image:
    """An RGBA image on white, or on black where it is invisible on white, as light writing is."""
    white, alpha = _composite(image, "white"), image.getchannel("A").getextrema()
    if alpha[0] != alpha[1] and is_blank(_page_image(white)):
        return _composite(image, "black")
    return white


def _composite(image: Image.Image, colour: str) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, colour), image).convert("RGB")


def _page_image(image: Image.Image, scale: float = 1.0) -> PageImage:
    return PageImage(image.width, image.height, image.tobytes(), scale)
