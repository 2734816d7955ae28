"""Whether a text layer can be believed: mojibake, unmapped glyphs and stray headers are told from text in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from pipeline.records import Box, Word

MIN_LETTERS = 3
"""Fewer letters and digits than this say nothing; the page is better looked at."""
BAD_SHARE = 0.05
"""Up to this share of unmapped glyphs is a stray icon font, not a broken layer."""
BANDS = 32
"""Into how many horizontal bands a page is cut to see where it has pictures and words."""
LETTERED_SHARE = 0.2
"""Share of the pictured bands that must hold a word."""
_CID = re.compile(r"\(cid:\d{1,6}\)")
_MOJIBAKE = re.compile(r"[ÃÂâÐÑ][\u0080-\u00bf€™œžš‚ƒ„…†‡ˆ‰‹‘’“”•–—›ŠŒŽŸ]")
"""UTF-8 read as Latin-1 or Windows-1252: a lead byte's letter before a continuation byte's sign."""
_CATEGORIES_BAD = {"Cc", "Cn", "Co", "Cs"}


def is_sound(words: Sequence[Word], width: float, height: float) -> bool:
    """Whether these words can stand for what the page says. False for an empty list. ``width`` and ``height`` in points."""
    text = "".join(w.text for w in words)
    if sum(c.isalnum() for c in text) < MIN_LETTERS:
        return False
    return not (_unmapped(text) or _mojibake(words) or _no_language(text) or _piled(words, width, height))


def covers_page(words: Sequence[Word], image_boxes: Sequence[Box], width: float, height: float) -> bool:
    """Whether a text layer plausibly accounts for the page, given the boxes of the raster images on it.

    A scan with only a stamped header or page number as text leaves most of its large image without a word: False. Pictures
    beside text, a letterhead or a background under text that fills the page are no reason to read the pixels.
    """
    if not words:
        return not image_boxes
    step = max(height, 1.0) / BANDS
    pictured = [n for n in range(BANDS) if _picture_width(image_boxes, (n + 0.5) * step, width) >= 0.5 * width]
    if 2 * len(pictured) < BANDS:
        return True
    lettered = {int((w.box[1] + w.box[3]) / 2 / step) for w in words}
    return len(lettered.intersection(pictured)) >= LETTERED_SHARE * len(pictured)


def _picture_width(image_boxes: Sequence[Box], y: float, width: float) -> float:
    """How much of the page's width is picture at a height; strips of a scan that was cut up count together."""
    return sum(max(0.0, min(b[2], width) - max(b[0], 0.0)) for b in image_boxes if b[1] <= y <= b[3])


def _within(word: Word, box: Box) -> bool:
    x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _unmapped(text: str) -> bool:
    """Glyphs without a meaning: replacement characters, private use, controls, ``(cid:12)``."""
    cids = _CID.findall(text)
    bad = sum(len(c) for c in cids) + sum(c == "\ufffd" or unicodedata.category(c) in _CATEGORIES_BAD for c in text)
    return bad > BAD_SHARE * len(text)


def _mojibake(words: Sequence[Word]) -> bool:
    hits = sum(len(_MOJIBAKE.findall(w.text)) for w in words)
    return hits >= 2 and hits > 0.02 * len(words)


def _no_language(text: str) -> bool:
    """Text without letters and digits enough, or that jumps between scripts as no writing does (a shifted encoding)."""
    useful = sum(c.isalnum() or unicodedata.category(c)[0] == "M" for c in text)
    if useful < 0.4 * len(text.replace(".", "").replace("_", "").replace("-", "") or "x"):
        return True
    scripts = [_script(c) for c in text if c.isalpha()]
    jumps = sum(a != b for a, b in pairwise(scripts))
    return len(set(scripts)) >= 4 and jumps > 0.2 * len(scripts)


_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH")


def _script(char: str) -> str:
    """The first word of the letter's Unicode name; scripts that are written together count as one."""
    first = unicodedata.name(char, "UNKNOWN").split(" ")[0].split("-")[0]
    return "CJK" if first in _EAST_ASIAN else first


def _piled(words: Sequence[Word], width: float, height: float) -> bool:
    """Text outside the page, without extent, or heaped in one place: never what a person reads."""
    flat = sum(w.box[2] - w.box[0] < 0.1 or w.box[3] - w.box[1] < 0.1 for w in words)
    outside = sum(not _within(w, (0.0, 0.0, width, height)) for w in words)
    if flat * 2 > len(words) or outside * 2 > len(words):
        return True
    places = {(round(w.box[0]), round(w.box[1])) for w in words}
    return len(words) >= 8 and len(places) * 3 < len(words)
