"""Where the addresses of the parties stand: the lines with a post code near a party's name, and those that belong to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key, stand_together
from pipeline.values.country_names import country_code
from pipeline.values.leaf_values import MAIL, URL
from pipeline.values.postal import PostalAddress, is_code_alone, parse_postal

_LINES = 5
"""Lines of an address above its city, at most."""
_ROWS_BETWEEN, _FAR = 3, 2.6
"""Rows of other columns between two lines, and letter heights between them, at most."""
_LEAST_NAME = 4
_SAME_NAME = 88.0
_NEAR_NAME, _LABELLED, _ELSEWHERE = 1.0, 0.9, 0.35


@dataclass(frozen=True)
class FoundAddress:
    """An address: its printed lines without the name, its parts, the words of each line, and how surely it is the party's."""

    lines: tuple[str, ...]
    parts: PostalAddress
    words: tuple[tuple[int, ...], ...]
    likely: float

    @property
    def text(self) -> str:
        """In one line."""
        return ", ".join(self.lines)

    @property
    def all_words(self) -> tuple[int, ...]:
        """The words of all lines."""
        return tuple(word for line in self.words for word in line)


@dataclass(frozen=True)
class _Block:
    """Lines of one block, from the first one to that of the city or of the country."""

    runs: tuple[tuple[Run, int, int], ...]

    @property
    def texts(self) -> list[str]:
        return [run.text[start:end].strip(" ,;:") for run, start, end in self.runs]


class PartyAddresses:
    """The addresses of a page."""

    def __init__(self, layout: Layout, labels: Sequence[Label]) -> None:
        self._layout = layout
        self._ends = {label.run.number: label.end for label in labels if label.start <= 1}
        self._labels = labels
        self._blocks = [block for run in layout.runs if (block := self._block(run))]

    def of(self, names: Sequence[str], labelled: Sequence[str], others: Sequence[str]) -> FoundAddress | None:
        """The address below or behind one of ``names``, or a label of the fields ``labelled``.

        Never one that belongs to a name of ``others``.
        """
        best: tuple[float, int, FoundAddress] | None = None
        for at, block in enumerate(self._blocks):
            texts = block.texts
            named = self._named(block, names)
            if any(self._named(block, [other]) is not None for other in others) and named is None:
                continue
            likely = 0.0
            if named is not None:
                texts, likely = self._without_name(block, named, names), _NEAR_NAME
            elif self._below_label(block, labelled):
                texts, likely = texts[1:] if len(texts) > 2 and not any(map(str.isdigit, texts[0])) else texts, _LABELLED
            if not likely:
                continue
            parts = parse_postal(texts)
            if parts.city is None:
                continue
            kept = [text for text in texts if text]
            words = tuple(tuple(run.span(start, end)) for run, start, end in block.runs)
            complete = sum(part is not None for part in (parts.street, parts.post_code, parts.city))
            rank = likely + 0.1 * complete
            found = FoundAddress(tuple(kept), parts, words[-len(kept) :], likely)
            if best is None or rank > best[0]:
                best = rank, at, found
        return best[2] if best else None

    def _block(self, run: Run) -> _Block | None:
        """The lines that end with a run that has a post code and a city."""
        start = self._start(run)
        text = run.text[start:]
        if not run.has_digit or len(text) > 160 or MAIL.search(text):
            return None
        if not parse_postal([text]).city and not is_code_alone(text):
            return None
        above = list(self._above(run))
        lines = [(run, start, len(run.text))]
        for other in above:
            if self._is_end(other):
                break
            lines.insert(0, (other, self._start(other), len(other.text)))
        below = next(self._layout.chain(run, 1, 1), None)
        if below is not None and country_code(below.text) and len(below.text) > 3:
            lines.append((below, 0, len(below.text)))
        return _Block(tuple(lines))

    def _above(self, run: Run) -> Iterator[Run]:
        """The lines above a line of one column: aligned at the left, or centred, and not far apart."""
        for _ in range(_LINES):
            height = max(4.0, run.size)
            rows = range(run.row - 1, max(-1, run.row - 1 - _ROWS_BETWEEN), -1)
            near = (other for row in rows for other in self._layout.rows[row] if stand_together(run.box, other.box, height))
            other = next(near, None)
            if other is None or run.box[1] - other.box[3] > _FAR * height:
                return
            yield other
            run = other

    def _start(self, run: Run) -> int:
        """Behind a label that begins the line."""
        end = self._ends.get(run.number, 0)
        return end if end < len(run.text) else 0

    def _is_end(self, run: Run) -> bool:
        """Whether a line above an address is none of its lines: a contact, or a label alone."""
        return bool(MAIL.search(run.text) or URL.search(run.text) or self._ends.get(run.number, 0) >= len(run.text))

    def _named(self, block: _Block, names: Sequence[str]) -> int | None:
        """The line of the block that has one of the names; None where none has."""
        for at, text in enumerate(block.texts):
            for name in names:
                if _has_name(text, name):
                    return at
        return None

    def _without_name(self, block: _Block, at: int, names: Sequence[str]) -> list[str]:
        """The texts behind the name. A line may have name and address in one: "Example Ltd · 1 Main St · London"."""
        texts = block.texts
        for name in names:
            plain = texts[at]
            place = plain.casefold().find(name.casefold())
            if place >= 0:
                rest = plain[place + len(name) :].strip(" ,;·•|–-")
                return [rest, *texts[at + 1 :]] if len(rest) > 3 else texts[at + 1 :]
        return texts[at + 1 :]

    def _below_label(self, block: _Block, fields: Sequence[str]) -> bool:
        """Whether a label of the fields stands right above the block, beside its first line, or in it."""
        first = block.runs[0][0]
        rows = {run.row for run, _, _ in block.runs}
        for label in self._labels:
            if label.field not in fields or label.cover < 0.5:
                continue
            if label.row in rows and label.box[0] <= first.box[0] + 2:
                return True
            aligned = label.box[0] < first.box[2] and label.box[2] > first.box[0] - 2 * self._layout.height
            if aligned and 0 < first.row - label.row <= 2:
                return True
        return False


def _has_name(text: str, name: str) -> bool:
    folded, wanted = label_key(text), label_key(name)
    if len(wanted) < _LEAST_NAME:
        return folded == wanted and bool(wanted)
    return wanted in folded or (len(folded) >= _LEAST_NAME and fuzz.ratio(folded, wanted) >= _SAME_NAME)
