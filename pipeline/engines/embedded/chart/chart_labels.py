"""Reads the words of a chart as labels: phrases with a box in pixels, and the number that each may print."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from statistics import median

from pipeline.languages import Languages, active, from_words
from pipeline.languages.word_patterns import plain_any_of
from pipeline.records import Box, Page, Word
from pipeline.values.boxes import bounding_box
from pipeline.values.dates import month_names
from pipeline.values.numbers import parse_number

PHRASE_GAP = 0.9
"""A gap wider than this many letter heights separates two phrases."""
_AFFIXES = re.compile(r"^[<>~≈≤≥+*]*\s*(?:[A-Z]{2})?[$€£¥₹]?\s*|\s*(?:%|‰|pp|pct|[$€£¥₹]|zł)?[*†‡]*$")
_POWER = re.compile("(?:([1-9]) ?[×x·] ?)?10([⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹°]{1,2})")
_SCIENTIFIC = re.compile(r"([-+]?\d+(?:[.,]\d+)?)[eE]([-+]?\d{1,2})")
_TICK_MARK = re.compile(r"(?<=\d)\s?[-–—_|]+$")
"""The mark of an axis beside its number, as OCR reads it. Charts print no minus after a number."""
_MARK = re.compile(r"[-–—_|¦●•○◦■▪□◆◇▲△▼★]+")
"""A swatch, marker or rule, as OCR reads it."""
_LEADER = re.compile(r"[-–—_.·…•●■]{2,}(?=\w)")
_NUMBER_AND_UNIT = re.compile(r"([-−+]?\d[\d.,  ]*)\s?([^\W\d]{1,3}|[°ºo]\s?[CFСK]|[^\W\d]{1,4}/[^\W\d]{1,4})[.]?\s?[-–—_]?")
"""A number and a short unit behind it."""
_LOOK_ALIKE = str.maketrans("сºо", "c°o")
"""Letters of other scripts that OCR reads instead of Latin ones."""
MIN_SAME_UNIT = 3
"""Fewest numbers with the same unit that are numbers of an axis or of marks, and no names."""
_DIGIT_GROUP = re.compile(r"\d{1,3}")


@from_words
def _number_with_scale(languages: Languages) -> re.Pattern[str]:
    """A number and the abbreviation of a power of ten behind it."""
    return re.compile(rf"^(.*\d)\s?({plain_any_of(languages.words.numbers.scales)})\.?$")


@dataclass(frozen=True, slots=True)
class ChartLabel:
    """A phrase of a chart. ``words`` are indices into ``Page.words``; the box is in pixels."""

    text: str
    box: Box
    words: tuple[int, ...]
    number: Decimal | None
    rotated: bool = False
    """Whether it runs upwards or downwards."""

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
        """Whether it runs at an angle. A letter of a level text is about half as wide as it is high."""
        return not self.rotated and len(self.text) > 3 and self.height > max(0.45, 3 / len(self.text)) * self.width

    @property
    def width(self) -> float:
        """In pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """In pixels."""
        return self.box[3] - self.box[1]


def parse_label_number(text: str) -> Decimal | None:
    """Return the number that a tick or value label prints, without units: "12 %", "$1,250", "−8M", "3.5k"; None for other texts."""
    text = _TICK_MARK.sub("", text.strip())
    if power := _POWER.fullmatch(text):
        exponent = unicodedata.normalize("NFKC", power[2].replace("°", "0")).replace("−", "-")
        return int(power[1] or 1) * Decimal(10) ** int(exponent)
    plain = _AFFIXES.sub("", text.replace("−", "-"))
    if scientific := _SCIENTIFIC.fullmatch(plain):
        return Decimal(scientific[1].replace(",", ".")).scaleb(int(scientific[2]))
    with_scale = _number_with_scale().match(plain)
    number = parse_number(with_scale[1] if with_scale else plain)
    return number.scaleb(active().words.numbers.scales[with_scale[2]]) if number is not None and with_scale else number


def read_labels(page: Page, scale: float) -> tuple[list[ChartLabel], list[ChartLabel]]:
    """Return the phrases, and the single words. Boxes are in pixels of an image of ``scale`` pixels per point."""
    page = replace(page, words=tuple(_without_leader(word) for word in page.words))
    single = [_label([index], page.words, scale) for index in range(len(page.words))]
    phrases: list[ChartLabel] = []
    texts = [index for index, label in enumerate(single) if label.text and not _MARK.fullmatch(label.text)]
    for _, line in groupby(texts, key=lambda index: page.words[index].line):
        phrases += [_label(part, page.words, scale) for part in _phrases(list(line), page.words)]
    return _with_common_units(phrases), [single[index] for index in texts]


def _with_common_units(phrases: Sequence[ChartLabel]) -> list[ChartLabel]:
    """Return the phrases; a number and a unit are a number where at least ``MIN_SAME_UNIT`` of them have the same short unit."""
    parts = [_NUMBER_AND_UNIT.fullmatch(label.text) if label.number is None else None for label in phrases]
    units = Counter(_plain_unit(match[2]) for match in parts if match)
    return [
        replace(label, number=parse_label_number(match[1]))
        if match and units[_plain_unit(match[2])] >= MIN_SAME_UNIT and not _is_month(match[2])
        else label
        for label, match in zip(phrases, parts, strict=True)
    ]


def _plain_unit(unit: str) -> str:
    return unit.casefold().translate(_LOOK_ALIKE)


def _is_month(word: str) -> bool:
    """Return whether a word is the name of a month: "1 Jan" is a day."""
    return word.casefold().rstrip(".") in month_names()


def _without_leader(word: Word) -> Word:
    """Return a word without the stroke of a legend that OCR reads as its first letters: "……Wind"."""
    if not (leader := _LEADER.match(word.text)):
        return word
    x0, y0, x1, y1 = word.box
    return replace(word, text=word.text[leader.end() :], box=(x0 + leader.end() / len(word.text) * (x1 - x0), y0, x1, y1))


def _phrases(line: Sequence[int], words: Sequence[Word]) -> Iterable[list[int]]:
    """Return the phrases of a line. Numbers that follow each other are ticks and stay separate."""
    if _is_rotated([words[index].box for index in line], "".join(words[index].text for index in line)):
        return [list(line)]
    parts: list[list[int]] = []
    for index in line:
        if parts and _are_close(words[parts[-1][-1]], words[index]) and not _begins_phrase(parts[-1], index, words):
            parts[-1].append(index)
        else:
            parts.append([index])
    return parts


def _are_close(last: Word, word: Word) -> bool:
    height = max(last.box[3] - last.box[1], word.box[3] - word.box[1])
    return word.box[0] - last.box[2] < PHRASE_GAP * height


def _begins_phrase(part: Sequence[int], index: int, words: Sequence[Word]) -> bool:
    """Return whether a word begins a new phrase: a number after another number, or a number and a text with a wide gap between."""
    last, word = words[part[-1]], words[index]
    if parse_label_number(word.text) is None:
        return parse_label_number(last.text) is not None and word.box[0] - last.box[2] > 0.6 * (word.box[3] - word.box[1])
    if _continues_number(part, index, words):
        return False
    if all(parse_label_number(words[each].text) is not None for each in part):
        return True
    return word.box[0] - last.box[2] > 0.6 * (word.box[3] - word.box[1])


def _continues_number(part: Sequence[int], index: int, words: Sequence[Word]) -> bool:
    """Return whether three digits after a narrow gap are the next group of a number: "48 300"."""
    last, word = words[part[-1]], words[index]
    is_narrow = word.box[0] - last.box[2] < 0.35 * (word.box[3] - word.box[1])
    is_group = (
        len(word.text) == 3
        and word.text.isdigit()
        and all(_DIGIT_GROUP.fullmatch(words[each].text.lstrip("-−")) for each in part)
    )
    return is_group and is_narrow and all(len(words[each].text) == 3 for each in part[1:])


def _label(indices: Sequence[int], words: Sequence[Word], scale: float) -> ChartLabel:
    boxes = [words[index].box for index in indices]
    text = " ".join(words[index].text for index in indices).strip()
    box = bounding_box([(x0 * scale, y0 * scale, x1 * scale, y1 * scale) for x0, y0, x1, y1 in boxes])
    return ChartLabel(text, box, tuple(indices), parse_label_number(text), _is_rotated(boxes, text))


def _is_rotated(boxes: Sequence[Box], text: str) -> bool:
    x0, y0, x1, y1 = bounding_box(boxes)
    return len(text) >= 2 and y1 - y0 > (1.2 if len(text) > 3 else 1.3 if len(text) == 3 else 1.6) * (x1 - x0)


def letter_height(labels: Sequence[ChartLabel]) -> float:
    """Return the usual height of a line of text, in pixels."""
    heights = [label.height for label in labels if not label.rotated and not label.slanted]
    return median(heights) if heights else 12.0


def join_labels(labels: Sequence[ChartLabel]) -> ChartLabel:
    """Return several labels as one, read line by line."""
    height = letter_height(labels)
    lines: list[list[ChartLabel]] = []
    for label in sorted(labels, key=lambda label: label.y):
        if lines and label.y - lines[-1][0].y < 0.5 * height:
            lines[-1].append(label)
        else:
            lines.append([label])
    ordered = [label for line in lines for label in sorted(line, key=lambda label: label.x)]
    text = " ".join(label.text for label in ordered)
    words = tuple(index for label in ordered for index in label.words)
    return ChartLabel(
        text,
        bounding_box([label.box for label in ordered]),
        words,
        parse_label_number(text),
        all(label.rotated for label in ordered),
    )


def split_labels(phrases: Sequence[ChartLabel], words: Sequence[ChartLabel], boxes: Sequence[Box]) -> list[ChartLabel]:
    """Return the phrases, cut where some of their words stand in a box and some do not."""
    parts: list[ChartLabel] = []
    by_index = {word.words[0]: word for word in words}
    for phrase in phrases:
        singles = [by_index[index] for index in phrase.words if index in by_index]
        box_numbers = [next((n for n, box in enumerate(boxes) if _inside(word, box)), -1) for word in singles]
        if phrase.rotated or len(set(box_numbers)) < 2:
            parts.append(phrase)
            continue
        for _, group in groupby(zip(box_numbers, singles, strict=True), key=lambda pair: pair[0]):
            parts.append(join_labels([word for _, word in group]))
    return parts


def _inside(label: ChartLabel, box: Box) -> bool:
    return box[0] <= label.x <= box[2] and box[1] <= label.y <= box[3]
