"""Pictures of names: a sign that people read and that the text layer of a PDF lacks."""

from __future__ import annotations

import base64
import io
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
NAMES = (
    "LiberationSerif-BoldItalic.ttf",
    "Lato-Black.ttf",
    "DejaVuSans-Bold.ttf",
    "Quicksand-Bold.ttf",
    "EBGaramond-Bold.ttf",
    "Dosis-Bold.ttf",
)
CJK = "NotoSansCJK-Bold.ttc"


@cache
def _find(name: str) -> Path | None:
    return next((path for folder in FOLDERS for path in folder.rglob(name)), None)


def picture(text: str, size: int, hue: int) -> str:
    """A PNG of the text as a data URL, ``size`` CSS pixels high, drawn three times as fine."""
    is_cjk = any(ord(c) > 0x2E80 for c in text)
    latin = all(ord(c) < 0x250 for c in text)
    names = [CJK] if is_cjk else [NAMES[hue % len(NAMES)] if latin else "DejaVuSans-Bold.ttf", "DejaVuSans-Bold.ttf"]
    path = next((found for name in names if (found := _find(name))), None)
    font = ImageFont.truetype(str(path), size * 2) if path else ImageFont.load_default(size * 2)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (int(right - left) + 12, int(bottom - top) + 12), "white")
    ImageDraw.Draw(image).text((6 - left, 6 - top), text, fill=f"hsl({hue},60%,{25 + hue % 20}%)", font=font)
    data = io.BytesIO()
    image.save(data, "PNG")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
