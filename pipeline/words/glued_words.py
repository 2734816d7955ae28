"""Finds the ends of words in a line whose file has no blanks, and whose gaps between words are narrower than the library expects.

Typesetters set small or bold print tightly. Letters of a word then follow each other without any gap, and words with one of an eighth
of the font size, where a library sees a blank from a fifth on. Digits are never parted: a gap in a number separates its thousands.
"""

from __future__ import annotations

from collections.abc import Sequence

MIN_WORD = 12
"""Letters of a word from which its line is looked at."""
MIN_GAP, MAX_LETTER_GAP = 0.11, 0.05
"""Gaps as shares of the font size: least between words, most between the letters of a word."""
MIN_ENDS = 3
"""Fewest gaps between two letters in a line that show that its words are glued."""
MAX_SHARE = 0.35
"""Most of the gaps of such a line that are wide; letter-spaced text has more."""


def has_long_word(text: str) -> bool:
    """Whether a line has so long a word that it may be several glued ones. Most lines have none, and need no closer look."""
    return max(map(len, text.split()), default=0) >= MIN_WORD


def glued_ends(letters: Sequence[tuple[str, float, float]], size: float) -> frozenset[int]:
    """Return the numbers of the letters before which a word begins without a blank; none for a line that is not glued.

    ``letters`` are the letters of a level line with their left and right edges, ``size`` is the font size.
    """
    chars = [char for char, _, _ in letters]
    if not has_long_word("".join(chars)) or size <= 0:
        return frozenset()
    inside = [n for n in range(1, len(chars)) if not chars[n].isspace() and not chars[n - 1].isspace()]
    gaps = {n: (letters[n][1] - letters[n - 1][2]) / size for n in inside}
    wide = [n for n in inside if gaps[n] >= MIN_GAP]
    between = sum(chars[n].isalpha() and chars[n - 1].isalpha() for n in wide)
    unclear = any(MAX_LETTER_GAP < gap < MIN_GAP for gap in gaps.values())
    if between < MIN_ENDS or unclear or len(wide) > MAX_SHARE * len(inside):
        return frozenset()
    return frozenset(n for n in wide if chars[n].isalpha() or chars[n - 1].isalpha())
