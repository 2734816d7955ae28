"""The lines of a party's address, and its text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from pipeline.engines.embedded.fields.addresses.line_features import NAMES, AddressLines
from pipeline.engines.embedded.fields.label_index import OTHER
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.stacked_networks import Network, Numbers, load_networks, two_looks

WEIGHTS = "addresses.npz"
"""Fitted by ``training.addresses``."""
LINE = 1
"""Class of a line of the address; 0 is any other."""
_LEAST = 0.5
_TELEPHONE = re.compile(r"[,;|]?\s+(?:\+\d|\(?0)[\d\s()/.-]*\d\s*$")
_TELEPHONE_DIGITS = 8
"""Digits of a telephone number with its area code; postcodes have fewer."""
_OWN_LABEL = NAMES.index("own label")
_STEP = 2  # rows between lines of one address


_LETTERS, _LABELLED = 6, 0.5
"""Letters of a line that its label alone makes an address, and how likely it is one."""


@dataclass(frozen=True)
class Address:
    """A postal address: its lines joined by commas, the words it came from, and how likely its lines are right."""

    text: str
    words: tuple[int, ...]
    likely: float


def find_address(lines: AddressLines, labels: Sequence[Label]) -> Address | None:
    """The likeliest address among some lines; None where there is none."""
    return address_of(lines, line_probabilities(lines), labels)


def line_probabilities(lines: AddressLines) -> Numbers:
    """The probability of each line to belong to the address."""
    if not lines.runs:
        return np.zeros(0, np.float32)
    return two_looks(lines, *weights())[:, LINE]


def address_of(lines: AddressLines, likely: Numbers, labels: Sequence[Label]) -> Address | None:
    """The block of likely lines with the highest sum of probabilities."""
    blocks: list[list[int]] = []
    others = _lines_of_other_fields(lines, labels)
    for at, run in enumerate(lines.runs):
        if likely[at] < _LEAST or run.number in others:
            continue
        home = next(
            (block for block in blocks if run.row - lines.runs[block[-1]].row <= _STEP and _fits(lines, block, at)), None
        )
        if home is None:
            blocks.append([at])
        else:
            home.append(at)
    if not blocks:
        return _labelled(lines, labels)
    best = max(blocks, key=lambda block: float(likely[block].sum()))
    ends = {label.run.number: label.end for label in labels if label.start == 0}
    texts: list[str] = []
    words: list[int] = []
    for at in best:
        run = lines.runs[at]
        start = ends.get(run.number, 0) if ends.get(run.number, 0) < len(run.text) else 0
        end = _before_telephone(run.text, start)
        texts.append(run.text[start:end].strip(" ,:;"))
        words += run.span(start, end)
    return Address(", ".join(text for text in texts if text), tuple(words), float(likely[best].mean()))


def _labelled(lines: AddressLines, labels: Sequence[Label]) -> Address | None:
    """The text behind a label of the address in its line, where that has words and a number: "Adrese: Rīga, Pļavu iela 16"."""
    for run, features in zip(lines.runs, lines.own, strict=True):
        start = min((label.end for label in labels if label.run is run), default=0)
        text = run.text[start:].strip(" ,:;.")
        if features[_OWN_LABEL] and sum(map(str.isalpha, text)) >= _LETTERS and any(map(str.isdigit, text)):
            return Address(text, run.span(start, len(run.text)), _LABELLED)
    return None


def _lines_of_other_fields(lines: AddressLines, labels: Sequence[Label]) -> set[int]:
    """Numbers of runs that begin with a label of another field of the template: "NIF: 12345678Z Maria Lopez"."""
    own = {run.number for run, features in zip(lines.runs, lines.own, strict=True) if features[_OWN_LABEL]}
    return {label.run.number for label in labels if label.start == 0 and not label.field.startswith(OTHER)} - own


def _before_telephone(text: str, start: int) -> int:
    """Where a line ends that a telephone number follows."""
    number = _TELEPHONE.search(text, start)
    is_telephone = number is not None and number.start() > start and sum(map(str.isdigit, number[0])) >= _TELEPHONE_DIGITS
    return number.start() if number and is_telephone else len(text)


def _fits(lines: AddressLines, block: Sequence[int], at: int) -> bool:
    """Whether a line stands below or beside the last one of a block."""
    last, run = lines.runs[block[-1]], lines.runs[at]
    return run.row == last.row or min(run.box[2], last.box[2]) > max(run.box[0], last.box[0])


@cache
def weights() -> tuple[list[Network], list[Network]]:
    """The networks of both looks."""
    return load_networks("pipeline.engines.embedded.fields.addresses", WEIGHTS, NAMES)
