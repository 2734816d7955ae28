"""Decides whether a text layer is correct. It detects mojibake, unmapped glyphs and isolated headers in any script."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from pipeline.records import Box, Word

MIN_LETTERS = 3
"""A layer with fewer letters and digits is ignored, and the page is read by OCR."""
MAX_UNMAPPED_SHARE = 0.05
"""Largest share of unmapped glyphs in a sound layer, for example of an icon font."""
BANDS = 32
"""Horizontal bands of a page in which pictures are looked for."""
_CID = re.compile(r"\(cid:\d{1,6}\)")
_MOJIBAKE = re.compile(r"[ÃÂâÐÑ][\u0080-\u00bf€™œžš‚ƒ„…†‡ˆ‰‹‘’“”•–—›ŠŒŽŸ]")
"""UTF-8 decoded as Latin-1 or Windows-1252: the letter of a lead byte before the sign of a continuation byte."""
_UNMAPPED_CATEGORIES = {"Cc", "Cn", "Co", "Cs"}


def is_sound(words: Sequence[Word], width: float, height: float) -> bool:
    """Whether these words are the text of the page. False for an empty list. ``width`` and ``height`` in points."""
    text = "".join(w.text for w in words)
    if sum(map(str.isalnum, text)) < MIN_LETTERS:
        return False
    return not (_has_unmapped(text) or _is_mojibake(words) or _is_no_language(text) or _is_misplaced(words, width, height))


def is_mostly_picture(image_boxes: Sequence[Box], width: float, height: float) -> bool:
    """Whether raster images fill the page as a scan does, so that its text may be in them. ``width`` and ``height`` in points."""
    step = max(height, 1.0) / BANDS
    return 2 * sum(_picture_width(image_boxes, (n + 0.5) * step, width) >= 0.5 * width for n in range(BANDS)) >= BANDS


def _picture_width(image_boxes: Sequence[Box], y: float, width: float) -> float:
    """Total width of the pictures at a height of the page. Strips of a scan in several images are added."""
    return sum(max(0.0, min(b[2], width) - max(b[0], 0.0)) for b in image_boxes if b[1] <= y <= b[3])


def _within(word: Word, box: Box) -> bool:
    x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _has_unmapped(text: str) -> bool:
    """Whether too many glyphs have no meaning: replacement characters, private use, controls, ``(cid:12)``."""
    cids = _CID.findall(text)
    counts = Counter(text)
    without_meaning = (c for c in counts if c == "\ufffd" or unicodedata.category(c) in _UNMAPPED_CATEGORIES)
    unmapped = sum(map(len, cids)) + sum(counts[c] for c in without_meaning)
    return unmapped > MAX_UNMAPPED_SHARE * len(text)


def _is_mojibake(words: Sequence[Word]) -> bool:
    hits = sum(len(_MOJIBAKE.findall(w.text)) for w in words)
    return hits >= 2 and hits > 0.02 * len(words)


def _is_no_language(text: str) -> bool:
    """Whether the text has too few letters and digits, or changes between scripts too often (a shifted encoding)."""
    counts = Counter(text)
    useful = sum(count for c, count in counts.items() if c.isalnum() or unicodedata.category(c)[0] == "M")
    if useful < 0.4 * len(text.replace(".", "").replace("_", "").replace("-", "") or "x"):
        return True
    known = {c: _script(c) for c in counts if c.isalpha()}
    if len(set(known.values())) < 4:
        return False
    scripts = [known[c] for c in text if c in known]
    return sum(a != b for a, b in pairwise(scripts)) > 0.2 * len(scripts)


_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH")


def _script(char: str) -> str:
    """The first word of the letter's Unicode name. Scripts that are written together count as one."""
    first = unicodedata.name(char, "UNKNOWN").split(" ")[0].split("-")[0]
    return "CJK" if first in _EAST_ASIAN else first


def _is_misplaced(words: Sequence[Word], width: float, height: float) -> bool:
    """Whether the text is outside the page, without extent, or in one place. People do not read such text."""
    flat = sum(w.box[2] - w.box[0] < 0.1 or w.box[3] - w.box[1] < 0.1 for w in words)
    outside = sum(not _within(w, (0.0, 0.0, width, height)) for w in words)
    if flat * 2 > len(words) or outside * 2 > len(words):
        return True
    places = {(round(w.box[0]), round(w.box[1])) for w in words}
    return len(words) >= 8 and len(places) * 3 < len(words)
