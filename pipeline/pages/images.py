"""Pages of image files, by Pillow: upright by EXIF, transparent parts on white. Each frame of a TIFF is a page."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.errors import DocumentError
from pipeline.pages.blank import is_blank
from pipeline.pages.protocol import Size
from pipeline.pages.resolution import resolution, with_square_pixels
from pipeline.pages.tiff_frames import page_frames
from pipeline.records import Box, PageImage

REFUSED_FORMATS = frozenset({"EPS", "WMF"})
"""Formats that Pillow passes to an interpreter or to the operating system."""
MAX_FRAMES = 10_000
ORIENTATION_TAG, SIDEWAYS = 0x0112, frozenset({5, 6, 7, 8})
"""EXIF's orientation, and its values for images whose width and height change places."""
DARKEST = 48
"""An image without a brighter value is stretched: Pillow keeps the upper 8 of 16 bits in colour, and scanners may use the lower 12."""
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
            raise DocumentError("unsupported", f"{name} files are programs; save it as PDF or PNG and drop that")
        self.kind = name.lower()
        self._check_size()
        self._frames = self._page_frames() if name == "TIFF" else [0]
        self.pages = len(self._frames)
        self._upright: tuple[int, Image.Image, float] | None = None

    def _page_frames(self) -> list[int]:
        """Indices of the frames of a TIFF that are pages."""
        try:
            count = max(1, int(getattr(self._image, "n_frames", 1)))
            if count <= MAX_FRAMES:
                return page_frames(self._image, count, self._max_pixels)
        except MemoryError:
            raise
        except Exception as error:
            raise DocumentError("unreadable", f"Pillow: {error}") from error
        raise DocumentError("too_large", f"a picture of {count:,} frames: save the pages that you need and drop these")

    def _check_size(self) -> None:
        width, height = self._image.size
        if width * height > self._max_pixels:
            raise DocumentError(
                "too_large", f"a picture of {width} x {height} pixels: save it smaller, or raise limits.megapixels"
            )
        if not width or not height:
            raise DocumentError("unreadable", f"a picture of {width} x {height} pixels: nothing is on it")

    def _frame(self, number: int) -> tuple[Image.Image, float]:
        """The decoded frame, upright, in RGB, and its pixels per point. The last one is cached, because a page is drawn several times."""
        if self._upright and self._upright[0] == number:
            return self._upright[1:]
        try:
            if self._frames != [0]:
                self._image.seek(self._frames[number - 1])
                self._check_size()
            upright = self._decode()
            if self.kind in ANIMATED and getattr(self._image, "is_animated", False) and is_blank(_page_image(upright)):
                upright = self._first_visible_frame() or upright
        except (DocumentError, MemoryError):
            raise
        except Exception as error:  # Pillow's plug-ins raise any exception on broken files
            raise DocumentError("unreadable", f"Pillow, page {number}: {error}") from error
        scale = resolution(self._image).scale
        self._upright = (number, upright, scale)
        return upright, scale

    def _decode(self) -> Image.Image:
        self._image.load()
        x, y = resolution(self._image).stretch
        sideways = self._image.getexif().get(ORIENTATION_TAG, 1) in SIDEWAYS
        upright = ImageOps.exif_transpose(self._image)
        return _to_rgb(with_square_pixels(upright, (y, x) if sideways else (x, y), self._max_pixels))

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
        return self._frame(number)[1]

    def size(self, number: int) -> Size:
        """The upright frame's size in points."""
        frame, scale = self._frame(number)
        return Size(frame.width / scale, frame.height / scale)

    def draw(self, number: int, scale: float) -> PageImage:
        """The frame, reduced where ``scale`` (pixels per point) is below its own. It is never enlarged."""
        frame, native = self._frame(number)
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
        low, high = float(values.min()), float(values.max())
        if image.mode.startswith("I;16"):  # scanners store 10, 12 or 14 bits in 16
            low, high = 0.0, float((1 << max(8, int(high).bit_length())) - 1)
        scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
        return Image.fromarray(scaled.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return _on_background(image.convert("RGBA"))
    return _brightened(image.convert("RGB"))


def _brightened(image: Image.Image) -> Image.Image:
    """An image that has dark values only, stretched to full brightness."""
    levels = np.flatnonzero(np.array(image.histogram()).reshape(3, 256).sum(axis=0))
    low, high = int(levels[0]), int(levels[-1])
    if high >= DARKEST or high - low < 4:
        return image
    return image.point([min(255, round(value * 255 / high)) for value in range(256)] * 3)


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
