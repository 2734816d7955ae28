"""Finds the labels of a template on a page, and labels of other values that compete with them.

All letters and digits of the page, run after run and without blanks, form one string, in which each label is searched. So lost or
doubled blanks do not matter. On scans, runs without a label are also compared with the labels of the page's languages letter by letter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import compress, count

from rapidfuzz import fuzz, process

from pipeline.engines.embedded.fields.label_index import OTHER, LabelIndex
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.engines.embedded.fields.vocabulary import is_neutral, vocabulary
from pipeline.records import Box, Word

__all__ = ["OTHER", "Label", "cut_box", "find_labels", "make_label"]
LEAST_WEIGHT = 0.3
"""Labels of languages with less weight are not found in misread words: their words are too far from the page's."""
_FUZZY = 84
_ZERO_FOR_O = re.compile(r"(?<![\d.,])0(?=[^\W\d_])|(?<=[^\W\d_])0(?!\d)")
"""A zero that OCR has read for the letter: "0IB", "D0C"."""
_ONE_FOR_L = re.compile(r"(?<=[a-zß-ÿ])1{1,2}(?![^\W_a-zß-ÿ])")
"""Ones that OCR has read for the letter: "Bi11 no.", "Tota1"."""
_AMOUNT = re.compile(r"\d[.,]\d\d(?!\d)")
_WORD = re.compile(r"w/o|[^\W\d_]+")
_FUZZY_LENGTH = 5
_EXCLUDED = 0.6  # what is left of a label with a remark that the tax is not in it
_CASELESS = range(0x2E80, 0xD7FF)  # Chinese, Japanese, Korean: words are not parted by blanks


@dataclass(eq=False)
class Label:
    """A label found on the page: characters ``start`` to ``end`` of a run's text.

    Nothing changes one once ``find_labels`` has returned it. A frozen one would take three times as long to create.
    """

    field: str
    run: Run
    start: int
    end: int
    box: Box
    words: tuple[int, ...]
    length: int
    """Folded characters matched."""
    cover: float = 1.0
    """Share of the run's own letters (values left out) that the label explains."""
    title: bool = False
    """The label is also a document's title ("Invoice"): it belongs only to a value close behind it."""
    vague: bool = False
    """The word says only that a number follows, and not which."""

    @property
    def row(self) -> int:
        """The row it stands in."""
        return self.run.row

    @property
    def end_x(self) -> float:
        """Its right edge."""
        return self.box[2]


@dataclass(frozen=True)
class _PageString:
    text: str
    runs: list[Run]
    chars: list[int]
    begins: list[bool]


def find_labels(layout: Layout, index: LabelIndex) -> list[Label]:
    """All labels on the page, longest first where they overlap, in reading order."""
    page = _page_string(layout)
    hits = [
        (at, at + len(label), label)
        for at, label in index.in_text(page.text, compress(count(), page.begins))
        if _is_whole(page, at, at + len(label), label)
    ]
    accepted: list[Label] = []
    used = bytearray(len(page.text) + 1)
    for start, end, text in sorted(hits, key=lambda hit: (hit[0] - hit[1], hit[0])):
        if not any(used[start:end]):
            used[start:end] = b"\1" * (end - start)
            accepted += _labels(layout, page, start, end, index.fields(text, layout.languages))
    if layout.page.source == "ocr":
        accepted += _misread(layout, accepted, index)
    labels = sorted(accepted, key=lambda label: (label.row, label.box[0]))
    found = [label for at, label in enumerate(labels) if not _is_remark(label, labels[max(0, at - 6) : at])]
    _set_covers(found)
    return found


def _is_remark(label: Label, before: list[Label]) -> bool:
    """Whether the label is a remark on another label before it in the run: "Total (incl. VAT)"."""
    for other in before:
        if other.run is label.run and other.end <= label.start:
            between = label.run.text[other.end : label.start]
            if "(" in between or (_has_word(between, vocabulary().remarks) and not _AMOUNT.search(between)):
                return True
    return False


def _has_word(text: str, words: frozenset[str]) -> bool:
    return any(word in words for word in _WORD.findall(text.casefold()))


@lru_cache(maxsize=4)
def _page_string(layout: Layout) -> _PageString:
    """The string of a page; the labels of its main fields and of its details are searched in the same one."""
    is_ocr = layout.page.source == "ocr"
    text: list[str] = []
    page = _PageString("", [], [], [])
    for run in layout.runs:
        before = " "
        for at, char in enumerate(_with_letters(run.text) if is_ocr else run.text):
            for part in _folded_char(char):
                text.append(part)
                page.chars.append(at)
                page.begins.append(_begins(before, char))
            before = char
        text.append("\n")
        page.chars.append(len(run.text))
        page.begins.append(True)
        page.runs.extend([run] * (len(text) - len(page.runs)))
    return replace(page, text="".join(text))


def _with_letters(text: str) -> str:
    """The text with the letters that OCR has read as digits, as long as before."""
    return _ONE_FOR_L.sub(lambda ones: "l" * len(ones[0]), _ZERO_FOR_O.sub("O", text))


@cache
def _folded_char(char: str) -> str:
    return label_key(char)


@lru_cache(maxsize=16384)
def _begins(before: str, char: str) -> bool:
    """Whether a new piece of text begins at ``char``: after blanks and marks, between digits and letters, lower and upper."""
    if not before.isalnum() or ord(char) in _CASELESS or ord(before) in _CASELESS:
        return True
    return before.isdigit() != char.isdigit() or (before.islower() and char.isupper())


def _is_whole(page: _PageString, start: int, end: int, label: str) -> bool:
    run = page.runs[start]
    if not page.begins[start] or run is not page.runs[end - 1]:
        return False
    _, bracket, inside = run.text[page.chars[start] : page.chars[end - 1] + 1].partition("(")
    if bracket and not _has_word(inside.lstrip()[:12].split(" ")[0], vocabulary().remarks | vocabulary().without_tax):
        return False
    return end >= len(page.begins) or page.begins[end] or label.endswith(("#", "%"))


def _labels(layout: Layout, page: _PageString, start: int, end: int, fields: Sequence[str]) -> list[Label]:
    """A label for each of the fields that its text names."""
    if not fields:
        return []
    first = make_label(layout, page.runs[start], page.chars[start], page.chars[end - 1] + 1, fields[0], end - start)
    return [first, *(_of_field(first, field) for field in fields[1:])]


def _of_field(label: Label, field: str) -> Label:
    """The same label for another field. ``replace`` takes several times as long."""
    return Label(
        field, label.run, label.start, label.end, label.box, label.words, label.length, title=label.title, vague=label.vague
    )


def make_label(layout: Layout, run: Run, start: int, end: int, field: str, length: int) -> Label:
    """A label. Where it shares a word with a value, its box is cut in proportion to the characters."""
    words = run.span(start, end)
    key, known = label_key(run.text[start:end]), vocabulary()
    box = cut_box(layout, run, start, end, words)
    return Label(field, run, start, end, box, words, length, title=key in known.titles, vague=key in known.vague_labels)


def cut_box(layout: Layout, run: Run, start: int, end: int, touched: tuple[int, ...] | None = None) -> Box:
    """The box of some characters of a run; parts of words are cut in proportion. ``touched`` are their words, where they are known."""
    words = (run.span(start, end) if touched is None else touched) or run.words
    x0, y0, x1, y1 = layout.box(words)
    at = run.words.index(words[0])
    first, begin = layout.page.words[words[0]], run.starts[at]
    if begin <= start < begin + len(first.text):
        x0 = _place_in(first, start - begin)
    last, begin = layout.page.words[words[-1]], run.starts[at + len(words) - 1]
    if begin < end <= begin + len(last.text):
        x1 = _place_in(last, end - begin)
    return x0, y0, x1, y1


def _place_in(word: Word, letters: int) -> float:
    """Where a word has so many letters to the left, as if all were of one width."""
    share = (word.box[2] - word.box[0]) / max(1, len(word.text))
    return word.box[0] + share * letters


def _misread(layout: Layout, accepted: list[Label], index: LabelIndex) -> Iterator[Label]:
    """Labels with a wrong letter or two, in runs that have none."""
    have = {label.run.number for label in accepted}
    heads = {run.number: _head(run.text) for run in layout.runs if run.number not in have}
    texts = {number: label_key(head) for number, head in heads.items()}
    texts = {number: text for number, text in texts.items() if _FUZZY_LENGTH <= len(text) <= 30}
    if not texts:
        return
    labels = [label for label in index.in_languages(layout.languages, LEAST_WEIGHT) if len(label) >= _FUZZY_LENGTH]
    if not labels:
        return
    scores = process.cdist(list(texts.values()), labels, scorer=fuzz.ratio, score_cutoff=_FUZZY)
    for number, row in zip(texts, scores, strict=True):
        best = int(row.argmax())
        if row[best] >= _FUZZY:
            run = layout.runs[number]
            for field in index.fields(labels[best], layout.languages):
                yield make_label(layout, run, 0, len(heads[number]), field, len(labels[best]))


def _head(text: str) -> str:
    """The run up to its first value."""
    for at, char in enumerate(text):
        if char == ":" or (char.isdigit() and (at == 0 or not text[at - 1].isalpha())):
            return text[:at].rstrip(" :.-")
    return text


def _set_covers(labels: list[Label]) -> None:
    """Sets the ``cover`` of each label, which depends on the others in its run."""
    by_run: dict[int, list[Label]] = defaultdict(list)
    for label in labels:
        by_run[label.run.number].append(label)
    for own in by_run.values():
        unexplained = _unexplained(own[0].run, own)
        for label in own:
            label.cover = _cover(label, unexplained)


def _unexplained(run: Run, labels: list[Label]) -> int:
    """How many letters of a run belong neither to its labels nor to words that change no meaning."""
    letters = 0
    for begin, word in _words(run):
        end = begin + len(word)
        if not any(begin < label.end and end > label.start for label in labels) and not is_neutral(word):
            letters += sum(map(str.isalpha, word))
    return letters


def _cover(label: Label, unexplained: int) -> float:
    cover = label.length / (label.length + unexplained)
    return cover * _EXCLUDED if _has_word(label.run.text[label.end :], vocabulary().without_tax) else cover


def _words(run: Run) -> Iterator[tuple[int, str]]:
    ends = [*run.starts[1:], len(run.text) + 1]
    for begin, end in zip(run.starts, ends, strict=True):
        yield begin, run.text[begin : end - 1]
