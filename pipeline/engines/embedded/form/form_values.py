"""The value that stands beside a label: behind it, right of it or below it, of the field's type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.leaf_candidates import LeafCandidates
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.engines.embedded.form.label_matches import LabelMatch
from pipeline.templates.template import TemplateField
from pipeline.values.leaf_values import parse_leaf
from pipeline.values.periods import find_periods

BEHIND, RIGHT, BELOW, FURTHER = 1.0, 0.92, 0.8, 0.55
"""What a place beside a label leaves of its strength."""
ROWS_BELOW = 3
"""Rows below a label in which its value may stand."""
FAR = 28.0
"""Letter heights between a label and a value right of it, beyond which they hardly belong together."""
LONGEST = 300
ADDRESS_LINES = 4
GRAMMAR_TYPES = frozenset(
    {"integer", "percentage", "quantity", "period", "duration", "phone", "mail", "url", "iban", "bic", "country"}
)
"""Types whose values are recognised by their grammar."""
_EDGES = " \t:;.,=#–—-|*"
_END_WORDS = frozenset(
    {"end", "ends", "to", "until", "till", "expiration", "expiry", "expires", "through", "thru", "ended", "fin", "bis"}
)
_CODE = re.compile(r"[^\s,;|]*\d[^\s,;|]*")
Taken = Mapping[int, Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Value:
    """A value for a field, with how much speaks for it."""

    field: str
    value: str
    printed: str
    words: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a run that may hold a value."""

    run: Run
    start: int
    end: int
    place: float

    @property
    def text(self) -> str:
        return self.run.text[self.start : self.end]


class ValueFinder:
    """Finds values beside labels on one page."""

    def __init__(self, layout: Layout, candidates: Candidates, matches: Sequence[LabelMatch], leaves: LeafCandidates) -> None:
        self._layout, self._candidates, self._leaves = layout, candidates, leaves
        self._labels: dict[int, list[LabelMatch]] = {}
        for match in matches:
            if match.strength >= 0.45:
                self._labels.setdefault(match.run.number, []).append(match)

    def values(self, match: LabelMatch, field: TemplateField) -> Iterator[Value]:
        """The values that may belong to a label, the nearest of each direction."""
        for piece in self._pieces(match):
            for value, printed, words, quality in self._typed(piece, field, match.field):
                yield Value(match.field, value, printed, words, match.strength * piece.place * quality)

    def _pieces(self, match: LabelMatch) -> Iterator[_Piece]:
        run = match.run
        end = min(
            (other.start for other in self._labels.get(run.number, ()) if other.start >= match.end), default=len(run.text)
        )
        rest = run.text[match.end : end]
        if end == len(run.text) and rest.rstrip().endswith(":") and rest.count(":") == 1:
            end = match.end  # the label goes on: "Insured name | and address:"
            behind = _Piece(run, end, end, BEHIND)
            yield from self._right(match)
        else:
            behind = _Piece(run, match.end, end, BEHIND)
        if any(char.isalnum() for char in behind.text):
            yield behind
        elif end == len(run.text):
            yield from self._right(match)
        if behind.text.strip(_EDGES) == "":
            yield from self._below(match)

    def _right(self, match: LabelMatch) -> Iterator[_Piece]:
        found = 0
        for run in self._layout.rows[match.run.row]:
            if run.box[0] < match.run.box[2] - 1 or run is match.run:
                continue
            labels = self._labels.get(run.number, ())
            if any(label.start == 0 and label.field != match.field for label in labels):
                return
            if not any(char.isalnum() for char in run.text):
                continue
            gap = (run.box[0] - match.run.box[2]) / self._layout.height
            end = min((label.start for label in labels if label.start), default=len(run.text))
            yield _Piece(run, 0, end, (RIGHT if found == 0 else FURTHER) * (1.0 if gap < FAR else 0.75))
            found += 1
            if found == 3:
                return

    def _below(self, match: LabelMatch) -> Iterator[_Piece]:
        box = match.run.box
        for row in range(match.run.row + 1, min(len(self._layout.rows), match.run.row + 1 + ROWS_BELOW)):
            for run in self._layout.rows[row]:
                overlap = min(run.box[2], box[2]) - max(run.box[0], box[0])
                if overlap <= 0 or run.box[1] - box[3] > 2.5 * self._layout.height:
                    continue
                if any(label.start == 0 for label in self._labels.get(run.number, ())):
                    return
                yield _Piece(run, 0, len(run.text), BELOW)
                return

    def _typed(self, piece: _Piece, field: TemplateField, match_name: str) -> Iterator[tuple[str, str, tuple[int, ...], float]]:
        """Value, text as printed, words and quality of what a piece holds of a field's type."""
        if field.type in ("number", "money"):
            numbers = [c for c in self._inside(piece, self._candidates.numbers) if c.kind in ("money", "percent")]
            yield from ((c.value, c.printed, c.words, 0.6 + 0.4 * c.quality) for c in numbers[:1])
        elif field.type in ("date", "time"):
            found = self._inside(piece, self._candidates.of(field.type))
            chosen = found[1:2] if ends_period(match_name) else found[:1]
            yield from ((c.value, c.printed, c.words, c.quality) for c in chosen or found[:1])
        elif field.type == "enum":
            if choice := choice_in(piece.text, field):
                yield choice, piece.text.strip(), self._words(piece, piece.text), 1.0
        elif field.type in GRAMMAR_TYPES:
            found = self._inside(piece, self._leaves.of(field.type))
            yield from ((c.value, c.printed, c.words, 0.6 + 0.4 * c.quality) for c in found[:1])
            if not found and field.type == "period":
                yield from self._wrapped_period(piece)
            if not found and field.type in ("quantity", "percentage", "integer"):  # the unit may stand beside the label
                numbers = self._inside(piece, self._candidates.numbers)
                if field.type == "integer":
                    numbers = [c for c in numbers if c.value.lstrip("-").partition(".")[2].strip("0") == ""]
                yield from ((c.value, c.printed, c.words, 0.5 + 0.4 * c.quality) for c in numbers[:1])
        elif field.type == "boolean":
            text = piece.text.strip(_EDGES)
            if value := parse_leaf("boolean", text):
                yield value, text, self._words(piece, text), 1.0
        elif field.type == "identifier":
            yield from self._code(piece, field)
        elif text := piece.text.strip(_EDGES)[:LONGEST]:
            words = self._words(piece, text)
            if (
                "address" in label_key(f"{field.description[:40]} {' '.join(field.labels.get('en', [])[:2])}")
                or field.format == "address"
                or field.type == "address"
            ):
                text, words = self._address(piece, text, words)
            yield text, text, words, 0.9 if any(char.isalpha() for char in text) else 0.6

    def _wrapped_period(self, piece: _Piece) -> Iterator[tuple[str, str, tuple[int, ...], float]]:
        """A period whose second day stands on the line below, as in a narrow cell."""
        below = next(
            (
                run
                for row in self._layout.rows[piece.run.row + 1 : piece.run.row + 3]
                for run in row
                if run.box[1] - piece.run.box[3] < self._layout.height
                and min(run.box[2], piece.run.box[2]) > max(run.box[0], piece.run.box[0])
            ),
            None,
        )
        if below is None:
            return
        text = f"{piece.text.rstrip()} {below.text}"
        for found in find_periods(text, self._candidates.order, self._layout.languages):
            words = (*self._words(piece, piece.text), *below.words)
            yield found.value, text[found.start : found.end], words, 0.85
            return

    def _inside(self, piece: _Piece, candidates: Sequence[Candidate]) -> list[Candidate]:
        return [c for c in candidates if c.run is piece.run and c.start >= piece.start - 1 and c.end <= piece.end + 1]

    def _code(self, piece: _Piece, field: TemplateField) -> Iterator[tuple[str, str, tuple[int, ...], float]]:
        text = piece.text.strip(_EDGES)
        if not text:
            return
        tokens = text.split()
        vat = next(iter(self._inside(piece, self._candidates.vats)), None) if field.format == "vat" else None
        if vat:
            yield vat.value, vat.printed, vat.words, 1.0
        elif len(tokens) <= 5 and any(char.isdigit() for char in text):
            quality = 1.0 if len(tokens) == 1 else 0.9
            yield text, text, self._words(piece, text), quality
        elif match := _CODE.search(text):
            yield match[0], match[0], self._words(piece, match[0]), 0.75
        elif len(tokens) == 1:
            yield text, text, self._words(piece, text), 0.5

    def _address(self, piece: _Piece, text: str, words: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
        """The text with the lines below it in the same column, as addresses are printed."""
        lines, last = [text], piece.run
        left = self._layout.box(words)[0] if words else piece.run.box[0]
        for row in range(piece.run.row + 1, min(len(self._layout.rows), piece.run.row + ADDRESS_LINES)):
            below = next((run for run in self._layout.rows[row] if abs(run.box[0] - left) < 1.5 * self._layout.height), None)
            if (
                below is None
                or below.box[1] - last.box[3] > self._layout.height
                or below.number in self._labels
                or ":" in below.text
            ):
                break
            lines.append(below.text)
            words, last = (*words, *below.words), below
        return ", ".join(line.strip(" ,") for line in lines), words

    def _words(self, piece: _Piece, text: str) -> tuple[int, ...]:
        start = piece.run.text.find(text.strip(), piece.start)
        return piece.run.span(max(start, piece.start), max(start, piece.start) + len(text.strip()))


def ends_period(name: str) -> bool:
    """Whether a field is the end of a period, by its name: of two dates beside its label the second one is meant."""
    return bool(_END_WORDS & set(re.split(r"[._]", name)))


def choice_in(text: str, field: TemplateField) -> str | None:
    """The choice of an ``enum`` that a short text is or begins with."""
    plain = label_key(text)
    best, likeness = None, 0.0
    for value in field.values:
        for name in (value, *field.synonyms.get(value, ())):
            key = label_key(name)
            exact = text.strip(_EDGES).casefold() == name.casefold() or (key and key == plain)
            starts = len(key) > 1 and re.match(rf"\W*{re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None
            like = 100.0 if exact else 95.0 if starts else fuzz.ratio(key, plain) if len(key) > 3 else 0.0
            if like > likeness:
                best, likeness = value, like
    return best if likeness >= 85 else None
