"""The words of a chart as labels: phrases with a box in pixels, and the number each may print."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from statistics import median

from pipeline.records import Box, Page, Word
from pipeline.values.boxes import around
from pipeline.values.numbers import parse_number

GAP = 0.9
"""A gap wider than this many letter heights parts two phrases."""
_AFFIXES = re.compile(r"^[<>~≈≤≥+*]*\s*(?:[A-Z]{2})?[$€£¥₹]?\s*|\s*(?:%|‰|pp|pct|[$€£¥₹]|zł)?[*†‡]*$")
_POWER = re.compile("(?:([1-9]) ?[×x·] ?)?10([⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹°]{1,2})")
_TICK = re.compile(r"(?<=\d)\s?[-–—_|]+$")
"""The mark of an axis beside its number, as OCR reads it; no chart prints a minus behind a number."""
_MARK = re.compile(r"[-–—_|¦●•○◦■▪□◆◇▲△▼★]+")
"""A swatch, marker or rule, as OCR reads it."""
_LED = re.compile(r"[-–—_.·…•●■]{2,}(?=\w)")
_GROUPED = re.compile(r"\d{1,3}")
_SCALES = {"k": 3, "K": 3, "M": 6, "m": 6, "mn": 6, "Mio": 6, "mio": 6, "B": 9, "bn": 9, "Mrd": 9, "T": 12}
_SCALED = re.compile(r"^(.*\d)\s?(k|K|M|m|mn|Mio|mio|B|bn|Mrd|T)\.?$")


@dataclass(frozen=True, slots=True)
class Label:
    """A phrase of a chart; ``words`` are indices into ``Page.words``, the box is in pixels."""

    text: str
    box: Box
    words: tuple[int, ...]
    number: Decimal | None
    turned: bool = False
    """Written upwards or downwards."""

    @property
    def x(self) -> float:
        """Horizontal centre."""
        return (self.box[0] + self.box[2]) / 2

    @property
    def y(self) -> float:
        """Vertical centre."""
        return (self.box[1] + self.box[3]) / 2

    @property
    def slanted(self) -> bool:
        """Whether it runs up or down at an angle: a level text is about half as wide as it is high for each letter."""
        return not self.turned and len(self.text) > 3 and self.height > max(0.45, 3 / len(self.text)) * self.width

    @property
    def width(self) -> float:
        """In pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """In pixels."""
        return self.box[3] - self.box[1]


def number_of(text: str) -> Decimal | None:
    """The number a tick or value label prints, units left out: "12 %", "$1,250", "−8M", "3.5k"."""
    text = _TICK.sub("", text.strip())
    if power := _POWER.fullmatch(text):
        exponent = unicodedata.normalize("NFKC", power[2].replace("°", "0")).replace("−", "-")
        return int(power[1] or 1) * Decimal(10) ** int(exponent)
    plain = _AFFIXES.sub("", text.replace("−", "-"))
    scaled = _SCALED.match(plain)
    number = parse_number(scaled[1] if scaled else plain)
    return number.scaleb(_SCALES[scaled[2]]) if number is not None and scaled else number


def read_labels(page: Page, scale: float) -> tuple[list[Label], list[Label]]:
    """Phrases, and the single words; boxes in pixels of an image of ``scale`` pixels per point."""
    page = replace(page, words=tuple(_unled(word) for word in page.words))
    single = [_label([index], page.words, scale) for index in range(len(page.words))]
    phrases: list[Label] = []
    texts = [index for index, label in enumerate(single) if label.text and not _MARK.fullmatch(label.text)]
    for _, line in groupby(texts, key=lambda index: page.words[index].line):
        phrases += [_label(part, page.words, scale) for part in _phrases(list(line), page.words)]
    return phrases, [single[index] for index in texts]


def _unled(word: Word) -> Word:
    """A word without the dots or dashes of a legend's stroke that OCR reads as its beginning: "……Wind"."""
    if not (led := _LED.match(word.text)):
        return word
    x0, y0, x1, y1 = word.box
    return replace(word, text=word.text[led.end() :], box=(x0 + led.end() / len(word.text) * (x1 - x0), y0, x1, y1))


def _phrases(line: Sequence[int], words: Sequence[Word]) -> Iterable[list[int]]:
    """Parts of a line; numbers that follow each other are ticks and stay apart."""
    if _is_turned([words[index].box for index in line], "".join(words[index].text for index in line)):
        return [list(line)]
    parts: list[list[int]] = []
    for index in line:
        if parts and _near(words[parts[-1][-1]], words[index]) and not _parted(parts[-1], index, words):
            parts[-1].append(index)
        else:
            parts.append([index])
    return parts


def _near(last: Word, word: Word) -> bool:
    height = max(last.box[3] - last.box[1], word.box[3] - word.box[1])
    return word.box[0] - last.box[2] < GAP * height


def _parted(part: Sequence[int], index: int, words: Sequence[Word]) -> bool:
    """Whether a number stands apart from what comes before: after another number, or after a text and a wide blank."""
    last, word = words[part[-1]], words[index]
    if number_of(word.text) is None:
        return number_of(last.text) is not None and word.box[0] - last.box[2] > 0.6 * (word.box[3] - word.box[1])
    if _goes_on(part, index, words):
        return False
    if all(number_of(words[each].text) is not None for each in part):
        return True
    return word.box[0] - last.box[2] > 0.6 * (word.box[3] - word.box[1])


def _goes_on(part: Sequence[int], index: int, words: Sequence[Word]) -> bool:
    """Whether three digits after a narrow blank are the next group of a number: "48 300"."""
    last, word = words[part[-1]], words[index]
    narrow = word.box[0] - last.box[2] < 0.35 * (word.box[3] - word.box[1])
    grouped = (
        len(word.text) == 3 and word.text.isdigit() and all(_GROUPED.fullmatch(words[each].text.lstrip("-−")) for each in part)
    )
    return grouped and narrow and all(len(words[each].text) == 3 for each in part[1:])


def _label(indices: Sequence[int], words: Sequence[Word], scale: float) -> Label:
    boxes = [words[index].box for index in indices]
    text = " ".join(words[index].text for index in indices).strip()
    box = around([(x0 * scale, y0 * scale, x1 * scale, y1 * scale) for x0, y0, x1, y1 in boxes])
    return Label(text, box, tuple(indices), number_of(text), _is_turned(boxes, text))


def _is_turned(boxes: Sequence[Box], text: str) -> bool:
    x0, y0, x1, y1 = around(boxes)
    return len(text) >= 3 and y1 - y0 > (1.2 if len(text) > 3 else 1.3) * (x1 - x0)


def letter_height(labels: Sequence[Label]) -> float:
    """The usual height of a line of text in pixels."""
    heights = [label.height for label in labels if not label.turned and not label.slanted]
    return median(heights) if heights else 12.0


def join(labels: Sequence[Label]) -> Label:
    """Several labels as one, read line by line."""
    height = letter_height(labels)
    lines: list[list[Label]] = []
    for label in sorted(labels, key=lambda label: label.y):
        if lines and label.y - lines[-1][0].y < 0.5 * height:
            lines[-1].append(label)
        else:
            lines.append([label])
    ordered = [label for line in lines for label in sorted(line, key=lambda label: label.x)]
    text = " ".join(label.text for label in ordered)
    words = tuple(index for label in ordered for index in label.words)
    return Label(text, around([label.box for label in ordered]), words, number_of(text), all(label.turned for label in ordered))


def split_at(phrases: Sequence[Label], words: Sequence[Label], boxes: Sequence[Box]) -> list[Label]:
    """Phrases cut where their words stand partly inside and partly outside of a box."""
    parts: list[Label] = []
    by_index = {word.words[0]: word for word in words}
    for phrase in phrases:
        singles = [by_index[index] for index in phrase.words if index in by_index]
        places = [next((n for n, box in enumerate(boxes) if _inside(word, box)), -1) for word in singles]
        if phrase.turned or len(set(places)) < 2:
            parts.append(phrase)
            continue
        for _, group in groupby(zip(places, singles, strict=True), key=lambda pair: pair[0]):
            parts.append(join([word for _, word in group]))
    return parts


def _inside(label: Label, box: Box) -> bool:
    return box[0] <= label.x <= box[2] and box[1] <= label.y <= box[3]
